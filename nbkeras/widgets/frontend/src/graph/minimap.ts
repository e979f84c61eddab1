// The whole drawing in small, with a frame around the part that is seen.
import { set, svg } from "../dom";
import type { Drawing } from "./types";
import type { Viewport } from "./viewport";

const LARGEST = 130;

export class Minimap {
  readonly element = svg("svg", { class: "nbk-minimap", "aria-hidden": "true" });
  private readonly frame = svg("rect", { class: "nbk-minimap-frame" });

  constructor(private readonly viewport: Viewport) {
    const look = (event: PointerEvent) => {
      if (event.buttons !== 1) return;
      const box = this.element.getBoundingClientRect();
      const { width, height } = viewport.content;
      viewport.centre(
        ((event.clientX - box.left) / box.width) * width,
        ((event.clientY - box.top) / box.height) * height,
      );
    };
    this.element.addEventListener("pointerdown", (event) => {
      this.element.setPointerCapture?.(event.pointerId);
      look(event);
    });
    this.element.addEventListener("pointermove", look);
  }

  show(drawing: Drawing): void {
    const scale = LARGEST / Math.max(drawing.width, drawing.height);
    set(this.element, {
      viewBox: `0 0 ${drawing.width} ${drawing.height}`,
      width: Math.max(24, drawing.width * scale),
      height: Math.max(24, drawing.height * scale),
    });
    const nodes = drawing.nodes.map((node) =>
      svg("rect", {
        class: node.state === "open" ? "nbk-frame" : "nbk-box",
        "data-family": node.family,
        x: node.x,
        y: node.y,
        width: node.width,
        height: node.height,
      }),
    );
    this.element.replaceChildren(...nodes, this.frame);
  }

  /** Follow the viewport; hidden while everything is seen. */
  update(): void {
    this.element.classList.toggle("nbk-hidden", !this.viewport.isPart);
    const { x, y, width, height } = this.viewport.seen;
    const { content } = this.viewport;
    const left = Math.max(0, x);
    const top = Math.max(0, y);
    set(this.frame, {
      x: left,
      y: top,
      width: Math.max(1, Math.min(content.width, x + width) - left),
      height: Math.max(1, Math.min(content.height, y + height) - top),
    });
  }
}
