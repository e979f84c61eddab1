// The same graph as a table, for those who read better than they look.
import { html } from "../dom";
import type { Details, Drawing } from "./types";

const COLUMNS = ["Type", "Input", "Output", "Parameters"];

export function table(drawing: Drawing, layers: Record<string, Details>): HTMLElement {
  const titles = new Map(drawing.nodes.map((node) => [node.id, layers[node.id]?.name ?? node.title]));
  const depth = new Map<string, number>();
  const body = html("tbody");
  for (const node of drawing.nodes) {
    const level = node.parent ? (depth.get(node.parent) ?? 0) + 1 : 0;
    depth.set(node.id, level);
    const facts = new Map(layers[node.id]?.facts ?? []);
    const sources = drawing.edges.filter((edge) => edge.target === node.id && edge.source !== node.id);
    const from = [...new Set(sources.map((edge) => titles.get(edge.source) ?? ""))].filter(Boolean);
    body.append(
      html(
        "tr",
        {},
        html("th", { scope: "row", style: `padding-left:${8 + level * 16}px` }, titles.get(node.id)),
        ...COLUMNS.map((name) =>
          html("td", { class: name === "Parameters" ? "nbk-number" : undefined }, facts.get(name) ?? ""),
        ),
        html("td", {}, from.join(", ")),
      ),
    );
  }
  const head = ["Layer", ...COLUMNS, "Fed by"].map((name) =>
    html("th", { scope: "col", class: name === "Parameters" ? "nbk-number" : undefined }, name),
  );
  return html("table", {}, html("thead", {}, html("tr", {}, ...head)), body);
}
