import base64
import math
import re
from html.parser import HTMLParser

import pytest

from nbkeras import events as ev
from nbkeras.widgets import static
from nbkeras.widgets.run_state import RunState, reduce

EVIL = '<img src=x onerror="alert(1)">\x1b[31m\u202e"\'><script>'


def fold(events):
    state = RunState()
    for event in events:
        state = reduce(state, event)
    return state


def run(epochs=5, steps=10, model="net", metrics=("loss", "accuracy"), lr="Learning rate"):
    parameter = ev.Parameter("lr", lr, 0.1, 1e-6, 1.0, "log")
    yield ev.RunStarted("1", model, epochs, 0, steps, steps * 8, 8, True, metrics, (parameter,))
    for epoch in range(epochs):
        for step in range(1, steps + 1):
            logs = {name: math.exp(-epoch - step / steps) for name in metrics}
            yield ev.BatchEnded("1", epoch, step, 1, step * 8, epoch + step / steps, logs, logs)
        if epoch == 1:
            yield ev.ParameterChanged("1", "lr", 0.01, 0.1, 2, 0, 2.0)
        loss = abs(epoch - 2) + 0.5
        logs = {"val_" + name: loss for name in metrics} | logs
        yield ev.EpochEnded("1", epoch, epoch + 1.0, logs)
    yield ev.RunEnded("1", "finished", epochs, float(epochs))


class Outline(HTMLParser):
    """Tags, attributes and text of an HTML fragment; fails where tags do not match."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text, self._open = [], [], "", []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        if tag != "img":
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_record_says_what_happened():
    bundle = static.bundle(fold(run()))
    html = Outline(bundle["text/html"])
    assert "finished after 5 epochs" in html.text
    assert "best epoch (3)" in html.text
    assert "epoch 3, step 0: Learning rate 0.1 \u2192 0.01" in html.text
    assert html.tags.count("img") == 1
    assert bundle["text/plain"].splitlines()[0] == "net: finished after 5 epochs"
    assert "best epoch 3 (val_loss 0.5000)" in bundle["text/plain"]


def test_the_same_learning_is_the_same_text_however_fast():
    slow = [
        type(e)(**{**vars(e), "time": e.time * 3.7}) if hasattr(e, "time") else e for e in run()
    ]
    assert static.bundle(fold(slow)) == static.bundle(fold(run()))


def test_no_ids_and_nothing_from_elsewhere():
    html = static.html(fold(run()))
    names = {name for name, _ in Outline(html).attributes}
    assert names <= {"class", "scope", "align", "alt", "width", "src", "open", "colspan"}
    assert re.findall(r"https?://[^ \"]+", html) == []
    picture = base64.b64decode(re.search(r"base64,([^\"]+)", html)[1]).decode()
    assert " id=" not in picture
    assert set(re.findall(r"https?://[^ \"]+", picture)) == {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("view", [static.bundle, static.progress])
def test_hostile_names_stay_text(view):
    state = fold(run(model=EVIL, metrics=("loss", EVIL), lr=EVIL))
    bundle = view(state)
    html = Outline(bundle["text/html"])
    assert "script" not in html.tags
    assert "onerror" not in {name for name, _ in html.attributes}
    assert "<img src=x" in html.text
    for shown in bundle.values():
        assert "\x1b" not in shown
        assert "\u202e" not in shown


def test_an_error_is_escaped():
    state = fold([*list(run())[:-1], ev.RunFailed("1", EVIL, EVIL, 9.0)])
    html = Outline(static.html(state))
    assert "script" not in html.tags
    assert "failed in epoch 5 of 5" in html.text


@pytest.mark.parametrize("metrics", [("loss",), ("loss", *(f"metric_{n}" for n in range(30)))])
def test_a_million_steps_are_still_a_small_document(metrics):
    parameter = ev.Parameter("lr", "Learning rate", 0.1, 1e-6, 1.0, "log")
    state = fold([ev.RunStarted("1", "net", 1000, 0, 1000, None, 8, True, metrics, (parameter,))])
    events = 0
    for epoch in range(1000):
        logs = {name: 1 + math.sin(epoch * 12.3 + n) for n, name in enumerate(metrics)}
        for step in (500, 1000):
            event = ev.BatchEnded("1", epoch, step, 500, step, epoch * 1.0, logs, logs)
            state = reduce(state, event)
            events += event.count
        value = 0.1 * 0.999**epoch
        state = reduce(state, ev.ParameterChanged("1", "lr", value, 0.1, epoch, 1, epoch * 2.0))
        logs = {**logs, **{f"val_{name}": v for name, v in logs.items()}}
        state = reduce(state, ev.EpochEnded("1", epoch, epoch + 1.0, logs))
    assert events == 1_000_000
    bundle = static.bundle(state)
    assert sum(len(text.encode()) for text in bundle.values()) < 60_000


@pytest.mark.parametrize("upto", [0, 1, 2, 12, 13])
def test_every_state_can_be_shown(upto):
    state = fold(list(run())[:upto])
    for view in (static.bundle, static.progress):
        Outline(view(state)["text/html"])
        assert view(state)["text/plain"]


def test_a_loss_that_is_not_a_number_is_shown_as_that():
    events = list(run())
    logs = {"loss": math.nan}
    events[1:] = [
        ev.BatchEnded("1", 0, 1, 1, 8, 1.0, logs, logs),
        ev.RunEnded("1", "stopped", 0, 1.0),
    ]
    bundle = static.bundle(fold(events))
    assert "NaN" in bundle["text/html"]
    assert "<img" not in bundle["text/html"]
