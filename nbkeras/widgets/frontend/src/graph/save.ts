// The drawing as a file of its own, looking as it does on the page.
import { set, svg } from "../dom";
import type { Drawing } from "./types";

const STYLES = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "font-family",
  "font-size",
  "font-weight",
  "text-anchor",
];

/** An SVG document with every style written into its elements. */
export function picture(drawing: Drawing, group: SVGGElement, page: string): string {
  const copy = group.cloneNode(true) as SVGGElement;
  const shown = group.querySelectorAll("*");
  const extra: Element[] = [];
  copy.querySelectorAll("*").forEach((element, index) => {
    const original = shown[index];
    if (!original) return;
    if (original.matches(".nbk-fold, .nbk-edge-near")) extra.push(element);
    const style = getComputedStyle(original);
    for (const name of STYLES) {
      const value = style.getPropertyValue(name);
      if (value) element.setAttribute(name, value);
    }
    for (const name of ["class", "tabindex", "role", "data-id", "data-family", "aria-expanded"]) {
      element.removeAttribute(name);
    }
  });
  for (const element of extra) element.remove();
  set(copy, { transform: undefined, class: undefined });
  const root = svg(
    "svg",
    { viewBox: `0 0 ${drawing.width} ${drawing.height}`, width: drawing.width, height: drawing.height },
    svg("rect", { width: drawing.width, height: drawing.height, fill: page, rx: 10 }),
    copy,
  );
  return new XMLSerializer().serializeToString(root);
}

/** Hand a text to the browser as a file. */
export function download(text: string, name: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address));
}

/** A model's name as the name of a file. */
export function fileName(name: string): string {
  return `${name.replace(/[^\p{L}\p{N}_-]+/gu, "_").slice(0, 60) || "model"}.svg`;
}
