// Elements are made by name and filled with text nodes: nothing here parses markup.

export type Attributes = Record<string, string | number | boolean | undefined>;
export type Child = Node | string | undefined;

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element; a string among the children becomes a text node. */
export function html<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Set attributes: `true` sets an empty one, `false` and `undefined` remove it. */
export function set(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) element.removeAttribute(name);
    else {
      const text = value === true ? "" : String(value);
      if (element.getAttribute(name) !== text) element.setAttribute(name, text);
    }
  }
}

/** Set an element's text, touching the document only if it differs. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

function fill<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  set(element, attributes);
  for (const child of children) if (child !== undefined) element.append(child);
  return element;
}

/** Unique within the page, for labels and descriptions that point at an element. */
export function uniqueId(prefix: string): string {
  return `${prefix}-${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
}
