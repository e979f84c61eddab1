// A kernel that is not there: a model such as anywidget gives to a view.
import fixture from "../../../../tests/widgets/fixtures/run.json";
import type { AnyModel } from "../src/model";
import type { Recorded, Update, Wire } from "../src/run";

export type Sent = { type: string; [field: string]: unknown };

export class FakeModel {
  readonly sent: Sent[] = [];
  private readonly traits: Record<string, unknown> = { state: {}, record: null };
  private readonly listeners = new Map<string, Set<() => void>>();

  constructor(traits: Partial<Wire> = {}) {
    Object.assign(this.traits, traits);
  }

  get(name: string): unknown {
    return this.traits[name];
  }

  on(name: string, listener: () => void): void {
    this.listeners.set(name, (this.listeners.get(name) ?? new Set()).add(listener));
  }

  off(name: string, listener: () => void): void {
    this.listeners.get(name)?.delete(listener);
  }

  send(content: Sent): void {
    this.sent.push(content);
  }

  /** A new value from the kernel. */
  tell(state: Partial<Update>): void {
    this.traits.state = state;
    for (const listener of this.listeners.get("change:state") ?? []) listener();
  }

  listening(): number {
    return [...this.listeners.values()].reduce((sum, set) => sum + set.size, 0);
  }

  get model(): AnyModel<Wire> {
    return this as unknown as AnyModel<Wire>;
  }
}

/** The updates of the fixture that Python's test reads too, as they come over the wire. */
export const UPDATES: Update[] = fixture.updates.map(
  ({ summary, record }, index) =>
    ({
      seq: index + 1,
      controls: true,
      notice: "",
      ...summary,
      record: { since: index, ...record },
    }) as unknown as Update,
);

export const RECORD = fixture.record as unknown as Recorded;

/** An update of the fixture, changed in places. */
export function update(index: number, changes: Partial<Update> = {}): Update {
  const found = UPDATES[index];
  if (!found) throw new Error(`The fixture has ${UPDATES.length} updates.`);
  return structuredClone({ ...found, ...changes });
}
