"""What a callback can see, read off its code; and that those who see nothing may lag."""

from __future__ import annotations

import collections
import math
import time
from typing import Any

import numpy as np
import pytest

from nbkeras.core import backend as K
from nbkeras.core.callbacks import Callback, LambdaCallback
from nbkeras.core.callbacks.sight import is_blind
from nbkeras.core.engine.executors import ArrayExecutor
from nbkeras.core.layers import Dense
from nbkeras.core.models import Sequential

X = np.random.default_rng(0).normal(size=(200, 6)).astype("float32")
Y = (X @ np.arange(6.0) + 1).astype("float32")[:, None]


def model(jit: Any = False) -> Any:
    np.random.seed(1)
    net = Sequential([Dense(1, input_shape=(6,), kernel_initializer="zeros")])
    net.compile("sgd", "mse", metrics=["mae"], jit_compile=jit)
    return net


kept: list[Any] = []
totals = {"loss": 0.0}
net = model()
holder = [1.0, [net]]


def helper(logs: Any) -> float:
    return round(float(np.mean([logs["loss"], math.sqrt(4.0)])), 3)


def looking(logs: Any) -> Any:
    return net.get_weights()


class Base(Callback):
    """Attributes of all kinds."""

    limit = 3

    def __init__(self) -> None:
        super().__init__()
        self.model = net
        self.losses: list[float] = []
        self.by_name = collections.defaultdict(list)
        self.count = 0
        self.array = np.zeros(4)
        self.large = np.zeros(2**18)
        self.part = self.large[:10]
        self.optimizer = net.optimizer
        self.deep = {"a": [(1, "b"), {2.0}]}

    @property
    def weights(self) -> Any:
        return self.model.get_weights()

    def note(self, value: float) -> None:
        self.losses.append(value)

    def steer(self, value: float) -> None:
        K.set_value(self.model.optimizer.lr, value)

    @staticmethod
    def rounded(value: float) -> float:
        return round(value, 2)


class Blind:
    """Hooks that see numbers only."""

    def appends(self: Any, batch: int, logs: Any = None) -> None:
        logs = logs or {}
        self.losses.append(logs.get("loss"))

    def appends_with_a_shared_default(self: Any, batch: int, logs: Any = {}) -> None:  # noqa: B006
        self.losses.append(logs.get("loss"))

    def formats(self: Any, batch: int, logs: Any = None) -> None:
        print("{:.3f} {loss:.1f}".format(batch, **logs), f"{self.count / 2:.1f}")

    def counts(self: Any, batch: int, logs: Any = None) -> None:
        self.count += 1
        self.seen = self.count
        if self.seen % self.limit == 0:
            print(f"{batch}: {logs['loss']:.3f}")

    def calls_its_own(self: Any, batch: int, logs: Any = None) -> None:
        self.note(self.rounded(logs["loss"]))

    def comprehends(self: Any, batch: int, logs: Any = None) -> None:
        for name, value in sorted(logs.items()):
            self.by_name[name].append(value)
        self.last = {name: float(value) for name, value in logs.items() if name != "size"}

    def globals_and_numpy(self: Any, batch: int, logs: Any = None) -> None:
        kept.append((batch, helper(logs)))
        totals["loss"] += np.float32(logs["loss"])
        self.array[batch % 4] = np.sqrt(self.array.mean() + len(self.deep["a"]))

    def generates(self: Any, batch: int, logs: Any = None) -> None:
        self.total = sum(value for name, value in logs.items() if name != "batch")

    def tries(self: Any, batch: int, logs: Any = None) -> None:
        try:
            self.losses.append(logs["none"])
        except KeyError:
            self.count += 1


class Seeing:
    """Hooks that could see the model, or what is known of them is too little."""

    def stops(self: Any, batch: int, logs: Any = None) -> None:
        self.model.stop_training = True

    def reads_an_attribute(self: Any, batch: int, logs: Any = None) -> None:
        self.losses.append(self.optimizer.lr)

    def reads_a_property(self: Any, batch: int, logs: Any = None) -> None:
        self.losses.append(self.weights)

    def reads_a_global(self: Any, batch: int, logs: Any = None) -> None:
        self.losses.append(net.get_weights())

    def reads_a_collection(self: Any, batch: int, logs: Any = None) -> None:
        self.losses.append(holder[1])

    def calls_a_method_that_sees(self: Any, batch: int, logs: Any = None) -> None:
        self.steer(0.1)

    def calls_a_function_that_sees(self: Any, batch: int, logs: Any = None) -> None:
        self.losses.append(looking(logs))

    def has_a_default_that_sees(self: Any, batch: int, logs: Any = None, of: Any = net) -> None:
        self.losses.append(of)

    def nested(self: Any, batch: int, logs: Any = None) -> None:
        self.losses.append((lambda: K.get_value(net.optimizer.lr))())

    def looks_at_the_clock(self: Any, batch: int, logs: Any = None) -> None:
        self.losses.append(time.time())

    def draws(self: Any, batch: int, logs: Any = None) -> None:
        self.losses.append(np.random.uniform())

    def raises(self: Any, batch: int, logs: Any = None) -> None:
        if logs["loss"] > 1e9:
            raise ArithmeticError

    def imports(self: Any, batch: int, logs: Any = None) -> None:
        import gc

        self.losses.append(gc)

    def gets_attributes(self: Any, batch: int, logs: Any = None) -> None:
        self.losses.append(getattr(self, "mod" + "el"))

    def calls_super(self: Any, batch: int, logs: Any = None) -> None:
        super(Base, self).on_batch_end(batch, logs)

    def steers_the_run(self: Any, batch: int, logs: Any = None) -> None:
        self.steps_allowed = 1

    def changes_what_may_be_data(self: Any, batch: int, logs: Any = None) -> None:
        self.large[batch] = 0

    def formats_what_it_sees(self: Any, batch: int, logs: Any = None) -> None:
        print("{0.model.optimizer.lr} {1:.3f}".format(self, logs["loss"]))  # noqa: UP030

    def changes_part_of_what_may_be_data(self: Any, batch: int, logs: Any = None) -> None:
        self.part[0] = 1

    def asks_what_is_not_there_yet(self: Any, batch: int, logs: Any = None) -> None:
        self.losses.append(self.not_made_yet)


def hooks(kind: type) -> list[Any]:
    return [value for name, value in vars(kind).items() if not name.startswith("__")]


@pytest.mark.parametrize("hook", hooks(Blind), ids=lambda hook: hook.__name__)
def test_hooks_that_see_nothing(hook: Any) -> None:
    callback = type("Any", (Base,), {"on_batch_end": hook})()
    assert is_blind(callback, [callback.on_batch_end])


@pytest.mark.parametrize("hook", hooks(Seeing), ids=lambda hook: hook.__name__)
def test_hooks_that_may_see(hook: Any) -> None:
    callback = type("Any", (Base,), {"on_batch_end": hook})()
    assert not is_blind(callback, [callback.on_batch_end])


def test_closures() -> None:
    losses: list[float] = []
    free = LambdaCallback(on_batch_end=lambda batch, logs: losses.append(logs["loss"]))
    assert is_blind(free, [free.on_batch_end])
    mine = model()
    bound = LambdaCallback(on_batch_end=lambda batch, logs: losses.append(mine.stop_training))
    assert not is_blind(bound, [bound.on_batch_end])


def test_a_class_that_answers_for_its_attributes() -> None:
    class Proxy(Base):
        def __getattr__(self, name: str) -> Any:
            return net

    proxy = Proxy()
    assert not is_blind(proxy, [Blind.appends])


# ---------------------------------------------------------------- what a run makes of it


class Heard(Callback):
    """Writes down all it hears; its list is made when an epoch begins."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch == 0:
            self.heard: list[Any] = []

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.heard.append(("begin", batch, logs["size"]))

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self.heard.append(("end", batch, logs["size"], logs["loss"], logs["mean_absolute_error"]))

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.heard.append(("test begin", batch))

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self.heard.append(("test end", batch, logs["loss"]))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.heard.append(("epoch", epoch, logs["loss"]))


class InTime(Heard):
    may_lag = False


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of steps of each call that executors make."""
    made: list[int] = []
    run = ArrayExecutor.run

    def spy(self: ArrayExecutor, step: int, count: int) -> np.ndarray:
        made.append(count)
        return run(self, step, count)

    monkeypatch.setattr(ArrayExecutor, "run", spy)
    return made


@pytest.mark.parametrize("validated", [False, True])
def test_it_hears_the_same_behind_a_call_as_in_time(validated: bool, counts: list[int]) -> None:
    heard = {}
    for kind in (InTime, Heard):
        counts.clear()
        run, callback = model(), kind()
        options: dict[str, Any] = {"validation_split": 0.2} if validated else {}
        run.fit(X, Y, batch_size=16, epochs=40, verbose=0, callbacks=[callback], **options)
        heard[kind] = callback.heard
        assert (max(counts) > 1) == (kind is Heard)
    assert heard[Heard] == heard[InTime]
    assert len([item for item in heard[Heard] if item[0] == "end"]) == 40 * (
        10 if validated else 13
    )


def test_one_that_sees_keeps_the_others_in_time(counts: list[int]) -> None:
    weights: list[Any] = []
    sees = LambdaCallback(on_batch_end=lambda batch, logs: weights.append(run.get_weights()[0]))
    run, blind = model(), Heard()
    run.fit(X, Y, batch_size=16, epochs=20, verbose=0, callbacks=[blind, sees])
    assert set(counts) == {1}
    assert len({array.tobytes() for array in weights}) == 20 * 13


def test_evaluate_lags_too(counts: list[int]) -> None:
    run, losses = model(), []
    callback = LambdaCallback()
    callback.on_test_batch_end = lambda batch, logs: losses.append((batch, logs["loss"]))
    for _ in range(3):
        counts.clear()
        losses.clear()
        run.evaluate(X, Y, batch_size=2, verbose=0, callbacks=[callback])
    assert [batch for batch, _ in losses] == list(range(100))
    assert len(counts) < 100
    predicted = run.predict(X)
    each = np.square(predicted - Y).reshape(100, 2).mean(1)
    np.testing.assert_allclose([loss for _, loss in losses], each, rtol=1e-5)


def test_hooks_that_take_long_hear_of_few_batches_at_a_time(counts: list[int]) -> None:
    """So that an interrupt or a pause is answered as soon as without them."""

    class Slow(Heard):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            for number in range(200_000):
                self.last = number

    run = model()
    run.fit(X, Y, batch_size=2, epochs=30, verbose=0, callbacks=[Heard()])
    assert max(counts) > 50
    counts.clear()
    run.fit(X, Y, batch_size=2, epochs=2, verbose=0, callbacks=[Slow()])
    assert max(counts) < 50
