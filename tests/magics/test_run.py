"""The handle of a training, without a training."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from nbkeras import events
from nbkeras.magics.run import Run


class Training:
    """A fit that ends when it is told to."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.error: Exception | None = None

    def __call__(self, run: Run) -> object:
        self.go_on.wait(60)
        if self.error:
            raise self.error
        return SimpleNamespace(history={"loss": [0.5]})


@pytest.fixture
def training() -> Training:
    return Training()


@pytest.fixture
def run(training: Training):
    run = Run("net", object(), training)
    yield run.start()
    training.go_on.set()
    run._thread.join()


def started(run: Run) -> None:
    rate = events.Parameter("lr", "Learning rate", 0.1, 1e-6, 1.0, "log")
    run.handle(events.RunStarted("r", "net", epochs=4, parameters=(rate,)))


def test_status_follows_the_events(run: Run) -> None:
    assert run.status == "starting"
    started(run)
    assert run.status == "running"
    run.handle(events.RunPaused("r", 1, 2, 0.1))
    assert run.status == "paused"
    run.handle(events.RunResumed("r", 1, 2, 0.1))
    run.handle(events.EpochEnded("r", 0, 0.2, {"loss": 0.25}))
    assert (run.status, run.progress) == ("running", "epoch 2 of 4")
    assert run.history == {"loss": [0.25]}
    assert repr(run) == "<Run of net: running, epoch 2 of 4: loss 0.25>"
    run.handle(events.RunEnded("r", "stopped", 1, 0.3))
    assert run.status == "stopped"


def test_requests_before_there_is_a_mailbox_are_kept(run: Run) -> None:
    run.pause()
    run.stop()
    box = events.Mailbox()
    run.attach(box)
    run.resume()
    assert box.drain() == [events.Pause(), events.Stop(), events.Resume()]
    assert run.status == "stopping"


def test_parameters_are_known_and_checked(run: Run) -> None:
    started(run)
    box = events.Mailbox()
    run.attach(box)
    run.set("lr", 1)
    assert box.drain() == [events.SetParameter("lr", 1.0)]
    run.handle(events.ParameterChanged("r", "lr", 0.5, 0.1, 0, 3, 0.1))
    assert run.parameters == {"lr": 0.5}
    with pytest.raises(ValueError, match=r"has the parameters 'lr'; got 'rate'"):
        run.set("rate", 1)


def test_wait_returns_the_result(run: Run, training: Training) -> None:
    with pytest.raises(TimeoutError, match=r"still trains after 0\.01 s"):
        run.wait(timeout=0.01)
    training.go_on.set()
    assert run.wait().history == {"loss": [0.5]}
    assert run.history == {"loss": [0.5]}
    assert run.status == "finished"


def test_an_error_is_kept_and_raised(run: Run, training: Training) -> None:
    training.error = RuntimeError("It burns.")
    training.go_on.set()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="It burns"):
            run.wait()
    assert (run.status, run.error) == ("failed", training.error)


def test_watchers_hear_of_the_end_also_when_late(run: Run, training: Training) -> None:
    heard = []
    run.when_done(lambda: heard.append("early"))
    training.go_on.set()
    run.wait()
    run._thread.join()
    run.when_done(lambda: heard.append("late"))
    assert heard == ["early", "late"]
