import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import fixture from "../../../../tests/widgets/fixtures/graph.json";
import { neighbour } from "../src/graph/navigate";
import { fileName, picture } from "../src/graph/save";
import type { Drawing, State } from "../src/graph/types";
import { Viewport } from "../src/graph/viewport";
import view from "../src/views/graph";

const STATE = fixture as unknown as State;
const FOLDED = STATE.spare.TB?.folded as Drawing;
const UNFOLDED = STATE.spare.TB?.unfolded as Drawing;
const HOSTILE = "<img src=x onerror=alert(1)><script>alert(1)</script>";

/** A kernel that is not there: it keeps what is sent, and says what a test tells it to. */
class Kernel {
  readonly sent: Record<string, unknown>[] = [];
  readonly state: State;
  private readonly listeners = new Map<string, Set<(content?: unknown) => void>>();

  constructor(changes: Partial<State> = {}) {
    this.state = { ...structuredClone(STATE), ...changes };
  }

  get(name: keyof State): unknown {
    return this.state[name];
  }

  on(name: string, listener: () => void): void {
    this.listeners.set(name, (this.listeners.get(name) ?? new Set()).add(listener));
  }

  off(name: string, listener: () => void): void {
    this.listeners.get(name)?.delete(listener);
  }

  send(content: Record<string, unknown>): void {
    this.sent.push(content);
  }

  draw(drawing: Drawing): void {
    this.state.drawing = drawing;
    this.emit("change:drawing");
  }

  emit(name: string, content?: unknown): void {
    for (const listener of this.listeners.get(name) ?? []) listener(content);
  }

  get listening(): number {
    return [...this.listeners.values()].reduce((sum, set) => sum + set.size, 0);
  }
}

function show(changes: Partial<State> = {}) {
  const kernel = new Kernel(changes);
  const el = document.createElement("div");
  document.body.append(el);
  const remove = view.render({ model: kernel, el } as never) as unknown as () => void;
  return { kernel, el, remove };
}

function node(el: Element, id: string): SVGGElement {
  const found = el.querySelector<SVGGElement>(`.nbk-node[data-id="${id}"]`);
  if (!found) throw new Error(`no node ${id}`);
  return found;
}

function ids(el: Element): (string | undefined)[] {
  return [...el.querySelectorAll<SVGElement>(".nbk-node")].map((one) => one.dataset.id).sort();
}

function button(el: Element, name: string): HTMLButtonElement {
  const found = [...el.querySelectorAll("button")].find((one) => one.textContent === name);
  if (!found) throw new Error(`no button ${name}`);
  return found;
}

function click(target: Element): void {
  target.dispatchEvent(new MouseEvent("click", { bubbles: true }));
}

function press(target: Element, key: string): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  target.dispatchEvent(event);
  return event;
}

function focused(): string | undefined {
  return (document.activeElement as SVGElement | null)?.dataset.id;
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

describe("what it shows", () => {
  it("draws every node with its text, and every edge", () => {
    const { el } = show();
    expect(ids(el)).toEqual(FOLDED.nodes.map((one) => one.id).sort());
    const encoder = node(el, "2");
    expect(encoder.querySelector(".nbk-title")?.textContent).toBe("encoder");
    expect(encoder.getAttribute("aria-expanded")).toBe("false");
    expect(encoder.querySelector(".nbk-calls")?.textContent).toBe("×2");
    expect(encoder.getAttribute("aria-label")).toContain("Shared, called 2 times");
    expect(node(el, "0").hasAttribute("aria-expanded")).toBe(false);
    expect(el.querySelectorAll(".nbk-edge")).toHaveLength(FOLDED.edges.length);
    const said = [...el.querySelectorAll(".nbk-edge title")].map((one) => one.textContent);
    expect(said).toContain("left → encoder: (?, 28, 28, 1), read by call 1");
  });

  it("marks a frozen layer", () => {
    const { el } = show({ drawing: UNFOLDED });
    expect(node(el, "2.1").classList).toContain("nbk-frozen");
    expect(node(el, "2").getAttribute("aria-expanded")).toBe("true");
  });

  it("keeps hostile names text", () => {
    const drawing = structuredClone(FOLDED);
    for (const one of drawing.nodes) {
      Object.assign(one, { title: HOSTILE, about: HOSTILE, lines: [HOSTILE] });
    }
    for (const edge of drawing.edges) Object.assign(edge, { label: HOSTILE, about: HOSTILE });
    drawing.name = HOSTILE;
    const layers = structuredClone(STATE.layers);
    const weight = { name: HOSTILE, shape: HOSTILE, dtype: HOSTILE, trainable: false };
    for (const one of Object.values(layers)) {
      Object.assign(one, { name: HOSTILE, config: [[HOSTILE, HOSTILE]], weights: [weight] });
    }
    const about = { ...STATE.about, name: HOSTILE, kind: HOSTILE };
    const { el, kernel } = show({ drawing, layers, about });
    click(node(el, "2"));
    kernel.emit("msg:custom", { type: "Weights", id: "2", weights: {}, reason: HOSTILE });
    kernel.emit("msg:custom", { type: "Refused", reason: HOSTILE });
    click(button(el, "Table"));
    expect(el.querySelectorAll("img, script, [onerror]")).toHaveLength(0);
    expect(node(el, "0").querySelector(".nbk-title")?.textContent).toBe(HOSTILE);
    expect(el.querySelector(".nbk-panel h4")?.textContent).toBe(HOSTILE);
    const file = picture(drawing, el.querySelector(".nbk-drawing") as SVGGElement, "#fff");
    expect(file).not.toContain("<script");
    expect(file).toContain("&lt;script");
  });

  it("has a table for those who read", () => {
    const { el } = show({ drawing: UNFOLDED });
    click(button(el, "Table"));
    const rows = [...el.querySelectorAll("tbody tr")].map((row) =>
      [...row.children].map((cell) => cell.textContent),
    );
    expect(rows).toHaveLength(UNFOLDED.nodes.length);
    expect(rows).toContainEqual(["conv", "Conv2D", "(?, 28, 28, 1)", "(?, 26, 26, 32)", "320", "image"]);
    expect(el.querySelector(".nbk-canvas")?.classList).toContain("nbk-hidden");
    click(button(el, "Graph"));
    expect(el.querySelector(".nbk-canvas")?.classList).not.toContain("nbk-hidden");
  });

  it("leaves nothing behind", () => {
    const { kernel, remove } = show();
    expect(kernel.listening).toBe(2);
    remove();
    expect(kernel.listening).toBe(0);
  });
});

describe("details", () => {
  it("open on a click, with configuration and weights", () => {
    const { el, kernel } = show({ drawing: UNFOLDED });
    const panel = el.querySelector(".nbk-panel") as HTMLElement;
    expect(panel.classList).toContain("nbk-hidden");
    click(node(el, "2.3"));
    expect(panel.classList).not.toContain("nbk-hidden");
    expect(panel.textContent).toContain("embed/kernel:0");
    expect(panel.textContent).toContain("(21632, 64) float32");
    expect(kernel.sent).toEqual([{ type: "Inspect", id: "2.3" }]);
    const summary = { count: 3, bad: 1, min: -1, mean: 0.5, max: 2, std: 1.5, bars: [1, 2], from: -1, to: 2 };
    kernel.emit("msg:custom", { type: "Weights", id: "2.3", weights: { "embed/kernel:0": summary } });
    expect(panel.querySelector(".nbk-summary")?.textContent).toContain("mean 0.5000");
    expect(panel.textContent).toContain("1 of 3 not finite");
    expect(panel.querySelectorAll(".nbk-histogram rect")).toHaveLength(2);
    click(panel.querySelector("button") as Element);
    expect(panel.classList).toContain("nbk-hidden");
    expect(focused()).toBe("2.3");
  });

  it("say why there are no values, and ignore an answer for another layer", () => {
    const { el, kernel } = show({ drawing: UNFOLDED });
    click(node(el, "2.3"));
    const values = el.querySelector(".nbk-values");
    expect(values?.textContent).toContain("on their way");
    kernel.emit("msg:custom", { type: "Weights", id: "2.1", weights: {}, reason: "gone" });
    expect(values?.textContent).toContain("on their way");
    kernel.emit("msg:custom", { type: "Weights", id: "2.3", weights: {}, reason: "gone" });
    expect(values?.textContent).toBe("gone");
  });

  it("ask for no values where nobody can give them", () => {
    const { el, kernel } = show({ drawing: UNFOLDED, about: { ...STATE.about, inspect: false } });
    click(node(el, "2.3"));
    expect(kernel.sent).toEqual([]);
  });

  it("do not open at the end of a drag", () => {
    const { el } = show();
    el.querySelector(".nbk-stage")?.classList.add("nbk-dragged");
    click(node(el, "2"));
    expect(el.querySelector(".nbk-panel")?.classList).toContain("nbk-hidden");
  });
});

describe("folding and turning", () => {
  it("uses the drawings at hand, and tells the kernel", () => {
    const { el, kernel } = show();
    click(node(el, "2").querySelector(".nbk-fold") as Element);
    expect(kernel.sent).toEqual([{ type: "LayOut", direction: "TB", open: ["2"] }]);
    expect(ids(el)).toEqual(UNFOLDED.nodes.map((one) => one.id).sort());
    click(button(el, "Fold all"));
    expect(ids(el)).toEqual(FOLDED.nodes.map((one) => one.id).sort());
    click(button(el, "Left to right"));
    expect(kernel.sent.at(-1)).toEqual({ type: "LayOut", direction: "LR", open: [] });
    expect(button(el, "Top to bottom")).toBeDefined();
  });

  it("waits for the kernel where no drawing is at hand", () => {
    const { el, kernel } = show({ spare: {} });
    click(node(el, "2").querySelector(".nbk-fold") as Element);
    expect(ids(el)).toEqual(FOLDED.nodes.map((one) => one.id).sort());
    kernel.draw(UNFOLDED);
    expect(ids(el)).toEqual(UNFOLDED.nodes.map((one) => one.id).sort());
    vi.advanceTimersByTime(5000);
    expect(el.querySelector(".nbk-notice")?.textContent).toBe("");
  });

  it("says when no kernel answers, and shows the last drawing", () => {
    const { el } = show({ spare: {} });
    click(node(el, "2").querySelector(".nbk-fold") as Element);
    vi.advanceTimersByTime(5000);
    expect(el.querySelector(".nbk-notice")?.textContent).toContain("does not answer");
    expect(ids(el)).toEqual(FOLDED.nodes.map((one) => one.id).sort());
  });

  it("shows why the kernel refused", () => {
    const { el, kernel } = show();
    kernel.emit("msg:custom", { type: "Refused", reason: "no such direction" });
    expect(el.querySelector(".nbk-notice")?.textContent).toBe("no such direction");
  });

  it("keeps the folded node where it stood", () => {
    const { el } = show();
    const where = (id: string) => {
      const shift = el.querySelector(".nbk-drawing")?.getAttribute("transform") ?? "";
      const [x = 0, y = 0, scale = 1] = (shift.match(/-?[\d.]+/g) ?? []).map(Number);
      const rect = node(el, id).querySelector("rect");
      return [
        Number(rect?.getAttribute("x")) * scale + x,
        Number(rect?.getAttribute("y")) * scale + y,
      ];
    };
    const before = where("2");
    click(node(el, "2").querySelector(".nbk-fold") as Element);
    where("2").forEach((place, axis) => expect(place).toBeCloseTo(before[axis] as number, 0));
  });
});

describe("the keyboard", () => {
  it("has one stop for Tab, and walks along the edges", () => {
    const { el } = show({ drawing: UNFOLDED });
    expect(el.querySelectorAll('.nbk-node[tabindex="0"]')).toHaveLength(1);
    node(el, "0").focus();
    const walk: (string | undefined)[] = [];
    for (let step = 0; step < 6; step += 1) {
      const event = press(document.activeElement as Element, "ArrowDown");
      expect(event.defaultPrevented).toBe(true);
      walk.push(focused());
    }
    expect(walk).toEqual(["2", "2.0", "2.1", "2.2", "2.3", "3"]);
    press(document.activeElement as Element, "ArrowUp");
    expect(focused()).toBe("2");
    expect(el.querySelectorAll('.nbk-node[tabindex="0"]')).toHaveLength(1);
    expect(node(el, "2").getAttribute("tabindex")).toBe("0");
  });

  it("goes from side to side, to the first and the last", () => {
    expect(neighbour(FOLDED, "0", "ArrowRight")).toBe("1");
    expect(neighbour(FOLDED, "1", "ArrowLeft")).toBe("0");
    expect(neighbour(FOLDED, "0", "End")).toBe("3");
    expect(neighbour(FOLDED, "3", "Home")).toBe("0");
    expect(neighbour(FOLDED, "3", "ArrowDown")).toBeUndefined();
    expect(neighbour(FOLDED, "0", "x")).toBeUndefined();
  });

  it("opens details with Enter, closes them with Escape, folds with Space", () => {
    const { el, kernel } = show();
    node(el, "2").focus();
    press(node(el, "2"), "Enter");
    expect(el.querySelector(".nbk-panel")?.getAttribute("aria-label")).toBe("Details of encoder");
    press(node(el, "2"), "Escape");
    expect(el.querySelector(".nbk-panel")?.classList).toContain("nbk-hidden");
    press(node(el, "2"), " ");
    expect(kernel.sent.at(-1)).toEqual({ type: "LayOut", direction: "TB", open: ["2"] });
    expect(focused()).toBe("2");
  });

  it("leaves the page's own keys alone", () => {
    const { el } = show();
    node(el, "0").focus();
    expect(press(node(el, "0"), "Tab").defaultPrevented).toBe(false);
    expect(press(node(el, "0"), "a").defaultPrevented).toBe(false);
    expect(el.querySelector(".nbk-stage")?.getAttribute("data-lm-suppress-shortcuts")).toBe("true");
  });
});

describe("the viewport", () => {
  const wheel = (el: Element, init: WheelEventInit) => {
    const event = new WheelEvent("wheel", { bubbles: true, cancelable: true, ...init });
    el.querySelector(".nbk-stage")?.dispatchEvent(event);
    return event;
  };
  const shift = (el: Element) => el.querySelector(".nbk-drawing")?.getAttribute("transform");

  it("lets the page scroll, and zooms with Ctrl or Command", () => {
    const { el } = show();
    const before = shift(el);
    expect(wheel(el, { deltaY: -100 }).defaultPrevented).toBe(false);
    expect(shift(el)).toBe(before);
    expect(wheel(el, { deltaY: -100, ctrlKey: true }).defaultPrevented).toBe(true);
    expect(shift(el)).not.toBe(before);
    expect(wheel(el, { deltaY: -100, metaKey: true }).defaultPrevented).toBe(true);
  });

  it("fits the whole drawing and never enlarges it", () => {
    const stage = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const viewport = new Viewport(stage);
    viewport.show(document.createElementNS("http://www.w3.org/2000/svg", "g"), { width: 1600, height: 480 });
    viewport.fit();
    expect(viewport.scale).toBe(0.5);
    expect(viewport.isPart).toBe(false);
    viewport.show(document.createElementNS("http://www.w3.org/2000/svg", "g"), { width: 80, height: 48 });
    viewport.fit();
    expect(viewport.scale).toBe(1);
  });

  it("begins where a long drawing begins, at a size that can be read", () => {
    const stage = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const viewport = new Viewport(stage);
    viewport.show(document.createElementNS("http://www.w3.org/2000/svg", "g"), { width: 400, height: 9000 });
    viewport.start();
    expect(viewport.scale).toBeGreaterThanOrEqual(0.7);
    expect(viewport.y).toBe(0);
    expect(viewport.isPart).toBe(true);
  });

  it("zooms about the pointer", () => {
    const stage = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const viewport = new Viewport(stage);
    viewport.show(document.createElementNS("http://www.w3.org/2000/svg", "g"), { width: 800, height: 480 });
    viewport.fit();
    viewport.zoom(2, { x: 200, y: 100 });
    expect((200 - viewport.x) / viewport.scale).toBeCloseTo(200);
    expect((100 - viewport.y) / viewport.scale).toBeCloseTo(100);
  });

  it("never loses the drawing", () => {
    const { el } = show();
    const stage = el.querySelector(".nbk-stage") as Element;
    const point = (type: string, x: number) =>
      stage.dispatchEvent(
        Object.assign(new MouseEvent(type, { clientX: x, clientY: 0, button: 0, bubbles: true }), {
          pointerId: 1,
        }),
      );
    point("pointerdown", 0);
    point("pointermove", 99_999);
    point("pointerup", 99_999);
    const [x = 0] = (shift(el)?.match(/-?[\d.]+/g) ?? []).map(Number);
    expect(x).toBeLessThan(800);
    expect(x).toBeGreaterThan(0);
  });
});

it("names the file after the model, and nothing else", () => {
  expect(fileName("my net/../../etc")).toBe("my_net_etc.svg");
  expect(fileName("")).toBe("model.svg");
  expect(fileName("名前")).toBe("名前.svg");
});
