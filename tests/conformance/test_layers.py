"""What every layer can do: be described, saved, copied, trained, in every size and type."""

from __future__ import annotations

import copy
import functools
import io
import json
import pickle
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core import layers, models, registry
from nbkeras.core.backend.symbolic import Call, call_scope, flatten
from nbkeras.core.callbacks import Callback
from nbkeras.core.optimizers import SGD
from tests.conformance.catalog import (
    BATCH,
    CELLS,
    LAYERS,
    Row,
    arrays_for,
    doubled,
    model_of,
    one_or_all,
)

NAMES = sorted(LAYERS)
CUSTOM = {"doubled": doubled}


@functools.cache
def model_for(name: str) -> Any:
    """A model of the row's layer, with weights that are all different."""
    model = model_of(LAYERS[name])
    rng = np.random.default_rng(2)
    model.set_weights([rng.uniform(0.1, 1.0, w.shape) for w in model.get_weights()])
    return model


def outputs_of(model: Any, arrays: list[np.ndarray]) -> list[np.ndarray]:
    with call_scope(Call(training=False, seed=(0, 0))):
        return [np.asarray(t) for t in flatten(model(one_or_all([tf.constant(a) for a in arrays])))]


def assert_same_outputs(name: str, other: Any) -> None:
    arrays = arrays_for(LAYERS[name])
    for mine, theirs in zip(
        outputs_of(model_for(name), arrays), outputs_of(other, arrays), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


def plain(value: Any) -> Any:
    """As JSON brings it back: tuples are lists."""
    return json.loads(json.dumps(value))


# ---------------------------------------------------------------- configurations


@pytest.mark.parametrize("name", [*NAMES, *CELLS])
def test_config_round_trip(name):
    layer = CELLS[name]() if name in CELLS else LAYERS[name].make()
    config = layer.get_config()
    again = registry.deserialize("layer", registry.serialize(layer), CUSTOM)
    assert type(again) is type(layer)
    assert again.get_config() == config
    with registry.CustomObjectScope(CUSTOM):
        from_text = type(layer).from_config(plain(config))
    assert plain(from_text.get_config()) == plain(config)


@pytest.mark.parametrize("name", NAMES)
def test_config_does_not_change_when_the_layer_is_called(name):
    row = LAYERS[name]
    layer = row.make()
    before = layer.get_config()
    layer(one_or_all([tf.constant(a) for a in arrays_for(row)]))
    assert layer.get_config() == before


def test_config_of_an_input_layer():
    layer = layers.InputLayer(input_shape=(3,), batch_size=2, dtype="int32", name="words")
    config = layer.get_config()
    assert config == {
        "batch_input_shape": (2, 3),
        "dtype": "int32",
        "sparse": False,
        "name": "words",
    }
    assert registry.deserialize("layer", registry.serialize(layer)).get_config() == config


@pytest.mark.parametrize("name", NAMES)
def test_a_name_a_dtype_and_frozenness_are_kept(name):
    if name in ("Model", "Sequential"):
        pytest.skip("a model's layers have them")
    layer = LAYERS[name].make()
    said = {"name": "mine", "trainable": False, "dtype": "float64"}
    with registry.CustomObjectScope(CUSTOM):
        again = type(layer).from_config({**layer.get_config(), **said})
    assert (again.name, again.trainable, again.dtype) == ("mine", False, "float64")


@pytest.mark.parametrize("form", ["json", "yaml"])
@pytest.mark.parametrize("name", NAMES)
def test_json_and_yaml(name, form):
    model = model_for(name)
    text = getattr(model, f"to_{form}")()
    again = getattr(models, f"model_from_{form}")(text, custom_objects=CUSTOM)
    assert getattr(again, f"to_{form}")() == text
    again.set_weights(model.get_weights())
    assert_same_outputs(name, again)


# ---------------------------------------------------------------- files and copies


@pytest.mark.parametrize("name", NAMES)
def test_hdf5(name):
    file = io.BytesIO()
    model_for(name).save(file)
    assert_same_outputs(name, models.load_model(file, custom_objects=CUSTOM, compile=False))


@pytest.mark.parametrize("name", NAMES)
def test_weights_in_a_file(name, tmp_path):
    row = LAYERS[name]
    if row.random or not model_for(name).weights:
        pytest.skip("it has no weights")
    model_for(name).save_weights(tmp_path / "w.h5")
    again = model_of(row)
    again.load_weights(tmp_path / "w.h5")
    assert_same_outputs(name, again)


@pytest.mark.parametrize("name", NAMES)
def test_pickle_and_copy(name):
    with registry.CustomObjectScope(CUSTOM):
        assert_same_outputs(name, pickle.loads(pickle.dumps(model_for(name))))
        assert_same_outputs(name, copy.deepcopy(model_for(name)))


@pytest.mark.parametrize("name", NAMES)
def test_clone(name):
    model = model_for(name)
    with registry.CustomObjectScope(CUSTOM):
        twin = models.clone_model(model)
    assert {id(w) for w in twin.weights}.isdisjoint({id(w) for w in model.weights})
    assert twin.get_config() == model.get_config()
    twin.set_weights(model.get_weights())
    assert_same_outputs(name, twin)


# ---------------------------------------------------------------- sizes and types


@pytest.mark.parametrize("name", NAMES)
def test_known_and_unknown_batch_size(name):
    row = LAYERS[name]
    if row.fixed:
        pytest.skip("it needs a known one")
    fixed = model_of(row, batch_size=BATCH)
    fixed.set_weights(model_for(name).get_weights())
    assert_same_outputs(name, fixed)
    arrays = arrays_for(row)
    results = outputs_of(fixed, arrays)
    for model in (fixed, model_for(name)):
        for tensor, result in zip(model.outputs, results, strict=True):
            assert tensor.shape.is_compatible_with(result.shape)
            assert tensor.dtype == result.dtype
    for tensor, result in zip(fixed.outputs, results, strict=True):
        assert tuple(tensor.shape) == result.shape
    for tensor, result in zip(model_for(name).outputs, results, strict=True):
        assert tuple(tensor.shape)[1:] == result.shape[1:]


@pytest.mark.parametrize("name", NAMES)
def test_compute_output_shape(name):
    row = LAYERS[name]
    shapes = [
        (None, *shape) for shape in (row.shape if isinstance(row.shape, list) else [row.shape])
    ]
    layer = model_for(name).layers[-1]
    expected = [tuple(t.shape) for t in model_for(name).outputs]
    given = layer.compute_output_shape(one_or_all(shapes))
    assert tuple(given) == one_or_all(expected)


@pytest.mark.parametrize("rows", [1, 7])
@pytest.mark.parametrize("name", NAMES)
def test_rows_do_not_see_each_other(name, rows):
    """In use, a batch's outputs are those of its rows alone."""
    row = LAYERS[name]
    if row.fixed:
        pytest.skip("its batch size is fixed")
    arrays = arrays_for(row, 7)
    together = outputs_of(model_for(name), arrays)
    alone = outputs_of(model_for(name), [a[:rows] for a in arrays])
    for mine, theirs in zip(together, alone, strict=True):
        np.testing.assert_allclose(mine[:rows], theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_precision(name, dtype):
    row = LAYERS[name]
    if not row.floats:
        pytest.skip("it works in float32 only")
    before = K.floatx()
    K.set_floatx(dtype)
    try:
        model = model_of(row, dtype=dtype)
    finally:
        K.set_floatx(before)
    assert {w.dtype.name for w in model.weights} <= {dtype}
    model.set_weights(model_for(name).get_weights())
    arrays = arrays_for(row)
    given = arrays if row.below else [a.astype(dtype) for a in arrays]
    tolerance = 2e-2 if dtype == "float16" else 1e-5
    expected = outputs_of(model_for(name), arrays)
    for mine, theirs in zip(outputs_of(model, given), expected, strict=True):
        assert mine.dtype == dtype
        np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance)
    with tf.GradientTape() as tape, call_scope(Call(training=True, seed=(1, 2))) as call:
        results = flatten(model(one_or_all([tf.constant(a) for a in given])))
        loss = tf.add_n([tf.reduce_sum(y * y) for y in results])
    slopes = tape.gradient(loss, model.trainable_weights)
    for value in (*results, *call.losses, *map(tf.convert_to_tensor, slopes)):
        assert np.all(np.isfinite(value))


# ---------------------------------------------------------------- masks

SEQUENCES = [
    name
    for name, row in sorted(LAYERS.items())
    if not row.below and not isinstance(row.shape, list) and len(row.shape) > 1
]


class TimeMask(layers.Layer):
    """Masks whole steps: those that are zero everywhere."""

    supports_masking = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return tf.reduce_any(inputs != 0.0, axis=list(range(2, inputs.shape.rank)))


@pytest.mark.parametrize("name", SEQUENCES)
def test_masks(name):
    """A mask comes out that fits the output, or none; or the layer says that it takes none."""
    row = LAYERS[name]
    layer = row.make()
    x = layers.Input(batch_shape=(BATCH, *row.shape))
    masked = TimeMask()(x)
    if not layer.supports_masking:
        with pytest.raises(TypeError, match=rf"{layer.name}.*does not support masking"):
            layer(masked)
        return
    model = models.Model(x, layer(masked))
    array = arrays_for(row)[0]
    array[1, -2:] = 0.0
    with call_scope(Call(training=False, seed=(0, 0))) as call:
        outputs = flatten(model(tf.constant(array)))
        masks = [call.mask_of(output) for output in outputs]
    for output, mask in zip(outputs, masks, strict=True):
        assert np.all(np.isfinite(output))
        if mask is not None:
            assert mask.dtype == tf.bool
            assert tuple(mask.shape) == tuple(output.shape)[: mask.shape.rank]


# ---------------------------------------------------------------- training


class EachBatch(Callback):
    """Hears of every batch, so that each is a step of its own."""

    may_lag = False

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[float] = []

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self.losses.append(logs["loss"])


class Scale(layers.Layer):
    """A weight in front of the layer, so that a gradient goes through it."""

    def build(self, input_shape: Any) -> None:
        self.factor = self.add_weight("factor", input_shape[1:], initializer="ones")
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        return inputs * self.factor


def trained(row: Row, weights: Any, jit: bool, callbacks: Any = ()) -> tuple[float, Any, Any]:
    """The loss of an epoch, and the weights after it."""
    shapes = row.shape if isinstance(row.shape, list) else [row.shape]
    size = BATCH if row.fixed else None
    inputs = [
        layers.Input(batch_shape=(size, *shape), dtype="int32" if row.below else None)
        for shape in shapes
    ]
    scaled = inputs if row.below else [Scale()(x) for x in inputs]
    model = models.Model(one_or_all(inputs), row.make()(one_or_all(scaled)))
    if weights is not None:
        model.set_weights(weights)
    arrays = arrays_for(row, rows=4 * BATCH, seed=1)
    targets = [np.ones((4 * BATCH, *t.shape[1:]), "float32") for t in model.outputs]
    start = model.get_weights()
    model.compile(SGD(0.05), "mse", jit_compile=jit)
    np.random.seed(5)
    history = model.fit(
        one_or_all(arrays),
        one_or_all(targets),
        batch_size=BATCH,
        shuffle=False,
        verbose=0,
        callbacks=list(callbacks),
    )
    return history.history["loss"][0], start, model.get_weights()


def assert_trained_alike(first: Any, second: Any) -> None:
    assert first[0] == pytest.approx(second[0], rel=1e-5, abs=1e-6)
    for mine, theirs in zip(first[2], second[2], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_steps_one_by_one_and_many_in_one_call_are_alike(name):
    row = LAYERS[name]
    hears = EachBatch()
    single = trained(row, None, False, [hears])
    chunked = trained(row, single[1], False)
    assert len(hears.losses) == 4
    assert np.all(np.isfinite(single[0]))
    if not row.below:
        assert any(np.any(a != b) for a, b in zip(single[1], single[2], strict=True))
    assert_trained_alike(single, chunked)


QUICK_XLA = ["BatchNormalization", "Conv2D", "Dense", "Dropout", "Embedding", "GRU", "MaxPooling2D"]


def check_xla(name: str) -> None:
    row = LAYERS[name]
    without = trained(row, None, False)
    assert_trained_alike(without, trained(row, without[1], True))


@pytest.mark.parametrize("name", QUICK_XLA)
def test_xla(name):
    check_xla(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(NAMES) - set(QUICK_XLA)))
def test_xla_of_all_others(name):
    check_xla(name)
