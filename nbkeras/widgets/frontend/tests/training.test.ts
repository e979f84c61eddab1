import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Update, Wire } from "../src/run";
import view from "../src/views/training";
import { FakeModel, RECORD, update } from "./page";

const EVIL = '<img src=x onerror="alert(1)">\u202e';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "requestAnimationFrame", "performance"] });
});

afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

/** A panel on a page, and the kernel behind it. */
function show(traits: Partial<Wire> = { state: update(0) }) {
  const fake = new FakeModel(traits);
  const { initialize, render } = view();
  const experimental = {} as never;
  const signal = new AbortController().signal;
  const forget = initialize({ model: fake.model, experimental, signal } as never);
  const place = () => {
    const el = document.createElement("div");
    document.body.append(el);
    const remove = render({ model: fake.model, el, experimental, signal } as never);
    return { el, remove: remove as () => void };
  };
  const tell = (state: Partial<Update>) => {
    fake.tell(state);
    vi.advanceTimersByTime(20);
  };
  fake.sent.length = 0;
  return { ...place(), place, fake, tell, forget: forget as () => void };
}

function button(el: Element, name: string): HTMLButtonElement {
  const found = [...el.querySelectorAll("button")].find((one) => one.textContent === name);
  if (!found) throw new Error(`no button ${name}`);
  return found;
}

function text(el: Element, selector: string): string[] {
  return [...el.querySelectorAll(selector)].map((one) => one.textContent ?? "");
}

describe("what it shows", () => {
  it("has nothing to say before the run", () => {
    const { el } = show({ state: {} });
    expect(text(el, ".nbk-status")).toEqual(["Waiting for the run to begin"]);
    expect(el.querySelectorAll("figure")).toHaveLength(0);
  });

  it.each([
    [0, "Running"],
    [2, "Paused"],
    [3, "Finished"],
  ])("says after update %i that the run is %s", (index, words) => {
    const { el, tell } = show();
    tell(update(index, { record: { since: 0, curves: [] } }));
    expect(text(el, ".nbk-status")).toEqual([words]);
  });

  it("shows where the run is", () => {
    const { el, tell } = show();
    tell(update(1, { position: 0.5, step: 1, epoch: 0, left: 80, rate: 1234 }));
    const [epochs, steps] = el.querySelectorAll("[role=progressbar]");
    expect(epochs?.getAttribute("aria-valuenow")).toBe("25");
    expect(epochs?.getAttribute("aria-valuetext")).toBe("1 / 2");
    expect(steps?.getAttribute("aria-valuetext")).toBe("1 / 2");
    expect(text(el, ".nbk-more")).toEqual(["1 min 20 s left", "1\u202f200 samples/s"]);
  });

  it("shows the numbers of now in the legend, also those that are none", () => {
    const { el, tell } = show();
    tell(update(1));
    expect(text(el, ".nbk-item")).toEqual(["lossNaN", "val_loss\u2013"]);
    expect(el.querySelectorAll(".nbk-item .nbk-bad")).toHaveLength(1);
    tell(update(2));
    expect(text(el, ".nbk-item")[1]).toBe("val_loss3.0000");
    expect(text(el, ".nbk-others")).toEqual(["Best val_loss 3.0000 in epoch 1"]);
  });

  it("draws once, however many updates come between two frames", () => {
    const { el, fake } = show();
    const draw = vi.spyOn(el.querySelector(".nbk-grid") as Element, "replaceChildren");
    for (const index of [1, 2, 3]) fake.tell(update(index));
    expect(text(el, ".nbk-status")).toEqual(["Running"]);
    vi.advanceTimersByTime(20);
    expect(text(el, ".nbk-status")).toEqual(["Finished"]);
    expect(draw.mock.calls.length).toBeLessThanOrEqual(1);
  });

  it("draws lines with gaps where a value is none, and marks for changes", () => {
    const { el } = show({ state: update(3), record: { seq: 4, ...RECORD } });
    const [loss, validation] = [...el.querySelectorAll("path.nbk-line")];
    expect(loss?.getAttribute("d")?.match(/M/g)).toHaveLength(2);
    expect(validation?.getAttribute("d")).toMatch(/^M[\d.]+ [\d.]+h0L[\d.]+ [\d.]+$/);
    expect(text(el, ".nbk-mark title")).toEqual(["Learning rate 0.1 \u2192 0.01 (epoch 2, step 0)"]);
    expect(text(el, ".nbk-changes li")).toEqual(["epoch 2, step 0 Learning rate 0.1 \u2192 0.01"]);
  });

  it("has a table behind each chart, filled when it is opened", () => {
    const { el } = show({ state: update(3), record: { seq: 4, ...RECORD } });
    expect(text(el, "figure td")).toEqual([]);
    const details = el.querySelector("figure details") as HTMLDetailsElement;
    details.open = true;
    details.dispatchEvent(new Event("toggle"));
    expect(text(el, "figure thead th")).toEqual(["Epoch", "loss", "val_loss"]);
    expect(text(el, "figure tbody tr")).toEqual(["1NaN3.0000", "22.00001.0000"]);
  });

  it("hides a line when its name is pressed", () => {
    const { el } = show({ state: update(3), record: { seq: 4, ...RECORD } });
    const item = el.querySelector(".nbk-item") as HTMLButtonElement;
    item.click();
    expect(item.getAttribute("aria-pressed")).toBe("false");
    expect(el.querySelector("path.nbk-line")?.getAttribute("d")).toBe("");
    item.click();
    expect(el.querySelector("path.nbk-line")?.getAttribute("d")).not.toBe("");
  });

  it("has a logarithmic axis on request", () => {
    const { el } = show({ state: update(3), record: { seq: 4, ...RECORD } });
    const before = el.querySelector("path.nbk-validation")?.getAttribute("d");
    button(el, "log").click();
    expect(button(el, "log").getAttribute("aria-pressed")).toBe("true");
    expect(el.querySelectorAll("path.nbk-validation")[0]?.getAttribute("d")).not.toBe(before);
  });

  it("says what failed, and what the kernel refused", () => {
    const { el, tell } = show();
    tell(update(1, { status: "failed", error: "ValueError", message: "shapes", notice: "No." }));
    expect(text(el, ".nbk-notes p")).toEqual(["ValueError: shapes", "No."]);
  });

  it("says how to steer where the kernel hears nothing", () => {
    const { el } = show({ state: update(0, { controls: false }) });
    expect(text(el, ".nbk-notes p")).toEqual([]);
    vi.advanceTimersByTime(10_000);
    expect(text(el, ".nbk-notes p")[0]).toMatch(/%fit --background/);
  });

  it("shows the same in a second place and after a reload", () => {
    const first = show();
    for (const index of [1, 2, 3]) first.tell(update(index));
    const again = first.place();
    const reloaded = show({ state: update(3), record: { seq: 4, ...RECORD } });
    const strip = (html: string) => html.replace(/nbk-\d{6,}/g, "id");
    expect(strip(again.el.innerHTML)).toBe(strip(first.el.innerHTML));
    expect(strip(reloaded.el.innerHTML)).toBe(strip(first.el.innerHTML));
  });
});

describe("hostile names", () => {
  it("stay text everywhere", () => {
    const { el, tell } = show();
    const name = `m${EVIL}`;
    tell(
      update(1, {
        model: EVIL,
        notice: EVIL,
        status: "failed",
        error: EVIL,
        message: EVIL,
        numbers: { [name]: 1, [EVIL]: 2 },
        best: { epoch: 0, metric: EVIL, value: 1 },
        parameters: [
          { name: EVIL, label: EVIL, value: 1, initial: 1, minimum: 0, maximum: 2, scale: "linear" },
        ],
        record: {
          since: 0,
          curves: [{ name, from: 0, x: [1, 2], y: [1, 2] }],
          rows: { from: 0, items: [{ epoch: 0, logs: { [name]: 1 } }] },
          changes: {
            from: 0,
            items: [
              { x: 1, epoch: 0, step: 1, parameter: EVIL, previous: 0, value: 1, source: EVIL },
            ],
          },
        },
      }),
    );
    for (const details of el.querySelectorAll("details")) {
      details.open = true;
      details.dispatchEvent(new Event("toggle"));
    }
    expect(el.querySelectorAll("img, script, [onerror]")).toHaveLength(0);
    expect(el.textContent).toContain("<img src=x");
    expect(el.outerHTML).not.toContain("\u202e");
  });
});

describe("buttons", () => {
  it("ask for what they say, when it can be had", () => {
    const { el, tell, fake } = show();
    expect(button(el, "Step").disabled).toBe(true);
    button(el, "Pause").click();
    expect(text(el, ".nbk-status")).toEqual(["Pausing\u2026"]);
    tell(update(2, { record: { since: 0, curves: [] } }));
    expect(text(el, ".nbk-status")).toEqual(["Paused"]);
    button(el, "Step").click();
    button(el, "Resume").click();
    button(el, "Stop").click();
    expect(fake.sent.map((message) => message.type)).toEqual(["Pause", "Step", "Resume", "Stop"]);
    for (const message of fake.sent) expect(Object.keys(message)).toEqual(["type"]);
  });

  it("are off when the run is over", () => {
    const { el } = show({ state: update(3), record: { seq: 4, ...RECORD } });
    for (const name of ["Pause", "Step", "Stop"]) expect(button(el, name).disabled).toBe(true);
  });

  it("keep the notebook from taking their keys", () => {
    const { el } = show();
    expect(button(el, "Pause").closest("[data-lm-suppress-shortcuts=true]")).not.toBeNull();
  });
});

describe("sliders", () => {
  function slider(el: Element) {
    const range = el.querySelector("input[type=range]") as HTMLInputElement;
    const field = el.querySelector("input[type=text]") as HTMLInputElement;
    const drag = (position: number) => {
      range.value = String(position);
      range.dispatchEvent(new Event("input"));
    };
    const type = (value: string) => {
      field.value = value;
      field.dispatchEvent(new Event("change"));
    };
    return { range, field, drag, type, label: el.querySelector("label") as HTMLLabelElement };
  }

  it("are logarithmic where the parameter is", () => {
    const { el } = show();
    const { range, field, label } = slider(el);
    expect(range.value).toBe("667"); // log(0.1 / 0.001) / log(1 / 0.001)
    expect(range.getAttribute("aria-valuetext")).toBe("0.1");
    expect(range.getAttribute("data-lm-suppress-shortcuts")).toBe("true");
    expect(label.htmlFor).toBe(range.id);
    expect(field.value).toBe("0.1");
  });

  it("send the value they are moved to, at most ten times a second, and the last", () => {
    const { el, fake } = show();
    const { range, drag } = slider(el);
    for (let position = 600; position > 333; position -= 3) {
      drag(position);
      vi.advanceTimersByTime(10);
    }
    drag(333);
    range.dispatchEvent(new Event("change"));
    vi.advanceTimersByTime(500);
    expect(fake.sent.length).toBeLessThanOrEqual(12);
    expect(fake.sent.at(-1)).toEqual({ type: "SetParameter", parameter: "lr", value: 0.00998 });
  });

  it("stay where they were put until the run answers, then follow it", () => {
    const { el, tell } = show();
    const { field, drag } = slider(el);
    drag(333);
    vi.advanceTimersByTime(50);
    tell(update(1));
    expect(field.value).toBe("0.00998");
    expect(el.querySelector(".nbk-pending")).not.toBeNull();
    const [parameter] = update(1).parameters;
    if (!parameter) throw new Error("the fixture has a parameter");
    tell(update(2, { parameters: [{ ...parameter, value: 0.00998 }] }));
    expect(el.querySelector(".nbk-pending")).toBeNull();
    expect(text(el, ".nbk-was")).toEqual(["was 0.1"]);
    tell(update(3));
    expect(field.value).toBe("0.01");
  });

  it("go back when the run refuses or never answers", () => {
    const { el, tell } = show();
    const { field, drag } = slider(el);
    drag(900);
    vi.advanceTimersByTime(50);
    tell(update(1, { notice: "No." }));
    expect(field.value).toBe("0.1");
    drag(900);
    vi.advanceTimersByTime(10_000);
    expect(field.value).toBe("0.1");
  });

  it("take a number that is typed, and only one in range", () => {
    const { el, fake } = show();
    const { field, type } = slider(el);
    type("2e-2");
    expect(fake.sent).toEqual([{ type: "SetParameter", parameter: "lr", value: 0.02 }]);
    for (const wrong of ["", "x", "5", "-1", "Infinity"]) {
      type(wrong);
      expect(field.getAttribute("aria-invalid")).toBe("true");
    }
    expect(fake.sent).toHaveLength(1);
    type("0,5");
    expect(fake.sent.at(-1)?.value).toBe(0.5);
    expect(field.getAttribute("aria-invalid")).toBeNull();
  });

  it("reach the ends exactly", () => {
    const { el, fake } = show();
    const { drag } = slider(el);
    drag(0);
    vi.advanceTimersByTime(200);
    drag(1000);
    vi.advanceTimersByTime(200);
    expect(fake.sent.map((message) => message.value)).toEqual([0.001, 1]);
  });

  it("cannot be moved when the run is over", () => {
    const { el } = show({ state: update(3), record: { seq: 4, ...RECORD } });
    const { range, field } = slider(el);
    expect([range.disabled, field.disabled]).toEqual([true, true]);
  });
});

it("leaves nothing behind", () => {
  const { el, remove, forget, fake, tell } = show();
  tell(update(1));
  remove();
  forget();
  expect(el.children).toHaveLength(0);
  expect(fake.listening()).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

it("is as dark as the page", () => {
  document.body.dataset.jpThemeLight = "false";
  const { el } = show();
  expect((el.firstElementChild as HTMLElement).dataset.theme).toBe("dark");
  delete document.body.dataset.jpThemeLight;
});
