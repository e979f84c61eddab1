import { expect, it } from "vitest";
import cases from "../../../../tests/widgets/fixtures/format.json";
import * as format from "../src/format";

const SPECIAL: Record<string, number> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

for (const [name, examples] of Object.entries(cases)) {
  it.each(examples as [unknown, string][])(`${name} of %j reads %j`, (value, text) => {
    const write = format[name as keyof typeof format] as (value: unknown) => string;
    expect(write(SPECIAL[value as string] ?? value)).toBe(text);
  });
}

it("cuts what is too long", () => {
  expect(format.plain("x".repeat(300))).toBe(`${"x".repeat(199)}\u2026`);
});

it("makes a lone surrogate visible", () => {
  expect(format.plain("\ud800")).toBe("\\ud800");
});
