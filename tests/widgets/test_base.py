import pytest

from nbkeras import events as ev
from nbkeras.widgets.base import Throttle, check_request

PARAMETERS = {
    "lr": ev.Parameter("lr", "Learning rate", 0.1, 1e-6, 1.0, "log"),
    "dropout.rate": ev.Parameter("dropout.rate", "dropout rate", 0.5, 0.0, 0.9),
}


def passed(throttle, clock, seconds, every=0.001):
    """How many updates pass in these seconds."""
    end, count = clock.now + seconds, 0
    while clock.now < end:
        count += throttle.passes()
        clock.now += every
    return count


def test_ten_updates_a_second_and_two_after_the_first_minute(clock):
    throttle = Throttle(clock)
    assert passed(throttle, clock, 1.0) <= 10
    clock.now = 60.0
    assert passed(throttle, clock, 10.0) <= 21
    throttle.start()
    assert passed(throttle, clock, 1.0) >= 9


def test_rare_updates_all_pass(clock):
    throttle = Throttle(clock)
    assert passed(throttle, clock, 30.0, every=0.25) == 120


def test_what_is_urgent_passes_and_delays_the_next(clock):
    throttle = Throttle(clock)
    assert throttle.passes()
    assert throttle.passes(urgent=True)
    clock.now = 0.09
    assert not throttle.passes()


@pytest.mark.parametrize(
    ("content", "request_"),
    [
        ({"type": "Pause"}, ev.Pause()),
        ({"type": "Resume"}, ev.Resume()),
        ({"type": "Step"}, ev.Step()),
        ({"type": "Stop"}, ev.Stop()),
        (
            {"type": "SetParameter", "parameter": "lr", "value": 0.01},
            ev.SetParameter("lr", 0.01),
        ),
        (
            {"type": "SetParameter", "parameter": "dropout.rate", "value": 0},
            ev.SetParameter("dropout.rate", 0.0),
        ),
    ],
)
def test_requests_that_are_taken(content, request_):
    assert check_request(content, PARAMETERS) == request_


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "Expected one of Pause"),
        ([], "Expected one of Pause"),
        ({}, "Expected one of Pause"),
        ({"type": "RunEnded", "run": "1", "reason": "", "epochs": 1, "time": 0}, "Expected"),
        ({"type": "Request"}, "Expected one of Pause"),
        ({"type": ["Pause"]}, "Expected one of Pause"),
        ({"type": "__class__"}, "Expected one of Pause"),
        ({"type": "Stop", "reason": "<b>"}, "takes no arguments"),
        ({"type": "SetParameter"}, "lr, dropout.rate"),
        ({"type": "SetParameter", "parameter": "__dict__", "value": 1}, "lr, dropout.rate"),
        ({"type": "SetParameter", "parameter": ["lr"], "value": 1}, "lr, dropout.rate"),
        ({"type": "SetParameter", "parameter": "lr", "value": 0.1, "x": 1}, "lr, dropout.rate"),
        ({"type": "SetParameter", "parameter": "lr", "value": "0.1"}, "takes a number"),
        ({"type": "SetParameter", "parameter": "lr", "value": True}, "takes a number"),
        ({"type": "SetParameter", "parameter": "lr", "value": None}, "takes a number"),
        ({"type": "SetParameter", "parameter": "lr", "value": float("nan")}, "lies between"),
        ({"type": "SetParameter", "parameter": "lr", "value": 2}, "between 1e−6 and 1; got 2\\."),
        ({"type": "SetParameter", "parameter": "lr", "value": 10**400}, "lies between"),
        ({"type": "SetParameter", "parameter": "dropout.rate", "value": -0.1}, "lies between"),
    ],
)
def test_everything_else_is_refused(content, said):
    with pytest.raises(ValueError, match=said):
        check_request(content, PARAMETERS)
