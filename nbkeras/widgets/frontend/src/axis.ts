// Axes: which range to show, and the round numbers to write beside it.
import { setting } from "./format";

const FEWEST = 10; // epochs: no axis is made shorter than half of that

export type Range = readonly [number, number];

/** Round numbers within a range, at most `most`, equally far apart. */
export function ticks(low: number, high: number, most = 5): number[] {
  if (!(high > low)) return [low];
  const step = roundStep((high - low) / Math.max(1, most));
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const values: number[] = [];
  for (let index = first; index <= last; index += 1) {
    values.push(Number((index * step).toPrecision(10)));
  }
  return values;
}

/** Powers of ten within a range, and 2 and 5 times these where there is room. */
export function logTicks(low: number, high: number, most = 5): number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  let values: number[] = [];
  for (const steps of [[1, 2, 5], [1, 3], [1]]) {
    values = [];
    for (let power = first; power <= last; power += 1) {
      for (const step of steps) {
        const value = Number(`${step}e${power}`);
        if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) values.push(value);
      }
    }
    if (values.length <= most + 1) return values.length > 0 ? values : [low, high];
  }
  const every = Math.ceil(values.length / most);
  return values.filter((_, index) => index % every === 0);
}

/** Tick values as text, all with as many decimals as the finest needs. */
export function labels(values: readonly number[]): string[] {
  const texts = values.map(setting);
  if (texts.some((text) => text.includes("e"))) return texts;
  const decimals = Math.max(0, ...texts.map((text) => (text.split(".")[1] ?? "").length));
  return values.map((value) => value.toFixed(decimals).replace("-", "\u2212"));
}

/** The range of an axis for these values: with some air, and at round numbers, so that it
 * stays where it is until a value leaves it. */
export function extent(values: Iterable<number | null>, log: boolean): Range | undefined {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value === null || !Number.isFinite(value) || (log && value <= 0)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return undefined;
  if (log) {
    const grid = 4; // to a quarter of a decade
    const from = Math.floor(Math.log10(low) * grid - 0.05) / grid;
    return [10 ** from, 10 ** Math.max(from + 1 / grid, Math.ceil(Math.log10(high) * grid + 0.05) / grid)];
  }
  const air = (high - low) * 0.04 || Math.abs(high) * 0.1 || 1;
  const bottom = low >= 0 && low < high * 0.25 ? 0 : low - air;
  const step = roundStep((high + air - bottom) / 5) / 2;
  return [Math.floor(bottom / step) * step, Math.ceil((high + air) / step) * step];
}

/** Where the axis of epochs ends: at the end of the run, or, early in a long one, after half
 * of it, or half of that, and so on, so that the curves always fill half of the width. */
export function horizon(start: number, end: number, position: number): number {
  let span = end - start;
  while (span > FEWEST && position - start <= Math.ceil(span / 2)) span = Math.ceil(span / 2);
  return Math.max(start + span, position);
}

function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((value) => value * power >= rough * 0.999999) ?? 10;
  return step * power;
}
