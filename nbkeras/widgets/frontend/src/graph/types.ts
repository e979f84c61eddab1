// The drawing as Python lays it out: names as in diagram/layout.py. Lengths in CSS pixels.

export type Direction = "TB" | "LR";

export interface DrawnNode {
  id: string;
  x: number;
  y: number;
  width: number;
  height: number;
  title: string;
  lines: string[];
  family: string;
  state: "layer" | "folded" | "open";
  parent: string;
  role: "" | "input" | "output";
  frozen: boolean;
  calls: number;
  more: boolean;
  about: string;
}

export interface DrawnEdge {
  source: string;
  target: string;
  path: string;
  arrow: boolean;
  label: string;
  at: [number, number] | null;
  about: string;
}

export interface Drawing {
  name: string;
  direction: Direction;
  width: number;
  height: number;
  nodes: DrawnNode[];
  edges: DrawnEdge[];
  open: string[];
  foldable: string[];
}

export interface WeightFacts {
  name: string;
  shape: string;
  dtype: string;
  trainable: boolean;
}

/** What is told of an item beside the graph. */
export interface Details {
  name: string;
  facts: [string, string][];
  config: [string, string][];
  weights: WeightFacts[];
}

/** What the values of a weight are like; absent where they have no such number. */
export interface Summary {
  count: number;
  bad: number;
  min?: number;
  mean?: number;
  max?: number;
  std?: number;
  bars?: number[];
  from?: number;
  to?: number;
}

export interface About {
  name: string;
  kind: string;
  layers: number;
  parameters: number;
  inspect: boolean;
}

export interface State {
  drawing: Drawing;
  spare: Partial<Record<Direction, Record<string, Drawing>>>;
  layers: Record<string, Details>;
  about: About;
}

/** Whether two drawings show the same items in the same direction. */
export function isSame(a: Pick<Drawing, "direction" | "open">, b: typeof a): boolean {
  return (
    a.direction === b.direction &&
    a.open.length === b.open.length &&
    a.open.every((id) => b.open.includes(id))
  );
}
