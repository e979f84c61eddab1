// A run as the page knows it: the front-end's twin of run_state.py.
//
// Every update carries a small summary, and what is new in curves, epochs and changes since
// the update before. Updates are numbered; a page that missed one asks for everything.
import type { AnyModel } from "./model";

export type Status =
  | "waiting"
  | "running"
  | "paused"
  | "finished"
  | "stopped"
  | "interrupted"
  | "failed";

/** A number; JSON has none for not-a-number and the infinities. */
export type Numeric = number | "NaN" | "Infinity" | "-Infinity";

export interface Parameter {
  name: string;
  label: string;
  value: Numeric;
  initial: Numeric;
  minimum: number;
  maximum: number;
  scale: "log" | "linear";
}

export interface Change {
  x: number;
  epoch: number;
  step: number;
  parameter: string;
  previous: Numeric;
  value: Numeric;
  source: string;
}

export interface Row {
  epoch: number;
  logs: Record<string, Numeric>;
}

export interface Curve {
  x: number[];
  y: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
}

export interface Summary {
  seq: number;
  controls: boolean;
  notice: string;
  status: Status;
  model: string;
  epochs: number;
  initial_epoch: number;
  epoch: number;
  position: number;
  step: number;
  steps: number | null;
  time: number;
  rate: number | null;
  epoch_left: number | null;
  left: number | null;
  numbers: Record<string, Numeric>;
  best: { epoch: number; metric: string; value: Numeric } | null;
  parameters: Parameter[];
  error: string;
  message: string;
}

interface Tail<T> {
  from: number;
  items: T[];
}

interface CurveTail {
  name: string;
  from: number;
  x: number[];
  y: (number | null)[];
  low?: (number | null)[];
  high?: (number | null)[];
}

export interface Recorded {
  curves: CurveTail[];
  rows?: Tail<Row>;
  changes?: Tail<Change>;
}

export type Update = Summary & { record: Recorded & { since: number } };

export type Wire = { state: Partial<Update>; record: (Recorded & { seq: number }) | null };

const EMPTY: Summary = {
  seq: 0,
  controls: true,
  notice: "",
  status: "waiting",
  model: "",
  epochs: 0,
  initial_epoch: 0,
  epoch: 0,
  position: 0,
  step: 0,
  steps: null,
  time: 0,
  rate: null,
  epoch_left: null,
  left: null,
  numbers: {},
  best: null,
  parameters: [],
  error: "",
  message: "",
};

// A greeting that no one answers in this time: the kernel hears nothing while it trains.
const PATIENCE = [2000, 4000];

export class Run {
  summary: Summary = EMPTY;
  readonly curves = new Map<string, Curve>();
  rows: Row[] = [];
  changes: Change[] = [];
  /** Whether the kernel did not answer while it trained. */
  deaf = false;

  private seq = 0;
  private missing = false;
  private readonly listeners = new Set<() => void>();
  private readonly timers: ReturnType<typeof setTimeout>[] = [];

  constructor(private readonly model: AnyModel<Wire>) {
    const record = model.get("record");
    if (record) {
      this.merge(record);
      this.seq = record.seq;
    }
    this.model.on("change:state", this.receive);
    this.receive();
    this.greet();
  }

  get active(): boolean {
    return this.summary.status === "running" || this.summary.status === "paused";
  }

  /** Ask the run for something. */
  send(request: { type: string; [field: string]: unknown }): void {
    this.model.send(request);
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  dispose(): void {
    this.model.off("change:state", this.receive);
    for (const timer of this.timers) clearTimeout(timer);
    this.listeners.clear();
  }

  private readonly receive = (): void => {
    const update = this.model.get("state");
    if (!update || update.seq === undefined) return;
    const began = !this.active;
    const { record, ...summary } = update as Update;
    this.summary = { ...EMPTY, ...summary };
    if (summary.seq !== this.seq) {
      if (record.since === 0) this.forget();
      if (record.since === 0 || record.since === this.seq) {
        this.merge(record);
        this.seq = summary.seq;
        this.missing = false;
      } else if (!this.missing) {
        this.missing = true;
        this.greet();
      }
    }
    if (summary.controls) this.deaf = false;
    if (began && this.active) this.listen();
    for (const listener of this.listeners) listener();
  };

  /** Say what is known here; the kernel sends what is missing. */
  private greet(): void {
    this.send({ type: "Hello", seq: this.seq });
  }

  /** Find out whether messages are heard while the run goes on. */
  private listen(): void {
    for (const [attempt, delay] of PATIENCE.entries()) {
      this.timers.push(
        setTimeout(() => {
          if (this.summary.controls || !this.active) return;
          if (attempt === PATIENCE.length - 1) {
            this.deaf = true;
            for (const listener of this.listeners) listener();
          } else this.greet();
        }, delay),
      );
    }
  }

  private forget(): void {
    this.curves.clear();
    this.rows = [];
    this.changes = [];
  }

  private merge(record: Recorded): void {
    for (const tail of record.curves) this.extend(tail);
    if (record.rows) this.rows = spliced(this.rows, record.rows);
    if (record.changes) this.changes = spliced(this.changes, record.changes);
  }

  private extend(tail: CurveTail): void {
    const curve = this.curves.get(tail.name) ?? { x: [], y: [], low: [], high: [] };
    this.curves.set(tail.name, curve);
    replace(curve.x, tail.from, tail.x);
    replace(curve.y, tail.from, tail.y);
    replace(curve.low, tail.from, tail.low ?? tail.y);
    replace(curve.high, tail.from, tail.high ?? tail.y);
  }
}

/** The JavaScript number. */
export function numeric(value: Numeric | undefined | null): number | undefined {
  return value === undefined || value === null ? undefined : Number(value);
}

/** The metrics of each chart: losses, and the rest; validation goes with its metric. */
export function groups(run: Run): string[][] {
  const names = [...run.curves.keys()].filter((name) => !isValidation(name, run));
  const losses = names.filter((name) => name === "loss" || name.endsWith("_loss"));
  const others = names.filter((name) => !losses.includes(name));
  return [losses, others].filter((group) => group.length > 0);
}

function isValidation(name: string, run: Run): boolean {
  return name.startsWith("val_") && run.curves.has(name.slice(4));
}

function spliced<T>(items: readonly T[], tail: Tail<T>): T[] {
  return [...items.slice(0, tail.from), ...tail.items];
}

function replace<T>(items: T[], from: number, tail: readonly T[]): void {
  items.length = Math.min(items.length, from);
  items.push(...tail);
}
