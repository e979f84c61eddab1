// A drawing as SVG elements. Names become text nodes, never markup.
import { svg } from "../dom";
import type { DrawnEdge, DrawnNode, Drawing } from "./types";

const PAD = 12;
const LINE = 16;
const ARROW = "nbk-arrow";

export interface Picture {
  group: SVGGElement;
  nodes: Map<string, SVGGElement>;
  edges: { edge: DrawnEdge; element: SVGGElement }[];
}

/** Draw everything into one group. `marker` is the id of the arrow head, unique in the page. */
export function draw(drawing: Drawing, marker: string): Picture {
  const nodes = new Map<string, SVGGElement>();
  const edges: Picture["edges"] = [];
  const group = svg("g", { class: "nbk-drawing" }, arrowHead(marker));
  const frames = drawing.nodes.filter((node) => node.state === "open");
  const boxes = drawing.nodes.filter((node) => node.state !== "open");
  for (const node of frames) group.append(svg("rect", { class: "nbk-frame", ...place(node) }));
  for (const edge of drawing.edges) {
    const element = drawEdge(edge, marker);
    edges.push({ edge, element });
    group.append(element);
  }
  // In the order of the model, so that Tab and a screen reader meet them so.
  for (const node of drawing.nodes) nodes.set(node.id, drawNode(node));
  for (const node of [...frames, ...boxes]) group.append(nodes.get(node.id) as SVGGElement);
  return { group, nodes, edges };
}

function arrowHead(marker: string): SVGDefsElement {
  const head = svg("path", { class: ARROW, d: "M0 0L7 4L0 8z" });
  return svg(
    "defs",
    {},
    svg(
      "marker",
      {
        id: marker,
        viewBox: "0 0 7 8",
        refX: 6.5,
        refY: 4,
        markerWidth: 7,
        markerHeight: 8,
        markerUnits: "userSpaceOnUse",
        orient: "auto",
      },
      head,
    ),
  );
}

function drawEdge(edge: DrawnEdge, marker: string): SVGGElement {
  const element = svg(
    "g",
    { class: "nbk-edge" },
    svg("title", {}, edge.about),
    // A wide line that nobody sees, so that a thin one can be pointed at.
    svg("path", { class: "nbk-edge-near", d: edge.path }),
    svg("path", {
      class: "nbk-edge-line",
      d: edge.path,
      "marker-end": edge.arrow ? `url(#${marker})` : undefined,
    }),
  );
  if (edge.at && edge.label) {
    const [x, y] = edge.at;
    const width = edge.label.length * 5.6 + 6;
    element.append(
      svg("rect", { class: "nbk-edge-plate", x: x - width / 2, y: y - 7, width, height: 14, rx: 4 }),
      svg("text", { class: "nbk-edge-label", x, y: y + 4 }, edge.label),
    );
  }
  return element;
}

function drawNode(node: DrawnNode): SVGGElement {
  const isFrame = node.state === "open";
  const element = svg("g", {
    class: ["nbk-node", `nbk-${node.state}`, node.frozen && "nbk-frozen", node.role && `nbk-${node.role}`]
      .filter(Boolean)
      .join(" "),
    "data-family": node.family,
    "data-id": node.id,
    role: "button",
    tabindex: -1,
    "aria-label": node.about,
    "aria-expanded": node.state === "layer" ? undefined : String(isFrame),
  });
  element.append(svg("title", {}, node.about));
  if (isFrame) {
    const title = { ...place(node), height: 28, class: "nbk-frame-title" };
    element.append(svg("rect", title));
    element.append(text("nbk-title", node.x + PAD, node.y + 20, node.title));
  } else {
    if (node.more) element.append(svg("rect", { class: "nbk-box", ...place(node, 5) }));
    element.append(svg("rect", { class: "nbk-box", ...place(node) }));
    const base = node.y + (node.height - 13 - LINE * node.lines.length) / 2 + 11;
    element.append(text("nbk-title", node.x + PAD, base, node.title));
    node.lines.forEach((line, row) => {
      element.append(text("nbk-line", node.x + PAD, base + LINE * (row + 1), line));
    });
  }
  const right = node.x + node.width;
  if (node.calls > 1) {
    const x = right - (node.state === "layer" ? PAD : PAD + 20);
    element.append(text("nbk-calls", x, node.y + 20, `\u00d7${node.calls}`));
  }
  if (node.state !== "layer") element.append(foldMark(right - 16, node.y + 15, isFrame));
  return element;
}

function foldMark(x: number, y: number, isOpen: boolean): SVGGElement {
  const sign = isOpen ? `M${x - 4} ${y}h8` : `M${x - 4} ${y}h8M${x} ${y - 4}v8`;
  return svg(
    "g",
    { class: "nbk-fold" },
    svg("title", {}, isOpen ? "Fold" : "Unfold"),
    svg("circle", { cx: x, cy: y, r: 8.5 }),
    svg("path", { d: sign }),
  );
}

function text(name: string, x: number, y: number, content: string): SVGTextElement {
  return svg("text", { class: name, x, y }, content);
}

function place(node: DrawnNode, shift = 0): Record<string, number> {
  const pill = node.role === "input" && node.state === "layer";
  return {
    x: node.x + shift,
    y: node.y + shift,
    width: node.width,
    height: node.height,
    rx: pill ? node.height / 2.6 : 7,
  };
}
