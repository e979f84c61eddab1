import { describe, expect, it } from "vitest";
import { bytes, count, duration, number, plain, setting, shape } from "../src/format";

describe("number", () => {
  it.each([
    [0, "0.0000"],
    [0.01234567, "0.0123"],
    [12.345678, "12.346"],
    [123456.7, "123457"],
    [1.2e-5, "1.20e\u22125"],
    [-3.5, "\u22123.5000"],
    [2.5e7, "2.50e7"],
    [Number.NaN, "NaN"],
    [Number.NEGATIVE_INFINITY, "\u2212\u221e"],
    [null, "\u2013"],
  ])("%s reads %s", (value, text) => expect(number(value)).toBe(text));
});

describe("setting", () => {
  it.each([
    [0.001, "0.001"],
    [0.0003, "3e\u22124"],
    [0.25, "0.25"],
    [0, "0"],
    [0.1 + 0.2, "0.3"],
  ])("%s reads %s", (value, text) => expect(setting(value)).toBe(text));
});

describe("counts and sizes", () => {
  it("groups digits", () => expect(count(1234567)).toBe("1\u202f234\u202f567"));
  it("knows no number", () => expect(count(null)).toBe("?"));
  it.each([
    [812, "812\u202fB"],
    [1440, "1.4\u202fKB"],
    [999_600, "1.0\u202fMB"],
    [123_400_000, "123\u202fMB"],
  ])("%s bytes read %s", (value, text) => expect(bytes(value)).toBe(text));
});

describe("duration", () => {
  it.each([
    [0.25, "0.3 s"],
    [9.96, "10 s"],
    [59.6, "1 min 00 s"],
    [80, "1 min 20 s"],
    [7500, "2 h 05 min"],
    [300_000, "3 days"],
    [null, "\u2013"],
  ])("%s s reads %s", (value, text) => expect(duration(value)).toBe(text));
});

describe("shape", () => {
  it.each([
    [[null, 28, 28], "(None, 28, 28)"],
    [[null], "(None,)"],
    [[[null, 2], [null, 3]], "(None, 2), (None, 3)"],
    [null, "?"],
  ])("%j reads %s", (value, text) => expect(shape(value)).toBe(text));
});

describe("plain", () => {
  it("shows control and direction characters instead of obeying them", () => {
    expect(plain("a\u001b[31m\u202eb\nc")).toBe("a\\u001b[31m\\u202eb c");
  });
  it("leaves markup as it is, for a text node", () => {
    expect(plain("<b>&amp;")).toBe("<b>&amp;");
  });
  it("cuts what is too long", () => expect(plain("x".repeat(300))).toHaveLength(200));
});
