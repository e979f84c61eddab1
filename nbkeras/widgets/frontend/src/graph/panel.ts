// What is told of one item beside the graph: facts, configuration, weights.
import { html, svg } from "../dom";
import { count, number } from "../format";
import type { Details, Summary } from "./types";

/** The panel's content. `onClose` is called by its button. */
export function panel(details: Details, values: string, onClose: () => void): HTMLElement[] {
  const close = html(
    "button",
    { type: "button", class: "nbk-button", "aria-label": "Close the details" },
    "\u00d7",
  );
  close.addEventListener("click", onClose);
  const parts = [
    html("header", {}, html("h4", {}, details.name), close),
    pairs(details.facts),
  ];
  if (details.weights.length > 0) {
    const list = html("div", { class: "nbk-weights" });
    for (const weight of details.weights) {
      const note = weight.trainable ? "" : ", not trainable";
      list.append(
        html(
          "div",
          { class: "nbk-weight", "data-weight": weight.name },
          html("div", { class: "nbk-weight-name" }, weight.name),
          html("div", { class: "nbk-soft" }, `${weight.shape} ${weight.dtype}${note}`),
        ),
      );
    }
    parts.push(html("h5", {}, "Weights"), list);
    if (values) parts.push(html("p", { class: "nbk-soft nbk-values", role: "status" }, values));
  }
  if (details.config.length > 0) parts.push(html("h5", {}, "Configuration"), pairs(details.config));
  return parts;
}

/** Put what is known of the weights' values beside their names. */
export function fill(
  root: HTMLElement,
  weights: Record<string, Summary>,
  reason: string | undefined,
): void {
  const status = root.querySelector(".nbk-values");
  const found = Object.keys(weights).length > 0;
  if (status) status.textContent = found ? "" : (reason ?? "The kernel gave no values.");
  for (const row of root.querySelectorAll<HTMLElement>(".nbk-weight")) {
    row.querySelector(".nbk-summary")?.remove();
    const summary = weights[row.dataset.weight ?? ""];
    if (summary) row.append(summaryOf(summary));
  }
}

function summaryOf(summary: Summary): HTMLElement {
  const parts: [string, number | undefined][] = [
    ["min", summary.min],
    ["mean", summary.mean],
    ["max", summary.max],
    ["std", summary.std],
  ];
  const shown = parts.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${number(value)}`],
  );
  if (summary.bad > 0) shown.push(`${count(summary.bad)} of ${count(summary.count)} not finite`);
  const box = html("div", { class: "nbk-summary" });
  if (summary.bars && summary.from !== undefined && summary.to !== undefined) {
    box.append(histogram(summary.bars, summary.from, summary.to));
  }
  box.append(html("div", { class: "nbk-soft" }, shown.join(" \u00b7 ")));
  return box;
}

function histogram(bars: number[], from: number, to: number): SVGSVGElement {
  const most = Math.max(1, ...bars);
  const height = 36;
  const label = `Histogram from ${number(from)} to ${number(to)}`;
  const picture = svg("svg", {
    class: "nbk-histogram",
    viewBox: `0 0 ${bars.length * 8} ${height}`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": label,
  });
  picture.append(svg("title", {}, label));
  bars.forEach((bar, index) => {
    const tall = (bar / most) * height;
    picture.append(svg("rect", { x: index * 8, y: height - tall, width: 7, height: tall }));
  });
  return picture;
}

function pairs(list: [string, string][]): HTMLElement {
  const element = html("dl", {});
  for (const [name, value] of list) element.append(html("dt", {}, name), html("dd", {}, value));
  return element;
}
