import { expect, it } from "vitest";

const SOURCES = import.meta.glob("../src/**/*.{ts,css}", {
  query: "?raw",
  import: "default",
  eager: true,
}) as Record<string, string>;

it.each(Object.entries(SOURCES))("%s parses no markup, runs no text, asks no host", (_, source) => {
  for (const word of [
    /\b(inner|outer)HTML\s*=/,
    /insertAdjacentHTML|createContextualFragment|DOMParser|document\.write/,
    /\beval\(|new Function\b/,
    /\bfetch\(|XMLHttpRequest|WebSocket|\bimport\(/,
    /https?:\/\/(?!www\.w3\.org\/)/,
    /url\((?!#)/,
  ]) {
    expect(source).not.toMatch(word);
  }
});

it("looks at all sources", () => {
  expect(Object.keys(SOURCES)).toContain("../src/views/training.ts");
});
