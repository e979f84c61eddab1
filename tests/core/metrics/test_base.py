"""Metrics: names, state, compiled programs, own metrics, configuration, errors."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core import metrics, registry

RNG = np.random.default_rng(0)
BINARY = ((RNG.uniform(size=(6, 3)) > 0.5).astype("float32"), RNG.uniform(size=(6, 3)))
CLASSES = (np.array([0, 1, 2, 1, 0, 2]), np.array([0, 1, 1, 1, 2, 2]))

# name, options, targets and predictions of a batch
OBJECTS = [
    ("Accuracy", {}, CLASSES),
    ("BinaryAccuracy", {"threshold": 0.4}, BINARY),
    ("CategoricalAccuracy", {}, BINARY),
    ("SparseCategoricalAccuracy", {}, (CLASSES[0], BINARY[1])),
    ("TopKCategoricalAccuracy", {"k": 2}, BINARY),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, (CLASSES[0], BINARY[1])),
    ("MeanSquaredError", {}, BINARY),
    ("RootMeanSquaredError", {}, BINARY),
    ("MeanAbsoluteError", {}, BINARY),
    ("MeanAbsolutePercentageError", {}, (BINARY[1], BINARY[1] + 1)),
    ("MeanSquaredLogarithmicError", {}, BINARY),
    ("LogCoshError", {}, BINARY),
    ("MeanRelativeError", {"normalizer": [1.0, 2.0, 0.0]}, BINARY),
    ("CosineSimilarity", {"axis": 1}, BINARY),
    ("Hinge", {}, BINARY),
    ("SquaredHinge", {}, BINARY),
    ("CategoricalHinge", {}, BINARY),
    ("Poisson", {}, BINARY),
    ("KLDivergence", {}, BINARY),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, BINARY),
    ("CategoricalCrossentropy", {"from_logits": True}, BINARY),
    ("SparseCategoricalCrossentropy", {}, (CLASSES[0], BINARY[1])),
    ("MeanIoU", {"num_classes": 3}, CLASSES),
    ("TruePositives", {}, BINARY),
    ("FalsePositives", {"thresholds": [0.9, 0.1]}, BINARY),
    ("TrueNegatives", {"thresholds": 0.3}, BINARY),
    ("FalseNegatives", {}, BINARY),
    ("Precision", {"top_k": 1}, BINARY),
    ("Recall", {"class_id": 1}, BINARY),
    ("AUC", {"num_thresholds": 11, "curve": "PR"}, BINARY),
    ("AUC", {"multi_label": True, "num_labels": 3}, BINARY),
    ("SensitivityAtSpecificity", {"specificity": 0.5}, BINARY),
    ("SpecificityAtSensitivity", {"sensitivity": 0.5}, BINARY),
    ("PrecisionAtRecall", {"recall": 0.5}, BINARY),
    ("RecallAtPrecision", {"precision": 0.5}, BINARY),
]
each = pytest.mark.parametrize(("name", "options", "batch"), OBJECTS)


def test_every_class_is_listed() -> None:
    classes = {n for n in metrics.__all__ if isinstance(getattr(metrics, n), type)}
    other = {"Metric", "Mean", "MeanMetricWrapper", "MeanTensor", "Sum"}
    assert classes - other == {name for name, _, _ in OBJECTS}


@each
@pytest.mark.parametrize("compiled", [False, True])
def test_updates_run_in_compiled_programs(
    name: str, options: dict, batch: tuple, compiled: bool
) -> None:
    eager, traced = getattr(metrics, name)(**options), getattr(metrics, name)(**options)
    weights = tf.constant([1.0, 0.5, 0.0, 2.0, 1.0, 1.0])
    batch = tuple(tf.constant(b, "float32" if b.dtype.kind == "f" else "int32") for b in batch)

    @tf.function(jit_compile=compiled)
    def update(*arguments):
        traced.update_state(*arguments)
        return tf.convert_to_tensor(traced.result())

    if name == "RootMeanSquaredError":
        weights = weights[:, None] * tf.ones(3)
    for _ in range(2):
        eager.update_state(*batch, weights)
        result = update(*batch, weights)
    np.testing.assert_allclose(result.numpy(), eager.result().numpy(), rtol=1e-5, atol=1e-6)


@each
def test_state_is_reset_copied_and_described(name: str, options: dict, batch: tuple) -> None:
    metric = getattr(metrics, name)(**options, name="mine")
    before = [v.numpy() for v in metric.variables]
    value = metric(*batch).numpy()
    assert np.any([np.any(v.numpy() != b) for v, b in zip(metric.variables, before, strict=True)])

    for clone in (copy.deepcopy(metric), pickle.loads(pickle.dumps(metric))):
        np.testing.assert_array_equal(clone.result().numpy(), value)
    metric.reset_states()
    for variable, initial in zip(metric.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), initial)

    config = metrics.serialize(metric)
    assert config["class_name"] == name
    assert config["config"]["name"] == "mine"
    again = metrics.deserialize(config)
    assert again.get_config() == metric.get_config()
    np.testing.assert_allclose(again(*batch).numpy(), value)


ALIASES = {
    "accuracy": "acc",
    "mean_squared_error": "mse MSE",
    "mean_absolute_error": "mae MAE",
    "mean_absolute_percentage_error": "mape MAPE",
    "mean_squared_logarithmic_error": "msle MSLE",
    "kullback_leibler_divergence": "kld KLD",
    "cosine_proximity": "cosine cosine_similarity",
    "binary_accuracy": "",
    "categorical_accuracy": "",
    "sparse_categorical_accuracy": "",
    "top_k_categorical_accuracy": "",
    "sparse_top_k_categorical_accuracy": "",
    "binary_crossentropy": "bce",
}


@pytest.mark.parametrize(("name", "aliases"), ALIASES.items())
def test_names_of_functions(name: str, aliases: str) -> None:
    function = getattr(metrics, name)
    for alias in (name, *aliases.split()):
        assert metrics.get(alias) is function
        assert getattr(metrics, alias) is function
    assert function.__name__ == name


def test_functions_on_symbolic_tensors() -> None:
    target, output = K.placeholder((None, 3)), K.placeholder((None, 3))
    for name in ("binary_accuracy", "categorical_accuracy", "top_k_categorical_accuracy"):
        values = getattr(metrics, name)(target, output)
        assert tuple(values.shape) == (None,)
        got = K.function([target, output], [values])(list(BINARY))[0]
        np.testing.assert_allclose(got, getattr(metrics, name)(*BINARY).numpy())


def test_accuracy_of_sequences() -> None:
    y_pred = RNG.uniform(size=(2, 5, 4))
    y_true = y_pred.argmax(-1)
    assert metrics.sparse_categorical_accuracy(y_true, y_pred).numpy().min() == 1.0
    assert metrics.sparse_categorical_accuracy(y_true[..., None], y_pred).shape == (2, 5)
    assert metrics.categorical_accuracy(np.eye(4)[y_true], y_pred).numpy().min() == 1.0


def test_top_k_without_an_answer() -> None:
    y_pred = np.array([[0.1, 0.9], [np.nan, 0.5], [0.1, 0.9]])
    hits = metrics.sparse_top_k_categorical_accuracy([1, 1, 7], y_pred, k=2)
    assert hits.numpy().tolist() == [1.0, 0.0, 0.0]


def test_thresholds_keep_the_order_of_the_user() -> None:
    metric = metrics.TruePositives(thresholds=[0.8, 0.1, 0.5])
    assert metric([1, 1, 1], [0.3, 0.6, 0.9]).numpy().tolist() == [1.0, 3.0, 2.0]


def test_mean_and_sum_with_weights() -> None:
    mean, total = metrics.Mean(), metrics.Sum()
    for values, weights in (([1.0, 3.0], None), ([5.0], [2.0]), (7.0, 0.0)):
        mean.update_state(values, sample_weight=weights)
        total.update_state(values, sample_weight=weights)
    assert float(mean.result()) == 14 / 4
    assert float(total.result()) == 14
    mean.reset_states()
    assert float(mean.result()) == 0.0


def test_mean_tensor() -> None:
    mean = metrics.MeanTensor(shape=(2,))
    mean.update_state([1.0, 3.0])
    mean.update_state([3.0, 9.0], sample_weight=[1.0, 0.0])
    assert mean.result().numpy().tolist() == [2.0, 3.0]
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        mean.update_state([1.0])
    with pytest.raises(ValueError, match="update_state"):
        metrics.MeanTensor().result()


def test_wrapper() -> None:
    def misses(y_true, y_pred, scale=1.0):
        return scale * K.abs(y_true - y_pred)

    metric = metrics.MeanMetricWrapper(misses, scale=2.0)
    assert metric.name == "misses"
    assert float(metric(tf.constant([1.0, 2.0]), tf.constant([2.0, 4.0]))) == 3.0
    with registry.CustomObjectScope({"misses": misses}):
        again = metrics.deserialize(metrics.serialize(metric))
    assert float(again(tf.constant([1.0]), tf.constant([2.0]))) == 2.0


class Largest(metrics.Metric):
    def __init__(self, name="largest", dtype=None):
        super().__init__(name, dtype)
        self.value = self.add_weight(name="value", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.value.assign(tf.maximum(self.value, tf.reduce_max(y_pred)))

    def result(self):
        return self.value


def test_own_metric() -> None:
    metric = Largest(dtype="float64")
    assert metric.value.dtype == "float64"
    assert float(metric(0, tf.constant([1.0, 4.0], "float64"))) == 4.0
    assert float(metric(0, tf.constant([2.0], "float64"))) == 4.0
    metric.reset_state()
    assert float(metric.result()) == 0.0
    assert metrics.get(metric) is metric


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.get("binary_acuracy"), "Did you mean 'binary_accuracy'"),
        (lambda: metrics.Precision(thresholds=1.5), "between 0 and 1"),
        (lambda: metrics.Precision(thresholds=[]), "between 0 and 1"),
        (lambda: metrics.AUC(curve="DET"), "'ROC', 'PR'"),
        (lambda: metrics.AUC(summation_method="simpson"), "'interpolation'"),
        (lambda: metrics.AUC(num_thresholds=1), "2 or more"),
        (lambda: metrics.AUC(multi_label=True)(*CLASSES), "(samples, labels)"),
        (lambda: metrics.SensitivityAtSpecificity(2), "between 0 and 1"),
        (lambda: metrics.MeanIoU(num_classes=2)(*CLASSES), "num_classes=2"),
        (lambda: metrics.Metric().update_state(), "def update_state"),
        (lambda: metrics.Metric(speed=1), "speed"),
        (lambda: metrics.sparse_categorical_accuracy(np.eye(3), np.eye(3)), "one-hot"),
    ],
)
def test_errors(call, message: str) -> None:
    with pytest.raises(Exception) as error:  # noqa: PT011 - the message is compared below
        call()
    assert message in str(error.value)
