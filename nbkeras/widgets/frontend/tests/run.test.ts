import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Run, groups } from "../src/run";
import { FakeModel, RECORD, UPDATES, update } from "./page";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function curvesOf(run: Run) {
  return [...run.curves].map(([name, { x, y }]) => ({ name, from: 0, x, y }));
}

it("knows after all updates what the record says", () => {
  const fake = new FakeModel();
  const run = new Run(fake.model);
  for (const state of UPDATES) fake.tell(state);
  expect(curvesOf(run)).toEqual(RECORD.curves);
  expect(run.rows).toEqual(RECORD.rows?.items);
  expect(run.changes).toEqual(RECORD.changes?.items);
  expect(run.summary.status).toBe("finished");
});

it("knows the same when it is told all at once, as after a reload", () => {
  const fake = new FakeModel({ state: update(3), record: { seq: 4, ...RECORD } });
  const run = new Run(fake.model);
  expect(curvesOf(run)).toEqual(RECORD.curves);
  expect(run.rows).toEqual(RECORD.rows?.items);
  expect(run.summary.status).toBe("finished");
});

it("keeps values a curve does not say as its low and high", () => {
  const fake = new FakeModel({ state: update(0) });
  const run = new Run(fake.model);
  const tail = { name: "loss", from: 0, x: [1, 2], y: [3, 4], low: [2, 3], high: [5, 6] };
  fake.tell(update(1, { record: { since: 1, curves: [tail] } }));
  const more = { name: "loss", from: 1, x: [2, 3], y: [5, 6] };
  fake.tell(update(2, { record: { since: 2, curves: [more] } }));
  expect(run.curves.get("loss")).toEqual({
    x: [1, 2, 3],
    y: [3, 5, 6],
    low: [2, 5, 6],
    high: [5, 5, 6],
  });
});

it("asks for everything when it has missed an update, once", () => {
  const fake = new FakeModel({ state: update(0) });
  const run = new Run(fake.model);
  fake.sent.length = 0;
  fake.tell(update(2));
  fake.tell(update(3));
  expect(fake.sent).toEqual([{ type: "Hello", seq: 1 }]);
  expect(run.curves.get("loss")?.x).toEqual([]);
  expect(run.summary.status).toBe("finished");
  fake.tell(update(3, { seq: 5, record: { since: 0, ...RECORD } }));
  expect(curvesOf(run)).toEqual(RECORD.curves);
});

it("forgets what it knew when it is told everything", () => {
  const fake = new FakeModel({ state: update(0) });
  const run = new Run(fake.model);
  fake.tell(update(1));
  const other = { name: "mae", from: 0, x: [1], y: [2] };
  fake.tell(update(2, { record: { since: 0, curves: [other] } }));
  expect([...run.curves.keys()]).toEqual(["mae"]);
  expect(run.rows).toEqual([]);
});

it("takes the same update twice as once", () => {
  const fake = new FakeModel({ state: update(0) });
  const run = new Run(fake.model);
  fake.tell(update(1));
  fake.tell(update(1));
  expect(run.curves.get("loss")?.x).toEqual([0.5, 1]);
});

it("greets the kernel, and says so when no one hears it during the run", () => {
  const fake = new FakeModel({ state: update(0, { controls: false }) });
  const run = new Run(fake.model);
  expect(fake.sent).toEqual([{ type: "Hello", seq: 1 }]);
  const told = vi.fn();
  run.subscribe(told);
  vi.advanceTimersByTime(60_000);
  expect(fake.sent).toHaveLength(2);
  expect(run.deaf).toBe(true);
  expect(told).toHaveBeenCalledTimes(1);
  fake.tell(update(1));
  expect(run.deaf).toBe(false);
});

it("is not deaf when it was heard, or when the run is over", () => {
  const heard = new FakeModel({ state: update(0, { controls: false }) });
  const run = new Run(heard.model);
  heard.tell(update(1, { controls: true }));
  const over = new FakeModel({ state: update(0, { controls: false }) });
  const ended = new Run(over.model);
  over.tell(update(3, { controls: false }));
  vi.advanceTimersByTime(60_000);
  expect([run.deaf, ended.deaf]).toEqual([false, false]);
});

it("puts losses and other metrics in two groups", () => {
  const fake = new FakeModel({ state: update(0) });
  const run = new Run(fake.model);
  const curves = ["loss", "a_loss", "val_loss", "accuracy", "val_accuracy", "val_only"].map(
    (name) => ({ name, from: 0, x: [1], y: [1] }),
  );
  fake.tell(update(1, { record: { since: 0, curves } }));
  expect(groups(run)).toEqual([
    ["loss", "a_loss"],
    ["accuracy", "val_only"],
  ]);
});

it("leaves nothing behind", () => {
  const fake = new FakeModel({ state: update(0, { controls: false }) });
  const run = new Run(fake.model);
  run.dispose();
  expect(fake.listening()).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});
