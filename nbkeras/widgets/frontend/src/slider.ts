// A parameter of a run as a slider and a field to type in. What the run says is shown,
// except while a person moves it, and until the run has answered.
import { html, say, set, uniqueId } from "./dom";
import { plain, setting } from "./format";
import { type Parameter, numeric } from "./run";

const STEPS = 1000;
const EVERY = 100; // ms between two requests while it is dragged
const PATIENCE = 4000; // ms until a value without an answer is taken back

export class Slider {
  readonly element: HTMLElement;
  private readonly range: HTMLInputElement;
  private readonly field: HTMLInputElement;
  private readonly label: HTMLLabelElement;
  private readonly was = html("span", { class: "nbk-was" });
  private wanted: number | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private giveUp: ReturnType<typeof setTimeout> | undefined;
  private sent = Number.NEGATIVE_INFINITY;

  constructor(
    private parameter: Parameter,
    private readonly request: (value: number) => void,
  ) {
    const label = plain(parameter.label, 60);
    const id = uniqueId("nbk");
    this.range = html("input", {
      type: "range",
      id,
      min: 0,
      max: STEPS,
      step: 1,
      // JupyterLab would take the arrow keys away.
      "data-lm-suppress-shortcuts": "true",
    });
    this.field = html("input", {
      type: "text",
      inputmode: "decimal",
      autocomplete: "off",
      spellcheck: "false",
      "aria-label": `${label}, value`,
      "data-lm-suppress-shortcuts": "true",
    });
    this.label = html("label", { for: id, title: plain(parameter.name) }, label);
    this.range.addEventListener("input", () => this.want(this.value(Number(this.range.value))));
    this.range.addEventListener("change", () => this.flush());
    this.field.addEventListener("change", () => this.type());
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.show();
      else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
        event.preventDefault();
        this.nudge(event.key === "ArrowUp" ? 1 : -1);
      }
    });
    this.element = html("div", { class: "nbk-slider" }, this.label, this.range, this.field, this.was);
    this.show();
  }

  /** Follow the run. */
  update(parameter: Parameter, enabled: boolean, refused: boolean): void {
    const moved = numeric(parameter.value) !== numeric(this.parameter.value);
    this.parameter = parameter;
    const answered = this.wanted !== undefined && same(this.wanted, numeric(parameter.value));
    if (answered || refused || !enabled) this.settle();
    this.range.disabled = !enabled;
    this.field.disabled = !enabled;
    if (moved || answered || refused) this.show();
  }

  dispose(): void {
    clearTimeout(this.timer);
    clearTimeout(this.giveUp);
  }

  // ---------------------------------------------------------------- from a person

  private want(value: number): void {
    this.wanted = value;
    this.show();
    clearTimeout(this.timer);
    clearTimeout(this.giveUp);
    this.timer = setTimeout(() => this.flush(), Math.max(0, this.sent + EVERY - now()));
  }

  private flush(): void {
    clearTimeout(this.timer);
    if (this.timer === undefined || this.wanted === undefined) return;
    this.timer = undefined;
    this.sent = now();
    this.request(this.wanted);
    this.giveUp = setTimeout(() => {
      this.settle();
      this.show();
    }, PATIENCE);
  }

  private type(): void {
    const { minimum, maximum } = this.parameter;
    const value = read(this.field.value);
    const good = value !== undefined && value >= minimum && value <= maximum;
    set(this.field, {
      "aria-invalid": good ? undefined : "true",
      title: good ? undefined : `A number from ${setting(minimum)} to ${setting(maximum)}`,
    });
    if (good) {
      this.want(value);
      this.flush();
    }
  }

  private nudge(direction: number): void {
    const position = this.position(this.wanted ?? numeric(this.parameter.value) ?? Number.NaN);
    this.want(this.value(Math.min(STEPS, Math.max(0, position + direction * 10))));
  }

  private settle(): void {
    this.wanted = undefined;
    clearTimeout(this.timer);
    clearTimeout(this.giveUp);
    this.timer = undefined;
  }

  // ---------------------------------------------------------------- to a person

  private show(): void {
    const value = this.wanted ?? numeric(this.parameter.value) ?? Number.NaN;
    const text = setting(value);
    const position = String(Math.round(this.position(value)));
    if (this.range.value !== position) this.range.value = position;
    set(this.range, { "aria-valuetext": text });
    this.range.style.setProperty("--filled", `${Number(position) / (STEPS / 100)}%`);
    if (this.field.value !== text) this.field.value = text;
    set(this.field, { "aria-invalid": undefined, title: undefined });
    this.element.classList.toggle("nbk-pending", this.wanted !== undefined);
    const initial = numeric(this.parameter.initial);
    say(this.was, initial === undefined || same(initial, value) ? "" : `was ${setting(initial)}`);
  }

  /** Where on the slider a value lies. */
  private position(value: number): number {
    const [low, high] = this.ends();
    const share =
      this.parameter.scale === "log"
        ? Math.log(Math.max(value, low) / low) / Math.log(high / low)
        : (value - low) / (high - low);
    return Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0)) * STEPS;
  }

  /** The value at a place of the slider, in few digits. */
  private value(position: number): number {
    const [low, high] = this.ends();
    const share = position / STEPS;
    const value =
      this.parameter.scale === "log" ? low * (high / low) ** share : low + share * (high - low);
    if (position <= 0) return this.parameter.minimum;
    if (position >= STEPS) return this.parameter.maximum;
    return Number(value.toPrecision(3));
  }

  private ends(): [number, number] {
    const { minimum, maximum, scale } = this.parameter;
    return [scale === "log" && minimum <= 0 ? maximum * 1e-6 : minimum, maximum];
  }
}

/** A number as a person types it: `1e-3`, `0,25`, also with a true minus. */
export function read(text: string): number | undefined {
  const plainText = text.trim().replace(/\u2212/g, "-").replace(",", ".");
  const value = Number(plainText);
  return plainText !== "" && Number.isFinite(value) ? value : undefined;
}

/** Equal, up to what is lost in 32 bits on the way to the program and back. */
function same(a: number, b: number | undefined): boolean {
  return b !== undefined && Math.abs(a - b) <= 1e-5 * Math.max(Math.abs(a), Math.abs(b));
}

function now(): number {
  return performance.now();
}
