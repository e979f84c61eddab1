"""Core layers: Lambda and its files, dropout, masks, shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core import registry
from nbkeras.core.backend.symbolic import Call, call_scope
from nbkeras.core.layers import (
    GRU,
    ActivityRegularization,
    AlphaDropout,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    Input,
    Lambda,
    Masking,
    Permute,
    RepeatVector,
    Reshape,
    SpatialDropout1D,
    SpatialDropout2D,
    TimeDistributed,
)
from nbkeras.core.models import Model, Sequential, load_model


def in_training(layer: Any, x: Any) -> np.ndarray:
    with call_scope(Call(training=True, seed=tf.constant([1, 0]))):
        return np.asarray(layer(x))


def antirectifier(x: Any) -> Any:
    """The manual's example (5.2.9)."""
    x -= K.mean(x, axis=1, keepdims=True)
    x = K.l2_normalize(x, axis=1)
    return K.concatenate([K.relu(x), K.relu(-x)], axis=1)


def antirectifier_output_shape(input_shape: Any) -> Any:
    return (input_shape[0], input_shape[1] * 2)


# ---------------------------------------------------------------- Lambda


def test_the_manuals_lambda(tmp_path: Any) -> None:
    layer = Lambda(antirectifier, output_shape=antirectifier_output_shape)
    model = Sequential([layer, Dense(2)])
    model.build((None, 4))
    assert layer.output_shape == (None, 8)
    model.save(tmp_path / "model.h5")
    with pytest.raises(ValueError, match="antirectifier"):
        load_model(tmp_path / "model.h5", compile=False)
    custom = {f.__name__: f for f in (antirectifier, antirectifier_output_shape)}
    again = load_model(tmp_path / "model.h5", custom_objects=custom, compile=False)
    x = np.random.rand(3, 4)
    np.testing.assert_allclose(again.predict(x), model.predict(x), rtol=1e-6)


def test_byte_code_runs_only_where_it_is_allowed(tmp_path: Any) -> None:
    factor = 3.0
    model = Sequential([Lambda(lambda x, power=2: factor * K.pow(x, power), input_shape=(2,))])
    model.save(tmp_path / "model.h5")
    with pytest.raises(ValueError, match="safe_mode=False"):
        load_model(tmp_path / "model.h5", compile=False)
    again = load_model(tmp_path / "model.h5", compile=False, safe_mode=False)
    assert again.predict(np.array([[1.0, 2.0]])).tolist() == [[3.0, 12.0]]


def test_damaged_byte_code_is_an_error_even_where_allowed() -> None:
    config = {"function": ["bm8gY29kZQ==", None, None], "function_type": "lambda"}
    with registry.allow_unsafe(), pytest.raises(registry.ConfigError, match="another version"):
        Lambda.from_config(config)


def test_tf_keras_form_of_byte_code_is_refused_too() -> None:
    function = {"class_name": "__lambda__", "config": {"code": "4wE=", "defaults": None}}
    with pytest.raises(registry.ConfigError, match="byte code"):
        Lambda.from_config({"function": function})


def test_lambda_arguments_mask_and_training() -> None:
    def scaled(x: Any, by: float, training: Any = None) -> Any:
        return x * by if training else x

    layer = Lambda(scaled, arguments={"by": 3.0})
    assert in_training(layer, np.ones((1, 2), "float32")).tolist() == [[3.0, 3.0]]
    assert layer(np.ones((1, 2), "float32")).numpy().tolist() == [[1.0, 1.0]]
    seen = []

    def masked(x: Any, mask: Any = None) -> Any:
        seen.append(mask)
        return x

    x = Masking()(Input((3, 2)))
    Lambda(masked, mask=lambda inputs, mask: mask)(x)
    assert seen[0].shape.rank == 2


def test_lambda_of_something_else() -> None:
    with pytest.raises(TypeError, match="lambda x"):
        Lambda("relu")
    with pytest.raises(ValueError, match="output_shape may be left out"):
        Lambda(lambda x: x, output_shape=(7,))(Input((3,)))


# ---------------------------------------------------------------- noise


@pytest.mark.parametrize("layer", [Dropout(0.3), SpatialDropout1D(0.3), GaussianDropout(0.3)])
def test_dropout_keeps_the_mean(layer: Any) -> None:
    found = in_training(layer, np.ones((200, 10, 40), "float32"))
    assert found.mean() == pytest.approx(1.0, abs=0.03)
    assert found.var() == pytest.approx(0.3 / 0.7, abs=0.05)


def test_spatial_dropout_takes_whole_channels() -> None:
    found = in_training(SpatialDropout2D(0.5), np.ones((3, 4, 5, 8), "float32"))
    np.testing.assert_array_equal(found, found[:, :1, :1] + 0 * found)
    assert set(found.ravel()) == {0.0, 2.0}
    first = SpatialDropout2D(0.5, data_format="channels_first")
    found = in_training(first, np.ones((3, 8, 4, 5), "float32"))
    np.testing.assert_array_equal(found, found[:, :, :1, :1] + 0 * found)


def test_noise_shape_shares_decisions() -> None:
    found = in_training(Dropout(0.5, noise_shape=(None, 1, 8)), np.ones((3, 4, 8), "float32"))
    np.testing.assert_array_equal(found, found[:, :1] + 0 * found)


def test_noise_has_its_deviation() -> None:
    x = np.zeros((200, 100), "float32")
    found = in_training(GaussianNoise(0.5), x)
    assert found.std() == pytest.approx(0.5, abs=0.01)
    np.testing.assert_array_equal(GaussianNoise(0.5)(x), x)


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    x = np.random.default_rng(1).normal(size=(400, 200)).astype("float32")
    found = in_training(AlphaDropout(0.3), x)
    assert found.mean() == pytest.approx(0.0, abs=0.02)
    assert found.var() == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("kind", [Dropout, GaussianDropout, AlphaDropout, SpatialDropout1D])
@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_impossible_rates(kind: type, rate: float) -> None:
    with pytest.raises(ValueError, match="at least 0 and below 1"):
        kind(rate)


# ---------------------------------------------------------------- masks


def test_a_mask_travels_to_the_loss() -> None:
    """Masked steps count neither in the loss nor in the gradient."""
    model = Sequential([Masking(input_shape=(3, 2)), TimeDistributed(Dense(1))])
    model.compile("sgd", "mse")
    x = np.ones((1, 3, 2), "float32")
    x[:, 2] = 0
    near, far = np.zeros((1, 3, 1)), np.zeros((1, 3, 1))
    far[:, 2] = 1e6
    assert model.test_on_batch(x, near) == pytest.approx(model.test_on_batch(x, far))


def test_an_embeddings_mask_reaches_a_recurrent_layer() -> None:
    model = Sequential([Embedding(5, 3, mask_zero=True), GRU(4)])
    padded, short = np.array([[1, 2, 0, 0]]), np.array([[1, 2]])
    np.testing.assert_allclose(model.predict(padded), model.predict(short), rtol=1e-6)


def test_a_layer_without_masks_says_so() -> None:
    with pytest.raises(TypeError, match="does not support masking"):
        Flatten()(Masking()(Input((3, 2))))


# ---------------------------------------------------------------- shapes and errors


def test_activity_regularization_adds_to_the_loss() -> None:
    model = Sequential([ActivityRegularization(l1=0.5, l2=0.25, input_shape=(2,)), Dense(1)])
    model.compile("sgd", "mse")
    model.set_weights([np.zeros((2, 1)), np.zeros(1)])
    loss = model.test_on_batch(np.array([[1.0, -2.0], [0.0, 0.0]]), np.zeros((2, 1)))
    assert loss == pytest.approx((0.5 * 3 + 0.25 * 5) / 2)


def test_reshape_and_permute_refuse_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="products differ"):
        Reshape((5, 2))(Input((12,)))
    with pytest.raises(ValueError, match="one of them may be"):
        Reshape((-1, -1))
    with pytest.raises(ValueError, match=r"Permute\(\(2, 1\)\)"):
        Permute((0, 1))
    with pytest.raises(ValueError, match="n is a whole number"):
        RepeatVector(2.5)


def test_reshape_with_unknown_sizes() -> None:
    model = Model(x := Input((None, 4)), Reshape((-1, 2))(x))
    assert model.predict(np.zeros((2, 3, 4))).shape == (2, 6, 2)


def test_embedding_of_the_wrong_length() -> None:
    with pytest.raises(ValueError, match="pad_sequences"):
        Embedding(5, 3, input_length=4)(Input((7,)))
    model = Sequential([Embedding(5, 3, input_length=4), Flatten(), Dense(1)])
    assert model.output_shape == (None, 1)


def test_input_dim_and_input_length_are_short_forms() -> None:
    assert Dense(3, input_dim=4).batch_input_shape == (None, 4)
    assert GRU(3, input_dim=4).batch_input_shape == (None, None, 4)
    assert GRU(3, input_dim=4, input_length=7).batch_input_shape == (None, 7, 4)
    assert "input_dim" not in Dense(3, input_dim=4).get_config()


def test_a_dense_layer_needs_the_last_size() -> None:
    with pytest.raises(ValueError, match=r"Layer 'dense_\d+' \(Dense\) needs to know"):
        Dense(3)(Input((None,)))
    with pytest.raises(ValueError, match="units is a whole number"):
        Dense(0)
