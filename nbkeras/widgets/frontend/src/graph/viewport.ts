// Where one looks at a drawing from: a shift and a scale, moved by pointer, wheel and keys.
import { set } from "../dom";

export interface Size {
  width: number;
  height: number;
}

const SMALLEST = 0.05;
const LARGEST = 3;
/** Below this, names can no longer be read. */
const READABLE = 0.7;

export class Viewport {
  x = 0;
  y = 0;
  scale = 1;
  /** What is looked at. */
  content: Size = { width: 1, height: 1 };
  /** Whether a person has chosen where to look. */
  isChosen = false;
  /** Called after every move. */
  onMove: () => void = () => {};
  private target: SVGGElement | undefined;

  constructor(private readonly stage: SVGSVGElement) {}

  get size(): Size {
    return { width: this.stage.clientWidth || 800, height: this.stage.clientHeight || 480 };
  }

  show(target: SVGGElement, content: Size): void {
    this.target = target;
    this.content = content;
    this.apply();
  }

  /** The whole drawing, but never enlarged. */
  fit(): void {
    const { width, height } = this.size;
    this.scale = clamp(
      Math.min(1, width / this.content.width, height / this.content.height),
      SMALLEST,
      LARGEST,
    );
    this.x = (width - this.content.width * this.scale) / 2;
    this.y = (height - this.content.height * this.scale) / 2;
    this.apply();
  }

  /** The beginning of the drawing, as much of it as can be read. */
  start(): void {
    const { width, height } = this.size;
    const whole = Math.min(1, width / this.content.width, height / this.content.height);
    if (whole >= READABLE) return this.fit();
    const down = this.content.height / height > this.content.width / width;
    const across = down ? width / this.content.width : height / this.content.height;
    this.scale = clamp(across, READABLE, 1);
    this.x = Math.max(0, (width - this.content.width * this.scale) / 2);
    this.y = Math.max(0, (height - this.content.height * this.scale) / 2);
    this.apply();
  }

  zoom(factor: number, at?: { x: number; y: number }): void {
    this.isChosen = true;
    const { width, height } = this.size;
    const { x, y } = at ?? { x: width / 2, y: height / 2 };
    const scale = clamp(this.scale * factor, SMALLEST, LARGEST);
    const change = scale / this.scale;
    this.x = x - (x - this.x) * change;
    this.y = y - (y - this.y) * change;
    this.scale = scale;
    this.apply();
  }

  move(dx: number, dy: number): void {
    this.isChosen = true;
    this.x += dx;
    this.y += dy;
    this.apply();
  }

  /** Look at a point of the drawing. */
  centre(x: number, y: number): void {
    this.isChosen = true;
    const { width, height } = this.size;
    this.x = width / 2 - x * this.scale;
    this.y = height / 2 - y * this.scale;
    this.apply();
  }

  /** Move as little as needed for a box of the drawing to be seen. */
  reveal(box: { x: number; y: number } & Size, room = 24): void {
    const { width, height } = this.size;
    const left = box.x * this.scale + this.x;
    const top = box.y * this.scale + this.y;
    this.x += inside(left, left + box.width * this.scale, width, room);
    this.y += inside(top, top + box.height * this.scale, height, room);
    this.apply();
  }

  /** The part of the drawing that is seen. */
  get seen(): { x: number; y: number } & Size {
    const { width, height } = this.size;
    return {
      x: -this.x / this.scale,
      y: -this.y / this.scale,
      width: width / this.scale,
      height: height / this.scale,
    };
  }

  /** Whether anything of the drawing is out of sight. */
  get isPart(): boolean {
    const { x, y, width, height } = this.seen;
    return (
      x > 1 || y > 1 || x + width < this.content.width - 1 || y + height < this.content.height - 1
    );
  }

  /** Draw it where it now is; call it when the stage has changed its size. */
  apply(): void {
    const { width, height } = this.size;
    // Some of the drawing stays in sight, however far one drags.
    const room = 60;
    this.x = clamp(this.x, room - this.content.width * this.scale, width - room);
    this.y = clamp(this.y, room - this.content.height * this.scale, height - room);
    if (this.target) {
      const shift = `translate(${round(this.x)} ${round(this.y)})`;
      set(this.target, { transform: `${shift} scale(${round(this.scale, 4)})` });
    }
    this.onMove();
  }
}

/** Drag to pan; the wheel zooms only with Ctrl or Command, so that the page still scrolls. */
export function steer(stage: SVGSVGElement, viewport: Viewport): void {
  let from: { x: number; y: number; id: number } | undefined;
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    from = { x: event.clientX, y: event.clientY, id: event.pointerId };
  });
  stage.addEventListener("pointermove", (event) => {
    if (!from || event.pointerId !== from.id) return;
    const dx = event.clientX - from.x;
    const dy = event.clientY - from.y;
    // A click may tremble: only from here on it is a drag, and then no click follows.
    if (!stage.hasPointerCapture?.(from.id)) {
      if (Math.hypot(dx, dy) < 4) return;
      stage.setPointerCapture?.(from.id);
      stage.classList.add("nbk-dragged");
    }
    from = { ...from, x: event.clientX, y: event.clientY };
    viewport.move(dx, dy);
  });
  const end = () => {
    from = undefined;
    // After the click that belongs to this drag.
    setTimeout(() => stage.classList.remove("nbk-dragged"));
  };
  stage.addEventListener("pointerup", end);
  stage.addEventListener("pointercancel", end);
  stage.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const box = stage.getBoundingClientRect();
      const step = event.deltaMode === 1 ? 16 : 1;
      viewport.zoom(Math.exp((-event.deltaY * step) / 400), {
        x: event.clientX - box.left,
        y: event.clientY - box.top,
      });
    },
    { passive: false },
  );
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

/** How far to move an interval into [0, size], with room around it if there is any. */
function inside(from: number, to: number, size: number, room: number): number {
  if (from < room) return room - from;
  return to > size - room ? Math.max(size - room - to, room - from) : 0;
}

function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
