"""What layers declare of their outputs is what running them shows."""

from __future__ import annotations

import numpy as np
import pytest

from nbkeras.core import backend as K
from nbkeras.core import layers
from nbkeras.core.engine import graph
from nbkeras.core.layers import Activation, Add, Conv2D, Dense, Input, Masking, MaxPooling2D
from nbkeras.core.models import Model
from tests.conformance.catalog import LAYERS

DECLARING = sorted(
    name for name in LAYERS if getattr(getattr(layers, name, None), "declares_output", False)
)


def inferred(layer, inputs, monkeypatch):
    """Shape, dtype and mask's shape as seen by running the layer."""
    with monkeypatch.context() as patch:
        patch.setattr(graph, "_declared", lambda layer, inputs: None)
        output = layer(inputs)
    return tuple(output.shape), output.dtype, output.mask_shape


def compatible(shape, other):
    return len(shape) == len(other) and all(
        a == b or None in (a, b) for a, b in zip(shape, other, strict=True)
    )


def inputs_of(row, sizes):
    shapes = row.shape if isinstance(row.shape, list) else [row.shape]
    found = [Input(batch_shape=sizes(shape)) for shape in shapes]
    return found if isinstance(row.shape, list) else found[0]


@pytest.mark.parametrize("name", DECLARING)
@pytest.mark.parametrize("batch", [None, 3])
def test_outputs(name, batch, monkeypatch):
    row = LAYERS[name]
    layer, x = row.make(), inputs_of(row, lambda shape: (batch, *shape))
    layer.prepare(graph.shape_of(x), x)
    declared = graph._declared(layer, x)
    assert declared is not None
    output, masks = declared
    assert (tuple(output.shape), output.dtype, masks) == (
        *inferred(layer, x, monkeypatch)[:2],
        [None],
    )


@pytest.mark.parametrize("name", [n for n in DECLARING if len(LAYERS[n].shape) > 1])
def test_sizes_that_are_not_known(name, monkeypatch):
    """A declaration may know more than a run, never other things."""
    row = LAYERS[name]
    layer, known = row.make(), inputs_of(row, lambda shape: (None, *shape))
    layer.prepare(graph.shape_of(known), known)
    x = inputs_of(row, lambda shape: (None, *(None,) * (len(shape) - 1), shape[-1]))
    output, _ = graph._declared(layer, x)
    shape, dtype, _ = inferred(layer, x, monkeypatch)
    assert compatible(tuple(output.shape), shape)
    assert output.dtype == dtype


def test_most_layers_declare():
    assert len(DECLARING) > 35


def test_a_mask_goes_through(monkeypatch):
    x = Masking()(Input((5, 4)))
    for layer in (Dense(3), Activation("relu"), layers.Dropout(0.5), layers.BatchNormalization()):
        output = layer(x)
        assert tuple(output.mask_shape) == (None, 5)
        again = inferred(type(layer).from_config(layer.get_config()), x, monkeypatch)
        assert again == (tuple(output.shape), output.dtype, output.mask_shape)


def test_several_masks_are_computed():
    first, second = Masking()(Input((5, 4))), Input((5, 4))
    assert tuple(Add()([first, second]).mask_shape) == (None, 5)


def test_a_mask_that_is_not_supported_is_refused():
    with pytest.raises(TypeError, match="does not support masking"):
        MaxPooling2D()(Masking()(Input((4, 4, 2))))


def test_another_dtype_is_run():
    output = Activation("linear")(Input((3,), dtype="int32"))
    assert output.dtype.name == "int32"
    assert Add()([Input((3,), dtype="float64")] * 2).dtype.name == "float64"


def test_an_activation_of_the_users_is_run():
    output = Dense(4, activation=lambda x: K.cast(x[:, :1], "float64"))(Input((3,)))
    assert (tuple(output.shape), output.dtype.name) == ((None, 1), "float64")
    assert tuple(Activation(lambda x: x[:, :2])(Input((3,))).shape) == (None, 2)


def test_a_subclass_of_the_users_is_run():
    class Half(Dense):
        def call(self, inputs):
            return super().call(inputs)[:, : self.units // 2]

    assert tuple(Half(6)(Input((3,))).shape) == (None, 3)


def test_a_replaced_call_is_run():
    layer = Activation("relu")
    layer.call = lambda inputs: inputs[:, :1]
    assert tuple(layer(Input((3,))).shape) == (None, 1)


def test_errors_are_those_of_the_call():
    with pytest.raises(ValueError, match="does not fit"):
        Conv2D(2, 5)(Input((3, 3, 1)))
    with pytest.raises(ValueError, match="softmax"):
        Activation("softmax")(Input(batch_shape=(3,)))


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ([(None, 3), (7, 3)], (7, 3)),
        ([(None, 1), (None, 3)], (None, 3)),
        ([(None, None, 3), (None, 4, 1)], (None, 4, 3)),
        ([(None, None, 3), (None, 1, 1)], (None, None, 3)),
        ([(None, 4, 3), (None, 3)], (None, 4, 3)),
    ],
)
def test_elementwise_shapes(shapes, expected, monkeypatch):
    inputs = [Input(batch_shape=shape) for shape in shapes]
    assert tuple(Add()(inputs).shape) == expected
    assert compatible(inferred(Add(), inputs, monkeypatch)[0], expected)


def test_values_are_as_declared():
    image = Input((8, 8, 3))
    x = Conv2D(4, 3, padding="same", activation="relu")(image)
    x = Add()([x, Conv2D(4, 1)(image)])
    model = Model(image, layers.Flatten()(MaxPooling2D()(layers.BatchNormalization()(x))))
    assert model.predict(np.ones((2, 8, 8, 3), "float32")).shape == (2, *model.output_shape[1:])


def nested():
    words = Input((5,), dtype="int32")
    x = layers.Embedding(7, 3, mask_zero=True)(words)
    return Model(words, [layers.LSTM(2, return_sequences=True)(x), Dense(4)(x)])


def test_a_model_within_a_model_is_not_run_again(monkeypatch):
    inner = nested()
    words = Input((5,), dtype="int32")
    runs = []
    run = type(inner)._run
    monkeypatch.setattr(
        type(inner), "_run", lambda self, *a, **k: runs.append(1) or run(self, *a, **k)
    )
    outputs = inner(words)
    assert not runs
    assert [tuple(t.shape) for t in outputs] == [(None, 5, 2), (None, 5, 4)]
    assert [tuple(t.mask_shape) for t in outputs] == [(None, 5), (None, 5)]
    assert Model(words, outputs).predict(np.ones((2, 5), "int32"))[1].shape == (2, 5, 4)
    fixed = inner(Input(batch_shape=(3, 5), dtype="int32"))
    assert runs
    assert [tuple(t.shape) for t in fixed] == [(3, 5, 2), (3, 5, 4)]


def test_a_model_whose_call_is_the_users_is_run():
    class Doubled(Model):
        def call(self, inputs):
            return K.concatenate([inputs, inputs])

    x = Input((3,))
    assert tuple(Doubled(x, Dense(3)(x))(Input((3,))).shape) == (None, 6)


def test_a_mask_comes_out_of_a_model_as_when_it_runs(monkeypatch):
    x = Input((5, 4))
    inner = Model(x, Dense(2)(x))
    masked = Masking()(Input((5, 4)))
    assert inner(masked).mask_shape is not None
    assert inner(Input((5, 4))).mask_shape is None
