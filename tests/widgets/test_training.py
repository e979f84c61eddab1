import json

import pytest

from nbkeras import events as ev
from nbkeras.widgets import TrainingPanel, training

LR = ev.Parameter("lr", "Learning rate", 0.1, 1e-6, 1.0, "log")


def started(**more):
    return ev.RunStarted(
        **{"run": "1", "model": "net", "epochs": 2, "steps": 1000, "parameters": (LR,), **more}
    )


def batch(step, time=0.0, epoch=0):
    logs = {"loss": 1.0 / step}
    return ev.BatchEnded("1", epoch, step, 1, step * 32, time, logs, logs)


def ended(reason="finished"):
    return ev.RunEnded("1", reason, 2, 9.0)


@pytest.fixture
def panel(page, clock):
    panel = TrainingPanel(clock)
    panel.mailbox = ev.Mailbox()
    panel.attach(panel.mailbox)
    return panel


def train(panel, clock, steps=range(1, 1001), pace=0.001):
    """Steps at an even pace, in seconds."""
    for step in steps:
        clock.now += pace
        panel.handle(batch(step, clock.now))


def known_to(page):
    """The record a page has that has seen all updates."""
    curves, seq = {}, 0
    for update in page.updates:
        delta = update["record"]
        assert delta["since"] in (0, seq)
        seq = update["seq"]
        if delta["since"] == 0:
            curves = {}
        for tail in delta["curves"]:
            have = curves.setdefault(tail["name"], [])
            curves[tail["name"]] = have[: tail["from"]] + tail["y"]
    return curves


# ---------------------------------------------------------------- shown


def test_it_shows_itself_where_the_run_begins(panel, page):
    panel.handle(started())
    assert "application/vnd.jupyter.widget-view+json" in page.output
    assert page.output["text/plain"] == "net: epoch 1 of 2"


def test_shown_before_the_run_it_is_not_shown_again(panel, page):
    panel.show()
    panel.handle(started())
    assert len(page.outputs) == 1
    assert page.updates[-1]["status"] == "running"


def test_shown_in_two_cells_both_end_as_documents(panel, page):
    panel.handle(started())
    panel.show()
    panel.handle(ended())
    assert len(page.outputs) == 2
    assert all(set(shown[-1]) == {"text/html", "text/plain"} for shown in page.outputs.values())


@pytest.mark.parametrize(
    "end", [ended(), ended("stopped"), ended("interrupted"), ev.RunFailed("1", "E", "why", 1.0)]
)
def test_every_end_leaves_a_document(panel, page, clock, end):
    panel.handle(started())
    train(panel, clock, range(1, 30))
    panel.handle(end)
    assert set(page.output) == {"text/html", "text/plain"}
    assert "<table>" in page.output["text/html"]
    assert page.updates[-1]["status"] in ("finished", "stopped", "interrupted", "failed")


def test_a_run_that_fails_before_it_begins_says_so(panel, page):
    panel.show()
    panel.handle(ev.RunFailed("", "ValueError", "no data", 0.0))
    assert "failed before it began" in page.output["text/html"]
    assert "no data" in page.output["text/html"]


def test_the_next_run_has_an_output_of_its_own(panel, page):
    for _ in range(2):
        panel.handle(started())
        panel.handle(ended())
    assert len(page.outputs) == 2


def test_a_run_that_never_ended_is_closed_by_the_next(panel, page, clock):
    panel.handle(started())
    train(panel, clock, range(1, 30))
    panel.handle(started(run="2"))
    first, second = page.outputs.values()
    assert "text/html" in first[-1]
    assert "text/html" not in second[-1]


def test_panels_of_runs_long_over_are_closed(page, monkeypatch):
    monkeypatch.setattr(TrainingPanel, "_finished", type(TrainingPanel._finished)())
    for _ in range(12):
        panel = TrainingPanel()
        panel.handle(started())
        panel.handle(ended())
    closed = [kind for _, kind, _ in page.messages if kind == "comm_close"]
    assert len(TrainingPanel._finished) == TrainingPanel._most_finished
    assert all(widget.comm is not None for widget in TrainingPanel._finished)
    assert len(closed) in (0, 4)  # a page's comm has no data when it closes


# ---------------------------------------------------------------- updates


def test_at_most_ten_updates_a_second_and_always_the_last(panel, page, clock):
    panel.handle(started())
    before = len(page.messages)
    train(panel, clock)
    assert 9 <= len(page.messages) - before <= 11
    panel.handle(ended())
    assert page.updates[-1]["status"] == "finished"
    assert page.updates[-1]["step"] == 1000


def test_two_updates_a_second_after_the_first_minute(panel, page, clock):
    panel.handle(started())
    clock.now = 61.0
    before = len(page.messages)
    train(panel, clock, pace=0.01)
    assert len(page.messages) - before <= 21


def test_the_last_step_before_a_pause_in_the_news_is_shown(panel, page, clock):
    panel.handle(started(validation=True, steps=5))
    for step in range(1, 6):
        panel.handle(batch(step, 0.001 * step))
    assert page.updates[-1]["step"] == 5
    panel.handle(ev.RunPaused("1", 0, 5, 1.0))
    panel.handle(ev.ParameterChanged("1", "lr", 0.2, 0.1, 0, 5, 1.0))
    assert page.updates[-1]["parameters"][0]["value"] == 0.2


def test_updates_add_up_to_what_a_new_page_is_told(panel, page, clock):
    panel.handle(started())
    for epoch in range(2):
        for step in range(1, 1001):
            clock.now += 0.005
            panel.handle(batch(step, clock.now, epoch))
    told = page.reload(panel)["record"]
    assert known_to(page) == {c["name"]: c["y"] for c in told["curves"]}
    assert told["seq"] == page.updates[-1]["seq"]


def test_a_page_that_missed_an_update_is_told_everything(panel, page, clock):
    panel.handle(started())
    train(panel, clock)
    page.send(panel, {"type": "Hello", "seq": page.updates[-1]["seq"]})
    train(panel, clock, range(1, 300))
    assert page.updates[-1]["record"]["since"] > 0
    page.send(panel, {"type": "Hello", "seq": 1})
    train(panel, clock, range(300, 401))
    assert [u["record"]["since"] for u in page.updates].count(0) == 2


def test_a_paused_run_answers_at_once(panel, page):
    panel.handle(started())
    panel.handle(ev.RunPaused("1", 0, 1, 1.0))
    page.send(panel, {"type": "Hello", "seq": -1})
    assert page.updates[-1]["record"]["since"] == 0


def test_what_a_page_is_told_is_json(panel, page, clock):
    panel.handle(started())
    logs = {"loss": float("nan"), "x": float("inf")}
    panel.handle(ev.BatchEnded("1", 0, 1, 1, 32, 1.0, logs, logs))
    panel.handle(ended())
    json.dumps([message for _, _, message in page.messages], allow_nan=False)


# ---------------------------------------------------------------- from the page


def test_what_a_page_asks_for_reaches_the_run(panel, page):
    panel.handle(started())
    page.send(panel, {"type": "SetParameter", "parameter": "lr", "value": 0.01})
    page.send(panel, {"type": "Pause"})
    assert panel.mailbox.drain() == [ev.SetParameter("lr", 0.01), ev.Pause()]


@pytest.mark.parametrize(
    "content",
    [
        {"type": "SetParameter", "parameter": "lr", "value": 7},
        {"type": "SetParameter", "parameter": "<img src=x>\u202e", "value": 0.5},
        {"type": "RunEnded", "run": "1", "reason": "x", "epochs": 1, "time": 1},
        {"type": "_repr_mimebundle_"},
        "Stop",
        None,
    ],
)
def test_anything_else_is_refused_and_the_page_told_why(panel, page, content):
    panel.handle(started())
    panel.handle(ev.RunPaused("1", 0, 1, 1.0))
    page.send(panel, content)
    assert panel.mailbox.drain() == []
    assert page.updates[-1]["notice"]
    assert "\u202e" not in page.updates[-1]["notice"]
    page.send(panel, {"type": "Resume"})
    assert page.updates[-1]["notice"] == ""


def test_a_page_cannot_set_the_state(panel, page):
    panel.handle(started())
    before = dict(panel._widget.state)
    data = {"method": "update", "state": {"state": {"status": "finished"}, "_esm": "evil()"}}
    panel._widget._handle_msg({"content": {"data": data}, "buffers": []})
    assert panel._widget.state == before
    assert panel._widget.get_state("_esm")["_esm"] == "export default {}"


def test_nothing_is_asked_of_a_run_that_is_over(panel, page):
    panel.handle(started())
    widget = panel._widget
    panel.handle(ended())
    widget._handle_custom_msg({"type": "Stop"}, [])
    assert panel.mailbox.drain() == []


def test_controls_are_live_once_a_message_was_heard_during_the_run(panel, page):
    panel.show()
    page.send(panel, {"type": "Hello", "seq": 1})
    panel.handle(started())
    assert page.updates[-1]["controls"] is False
    page.send(panel, {"type": "Hello", "seq": 1})
    panel.handle(ev.RunPaused("1", 0, 1, 1.0))
    assert page.updates[-1]["controls"] is True


# ---------------------------------------------------------------- when things are otherwise


def test_without_javascript_the_output_is_html_updated_once_a_second(
    panel, page, clock, monkeypatch
):
    monkeypatch.setattr(training, "is_built", lambda view: False)
    panel.handle(started())
    (shown,) = page.outputs.values()
    train(panel, clock, pace=0.01)
    assert 10 <= len(shown) <= 13
    assert all(set(data) == {"text/html", "text/plain"} for data in shown)
    assert "<progress" in shown[-1]["text/html"]
    assert page.messages == []
    panel.handle(ended())
    assert "<img" in page.output["text/html"]


def test_in_a_terminal_the_end_is_text(monkeypatch, capsys):
    panel = TrainingPanel()
    panel.handle(started())
    panel.handle(batch(1))
    panel.handle(ended())
    assert capsys.readouterr().out.startswith("net: finished after 0 epochs\n  loss ")


def test_a_view_that_breaks_does_not_stop_the_training(panel, page, monkeypatch, caplog):
    panel.handle(started())
    monkeypatch.setattr(type(panel._widget), "tell", lambda *_, **__: 1 / 0)
    panel.handle(ev.RunPaused("1", 0, 1, 1.0))
    assert panel.state.status == "paused"
    assert "could not be updated" in caplog.text
