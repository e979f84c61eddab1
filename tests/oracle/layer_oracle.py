"""One layer of ours beside the same one of tf_keras: outputs, gradients, training."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras

from nbkeras.core import layers as ours
from nbkeras.core.models import Model
from nbkeras.core.optimizers import SGD

TOLERANCE = 1e-5
RATE = 0.05
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Case(NamedTuple):
    """A row of a grid.

    Attributes:
        name: the class, under the same name on both sides.
        options: arguments for both.
        shapes: the inputs' shapes, batch size in front.
        theirs: arguments for tf_keras alone.
        unknown: axes whose size the models are not told.
        integers: the inputs are whole numbers below this.
        masked: how many steps at the end of each sample are masked, by a ``Masking`` in front.
        turn: the channels' axis here, where tf_keras is compared with channels last: it lacks
            channels first on a CPU. 0 for channels last on both sides.
    """

    name: str
    options: Mapping[str, Any] = NOTHING
    shapes: Any = ()
    theirs: Mapping[str, Any] = NOTHING
    unknown: tuple[int, ...] = (0,)
    integers: int = 0
    masked: tuple[int, ...] = ()
    turn: int = 0

    def __repr__(self) -> str:
        said = [f"{k}={getattr(v, '__name__', v)}" for k, v in self.options.items()]
        said += ["unknown"] if self.unknown != (0,) else []
        said += ["masked"] if self.masked else []
        return f"{self.name}({', '.join(said)})"


class Inner(NamedTuple):
    """A layer or cell among the options of another, made on both sides."""

    name: str
    options: Mapping[str, Any] = NOTHING
    theirs: Mapping[str, Any] = NOTHING

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{k}={v}' for k, v in self.options.items())})"


def made(options: Any, library: Any) -> Any:
    """Options with their inner layers made by a library."""
    if isinstance(options, Inner):
        more = {} if library is ours else options.theirs
        return getattr(library, options.name)(**made({**options.options, **more}, library))
    if isinstance(options, Mapping):
        return {key: made(value, library) for key, value in options.items()}
    return [made(item, library) for item in options] if isinstance(options, list) else options


def identify(case: Any) -> str:
    return repr(case)


def inputs_of(case: Case) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    shapes = case.shapes if isinstance(case.shapes, list) else [case.shapes]
    if case.integers:
        return [rng.integers(0, case.integers, shape).astype("float32") for shape in shapes]
    arrays = [rng.normal(size=shape).astype("float32") for shape in shapes]
    for array in arrays:
        for row, count in enumerate(case.masked):
            if count:
                array[row, -count:] = 0.0
    return arrays


def declared(case: Case, array: np.ndarray) -> tuple[int | None, ...]:
    return tuple(None if axis in case.unknown else n for axis, n in enumerate(array.shape))


def build(library: Any, model: Any, layer: Any, case: Case, arrays: list[np.ndarray]) -> Any:
    """A model of one layer, with what it needs around it."""
    inputs = [library.Input(batch_shape=declared(case, array)) for array in arrays]
    tensors = [library.Masking()(x) for x in inputs] if case.masked else inputs
    outputs = layer(one_or_all(tensors))
    return model(one_or_all(inputs), outputs)


def pair(case: Case) -> tuple[Any, Any, list[np.ndarray]]:
    """Our model and theirs, with equal weights, and inputs for both."""
    arrays = inputs_of(case)
    layer = getattr(ours, case.name)(**made(case.options, ours))
    mine = build(ours, Model, layer, case, arrays)
    options = made({**case.options, **case.theirs}, tf_keras.layers)
    other = getattr(tf_keras.layers, case.name)(**options)
    turned = [channels_last(case, a) for a in arrays]
    theirs = build(tf_keras.layers, tf_keras.Model, other, case, turned)
    rng = np.random.default_rng(5)
    weights = [
        (w + rng.normal(scale=0.1, size=w.shape) ** 2).astype("float32") for w in mine.get_weights()
    ]
    mine.set_weights(weights)
    theirs.set_weights(weights)
    return mine, theirs, arrays


def one_or_all(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def listed(values: Any) -> list[Any]:
    return list(values) if isinstance(values, list | tuple) else [values]


def moved(x: Any, source: int, target: int) -> Any:
    order = [axis for axis in range(len(x.shape)) if axis != source % len(x.shape)]
    order.insert(target % len(x.shape), source % len(x.shape))
    return np.transpose(x, order) if isinstance(x, np.ndarray) else tf.transpose(x, order)


def channels_last(case: Case, x: Any) -> Any:
    return moved(x, case.turn, -1) if case.turn and len(x.shape) > 2 else x


def output_axis(case: Case, x: Any) -> int:
    """The channels' axis of an output: one less where the time steps are gone."""
    return 1 if case.turn == 2 and len(x.shape) == 4 else case.turn


def channels_back(case: Case, x: Any) -> Any:
    """An output of theirs as ours has it."""
    return moved(x, -1, output_axis(case, x)) if case.turn and len(x.shape) > 2 else x


def call_theirs(case: Case, model: Any, tensors: list[Any], training: bool) -> list[Any]:
    tensors = [channels_last(case, t) for t in tensors]
    outputs = listed(model(one_or_all(tensors), training=training))
    return [channels_back(case, y) for y in outputs]


def run(call: Any, weights: list[Any], arrays: list[np.ndarray], targets: Any, flat: bool) -> Any:
    """Outputs and the gradients of a loss with respect to weights and inputs."""
    tensors = [tf.constant(a) for a in arrays]
    with tf.GradientTape() as tape:
        tape.watch([*weights, *tensors])
        outputs = call(tensors)
        losses = [
            tf.reduce_mean((tf.cast(y, tf.float32) - t) ** 2)
            for y, t in zip(outputs, targets, strict=True)
        ]
        loss = tf.add_n(losses)
    wanted = weights if flat else [*weights, *tensors]
    gradients = tape.gradient(loss, wanted, unconnected_gradients="zero")
    return loss, outputs, [tf.convert_to_tensor(g) for g in gradients]


def assert_close(mine: Any, theirs: Any, what: str, tolerance: float = TOLERANCE) -> None:
    mine, theirs = np.asarray(mine), np.asarray(theirs)
    assert mine.shape == theirs.shape, what
    np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance, err_msg=what)


def check(case: Case, jit: bool = False) -> None:
    """Outputs, every gradient, and three steps of training are equal to 1e-5."""
    mine, theirs, arrays = pair(case)
    shape = [tuple(t.shape) for t in mine.outputs]

    def call_mine(tensors: list[Any]) -> list[Any]:
        return listed(mine(one_or_all(tensors), training=True))

    def call_other(tensors: list[Any]) -> list[Any]:
        return call_theirs(case, theirs, tensors, training=True)

    expected = call_theirs(case, theirs, [tf.constant(a) for a in arrays], training=False)
    found = listed(mine.predict_on_batch(one_or_all(arrays)))
    for y, t, declared_shape in zip(found, expected, shape, strict=True):
        assert_close(y, t, "output")
        assert tf.TensorShape(declared_shape).is_compatible_with(y.shape)
    rng = np.random.default_rng(4)
    targets = [rng.normal(size=y.shape).astype("float32") for y in found]

    flat = bool(case.integers)
    _, y, slopes = run(call_mine, mine.trainable_weights, arrays, targets, flat)
    _, t, wanted = run(call_other, theirs.trainable_weights, arrays, targets, flat)
    for a, b in zip(y, t, strict=True):
        assert_close(a, b, "output in training")
    for a, b in zip(slopes, wanted, strict=True):
        assert_close(a, b, "gradient")
    # The runs above moved statistics twice as often here as there never will be.
    theirs.set_weights(mine.get_weights())

    mine.compile(SGD(RATE), "mse", jit_compile=jit)
    theirs.compile(tf_keras.optimizers.SGD(RATE), "mse", run_eagerly=True)
    turned = [channels_last(case, a) for a in arrays]
    goals = [moved(t, output_axis(case, t), -1) if case.turn and t.ndim > 2 else t for t in targets]
    for _ in range(3):
        loss = listed(mine.train_on_batch(one_or_all(arrays), one_or_all(targets)))[0]
        wanted = listed(theirs.train_on_batch(one_or_all(turned), one_or_all(goals)))[0]
        assert_close(loss, wanted, "loss of a training step")
    for a, b in zip(mine.get_weights(), theirs.get_weights(), strict=True):
        assert_close(a, b, "weights after training")
