"""Which compiled form of a program is fastest: measured, remembered, compiled beside training."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .xla import compile_unseen

__all__ = ["Choice"]

COMPILE_FACTOR, COMPILE_BASE = 2.1, 0.35
"""A compilation takes a multiple of what the plain form took to make and of a base.

Fitted to dense and recurrent models, small and large, beside training: a third off mostly.
"""

WORTH = 1.8
"""How many times as long as the compilation the work must take to be worth it.

A run that ends soon after its compilation has lost to a compiler beside it: at 1.3 to 1.5
times, runs ended up to a fifth later than plain ones, at twice no later.
"""

TRIALS, TRIAL_SECONDS = 3, 0.1
"""How often and how long a form is measured before it is compared."""

PATIENCE, NEAR = 50, 5.0
"""After how many calls a slower form is tried once more, and then after twice as many;
if it takes no more than this many times as long: no noise does more to the best of a trial."""


@dataclass
class Timing:
    """What is known of a form.

    Attributes:
        warm: whether it was compiled: its next call can be measured.
        best: seconds of a step, the least that was seen: noise only adds.
        calls, steps, spent: how many calls were measured, of how many steps and seconds.
    """

    warm: bool = False
    best: float = 0.0
    calls: int = 0
    steps: int = 0
    spent: float = 0.0

    def add(self, seconds: float, steps: int) -> float:
        """One call more; the seconds of its steps."""
        each = seconds / steps
        self.best = min(self.best, each) if self.calls else each
        self.calls += 1
        self.steps += steps
        self.spent += seconds
        return each

    @property
    def known(self) -> bool:
        """Whether it was measured for long enough."""
        return self.calls >= TRIALS and self.spent >= TRIAL_SECONDS


class Choice:
    """The forms of a program for one kind of data, and which of them to use.

    It begins with the plain loop. Once the work is worth a compilation, XLA's form is
    compiled in another thread while the plain one goes on; then it is tried, and the
    faster one kept. Where XLA is asked for, it comes first and alone.

    XLA knows batches of one size. If the last of a pass is smaller, its loop has a second
    step for that, and there is twice as much to compile.

    Args:
        jit: ``True``, ``False`` or ``"auto"``.
        loop_jit: whether XLA compiles the loop, or else single steps.
        making: what the plain form took to make where it was made before, for other data.
        tail: the size of the last batch of a pass if it is smaller, or 0.

    Attributes:
        current: the form to use now: ``"loop"``, ``"jit-loop"`` or ``"jit-step"``.
        times: what is known of each form.
        recent: seconds of a step in the last call of the current form, once it was measured.
        making: how many seconds the plain form took to make.
    """

    def __init__(self, jit: Any, loop_jit: bool, making: float = 0.0, tail: int = 0) -> None:
        accelerated = "jit-loop" if loop_jit else "jit-step"
        self.tail = tail if loop_jit else 0
        if jit is True:
            self.candidates = [accelerated]
        elif jit is False:
            self.candidates = ["loop"]
        else:
            self.candidates = ["loop", accelerated]
        self.current = self.candidates[0]
        self.times = {name: Timing() for name in self.candidates}
        self.recent: float | None = None
        self.making = making
        self._calls = 0
        self._patience = PATIENCE
        self._thread: threading.Thread | None = None

    @property
    def warm(self) -> bool:
        """Whether the current form was compiled: its next call can be measured."""
        return self.times[self.current].warm

    @property
    def compiling(self) -> bool:
        """Whether a form is being compiled in another thread."""
        return self._thread is not None

    def made(self, seconds: float) -> None:
        """The current form ran for the first time; what that took, in seconds.

        Of the clock, as the work is: on a busy machine both take longer, and a compilation
        more than the work.
        """
        self.times[self.current].warm = True
        if self.current == "loop":
            self.making = max(self.making, seconds)

    def record(self, seconds: float, steps: int) -> None:
        """Note how long some steps took, and use the form that then seems best."""
        self.recent = self.times[self.current].add(seconds, steps)
        self._calls += 1
        self._decide()

    def _decide(self) -> None:
        """Try a form that has been compiled since, or keep the fastest."""
        times = self.times
        if not times[self.current].known or self._calls < TRIALS:
            return
        ready = [name for name in self.candidates if times[name].warm]
        fastest = min(ready, key=lambda name: times[name].best)
        near = NEAR * times[fastest].best
        slower = [name for name in ready if name != fastest and times[name].best <= near]
        if slower and self._calls > self._patience:
            # What else the machine did may have spoilt its trial.
            self._patience *= 2
            fastest = slower[0]
        if fastest != self.current:
            self.current, self.recent, self._calls = fastest, None, 0

    @property
    def cost(self) -> float:
        """About how many seconds a compilation takes."""
        steps = 2 if self.tail else 1
        return COMPILE_FACTOR * (steps * self.making + COMPILE_BASE)

    def next_to_compile(self, steps_left: int) -> str | None:
        """The form whose compilation is worth its while, if there is one.

        What was spent on the plain form, over all runs, counts as much as what is left:
        then the compilation never costs much more than what could have been saved.

        Args:
            steps_left: how many the run still has.
        """
        plain = self.times.get("loop")
        if self.compiling or plain is None or not plain.known:
            return None  # the first, single steps are no measure of what a step takes
        name = self.candidates[-1]
        if self.times[name].warm:
            return None
        # By the best time of a step: a busy machine would make the work look longer.
        work = (plain.steps + steps_left) * plain.best
        return name if work > WORTH * self.cost else None

    def compile_beside(
        self,
        name: str,
        trace: Callable[[], Any],
        arguments: Iterable[Any],
        held: Callable[[], Iterable[Any]] = tuple,
    ) -> None:
        """Compile a form in another thread.

        Args:
            name: which.
            trace: makes the concrete function.
            arguments, held: see :func:`.xla.compile_unseen`.
        """

        def run() -> None:
            try:
                form = trace()
                if not threading.main_thread().is_alive():
                    return  # the process is about to end, and waits
                if compile_unseen(form, arguments, held()):
                    self.times[name].warm = True
                else:
                    self.drop(name)
            except Exception:  # what XLA cannot compile the plain form still runs
                self.drop(name)
            finally:
                self._thread = None

        # Not a daemon: a process that ends in the midst of a compilation crashes.
        self._thread = threading.Thread(target=run, name="nbkeras-compile")
        self._thread.start()

    def wait(self) -> None:
        """Wait until nothing is being compiled."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def drop(self, name: str) -> None:
        """A form cannot be compiled."""
        self.candidates = [other for other in self.candidates if other != name]
        if self.current == name and self.candidates:
            self.current, self.recent = self.candidates[0], None

    def pin(self) -> None:
        """Let the first form be the only one."""
        self.candidates = self.candidates[:1]
        if self.current != self.candidates[0]:
            self.current, self.recent = self.candidates[0], None
