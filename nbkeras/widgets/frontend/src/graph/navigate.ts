// Walking through a graph with the arrow keys: along its edges, and from side to side.
import type { DrawnNode, Drawing } from "./types";

type Step = "next" | "back" | "left" | "right";

const STEPS: Record<Drawing["direction"], Record<string, Step>> = {
  TB: { ArrowDown: "next", ArrowUp: "back", ArrowLeft: "left", ArrowRight: "right" },
  LR: { ArrowRight: "next", ArrowLeft: "back", ArrowUp: "left", ArrowDown: "right" },
};

/** The node that a key leads to from another one; undefined where it leads nowhere. */
export function neighbour(drawing: Drawing, id: string, key: string): string | undefined {
  const step = STEPS[drawing.direction][key];
  if (key === "Home") return drawing.nodes[0]?.id;
  if (key === "End") return drawing.nodes.at(-1)?.id;
  if (step === undefined) return undefined;
  return step === "next" || step === "back" ? along(drawing, id, step) : beside(drawing, id, step);
}

/** Along an edge; out of a frame where the frame's end is reached. */
function along(drawing: Drawing, id: string, step: "next" | "back"): string | undefined {
  const node = drawing.nodes.find((one) => one.id === id);
  const near = drawing.edges.flatMap(({ source, target }) => {
    if (step === "next" && source === id) return [target];
    return step === "back" && target === id ? [source] : [];
  });
  const within = near.filter((one) => drawing.nodes.find((n) => n.id === one)?.parent === id);
  const outside = near.filter((one) => !within.includes(one) && one !== id);
  if (step === "next") {
    // From a frame's title into the frame; from its last node to what follows the frame.
    if (within.length > 0) return within[0];
    const after = outside[0];
    return after !== undefined && after === node?.parent ? leave(drawing, after) : after;
  }
  return outside[0] ?? (node?.parent || undefined);
}

function leave(drawing: Drawing, frame: string): string | undefined {
  const parents = new Map(drawing.nodes.map((node) => [node.id, node.parent]));
  const next = drawing.edges.find(
    ({ source, target }) => source === frame && parents.get(target) !== frame && target !== frame,
  )?.target;
  return next !== undefined && next === parents.get(frame) ? leave(drawing, next) : next;
}

/** The nearest node on one side, rather straight ahead than askew. */
function beside(drawing: Drawing, id: string, step: "left" | "right"): string | undefined {
  const node = drawing.nodes.find((one) => one.id === id);
  if (!node) return undefined;
  const down = drawing.direction === "TB";
  const sign = step === "left" ? -1 : 1;
  const at = (one: DrawnNode) => ({
    x: one.x + one.width / 2,
    y: one.state === "open" ? one.y + 14 : one.y + one.height / 2,
  });
  const here = at(node);
  let best: { id: string; cost: number } | undefined;
  for (const one of drawing.nodes) {
    const there = at(one);
    const across = sign * (down ? there.x - here.x : there.y - here.y);
    const aside = Math.abs(down ? there.y - here.y : there.x - here.x);
    if (one.id === id || across <= 8) continue;
    const cost = across + 4 * aside;
    if (!best || cost < best.cost) best = { id: one.id, cost };
  }
  return best?.id;
}
