// The model graph: toolbar, drawing, minimap, details. Twin of widgets/graph.py.
import "./graph.css";
import { html, say, set, svg, uniqueId } from "../dom";
import { count } from "../format";
import { draw, type Picture } from "../graph/draw";
import { Minimap } from "../graph/minimap";
import { neighbour } from "../graph/navigate";
import { fill, panel } from "../graph/panel";
import { download, fileName, picture } from "../graph/save";
import { table } from "../graph/table";
import { type Direction, type Drawing, isSame, type State, type Summary } from "../graph/types";
import { steer, Viewport } from "../graph/viewport";
import type { AnyModel, Render } from "../model";
import { followTheme } from "../theme";

/** How long a kernel may take before the page says that it does not answer. */
const PATIENCE = 1500;
const TALLEST = 680;
const HELP =
  "Drag to move, Ctrl or Command with the wheel to zoom. Arrow keys walk along the " +
  "connections, Enter shows a layer's details, Space folds or unfolds.";

class GraphView {
  readonly root = html("section", { class: "nbk nbk-graph" });
  private readonly stage = svg("svg", {
    class: "nbk-stage",
    role: "group",
    // Jupyter would take the arrow keys to move from cell to cell.
    "data-lm-suppress-shortcuts": "true",
  });
  private readonly aside = html("aside", { class: "nbk-panel nbk-hidden" });
  private readonly tableBox = html("div", { class: "nbk-table nbk-hidden", tabindex: 0 });
  private readonly notice = html("p", { class: "nbk-notice", role: "status" });
  private readonly canvas: HTMLElement;
  private readonly buttons: Record<"turn" | "fold" | "unfold" | "table", HTMLButtonElement>;
  private readonly viewport = new Viewport(this.stage);
  private readonly minimap = new Minimap(this.viewport);
  private readonly marker = uniqueId("nbk-arrow");
  private drawing: Drawing;
  private drawn: Picture | undefined;
  private focused = "";
  private chosen = "";
  private height = 0;
  private width = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly weights = new Map<string, [Record<string, Summary>, string | undefined]>();

  constructor(private readonly model: AnyModel<State>) {
    this.drawing = model.get("drawing");
    this.buttons = {
      turn: button("", () => this.turn()),
      unfold: button("Unfold all", () => this.lay(this.drawing.foldable)),
      fold: button("Fold all", () => this.lay([])),
      table: button("Table", () => this.toggleTable()),
    };
    this.canvas = html(
      "div",
      { class: "nbk-canvas" },
      this.stage,
      this.minimap.element,
    );
    this.root.append(
      this.toolbar(),
      html("div", { class: "nbk-body" }, this.canvas, this.tableBox, this.aside),
      this.notice,
    );
    this.listen();
    this.show(this.drawing);
  }

  // ------------------------------------------------------------ parts

  private toolbar(): HTMLElement {
    const about = this.model.get("about");
    const facts = `${about.kind}, ${count(about.layers)} layers, ${count(about.parameters)} parameters`;
    return html(
      "div",
      { class: "nbk-bar", role: "toolbar", "aria-label": "Model graph" },
      html("strong", { class: "nbk-name" }, about.name),
      html("span", { class: "nbk-soft nbk-grow" }, facts),
      this.buttons.unfold,
      this.buttons.fold,
      this.buttons.turn,
      button("\u2212", () => this.viewport.zoom(1 / 1.25), "Zoom out"),
      button("+", () => this.viewport.zoom(1.25), "Zoom in"),
      button("Fit", () => this.viewport.fit(), "Show the whole graph"),
      this.buttons.table,
      button("SVG", () => this.save(), "Download the graph as an SVG file"),
    );
  }

  private listen(): void {
    steer(this.stage, this.viewport);
    this.viewport.onMove = () => this.minimap.update();
    this.stage.addEventListener("click", (event) => {
      if (this.stage.classList.contains("nbk-dragged")) return;
      const id = idOf(event.target);
      if (id === undefined) return;
      this.focus(id);
      if ((event.target as Element).closest(".nbk-fold")) this.toggle(id);
      else this.choose(id);
    });
    this.stage.addEventListener("dblclick", (event) => {
      const id = idOf(event.target);
      if (id !== undefined && !(event.target as Element).closest(".nbk-fold")) this.toggle(id);
    });
    this.stage.addEventListener("keydown", (event) => this.press(event));
    this.stage.addEventListener("focusin", (event) => {
      const id = idOf(event.target);
      if (id !== undefined) this.mark(id);
    });
    this.stage.addEventListener("pointerover", (event) => this.light(idOf(event.target)));
    this.stage.addEventListener("pointerleave", () => this.light(undefined));
  }

  private press(event: KeyboardEvent): void {
    const id = idOf(event.target);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") this.viewport.zoom(1.25);
    else if (event.key === "-") this.viewport.zoom(1 / 1.25);
    else if (event.key === "0") this.viewport.fit();
    else if (event.key === "Escape" && this.chosen) this.close();
    else if (id === undefined) return;
    else if (event.key === "Enter") this.choose(id);
    else if (event.key === " ") this.toggle(id);
    else {
      const next = neighbour(this.drawing, id, event.key);
      if (next === undefined && !/^(Arrow|Home$|End$)/.test(event.key)) return;
      if (next !== undefined) this.focus(next);
    }
    event.preventDefault();
    event.stopPropagation();
  }

  // ------------------------------------------------------------ drawing

  /** Draw, keeping `anchor` where it stood on the page. */
  private show(drawing: Drawing, anchor = ""): void {
    const before = this.at(anchor);
    const hadFocus = this.stage.contains(this.stage.ownerDocument.activeElement);
    this.drawing = drawing;
    this.drawn = draw(drawing, this.marker);
    this.stage.replaceChildren(this.drawn.group);
    set(this.stage, { "aria-label": `Graph of the model ${drawing.name}. ${HELP}` });
    this.minimap.show(drawing);
    this.viewport.show(this.drawn.group, drawing);
    const after = this.at(anchor);
    if (before && after) this.viewport.move(before.x - after.x, before.y - after.y);
    if (!this.drawn.nodes.has(this.focused)) this.focused = drawing.nodes[0]?.id ?? "";
    this.mark(this.focused);
    if (hadFocus) this.drawn.nodes.get(this.focused)?.focus({ preventScroll: true });
    this.choose(this.drawn.nodes.has(this.chosen) ? this.chosen : "", false);
    const can = drawing.foldable.length > 0;
    set(this.buttons.fold, { hidden: !can, disabled: drawing.open.length === 0 });
    set(this.buttons.unfold, {
      hidden: !can,
      disabled: drawing.open.length === drawing.foldable.length,
    });
    const down = drawing.direction === "TB";
    say(this.buttons.turn, down ? "Left to right" : "Top to bottom");
    if (!this.tableBox.classList.contains("nbk-hidden")) this.fillTable();
    if (!anchor) this.viewport.isChosen = false;
    this.place();
  }

  /** Where a node stands on the page. */
  private at(id: string): { x: number; y: number } | undefined {
    const node = this.drawing.nodes.find((one) => one.id === id);
    if (!node) return undefined;
    const { x, y, scale } = this.viewport;
    return { x: node.x * scale + x, y: node.y * scale + y };
  }

  /** The page has given the canvas its size, or another one. */
  place(): void {
    const { width } = this.viewport.size;
    if (this.stage.clientWidth === 0 && typeof ResizeObserver !== "undefined") return;
    const wanted = this.drawing.height * Math.min(1, width / this.drawing.width);
    const height = Math.round(Math.min(TALLEST, Math.max(200, wanted)));
    // The canvas grows with the drawing, and never shrinks under what one looks at.
    if (height > this.height) {
      this.height = height;
      this.canvas.style.height = `${height}px`;
    }
    if (!this.viewport.isChosen) this.viewport.start();
    else if (width === this.width) this.viewport.apply();
    else this.viewport.move((width - this.width) / 2, 0); // what was in the middle stays there
    this.width = width;
  }

  // ------------------------------------------------------------ what one does

  private toggle(id: string): void {
    if (!this.drawing.foldable.includes(id)) return;
    const open = this.drawing.open.includes(id)
      ? this.drawing.open.filter((one) => one !== id)
      : [...this.drawing.open, id];
    this.lay(open, this.drawing.direction, id);
  }

  private turn(): void {
    this.lay(this.drawing.open, this.drawing.direction === "TB" ? "LR" : "TB");
  }

  private anchor = "";

  /** Ask for another drawing; show it at once if it is at hand. */
  private lay(open: string[], direction: Direction = this.drawing.direction, anchor = ""): void {
    const wanted = { open, direction };
    this.anchor = anchor;
    const spare = this.spare(wanted);
    if (spare) this.show(spare, anchor);
    else {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.giveUp(wanted), PATIENCE);
    }
    this.model.send({ type: "LayOut", direction, open });
  }

  private spare(wanted: { open: string[]; direction: Direction }): Drawing | undefined {
    const kept = Object.values(this.model.get("spare")[wanted.direction] ?? {});
    return kept.find((drawing) => isSame(drawing, wanted));
  }

  private giveUp(wanted: { open: string[]; direction: Direction }): void {
    // Better turned as it was first than not turned at all.
    const first = this.model.get("spare")[wanted.direction]?.first;
    if (wanted.direction !== this.drawing.direction && first) this.show(first);
    say(
      this.notice,
      "The kernel does not answer, so this part cannot be drawn anew. " +
        "Fold all and Left to right need no kernel.",
    );
  }

  private choose(id: string, asked = true): void {
    if (!id) return this.close();
    const details = this.model.get("layers")[id];
    if (!details) return;
    this.chosen = id;
    for (const [one, element] of this.drawn?.nodes ?? []) {
      element.classList.toggle("nbk-chosen", one === id);
    }
    if (!asked) return;
    const live = this.model.get("about").inspect && details.weights.length > 0;
    const wait = live ? "Values are on their way \u2026" : "";
    this.aside.replaceChildren(...panel(details, wait, () => this.close()));
    set(this.aside, { "aria-label": `Details of ${details.name}` });
    this.aside.classList.remove("nbk-hidden");
    this.place();
    const node = this.drawing.nodes.find((one) => one.id === id);
    if (node) this.viewport.reveal({ ...node, height: Math.min(node.height, 80) });
    const known = this.weights.get(id);
    if (known) fill(this.aside, ...known);
    if (live) this.model.send({ type: "Inspect", id });
  }

  private close(): void {
    this.aside.classList.add("nbk-hidden");
    this.drawn?.nodes.get(this.chosen)?.classList.remove("nbk-chosen");
    if (this.chosen) this.drawn?.nodes.get(this.chosen)?.focus({ preventScroll: true });
    this.chosen = "";
    this.place();
  }

  private focus(id: string): void {
    const node = this.drawing.nodes.find((one) => one.id === id);
    if (!node) return;
    this.mark(id);
    this.viewport.reveal({ ...node, height: Math.min(node.height, 80) });
    this.drawn?.nodes.get(id)?.focus({ preventScroll: true });
  }

  /** The one node that Tab leads to. */
  private mark(id: string): void {
    const { drawn } = this;
    if (drawn?.nodes.has(this.focused)) set(drawn.nodes.get(this.focused)!, { tabindex: -1 });
    this.focused = id;
    if (drawn?.nodes.has(id)) set(drawn.nodes.get(id)!, { tabindex: 0 });
    this.light(id);
  }

  /** Light up the edges of a node. */
  private light(id: string | undefined): void {
    const shown = id ?? this.focused;
    for (const { edge, element } of this.drawn?.edges ?? []) {
      element.classList.toggle("nbk-lit", edge.source === shown || edge.target === shown);
    }
  }

  private toggleTable(): void {
    const hidden = this.tableBox.classList.toggle("nbk-hidden");
    this.canvas.classList.toggle("nbk-hidden", !hidden);
    say(this.buttons.table, hidden ? "Table" : "Graph");
    if (!hidden) this.fillTable();
    else this.place();
  }

  private fillTable(): void {
    set(this.tableBox, { role: "region", "aria-label": `Layers of ${this.drawing.name}` });
    this.tableBox.replaceChildren(table(this.drawing, this.model.get("layers")));
  }

  private save(): void {
    if (!this.drawn) return;
    const page = getComputedStyle(this.stage).getPropertyValue("background-color") || "#ffffff";
    download(picture(this.drawing, this.drawn.group, page), fileName(this.drawing.name));
  }

  // ------------------------------------------------------------ from the kernel

  /** The kernel has drawn anew. */
  onDrawing(): void {
    clearTimeout(this.timer);
    say(this.notice, "");
    const drawing = this.model.get("drawing");
    if (!isSame(drawing, this.drawing)) this.show(drawing, this.anchor);
    this.anchor = "";
  }

  /** The kernel has answered a message. */
  onMessage(content: unknown): void {
    const message = content as Record<string, unknown>;
    clearTimeout(this.timer);
    if (message.type === "Refused") say(this.notice, String(message.reason));
    if (message.type === "Weights") {
      const id = String(message.id);
      const reason = message.reason === undefined ? undefined : String(message.reason);
      this.weights.set(id, [message.weights as Record<string, Summary>, reason]);
      if (id === this.chosen) fill(this.aside, ...this.weights.get(id)!);
    }
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}

function button(text: string, act: () => void, label?: string): HTMLButtonElement {
  const element = html(
    "button",
    { type: "button", class: "nbk-button", "aria-label": label, title: label },
    text,
  );
  element.addEventListener("click", act);
  return element;
}

function idOf(target: EventTarget | null): string | undefined {
  const node = target instanceof Element ? target.closest<SVGElement>(".nbk-node") : null;
  return node?.dataset.id;
}

const render: Render<State> = ({ model, el }) => {
  const view = new GraphView(model);
  el.append(view.root);
  const leaveTheme = followTheme(view.root);
  const onDrawing = () => view.onDrawing();
  const onMessage = (content: unknown) => view.onMessage(content);
  model.on("change:drawing", onDrawing);
  model.on("msg:custom", onMessage);
  const sizes =
    typeof ResizeObserver === "undefined" ? undefined : new ResizeObserver(() => view.place());
  sizes?.observe(view.root);
  view.place();
  return () => {
    view.stop();
    sizes?.disconnect();
    leaveTheme();
    model.off("change:drawing", onDrawing);
    model.off("msg:custom", onMessage);
  };
};

export default { render };
