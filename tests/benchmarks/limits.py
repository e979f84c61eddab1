"""How fast a workload can be trained: the same work as a loop written by hand in JAX.

    python -m tests.benchmarks.limits [workload ...]

A whole epoch is one compiled ``lax.scan`` over batches that are gathered on the device, with
dropout, the optimizer's states and the accuracy in it, but no framework: no layers, no
callbacks, no checks. LSTMs project the inputs of all time steps in one product.
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

__all__ = ["LIMITS"]


class Plan(NamedTuple):
    """A workload by hand: first weights, the loss of a batch with its accuracy, the update."""

    weights: Any
    measured: Callable[..., tuple[Any, Any]]
    optimizer: str
    data: list[np.ndarray]


# ---------------------------------------------------------------- models


def _matrix(*shape: int) -> np.ndarray:
    bound = np.sqrt(6 / sum(shape))
    return np.random.default_rng(0).uniform(-bound, bound, shape).astype("float32")


def _dense_weights(*sizes: int) -> list[Any]:
    pairs = itertools.pairwise(sizes)
    return [(_matrix(*pair), np.zeros(pair[1], "float32")) for pair in pairs]


def _lstm_weights(features: int, units: int) -> tuple[Any, ...]:
    bias = np.zeros(4 * units, "float32")
    bias[units : 2 * units] = 1
    return _matrix(features, 4 * units), _matrix(units, 4 * units), bias


def _dense(weights: Any, x: Any) -> Any:
    return x @ weights[0] + weights[1]


def _lstm(weights: Any, x: Any, sequences: bool = False) -> Any:
    """Time comes first. The gates are straight lines, as in Keras 2."""
    import jax
    import jax.numpy as jnp

    kernel, recurrent, bias = weights
    steps = x @ kernel + bias
    zeros = jnp.zeros((x.shape[1], recurrent.shape[0]), x.dtype)

    def gate(z: Any) -> Any:
        return jnp.clip(0.2 * z + 0.5, 0, 1)

    def step(states: Any, projected: Any) -> Any:
        h, c = states
        i, f, new, o = jnp.split(projected + h @ recurrent, 4, -1)
        c = gate(f) * c + gate(i) * jnp.tanh(new)
        h = gate(o) * jnp.tanh(c)
        return (h, c), h if sequences else None

    (h, _), outputs = jax.lax.scan(step, (zeros, zeros), steps)
    return outputs if sequences else h


def _dropped(x: Any, rate: float, key: Any) -> Any:
    import jax
    import jax.numpy as jnp

    return jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0)


def _binary(logits: Any, y: Any) -> tuple[Any, Any]:
    """Cross entropy and accuracy of one output."""
    import jax.numpy as jnp

    loss = jnp.maximum(logits, 0) - logits * y + jnp.log1p(jnp.exp(-jnp.abs(logits)))
    return loss.mean(), ((logits > 0) == (y > 0.5)).mean()


def _categorical(logits: Any, y: Any) -> tuple[Any, Any]:
    """Cross entropy and accuracy of several classes."""
    import jax

    loss = -(jax.nn.log_softmax(logits) * y).sum(-1)
    return loss.mean(), (logits.argmax(-1) == y.argmax(-1)).mean()


def _mlp_small(weights: Any, batch: Any, key: Any) -> Any:
    import jax

    x, y = batch
    return _binary(_dense(weights[1], jax.nn.relu(_dense(weights[0], x))), y)


def _mlp_dropped(rate: float, weights: Any, batch: Any, key: Any) -> Any:
    import jax

    x, y = batch
    keys = jax.random.split(key, len(weights) - 1)
    for layer, layer_key in zip(weights, keys, strict=False):
        x = _dropped(jax.nn.relu(_dense(layer, x)), rate, layer_key)
    return _categorical(_dense(weights[-1], x), y)


def _embedding_lstm(weights: Any, batch: Any, key: Any) -> Any:
    words, y = batch
    x = weights["table"][words.T.astype("int32")]
    return _binary(_dense(weights["dense"], _lstm(weights["lstm"], x)), y)


def _stacked_lstm(weights: Any, batch: Any, key: Any) -> Any:
    x, y = batch
    x = x.transpose(1, 0, 2)
    *lower, upper = weights["lstm"]
    for layer in lower:
        x = _lstm(layer, x, sequences=True)
    return _categorical(_dense(weights["dense"], _lstm(upper, x)), y)


def _shared_lstm(weights: Any, batch: Any, key: Any) -> Any:
    import jax.numpy as jnp

    *series, y_main, y_side = batch
    # Both inputs go through the one layer side by side: a hand would not run it twice.
    rows = len(y_main)
    ends = _lstm(weights["lstm"], jnp.concatenate(series).transpose(1, 0, 2))
    both = jnp.concatenate([ends[:rows], ends[rows:]], -1)
    main, accuracy = _binary(_dense(weights["main"], both), y_main)
    side, _ = _categorical(_dense(weights["side"], both), y_side)
    return main + 0.2 * side, accuracy


def _plan(name: str) -> Plan:
    """The workload's data and update; weights of the sizes that its model has."""
    from .workloads import WORKLOADS

    plans: dict[str, tuple[Any, Any, str]] = {
        "mlp_small": (_dense_weights(100, 32, 1), _mlp_small, "rmsprop"),
        "mlp_dropout": (_dense_weights(20, 64, 64, 10), partial(_mlp_dropped, 0.5), "sgd"),
        "mnist_mlp": (_dense_weights(784, 512, 512, 10), partial(_mlp_dropped, 0.2), "rmsprop"),
        "embedding_lstm": (
            {
                "table": _matrix(20_000, 128),
                "lstm": _lstm_weights(128, 128),
                "dense": _dense_weights(128, 1)[0],
            },
            _embedding_lstm,
            "adam",
        ),
        "stacked_lstm": (
            {
                "lstm": [_lstm_weights(16, 32), _lstm_weights(32, 32), _lstm_weights(32, 32)],
                "dense": _dense_weights(32, 10)[0],
            },
            _stacked_lstm,
            "rmsprop",
        ),
        "shared_lstm": (
            {
                "lstm": _lstm_weights(32, 64),
                "main": _dense_weights(128, 1)[0],
                "side": _dense_weights(128, 10)[0],
            },
            _shared_lstm,
            "rmsprop",
        ),
    }
    weights, measured, optimizer = plans[name]
    x, y = _data(WORKLOADS[name])
    return Plan(weights, measured, optimizer, [*x, *y])


def _data(workload: Any) -> tuple[list[Any], list[Any]]:
    """A workload's arrays; its model is not made."""

    class Nothing:
        """Stands for a framework of which only the data is wanted."""

        def __getattr__(self, name: str) -> Any:
            return self

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return self

    _, x, y = workload.build(Nothing())
    return (x if isinstance(x, list) else [x]), (y if isinstance(y, list) else [y])


# ---------------------------------------------------------------- training


def _updated(optimizer: str, weights: Any, moments: Any, gradients: Any, step: Any) -> Any:
    """New weights and moments, by Keras's rules and default rates."""
    import jax
    import jax.numpy as jnp

    over = jax.tree.map
    if optimizer == "sgd":
        return over(lambda w, g: w - 0.01 * g, weights, gradients), moments
    second = {"rmsprop": 0.9, "adam": 0.999}[optimizer]
    squares = over(lambda s, g: second * s + (1 - second) * g * g, moments[-1], gradients)
    means = gradients
    rate = 0.001
    if optimizer == "adam":
        means = over(lambda m, g: 0.9 * m + 0.1 * g, moments[0], gradients)
        rate = rate * jnp.sqrt(1 - second**step) / (1 - 0.9**step)
    weights = over(lambda w, m, s: w - rate * m / (jnp.sqrt(s) + 1e-7), weights, means, squares)
    return weights, [means, squares][-len(moments) :]


def train(name: str) -> float:
    """Milliseconds a step of whole epochs: the best of several."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import jax
    import jax.numpy as jnp

    from .workloads import WORKLOADS

    job, plan = WORKLOADS[name], _plan(name)
    data = [jnp.asarray(part) for part in plan.data]
    weights = jax.tree.map(jnp.asarray, plan.weights)
    kept = {"sgd": 0, "rmsprop": 1, "adam": 2}[plan.optimizer]
    moments = [jax.tree.map(jnp.zeros_like, weights) for _ in range(kept)]
    rows = len(plan.data[0])
    steps = rows // job.batch_size

    def step(state: Any, chosen: Any) -> Any:
        weights, moments, count, key = state
        key, noise = jax.random.split(key)
        batch = [part[chosen] for part in data]
        (loss, accuracy), gradients = jax.value_and_grad(plan.measured, has_aux=True)(
            weights, batch, noise
        )
        weights, moments = _updated(plan.optimizer, weights, moments, gradients, count + 1.0)
        return (weights, moments, count + 1, key), (loss, accuracy)

    @partial(jax.jit, donate_argnums=0)
    def epoch(state: Any, order: Any) -> Any:
        state, logs = jax.lax.scan(step, state, order)
        return state, jax.tree.map(jnp.mean, logs)

    state: Any = (weights, moments, 0.0, jax.random.key(0, impl="rbg"))
    shuffle = np.random.default_rng(0)
    best, spent, done = float("inf"), 0.0, 0
    while spent < 3 or done < 5:
        began = time.perf_counter()
        order = shuffle.permutation(rows)[: steps * job.batch_size].astype("int32")
        state, logs = epoch(state, order.reshape(steps, -1))
        loss = float(logs[0])
        seconds = time.perf_counter() - began
        if not np.isfinite(loss):
            raise ArithmeticError(f"the limit of {name} does not train: its loss is {loss}")
        if done:  # the first one compiles
            best, spent = min(best, seconds), spent + seconds
        done += 1
    return best / steps * 1e3


_NAMES = (
    "mlp_small",
    "mlp_dropout",
    "mnist_mlp",
    "embedding_lstm",
    "stacked_lstm",
    "shared_lstm",
)

LIMITS: dict[str, Callable[[], float]] = {name: partial(train, name) for name in _NAMES}
"""Workload -> what measures its milliseconds a step."""


def main() -> None:
    """Print milliseconds a step of some workloads, or of all that have a limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="*", metavar="workload", help=", ".join(LIMITS))
    for name in parser.parse_args().workloads or LIMITS:
        print(f"{name}: {train(name):.3f} ms a step", flush=True)


if __name__ == "__main__":
    main()
