// Numbers and times as a person reads them: steady in width, never more digits than they earn.

const MINUS = "\u2212";
const SPACE = "\u202f";

/** A measured number in four significant digits: `0.0123`, `12.35`, `1.20e−5`, `NaN`. */
export function number(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined) return "\u2013";
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? "NaN" : value > 0 ? "\u221e" : `${MINUS}\u221e`;
  }
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) {
    const [mantissa, exponent] = value.toExponential(Math.max(1, digits - 2)).split("e");
    return minus(`${mantissa}e${Number(exponent)}`);
  }
  const whole = size < 1 ? 1 : Math.floor(Math.log10(size)) + 1;
  return minus(value.toFixed(Math.max(0, Math.min(digits, digits + 1 - whole))));
}

/** A setting, as short as it can be said exactly: `0.001`, `3e−4`, `0.25`. */
export function setting(value: number): string {
  if (!Number.isFinite(value)) return number(value);
  const short = Number(value.toPrecision(4));
  const size = Math.abs(short);
  if (size === 0 || (size >= 1e-3 && size < 1e6)) return minus(String(short));
  const [mantissa, exponent] = short.toExponential().split("e");
  return minus(`${mantissa}e${Number(exponent)}`);
}

/** A count with its digits in groups of three: `1 234 567`. */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined) return "?";
  return minus(String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, SPACE));
}

/** A number of bytes: `812 B`, `1.4 MB`. */
export function bytes(value: number): string {
  const units = ["B", "KB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)}${SPACE}${units[unit]}`;
}

/** Seconds, roughly: `8 s`, `1 min 20 s`, `2 h 05 min`. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "\u2013";
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 60 * 48) return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
  return `${Math.round(minutes / 60 / 24)} days`;
}

/** The sizes of a tensor as Keras writes them: `(None, 28, 28)`. */
export function shape(value: unknown): string {
  if (!Array.isArray(value)) return value === null || value === undefined ? "?" : String(value);
  if (value.some(Array.isArray)) return value.map(shape).join(", ");
  return `(${value.map((size) => (size === null ? "None" : String(size))).join(`, `)}${value.length === 1 ? "," : ""})`;
}

/** Text from elsewhere, on one line, with control and direction characters made visible. */
export function plain(text: unknown, longest = 200): string {
  const clean = String(text).replace(HIDDEN, (mark) => {
    if (mark === "\n" || mark === "\t") return " ";
    return `\\u${(mark.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
  });
  return clean.length > longest ? `${clean.slice(0, longest - 1)}\u2026` : clean;
}

const HIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Surrogate}/gu;

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

function minus(text: string): string {
  return text.replace(/-/g, MINUS);
}
