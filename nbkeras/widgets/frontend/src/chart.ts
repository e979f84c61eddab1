// Curves over epochs: lines of means with the band of what they stand for, the changes as
// marks, a legend that shows the current numbers, or those under the pointer.
import { type Range, extent, horizon, labels, logTicks, ticks } from "./axis";
import { html, say, set, svg } from "./dom";
import { number, plain, setting } from "./format";
import { type Curve, type Run, numeric } from "./run";

const HEIGHT = 190;
const MARGIN = { top: 12, right: 10, bottom: 22, left: 46 };
const COLOURS = 8;
const MOST_BANDS = 6; // lines; bands of more would hide each other

interface Line {
  name: string;
  colour: number;
  validation: boolean;
  hidden: boolean;
  item: HTMLButtonElement;
  value: HTMLElement;
  path: SVGPathElement;
  band: SVGPathElement;
  dot: SVGCircleElement;
}

export class Chart {
  readonly element: HTMLElement;
  private readonly lines = new Map<string, Line>();
  private readonly legend = html("div", { class: "nbk-legend" });
  private readonly picture = svg("svg", { class: "nbk-plot", role: "img", height: HEIGHT });
  private readonly grid = svg("g", { class: "nbk-grid" });
  private readonly marks = svg("g", { class: "nbk-marks" });
  private readonly bands = svg("g");
  private readonly paths = svg("g");
  private readonly cursor = svg("g", { class: "nbk-cursor", visibility: "hidden" });
  private readonly cursorLine = svg("line");
  private readonly cursorText = svg("text", { y: HEIGHT - MARGIN.bottom - 6 });
  private readonly table = html("table");
  private readonly details: HTMLDetailsElement;
  private readonly logButton: HTMLButtonElement;
  private readonly observer: ResizeObserver | undefined;
  private log = false;
  private width = 360;
  private pointer: number | undefined;
  private drawnGrid = "";

  constructor(
    private readonly run: Run,
    private readonly title: string,
  ) {
    this.logButton = html(
      "button",
      {
        type: "button",
        class: "nbk-toggle",
        "aria-pressed": "false",
        title: "Logarithmic axis",
        "aria-label": `Logarithmic axis for ${title}`,
      },
      "log",
    );
    this.logButton.addEventListener("click", () => {
      this.log = !this.log;
      set(this.logButton, { "aria-pressed": String(this.log) });
      this.draw();
    });
    this.cursor.append(this.cursorLine, this.cursorText);
    this.picture.append(this.grid, this.bands, this.marks, this.paths, this.cursor);
    this.details = html("details", {}, html("summary", {}, "Table"), this.table);
    this.details.addEventListener("toggle", () => this.fillTable());
    this.element = html(
      "figure",
      { class: "nbk-chart" },
      html("figcaption", {}, this.legend, this.logButton),
      this.picture,
      this.details,
    );
    this.picture.addEventListener("pointermove", (event) => this.point(event.clientX));
    this.picture.addEventListener("pointerleave", () => this.point(undefined));
    if (typeof ResizeObserver !== "undefined") {
      this.observer = new ResizeObserver(([entry]) => {
        const width = Math.round(entry?.contentRect.width ?? 0);
        if (width > 0 && width !== this.width) {
          this.width = width;
          this.draw();
        }
      });
      this.observer.observe(this.element);
    }
  }

  /** Show these metrics, each with its validation, as the run has them now. */
  update(metrics: readonly string[]): void {
    for (const [index, metric] of metrics.entries()) {
      for (const name of [metric, `val_${metric}`]) {
        if (!this.run.curves.has(name) || this.lines.has(name)) continue;
        const validation = name !== metric;
        // A metric and its validation share a colour, unless they are alone.
        const colour = metrics.length > 1 ? index : Number(validation);
        this.add(name, (colour % COLOURS) + 1, validation);
      }
    }
    for (const [name, line] of this.lines) {
      if (this.run.curves.has(name)) continue;
      for (const part of [line.item, line.path, line.band, line.dot]) part.remove();
      this.lines.delete(name);
    }
    this.draw();
    if (this.details.open) this.fillTable();
  }

  dispose(): void {
    this.observer?.disconnect();
  }

  private add(name: string, colour: number, validation: boolean): void {
    const value = html("span", { class: "nbk-value" });
    const item = html(
      "button",
      { type: "button", class: "nbk-item", "aria-pressed": "true", title: "Show or hide" },
      swatch(validation),
      html("span", { class: "nbk-name" }, plain(name, 40)),
      value,
    );
    item.style.setProperty("--colour", `var(--nbk-series-${colour})`);
    const line: Line = {
      name,
      colour,
      validation,
      hidden: false,
      item,
      value,
      path: svg("path", { class: validation ? "nbk-line nbk-validation" : "nbk-line" }),
      band: svg("path", { class: "nbk-band" }),
      dot: svg("circle", { class: "nbk-dot", r: 2.5 }),
    };
    for (const part of [line.path, line.band, line.dot]) {
      part.style.setProperty("--colour", `var(--nbk-series-${colour})`);
    }
    item.addEventListener("click", () => {
      line.hidden = !line.hidden;
      set(item, { "aria-pressed": String(!line.hidden) });
      this.draw();
    });
    this.lines.set(name, line);
    this.legend.append(item);
    this.bands.append(line.band);
    this.paths.append(line.path, line.dot);
  }

  // ---------------------------------------------------------------- drawing

  private draw(): void {
    const { summary } = this.run;
    const start = summary.initial_epoch;
    const end = this.run.active
      ? horizon(start, summary.epochs, summary.position)
      : Math.max(summary.position, start);
    const across: Range = [start, end > start ? end : Math.max(start + 1, summary.epochs)];
    const shown = [...this.lines.values()].filter((line) => !line.hidden);
    const up = extent(this.values(shown), this.log);
    const plane = new Plane(this.width, across, up ?? [this.log ? 0.1 : 0, 1], this.log);

    set(this.picture, { viewBox: `0 0 ${this.width} ${HEIGHT}`, width: this.width });
    this.drawGrid(plane);
    this.drawMarks(plane);
    for (const line of this.lines.values()) {
      const curve = this.run.curves.get(line.name);
      const visible = curve !== undefined && !line.hidden && up !== undefined;
      drawLine(line, visible ? curve : undefined, plane, shown.length <= MOST_BANDS);
    }
    this.drawNumbers(plane);
    set(this.picture, { "aria-label": this.describe() });
  }

  private *values(lines: readonly Line[]): Iterable<number | null> {
    for (const line of lines) yield* this.run.curves.get(line.name)?.y ?? [];
  }

  private drawGrid(plane: Plane): void {
    // Drawn anew only when an axis moves, which is rare.
    const key = JSON.stringify([plane.width, plane.across, plane.up, this.log]);
    if (key === this.drawnGrid) return;
    this.drawnGrid = key;
    const rows = this.log ? logTicks(...plane.up) : ticks(...plane.up);
    const texts = this.log ? rows.map(setting) : labels(rows);
    const parts: SVGElement[] = [];
    for (const [index, value] of rows.entries()) {
      const y = crisp(plane.y(value));
      parts.push(svg("line", { x1: MARGIN.left, x2: plane.right, y1: y, y2: y }));
      parts.push(
        svg("text", { x: MARGIN.left - 7, y: y + 3.5, "text-anchor": "end" }, texts[index]),
      );
    }
    const columns = ticks(...plane.across, plane.width > 420 ? 8 : 5);
    for (const value of columns.filter(Number.isInteger)) {
      const text = setting(value);
      const x = Math.min(plane.x(value), plane.width - 3.4 * text.length); // none is cut off
      parts.push(svg("text", { x, y: HEIGHT - 6, "text-anchor": "middle" }, text));
    }
    parts.push(svg("text", { x: MARGIN.left - 8, y: HEIGHT - 6, "text-anchor": "end" }, "epoch"));
    this.grid.replaceChildren(...parts);
  }

  private drawMarks(plane: Plane): void {
    const labelOf = new Map(this.run.summary.parameters.map((p) => [p.name, p.label]));
    const parts = this.run.changes.map((change) => {
      const x = crisp(plane.x(change.x));
      const name = plain(labelOf.get(change.parameter) ?? change.parameter, 60);
      const values = `${setting(Number(change.previous))} \u2192 ${setting(Number(change.value))}`;
      return svg(
        "g",
        { class: change.source === "user" ? "nbk-mark" : "nbk-mark nbk-callback" },
        svg("line", { x1: x, x2: x, y1: MARGIN.top, y2: plane.bottom }),
        svg("path", { d: `M${x - 4} ${MARGIN.top - 6}h8l-4 6z` }),
        svg("title", {}, `${name} ${values} (epoch ${change.epoch + 1}, step ${change.step})`),
      );
    });
    this.marks.replaceChildren(...parts);
  }

  private drawNumbers(plane: Plane): void {
    const at = this.pointer === undefined ? undefined : plane.epoch(this.pointer);
    set(this.cursor, { visibility: at === undefined ? "hidden" : "visible" });
    if (at !== undefined) {
      const x = crisp(plane.x(at));
      set(this.cursorLine, { x1: x, x2: x, y1: MARGIN.top, y2: plane.bottom });
      const right = x > plane.width / 2;
      set(this.cursorText, { x: right ? x - 6 : x + 6, "text-anchor": right ? "end" : "start" });
      say(this.cursorText, `epoch ${at.toFixed(2)}`);
    }
    for (const line of this.lines.values()) {
      const curve = this.run.curves.get(line.name);
      const value =
        at === undefined || curve === undefined
          ? numeric(this.run.summary.numbers[line.name])
          : valueAt(curve, at);
      say(line.value, number(value));
      line.value.classList.toggle("nbk-bad", value !== undefined && !Number.isFinite(value));
    }
  }

  private point(clientX: number | undefined): void {
    if (clientX === undefined) this.pointer = undefined;
    else this.pointer = clientX - this.picture.getBoundingClientRect().left;
    this.draw();
  }

  // ---------------------------------------------------------------- in words and numbers

  private describe(): string {
    const parts = [...this.lines.values()].map((line) => {
      const y = this.run.curves.get(line.name)?.y.filter((value) => value !== null) ?? [];
      const values = y.length > 0 ? `from ${number(y[0])} to ${number(y[y.length - 1])}` : "empty";
      return `${plain(line.name, 40)} ${values}`;
    });
    return `${this.title}: ${parts.join(", ")}`;
  }

  private fillTable(): void {
    if (!this.details.open) return;
    const names = [...this.lines.keys()];
    const head = html("tr", {}, html("th", { scope: "col" }, "Epoch"));
    for (const name of names) head.append(html("th", { scope: "col" }, plain(name, 40)));
    const body = html("tbody");
    for (const row of this.run.rows) {
      const cells = names.map((name) => html("td", {}, number(numeric(row.logs[name]))));
      body.append(html("tr", {}, html("th", { scope: "row" }, String(row.epoch + 1)), ...cells));
    }
    if (this.run.rows.length === 0) {
      const text = "No epoch is over yet.";
      body.append(html("tr", {}, html("td", { colspan: names.length + 1 }, text)));
    }
    this.table.replaceChildren(html("thead", {}, head), body);
  }
}

/** From epochs and values to pixels. */
class Plane {
  readonly right: number;
  readonly bottom = HEIGHT - MARGIN.bottom;

  constructor(
    readonly width: number,
    readonly across: Range,
    readonly up: Range,
    private readonly log: boolean,
  ) {
    this.right = width - MARGIN.right;
  }

  x(epoch: number): number {
    const [from, to] = this.across;
    return MARGIN.left + ((epoch - from) / (to - from)) * (this.right - MARGIN.left);
  }

  epoch(x: number): number {
    const [from, to] = this.across;
    const share = (x - MARGIN.left) / (this.right - MARGIN.left);
    return from + Math.min(1, Math.max(0, share)) * (to - from);
  }

  y(value: number): number {
    const [low, high] = this.up;
    const share = this.log
      ? Math.log(Math.max(value, low) / low) / Math.log(high / low)
      : (value - low) / (high - low);
    return this.bottom + Math.min(1.02, Math.max(0, share)) * (MARGIN.top - this.bottom);
  }
}

function drawLine(line: Line, curve: Curve | undefined, plane: Plane, banded: boolean): void {
  let path = "";
  let pen = "M";
  let points = 0;
  const upper: string[] = [];
  const lower: string[] = [];
  let spread = false;
  let last = "";
  for (const [index, x] of (curve?.x ?? []).entries()) {
    const y = curve?.y[index] ?? null;
    if (y === null) {
      pen = "M";
      continue;
    }
    const at = plane.x(x).toFixed(1);
    last = plane.y(y).toFixed(1);
    // The step of length zero shows a point between two gaps.
    path += pen === "M" ? `M${at} ${last}h0` : `L${at} ${last}`;
    pen = "L";
    points += 1;
    const low = curve?.low[index] ?? y;
    const high = curve?.high[index] ?? y;
    spread ||= banded && low < high;
    upper.push(`${at} ${plane.y(high).toFixed(1)}`);
    lower.push(`${at} ${plane.y(low).toFixed(1)}`);
  }
  set(line.path, { d: path });
  set(line.band, { d: spread ? `M${[...upper, ...lower.reverse()].join("L")}Z` : "" });
  // A curve of one point would not be seen as a line.
  const at = points === 1 ? (curve?.y.findIndex((y) => y !== null) ?? -1) : -1;
  const x = curve?.x[at];
  set(line.dot, {
    visibility: x === undefined ? "hidden" : "visible",
    cx: x === undefined ? undefined : plane.x(x),
    cy: x === undefined ? undefined : last,
  });
}

/** The value of the last point that begins before `epoch`. */
function valueAt(curve: Curve, epoch: number): number | undefined {
  let from = 0;
  let to = curve.x.length - 1;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((curve.x[middle] ?? 0) < epoch) from = middle + 1;
    else to = middle;
  }
  const before = from > 0 ? from - 1 : from;
  const near =
    Math.abs((curve.x[before] ?? 0) - epoch) < Math.abs((curve.x[from] ?? 0) - epoch)
      ? before
      : from;
  return curve.y[near] ?? undefined;
}

function swatch(validation: boolean): SVGElement {
  const line = svg("line", { x1: 0, x2: 16, y1: 5, y2: 5 });
  set(line, { class: validation ? "nbk-line nbk-validation" : "nbk-line" });
  return svg("svg", { width: 16, height: 10, "aria-hidden": "true" }, line);
}

/** On the middle of a pixel, so that a line of one pixel is sharp. */
function crisp(value: number): number {
  return Math.round(value) + 0.5;
}
