"""The faster form is found by its times, whatever else the machine does."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import tensorflow as tf

from nbkeras.core.engine.choice import COMPILE_FACTOR, PATIENCE, WORTH, Choice


def run(
    choice: Choice, times: dict[str, float], calls: int, noise: Any = lambda number: 1.0
) -> str:
    """Calls of 100 steps as an executor makes them; the form of the last one."""
    for number in range(calls):
        name = choice.current
        if choice.warm:
            choice.record(100 * times[name] * noise(number), 100)
        else:
            choice.made(0.1)
    return choice.current


def negative() -> Any:
    function = tf.function(lambda x: -x, autograph=False, jit_compile=True)
    return function.get_concrete_function(tf.TensorSpec([]))


def refused() -> Any:
    """What XLA has no way to compile."""
    function = tf.function(
        lambda x: tf.strings.to_number(tf.strings.as_string(x)), autograph=False, jit_compile=True
    )
    return function.get_concrete_function(tf.TensorSpec([]))


def compiled(choice: Choice, trace: Any = negative) -> None:
    name = choice.next_to_compile(10**9)
    assert name is not None
    choice.compile_beside(name, trace, [tf.constant(1.0)])
    choice.wait()


@pytest.mark.parametrize(("xla", "kept"), [(0.001, "jit-loop"), (0.02, "loop")])
def test_the_faster_form_is_kept(xla: float, kept: str) -> None:
    choice = Choice("auto", True)
    times = {"loop": 0.005, "jit-loop": xla}
    assert run(choice, times, 10) == "loop"
    compiled(choice)
    assert run(choice, times, 1) == "jit-loop"
    assert run(choice, times, 10) == kept
    assert choice.next_to_compile(10**9) is None


def test_a_trial_that_was_disturbed_is_repeated() -> None:
    choice = Choice("auto", True)
    times = {"loop": 0.005, "jit-loop": 0.001}
    run(choice, times, 10)
    compiled(choice)
    assert run(choice, times, 5, noise=lambda number: 20.0) == "loop"
    assert run(choice, times, PATIENCE + 20) == "jit-loop"


def test_little_work_is_not_worth_a_compilation() -> None:
    choice = Choice("auto", True)
    run(choice, {"loop": 0.001}, 5)
    assert choice.next_to_compile(10) is None
    assert choice.next_to_compile(10**6) == "jit-loop"


def test_work_that_comes_in_many_small_runs_adds_up() -> None:
    choice = Choice("auto", True)
    run(choice, {"loop": 0.001}, 5)
    assert choice.next_to_compile(0) is None
    run(choice, {"loop": 0.001}, 50)
    assert choice.next_to_compile(0) == "jit-loop"


def test_a_disturbed_machine_does_not_make_the_work_look_longer() -> None:
    choice = Choice("auto", True)
    run(choice, {"loop": 1e-4}, 30, noise=lambda number: 1.0 if number == 5 else 50.0)
    assert WORTH * choice.cost < 28 * 100 * 50e-4
    assert choice.next_to_compile(0) is None


def test_the_work_that_is_left_decides_and_later_what_was_spent() -> None:
    choice = Choice("auto", True)
    run(choice, {"loop": 1e-4}, 16)
    few = int(0.7 * WORTH * choice.cost / 1e-4)
    assert choice.next_to_compile(few) is None
    assert choice.next_to_compile(2 * few) == "jit-loop"
    run(choice, {"loop": 1e-4}, few // 100)
    assert choice.next_to_compile(few) == "jit-loop"


def test_a_second_step_for_the_last_batch_is_twice_as_much_to_compile() -> None:
    whole, with_tail, stepwise = (
        Choice("auto", True),
        Choice("auto", True, tail=40),
        Choice("auto", False, tail=40),
    )
    for choice in (whole, with_tail, stepwise):
        choice.made(1.2)
        run(choice, {"loop": 0.004}, 5)
    assert with_tail.cost - whole.cost == pytest.approx(COMPILE_FACTOR * 1.2)
    assert stepwise.cost == whole.cost
    few = int(WORTH * (whole.cost + with_tail.cost) / 2 / 0.004)
    assert whole.next_to_compile(few) == "jit-loop"
    assert with_tail.next_to_compile(few) is None
    assert with_tail.next_to_compile(2 * few) == "jit-loop"


def test_what_is_asked_for_is_compiled_at_once() -> None:
    assert Choice(True, True, tail=40).candidates == ["jit-loop"]
    assert Choice(True, False, tail=40).candidates == ["jit-step"]


def test_a_form_made_for_other_data_does_not_look_cheap() -> None:
    """Its plain form is at hand; XLA's has to be compiled for the new sizes."""
    first = Choice("auto", True)
    first.made(2.0)
    second = Choice("auto", True, first.making)
    second.made(0.001)
    assert second.cost == first.cost > 2.0


ENDS = """
import atexit, threading, time
from nbkeras.core.engine.choice import Choice

def trace():
    while threading.main_thread().is_alive():
        time.sleep(0.01)
    return "no function: to compile it would drop the form"

choice = Choice("auto", True)
choice.compile_beside("jit-loop", trace, [])
atexit.register(lambda: print(*choice.candidates, choice.compiling))
"""


@pytest.mark.slow
def test_a_process_that_ends_does_not_begin_to_compile() -> None:
    done = subprocess.run([sys.executable, "-c", ENDS], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.split() == ["loop", "jit-loop", "False"]


def test_what_cannot_be_compiled_is_forgotten() -> None:
    choice = Choice("auto", False)
    run(choice, {"loop": 0.001}, 5)
    compiled(choice, refused)
    assert choice.candidates == ["loop"]
    assert choice.next_to_compile(10**9) is None
    assert run(choice, {"loop": 0.001}, 5) == "loop"


@pytest.mark.parametrize(("jit", "form"), [(True, "jit-loop"), (False, "loop")])
def test_what_was_asked_for_is_all_there_is(jit: bool, form: str) -> None:
    choice = Choice(jit, True)
    assert run(choice, {form: 0.001}, 2 * PATIENCE) == form
    assert choice.next_to_compile(10**9) is None


def test_a_pinned_choice_stays_with_the_first_form() -> None:
    choice = Choice("auto", True)
    times = {"loop": 0.005, "jit-loop": 0.001}
    run(choice, times, 10)
    compiled(choice)
    run(choice, times, 10)
    choice.pin()
    assert run(choice, times, 2 * PATIENCE) == "loop"
