import { describe, expect, it } from "vitest";
import cases from "../../../../tests/widgets/fixtures/axis.json";
import * as axis from "../src/axis";

for (const [name, examples] of Object.entries(cases)) {
  it.each(examples as [unknown[], unknown][])(`${name} of %j are %j`, (values, expected) => {
    const compute = axis[name as keyof typeof cases] as (...values: unknown[]) => unknown;
    expect(compute(...values)).toEqual(expected);
  });
}

describe("extent", () => {
  it("holds all values and ends at round numbers", () => {
    const [low, high] = axis.extent([0.31, 2.27, null], false) ?? [0, 0];
    expect(low).toBe(0);
    expect(high).toBeGreaterThanOrEqual(2.27);
    expect(axis.extent([0.31, 2.28, null], false)).toEqual([low, high]);
  });

  it("shows values far from zero closely", () => {
    const [low] = axis.extent([100, 101], false) ?? [0, 0];
    expect(low).toBeGreaterThan(98);
  });

  it("has room for one value", () => {
    for (const value of [0, 5, -5]) {
      const [low, high] = axis.extent([value], false) ?? [0, 0];
      expect(low).toBeLessThanOrEqual(value);
      expect(high).toBeGreaterThan(value);
    }
  });

  it("has positive ends on a logarithmic axis, and leaves out what has no logarithm", () => {
    const [low, high] = axis.extent([0, -1, 0.02, 3], true) ?? [0, 0];
    expect(low).toBeGreaterThan(0.01);
    expect(low).toBeLessThan(0.02);
    expect(high).toBeGreaterThan(3);
    expect(axis.extent([0, -1], true)).toBeUndefined();
  });

  it("is nothing where there is nothing", () => {
    expect(axis.extent([null, Number.NaN], false)).toBeUndefined();
  });
});

describe("horizon", () => {
  it("grows in steps to the end of the run", () => {
    const ends = [0, 12, 13, 26, 51, 100].map((position) => axis.horizon(0, 100, position));
    expect(ends).toEqual([7, 13, 13, 50, 100, 100]);
  });

  it("leaves the curves of a very long run at least half of the width", () => {
    for (const position of [10, 33, 1_000, 70_000]) {
      expect(axis.horizon(0, 100_000, position)).toBeLessThanOrEqual(2 * position + 1);
    }
  });

  it("is the end of a short run, and what is beyond it", () => {
    expect(axis.horizon(0, 2, 0.1)).toBe(2);
    expect(axis.horizon(3, 5, 5.5)).toBe(5.5);
  });
});
