// The training panel: where a run is, its curves, and the controls to steer it.
import "./training.css";
import { Chart } from "../chart";
import { html, say, set, svg } from "../dom";
import { count, duration, number, plain, setting } from "../format";
import type { Initialize, Render } from "../model";
import { type Change, Run, type Status, type Wire, groups, numeric } from "../run";
import { Slider } from "../slider";
import { followTheme } from "../theme";

const WORDS: Record<Status, string> = {
  waiting: "Waiting for the run to begin",
  running: "Running",
  paused: "Paused",
  finished: "Finished",
  stopped: "Stopped",
  interrupted: "Interrupted",
  failed: "Failed",
};

const ICONS = {
  Pause: "M3 2h3v10H3zM8 2h3v10H8z",
  Resume: "M3 2l9 5-9 5z",
  Step: "M3 2l6 5-6 5zM10 2h2v10h-2z",
  Stop: "M3 3h8v8H3z",
};

export default () => {
  let run: Run | undefined;
  const initialize: Initialize<Wire> = ({ model }) => {
    run = new Run(model);
    return () => run?.dispose();
  };
  const render: Render<Wire> = ({ model, el }) => {
    run ??= new Run(model);
    const panel = new Panel(run);
    el.append(panel.element);
    return () => panel.dispose();
  };
  return { initialize, render };
};

class Panel {
  readonly element = html("section", {
    class: "nbk nbk-training",
    // A key pressed on a control is meant for it, not for the notebook.
    "data-lm-suppress-shortcuts": "true",
  });
  private readonly header: Header;
  private readonly epochs = new Progress("Epochs");
  private readonly steps = new Progress("Steps");
  private readonly charts = html("div", { class: "nbk-charts" });
  private readonly shown = new Map<string, Chart>();
  private readonly others = html("p", { class: "nbk-others" });
  private readonly controls = html("fieldset", { class: "nbk-controls" });
  private readonly sliders = new Map<string, Slider>();
  private readonly changes = new Changes();
  private readonly notes = html("div", { class: "nbk-notes" });
  private readonly forget: (() => void)[];
  private frame = 0;

  constructor(private readonly run: Run) {
    this.header = new Header(run);
    const legend = html("legend", { class: "nbk-hidden" }, "Parameters of the run");
    this.controls.append(legend);
    this.element.append(
      this.header.element,
      html("div", { class: "nbk-bars" }, this.epochs.element, this.steps.element),
      this.notes,
      this.charts,
      this.others,
      this.controls,
      this.changes.element,
    );
    this.forget = [followTheme(this.element), run.subscribe(() => this.schedule())];
    this.update();
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
    for (const forget of this.forget) forget();
    for (const part of [...this.shown.values(), ...this.sliders.values()]) part.dispose();
    this.element.remove();
  }

  /** Draw once, however many updates come between two frames. */
  private schedule(): void {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.update();
    });
  }

  private update(): void {
    const { summary } = this.run;
    set(this.element, { "aria-label": `Training of ${plain(summary.model, 60)}` });
    this.header.update();
    this.updateProgress();
    this.updateNotes();
    this.updateCharts();
    this.updateControls();
    this.changes.update(this.run);
  }

  private updateProgress(): void {
    const { summary, active } = this.run;
    const { epochs, initial_epoch: first, position, step, steps } = summary;
    const done = epochs > first ? (position - first) / (epochs - first) : 0;
    const epoch = epochs > 0 ? Math.min(summary.epoch + 1, epochs) : 0;
    const left = active && summary.left !== null ? `${duration(summary.left)} left` : "";
    const spent = summary.status === "waiting" ? "" : duration(summary.time);
    this.epochs.update(done, ...of(epoch, epochs), left || spent);
    const speed = summary.rate === null ? "" : `${count(rounded(summary.rate))} samples/s`;
    this.steps.update(steps ? step / steps : 0, ...of(step, steps), active ? speed : "");
  }

  private updateNotes(): void {
    const { summary, deaf } = this.run;
    const notes: [string, string][] = [];
    if (summary.status === "failed") {
      notes.push(["nbk-bad", `${plain(summary.error, 80)}: ${plain(summary.message, 500)}`]);
    }
    if (deaf && this.run.active) {
      notes.push([
        "nbk-warn",
        "This kernel hears nothing while a cell runs, so the controls act only when the cell " +
          "is over. Train with %fit --background to steer; the notebook\u2019s interrupt " +
          "button (\u25a0) stops the run at any time and keeps what it has learned.",
      ]);
    }
    if (summary.notice) notes.push(["nbk-warn", plain(summary.notice, 300)]);
    const texts = notes.map(([kind, text]) => html("p", { class: kind, role: "status" }, text));
    if (this.notes.textContent !== texts.map((text) => text.textContent).join("")) {
      this.notes.replaceChildren(...texts);
    }
  }

  private updateCharts(): void {
    const charted = new Set<string>();
    for (const [index, metrics] of groups(this.run).entries()) {
      const title = metrics.includes("loss") ? "Loss" : index === 0 ? "Losses" : "Metrics";
      let chart = this.shown.get(title);
      if (!chart) {
        chart = new Chart(this.run, title);
        this.shown.set(title, chart);
        this.charts.append(chart.element);
      }
      chart.update(metrics);
      for (const name of metrics) charted.add(name).add(`val_${name}`);
    }
    const { numbers, best } = this.run.summary;
    const said = Object.entries(numbers)
      .filter(([name]) => !charted.has(name))
      .map(([name, value]) => `${plain(name, 40)} ${number(numeric(value))}`);
    if (best) {
      const metric = plain(best.metric, 40);
      said.unshift(`Best ${metric} ${number(numeric(best.value))} in epoch ${best.epoch + 1}`);
    }
    say(this.others, said.join(" \u00b7 "));
  }

  private updateControls(): void {
    const { summary, active } = this.run;
    for (const parameter of summary.parameters) {
      let slider = this.sliders.get(parameter.name);
      if (!slider) {
        const name = parameter.name;
        slider = new Slider(parameter, (value) =>
          this.run.send({ type: "SetParameter", parameter: name, value }),
        );
        this.sliders.set(name, slider);
        this.controls.append(slider.element);
      }
      slider.update(parameter, active, summary.notice !== "");
    }
    this.controls.hidden = this.sliders.size === 0;
  }
}

/** The model, what it does, and the buttons. */
class Header {
  readonly element: HTMLElement;
  private readonly name = html("strong");
  private readonly status = html("span", { class: "nbk-status", role: "status" });
  private readonly buttons = new Map<string, HTMLButtonElement>();
  private asked: { request: string; status: Status; seq: number } | undefined;

  constructor(private readonly run: Run) {
    const tools = html("div", { class: "nbk-tools", role: "toolbar", "aria-label": "Run" });
    for (const [name, title] of [
      ["Pause", "Wait after the step in flight"],
      ["Step", "Train one batch, then wait again"],
      ["Stop", "End the run and keep what it has learned"],
    ] as const) {
      const button = html("button", { type: "button", title });
      button.addEventListener("click", () => this.ask(button.dataset.request ?? name));
      this.buttons.set(name, button);
      tools.append(button);
      label(button, name);
    }
    const who = html("div", { class: "nbk-who" }, html("i", { class: "nbk-lamp" }), this.name);
    who.append(this.status);
    this.element = html("header", {}, who, tools);
  }

  update(): void {
    const { summary, active } = this.run;
    const { status } = summary;
    if (this.asked && (this.asked.status !== status || this.asked.seq + 20 < summary.seq)) {
      this.asked = undefined;
    }
    say(this.name, plain(summary.model || "Training", 60));
    const waits = this.asked && active ? WAITS[this.asked.request] : undefined;
    say(this.status, waits ?? WORDS[status]);
    this.element.dataset.status = status;
    const paused = status === "paused";
    const [pause, step, stop] = [...this.buttons.values()];
    if (pause) label(pause, paused ? "Resume" : "Pause");
    for (const button of [pause, stop]) if (button) button.disabled = !active;
    if (step) step.disabled = !paused;
    this.element.classList.toggle("nbk-over", !active);
  }

  private ask(request: string): void {
    this.asked = { request, status: this.run.summary.status, seq: this.run.summary.seq };
    this.run.send({ type: request });
    this.update();
  }
}

const WAITS: Record<string, string> = {
  Pause: "Pausing\u2026",
  Resume: "Resuming\u2026",
  Stop: "Stopping\u2026",
};

/** A bar with its name and two texts. */
class Progress {
  readonly element: HTMLElement;
  private readonly bar: HTMLElement;
  private readonly fill = html("div");
  private readonly where = html("span", { class: "nbk-value" });
  private readonly more = html("span", { class: "nbk-more" });

  constructor(name: string) {
    this.bar = html(
      "div",
      { class: "nbk-bar", role: "progressbar", "aria-label": name, "aria-valuemax": 100 },
      this.fill,
    );
    set(this.bar, { "aria-valuemin": 0 });
    const title = html("span", { class: "nbk-soft" }, name);
    this.element = html("div", { class: "nbk-progress" }, title, this.bar, this.where, this.more);
  }

  /** `widest` is as long as `where` will ever be, so that nothing moves when it grows. */
  update(done: number, where: string, widest: number, more: string): void {
    this.where.style.minWidth = `${widest}ch`;
    const share = Math.min(1, Math.max(0, done));
    this.fill.style.transform = `scaleX(${share.toFixed(4)})`;
    set(this.bar, { "aria-valuenow": Math.round(share * 100), "aria-valuetext": where });
    say(this.where, where);
    say(this.more, more);
  }
}

/** What was changed, the last first. */
class Changes {
  readonly element: HTMLDetailsElement;
  private readonly title = html("summary");
  private readonly list = html("ol", { reversed: true });
  private drawn: readonly Change[] = [];

  constructor() {
    this.element = html("details", { class: "nbk-changes" }, this.title, this.list);
  }

  update(run: Run): void {
    if (run.changes === this.drawn) return;
    this.drawn = run.changes;
    this.element.hidden = this.drawn.length === 0;
    say(this.title, this.drawn.length === 1 ? "1 change" : `${this.drawn.length} changes`);
    const labels = new Map(run.summary.parameters.map((p) => [p.name, p.label]));
    const items = [...this.drawn].reverse().map((change) => {
      const name = plain(labels.get(change.parameter) ?? change.parameter, 60);
      const values = `${setting(Number(change.previous))} \u2192 ${setting(Number(change.value))}`;
      const who = change.source === "user" ? "" : ` (${plain(change.source, 40)})`;
      const when = html("span", { class: "nbk-soft" });
      say(when, `epoch ${change.epoch + 1}, step ${change.step} `);
      return html("li", {}, when, `${name} ${values}${who}`);
    });
    this.list.replaceChildren(...items);
  }
}

function label(button: HTMLButtonElement, name: keyof typeof ICONS): void {
  if (button.dataset.request === name) return;
  button.dataset.request = name;
  const icon = svg("svg", { viewBox: "0 0 14 14", width: 12, height: 12, "aria-hidden": "true" });
  icon.append(svg("path", { d: ICONS[name] }));
  button.replaceChildren(icon, name);
}

/** `3 / 10`, and how long that can get. */
function of(done: number, all: number | null): [string, number] {
  if (!all) return [done ? count(done) : "", 0];
  return [`${count(done)} / ${count(all)}`, 2 * count(all).length + 3];
}

/** Two digits are all that a speed deserves. */
function rounded(value: number): number {
  return value < 100 ? value : Number(value.toPrecision(2));
}
