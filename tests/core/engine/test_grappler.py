"""Calling TensorFlow's functions without its rewriting of graphs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core.engine import grappler, program
from nbkeras.core.layers import LSTM, Conv2D, Dense, Flatten
from nbkeras.core.models import Sequential


def rewriting() -> bool:
    """Whether functions that this thread calls are rewritten."""
    config = tf.compat.v1.ConfigProto.FromString(grappler.call_options().config_proto_serialized)
    return not config.graph_options.rewrite_options.disable_meta_optimizer


def test_only_meanwhile() -> None:
    assert rewriting()
    with grappler.without_grappler():
        assert not rewriting()
    assert rewriting()
    with pytest.raises(KeyError), grappler.without_grappler():
        raise KeyError
    assert rewriting()


@pytest.fixture
def users_choice() -> Iterator[None]:
    tf.config.optimizer.set_experimental_options({"constant_folding": True})
    yield
    tf.config.optimizer.set_experimental_options({"constant_folding": False})


@pytest.mark.usefixtures("users_choice")
def test_what_the_user_set_holds() -> None:
    with grappler.without_grappler():
        assert rewriting()


def test_a_tensorflow_that_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grappler, "_context", None)
    assert grappler.options_without() is None
    with grappler.without_grappler():
        pass


def models() -> dict[str, tuple[Any, tuple[int, ...], bool, bool]]:
    """Models, the shape of their inputs, and whether training and use are rewritten."""
    return {
        "dense": (Sequential([Dense(3, "relu", input_shape=(6,)), Dense(1)]), (6,), False, False),
        "convolution": (
            Sequential([Conv2D(2, 3, input_shape=(5, 5, 1)), Flatten(), Dense(1)]),
            (5, 5, 1),
            False,
            True,
        ),
        "recurrent": (Sequential([LSTM(3, input_shape=(4, 2)), Dense(1)]), (4, 2), True, True),
    }


@pytest.mark.parametrize("name", models())
def test_where_it_gains_nothing_and_with_the_same_numbers(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    net, shape, trains, used = models()[name]
    net.compile("sgd", "mse", jit_compile=False)
    first = net.get_weights()
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, *shape)).astype("float32"), np.ones((40, 1), "float32")
    seen: list[bool] = []
    called = program._Plain._called

    def spy(self: Any, *args: Any) -> Any:
        with self._calling():
            seen.append(rewriting())
        return called(self, *args)

    monkeypatch.setattr(program._Plain, "_called", spy)

    def numbers() -> list[Any]:
        net.set_weights(first)
        net.compile("sgd", "mse", jit_compile=False)
        found = []
        for run in (
            lambda: net.fit(x, y, epochs=3, shuffle=False, verbose=0).history["loss"],
            lambda: net.evaluate(x, y, verbose=0),
        ):
            seen.clear()
            found.append((run(), set(seen)))
        return found

    (losses, training), (loss, in_use) = numbers()
    assert (training, in_use) == ({trains}, {used})
    monkeypatch.setattr(program._Plain, "_called", called)
    monkeypatch.setattr(grappler, "_context", None)
    (all_losses, _), (all_loss, _) = numbers()
    np.testing.assert_allclose(losses, all_losses, rtol=1e-5)
    np.testing.assert_allclose(loss, all_loss, rtol=1e-5)


@pytest.mark.parametrize("short", [True, False])
def test_only_short_calls_go_past_tensorflows_python(
    short: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "DIRECT_AFTER", 3)
    monkeypatch.setattr(program, "DIRECT_SECONDS", 10.0 if short else 0.0)
    net = models()["dense"][0]
    net.compile("sgd", "mse")
    x, y = np.ones((4, 6), "float32"), np.ones((4, 1), "float32")
    made: list[int] = []
    call = tf.raw_ops.StatefulPartitionedCall
    monkeypatch.setattr(
        tf.raw_ops, "StatefulPartitionedCall", lambda **given: (made.append(1), call(**given))[1]
    )
    losses = [net.train_on_batch(x, y) for _ in range(8)]
    assert bool(made) == short
    assert losses == sorted(set(losses), reverse=True)
