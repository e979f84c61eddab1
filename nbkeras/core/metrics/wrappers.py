"""Metric objects that are the mean of a function of targets and predictions (Keras 2.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from nbkeras.core import registry
from nbkeras.core.backend.symbolic import operation
from nbkeras.core.losses import functions as losses
from nbkeras.core.losses.base import same_rank
from nbkeras.core.metrics import functions
from nbkeras.core.metrics.base import Average

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanRelativeError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SquaredHinge",
    "TopKCategoricalAccuracy",
]


class _FunctionMean(Average):
    """The mean of `function`, which is given the attributes named in `arguments`."""

    function: Callable[..., Any]
    arguments: tuple[str, ...] = ()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account."""
        y_true, y_pred = same_rank(y_true, y_pred)
        options = {name: getattr(self, name) for name in self.arguments}
        self._include(type(self).function(y_true, y_pred, **options), sample_weight)


# ---------------------------------------------------------------- accuracy


@registry.register("metric")
class Accuracy(_FunctionMean):
    """How often predictions equal targets.

    Example:
        >>> Accuracy()([1, 2, 3, 4], [0, 2, 3, 4]).numpy().item()
        0.75
    """

    function = staticmethod(functions.accuracy)


@registry.register("metric")
class BinaryAccuracy(_FunctionMean):
    """How often predictions above a threshold agree with targets 0 and 1.

    Args:
        name: name in logs.
        dtype: of the state.
        threshold: above it a prediction counts as 1.

    Example:
        >>> BinaryAccuracy()([[1.], [0.]], [[0.9], [0.6]]).numpy().item()
        0.5
    """

    function = staticmethod(functions.binary_accuracy)
    arguments = ("threshold",)

    def __init__(self, name: str | None = None, dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(name, dtype)
        self.threshold = threshold


@registry.register("metric")
class CategoricalAccuracy(_FunctionMean):
    """How often the largest prediction is that of the class; targets one-hot.

    Example:
        >>> CategoricalAccuracy()([[0., 1.], [0., 1.]], [[0.1, 0.9], [0.8, 0.2]]).numpy().item()
        0.5
    """

    function = staticmethod(functions.categorical_accuracy)


@registry.register("metric")
class SparseCategoricalAccuracy(_FunctionMean):
    """How often the largest prediction is that of the class; targets class numbers.

    Example:
        >>> SparseCategoricalAccuracy()([1, 1], [[0.1, 0.9], [0.8, 0.2]]).numpy().item()
        0.5
    """

    function = staticmethod(functions.sparse_categorical_accuracy)


@registry.register("metric")
class TopKCategoricalAccuracy(_FunctionMean):
    """How often the class is among the `k` largest predictions; targets one-hot.

    Args:
        k: how many of the largest count.
        name: name in logs.
        dtype: of the state.

    Example:
        >>> TopKCategoricalAccuracy(k=1)([[0., 1.]], [[0.9, 0.1]]).numpy().item()
        0.0
    """

    function = staticmethod(functions.top_k_categorical_accuracy)
    arguments = ("k",)

    def __init__(
        self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None
    ) -> None:
        super().__init__(name, dtype)
        self.k = k


@registry.register("metric")
class SparseTopKCategoricalAccuracy(_FunctionMean):
    """How often the class is among the `k` largest predictions; targets class numbers.

    Args:
        k: how many of the largest count.
        name: name in logs.
        dtype: of the state.

    Example:
        >>> SparseTopKCategoricalAccuracy(k=2)([1], [[0.9, 0.1]]).numpy().item()
        1.0
    """

    function = staticmethod(functions.sparse_top_k_categorical_accuracy)
    arguments = ("k",)

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        self.k = k


# ---------------------------------------------------------------- errors


@registry.register("metric")
class MeanSquaredError(_FunctionMean):
    """The mean of `(p - y)^2`.

    Example:
        >>> MeanSquaredError()([[0.], [0.]], [[1.], [3.]]).numpy().item()
        5.0
    """

    function = staticmethod(losses.mean_squared_error)


@registry.register("metric")
class RootMeanSquaredError(_FunctionMean):
    """The square root of the mean of `(p - y)^2`.

    Example:
        >>> RootMeanSquaredError()([[0.], [0.]], [[1.], [7.]]).numpy().item()
        5.0
    """

    function = staticmethod(tf.math.squared_difference)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account."""
        y_pred = tf.cast(y_pred, self.dtype)
        super().update_state(tf.cast(y_true, self.dtype), y_pred, sample_weight)

    def result(self) -> Any:
        return tf.sqrt(super().result())


@registry.register("metric")
class MeanAbsoluteError(_FunctionMean):
    """The mean of `|p - y|`.

    Example:
        >>> MeanAbsoluteError()([[0.], [0.]], [[1.], [3.]]).numpy().item()
        2.0
    """

    function = staticmethod(losses.mean_absolute_error)


@registry.register("metric")
class MeanAbsolutePercentageError(_FunctionMean):
    """The mean of `100 |y - p| / max(|y|, eps)`.

    Example:
        >>> MeanAbsolutePercentageError()([[1.], [1.]], [[1.], [3.]]).numpy().item()
        100.0
    """

    function = staticmethod(losses.mean_absolute_percentage_error)


@registry.register("metric")
class MeanSquaredLogarithmicError(_FunctionMean):
    """The mean of `(log(1 + p) - log(1 + y))^2`.

    Example:
        >>> MeanSquaredLogarithmicError()([[1.]], [[1.]]).numpy().item()
        0.0
    """

    function = staticmethod(losses.mean_squared_logarithmic_error)


@registry.register("metric")
class LogCoshError(_FunctionMean):
    """The mean of `log(cosh(p - y))`.

    Args:
        name: name in logs.
        dtype: of the state.

    Example:
        >>> LogCoshError()([[1.]], [[1.]]).numpy().item()
        0.0
    """

    function = staticmethod(losses.logcosh)

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@operation
def _relative_error(y_true: Any, y_pred: Any, normalizer: Any) -> Any:
    y_pred = tf.convert_to_tensor(y_pred)
    error = tf.abs(y_pred - tf.cast(y_true, y_pred.dtype))
    return tf.math.divide_no_nan(error, tf.cast(normalizer, y_pred.dtype))


@registry.register("metric")
class MeanRelativeError(_FunctionMean):
    """The mean of `|p - y| / normalizer`, 0 where the normalizer is 0.

    Args:
        normalizer: what errors are measured by, of the shape of the predictions.
        name: name in logs.
        dtype: of the state.

    Example:
        >>> MeanRelativeError(normalizer=[1., 4.])([1., 2.], tf.constant([3., 4.])).numpy().item()
        1.25
    """

    function = staticmethod(_relative_error)
    arguments = ("normalizer",)

    def __init__(self, normalizer: Any, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.normalizer = normalizer


@operation
def _similarity(y_true: Any, y_pred: Any, axis: int) -> Any:
    return -losses.cosine_proximity(y_true, y_pred, axis)


@registry.register("metric")
class CosineSimilarity(_FunctionMean):
    """The mean of `sum (y / |y|) (p / |p|)`: 1 for the same direction, -1 for opposite ones.

    The loss of the same name has the opposite sign.

    Args:
        name: name in logs.
        dtype: of the state.
        axis: the axis of the vectors.

    Example:
        >>> CosineSimilarity()([[0., 2.]], [[0., 1.]]).numpy().item()
        1.0
    """

    function = staticmethod(_similarity)
    arguments = ("axis",)

    def __init__(
        self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1
    ) -> None:
        super().__init__(name, dtype)
        self.axis = axis


@registry.register("metric")
class Hinge(_FunctionMean):
    """The mean of `max(1 - y p, 0)`.

    Example:
        >>> Hinge()([[1.], [-1.]], [[1.], [1.]]).numpy().item()
        1.0
    """

    function = staticmethod(losses.hinge)


@registry.register("metric")
class SquaredHinge(_FunctionMean):
    """The mean of `max(1 - y p, 0)^2`.

    Example:
        >>> SquaredHinge()([[1.], [-1.]], [[1.], [1.]]).numpy().item()
        2.0
    """

    function = staticmethod(losses.squared_hinge)


@registry.register("metric")
class CategoricalHinge(_FunctionMean):
    """The mean of `max(0, 1 + max((1 - y) p) - sum y p)`.

    Example:
        >>> CategoricalHinge()([[0., 1.]], [[1., 0.]]).numpy().item()
        2.0
    """

    function = staticmethod(losses.categorical_hinge)


@registry.register("metric")
class Poisson(_FunctionMean):
    """The mean of `p - y log(p + eps)`.

    Example:
        >>> Poisson()([[0.], [0.]], [[1.], [3.]]).numpy().item()
        2.0
    """

    function = staticmethod(losses.poisson)


@registry.register("metric")
class KLDivergence(_FunctionMean):
    """The mean of `sum y log(y / p)`.

    Args:
        name: name in logs.
        dtype: of the state.

    Example:
        >>> KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]]).numpy().item()
        0.0
    """

    function = staticmethod(losses.kullback_leibler_divergence)

    def __init__(self, name: str | None = "kullback_leibler_divergence", dtype: Any = None) -> None:
        super().__init__(name, dtype)


# ---------------------------------------------------------------- cross-entropies


@registry.register("metric")
class BinaryCrossentropy(_FunctionMean):
    """The mean of the loss `binary_crossentropy`.

    Args:
        name: name in logs.
        dtype: of the state.
        from_logits: whether predictions are logits.
        label_smoothing: how far targets are drawn towards 1/2.

    Example:
        >>> print(BinaryCrossentropy()([[1.]], [[0.5]]).numpy().round(4))
        0.6931
    """

    function = staticmethod(losses.binary_crossentropy)
    arguments = ("from_logits", "label_smoothing")

    def __init__(
        self,
        name: str | None = None,
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(name, dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


@registry.register("metric")
class CategoricalCrossentropy(_FunctionMean):
    """The mean of the loss `categorical_crossentropy`.

    Args:
        name: name in logs.
        dtype: of the state.
        from_logits: whether predictions are logits.
        label_smoothing: how far targets are drawn towards equal probabilities.
        axis: the axis of the classes.

    Example:
        >>> print(CategoricalCrossentropy()([[0., 1.]], [[0.5, 0.5]]).numpy().round(4))
        0.6931
    """

    function = staticmethod(losses.categorical_crossentropy)
    arguments = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        name: str | None = None,
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
    ) -> None:
        super().__init__(name, dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


@registry.register("metric")
class SparseCategoricalCrossentropy(_FunctionMean):
    """The mean of the loss `sparse_categorical_crossentropy`.

    Args:
        name: name in logs.
        dtype: of the state.
        from_logits: whether predictions are logits.
        axis: the axis of the classes.

    Example:
        >>> print(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]).numpy().round(4))
        0.6931
    """

    function = staticmethod(losses.sparse_categorical_crossentropy)
    arguments = ("from_logits", "axis")

    def __init__(
        self,
        name: str | None = None,
        dtype: Any = None,
        from_logits: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(name, dtype)
        self.from_logits = from_logits
        self.axis = axis
