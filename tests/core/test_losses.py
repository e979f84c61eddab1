"""Losses: names, symbolic tensors, extreme predictions, compiled programs, own losses, errors."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core import losses, registry

ALIASES = {
    "mean_squared_error": "mse MSE",
    "mean_absolute_error": "mae MAE",
    "mean_absolute_percentage_error": "mape MAPE",
    "mean_squared_logarithmic_error": "msle MSLE",
    "kullback_leibler_divergence": "kld KLD kl_divergence",
    "cosine_proximity": "cosine cosine_similarity",
    "binary_crossentropy": "bce BCE",
    "logcosh": "log_cosh",
    "huber": "huber_loss",
    "squared_hinge": "",
    "hinge": "",
    "categorical_hinge": "",
    "categorical_crossentropy": "",
    "sparse_categorical_crossentropy": "",
    "poisson": "",
}


@pytest.mark.parametrize(("name", "aliases"), ALIASES.items())
def test_names(name: str, aliases: str) -> None:
    function = getattr(losses, name)
    for alias in (name, *aliases.split()):
        assert losses.get(alias) is function
        assert getattr(losses, alias) is function
    assert losses.serialize(function) == name
    assert losses.deserialize(name) is function


def test_every_name_is_one_of_these() -> None:
    known = {name for pair in ALIASES.items() for name in " ".join(pair).split()}
    objects = {n for n in losses.__all__ if isinstance(getattr(losses, n), type)}
    assert set(registry.names("loss")) == known | objects - {"Loss", "Reduction"}


@pytest.mark.parametrize("name", ALIASES)
def test_symbolic_and_compiled(name: str) -> None:
    rng = np.random.default_rng(0)
    y_pred = rng.uniform(0.1, 0.9, (4, 3)).astype("float32")
    y_true = np.eye(3, dtype="float32")[[0, 2, 1, 0]]
    if name.startswith("sparse"):
        y_true = y_true.argmax(-1)[:, None].astype("float32")
    function = getattr(losses, name)
    expected = function(y_true, y_pred).numpy()

    target, output = K.placeholder((None, y_true.shape[1])), K.placeholder((None, 3))
    loss = function(target, output)
    assert tuple(loss.shape) == (None,)
    got = K.function([target, output], [loss])([y_true, y_pred])[0]
    np.testing.assert_allclose(got, expected, rtol=1e-6)

    compiled = tf.function(function, jit_compile=True)(tf.constant(y_true), tf.constant(y_pred))
    np.testing.assert_allclose(compiled.numpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "y_true", "y_pred"),
    [
        ("binary_crossentropy", [[1.0, 0.0]], [[0.0, 1.0]]),
        ("binary_crossentropy", [[1.0, 0.0]], [[1.0, 0.0]]),
        ("categorical_crossentropy", [[1.0, 0.0]], [[0.0, 1.0]]),
        ("sparse_categorical_crossentropy", [0], [[0.0, 1.0]]),
        ("kullback_leibler_divergence", [[1.0, 0.0]], [[0.0, 1.0]]),
        ("logcosh", [[0.0]], [[1e4]]),
        ("logcosh", [[0.0]], [[-1e4]]),
        ("mean_absolute_percentage_error", [[0.0]], [[1.0]]),
        ("cosine_proximity", [[0.0, 0.0]], [[0.0, 0.0]]),
        ("poisson", [[1.0]], [[0.0]]),
    ],
)
def test_extremes_stay_finite(name: str, y_true: list, y_pred: list) -> None:
    output = tf.Variable(y_pred)
    with tf.GradientTape() as tape:
        loss = getattr(losses, name)(y_true, output)
    assert np.isfinite(loss.numpy()).all()
    assert np.isfinite(tape.gradient(loss, output).numpy()).all()


def test_saturated_probabilities_are_clipped_at_epsilon() -> None:
    wrong = losses.binary_crossentropy([[1.0]], [[0.0]]).numpy()
    np.testing.assert_allclose(wrong, [-np.log(1e-7)], rtol=1e-5)


def test_large_logits_keep_their_gradient() -> None:
    logits = tf.Variable([[100.0, -100.0]])
    with tf.GradientTape() as tape:
        loss = losses.categorical_crossentropy([[0.0, 1.0]], logits, from_logits=True)
    assert loss.numpy() == pytest.approx(200.0)
    np.testing.assert_allclose(tape.gradient(loss, logits).numpy(), [[1.0, -1.0]])


def test_targets_may_be_integers_and_booleans() -> None:
    y_pred = tf.constant([[0.2, 0.9]])
    expected = losses.mse([[0.0, 1.0]], y_pred).numpy()
    for kind in ("int32", "uint8", "bool", "float64"):
        np.testing.assert_array_equal(
            losses.mse(np.array([[0, 1]], kind), y_pred).numpy(), expected
        )


def test_one_hot_targets_of_a_sparse_loss_are_explained() -> None:
    with pytest.raises(ValueError, match="'categorical_crossentropy'"):
        losses.sparse_categorical_crossentropy(np.eye(3), np.eye(3))


# ---------------------------------------------------------------- objects


class Largest(losses.Loss):
    def call(self, y_true, y_pred):
        return K.max(K.abs(y_true - y_pred), axis=-1)


def test_own_loss() -> None:
    y_true, y_pred = np.zeros((2, 2), "float32"), np.array([[1, 2], [3, 4]], "float32")
    assert float(Largest()(y_true, y_pred)) == 3.0
    assert Largest(reduction="none")(y_true, y_pred).numpy().tolist() == [2.0, 4.0]
    assert float(Largest("sum", "peak")(y_true, y_pred, sample_weight=[1, 0])) == 2.0
    assert Largest("sum", "peak").name == "peak"
    with registry.CustomObjectScope({"Largest": Largest}):
        again = losses.deserialize(losses.serialize(Largest("sum", "peak")))
    assert (again.reduction, again.name) == ("sum", "peak")


def test_object_on_symbolic_tensors() -> None:
    target, output = K.placeholder((None, 2)), K.placeholder((None, 2))
    loss = losses.MeanSquaredError()(target, output)
    assert loss.shape == ()
    value = K.function([target, output], [loss])([np.zeros((3, 2)), np.ones((3, 2))])[0]
    assert float(value) == 1.0


def test_weights_of_time_steps() -> None:
    y_true, y_pred = np.zeros((2, 3, 1), "float32"), np.ones((2, 3, 1), "float32")
    weights = np.array([[1, 0, 0], [1, 1, 0]], "float32")
    mse = losses.MeanSquaredError
    assert float(mse()(y_true, y_pred, weights)) == pytest.approx(3 / 6)
    assert mse("none")(y_true, y_pred, weights).numpy().tolist() == weights.tolist()
    assert float(mse("sum")(y_true, y_pred, [1.0, 2.0])) == 9.0


def test_no_samples_give_zero() -> None:
    empty = np.zeros((0, 3), "float32")
    assert float(losses.MeanSquaredError()(empty, empty)) == 0.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: losses.get("mean_square_error"), "Did you mean 'mean_squared_error'"),
        (lambda: losses.MeanSquaredError(reduction="average"), "'sum_over_batch_size'"),
        (
            lambda: losses.MeanSquaredError()(np.zeros((2, 1)), np.zeros((2, 1)), np.zeros((2, 3))),
            "sample weights of shape",
        ),
        (lambda: losses.Loss()([0.0], [0.0]), "def call"),
    ],
)
def test_errors(call, message: str) -> None:
    with pytest.raises((ValueError, NotImplementedError)) as error:
        call()
    assert message in str(error.value)
