"""Metrics of binary decisions: how many positives and negatives are true and false.

A prediction above a threshold is a decision for 1. Predictions are sorted into the
intervals between thresholds once; the counts at all thresholds are sums over intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nbkeras.core import registry
from nbkeras.core.metrics.base import Metric

__all__ = [
    "AUC",
    "FalseNegatives",
    "FalsePositives",
    "Precision",
    "PrecisionAtRecall",
    "Recall",
    "RecallAtPrecision",
    "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
    "TrueNegatives",
    "TruePositives",
]

Thresholds = float | Sequence[float] | None

# Just outside of [0, 1]: with these thresholds everything is positive, and nothing is.
_EDGE = 1e-7


# ---------------------------------------------------------------- counting


def count(
    y_true: Any, y_pred: Any, thresholds: Sequence[float], sample_weight: Any, dtype: str
) -> dict[str, Any]:
    """Weights of true and false positives and negatives at each threshold.

    Args:
        y_true: targets 0 and 1, of any shape.
        y_pred: predictions of the same shape.
        thresholds: numbers in ascending order.
        sample_weight: weights; axes at the end may be missing.
        dtype: of the result.

    Returns:
        `tp`, `fp`, `tn`, `fn`, each `(thresholds,)`.
    """
    y_pred = tf.cast(y_pred, dtype)
    shape = tf.shape(y_pred)
    weights = tf.ones(shape, dtype)
    if sample_weight is not None:
        weights = tf.cast(sample_weight, dtype)
        while weights.shape.rank > y_pred.shape.rank and weights.shape[-1] == 1:
            weights = tf.squeeze(weights, -1)
        while 0 < weights.shape.rank < y_pred.shape.rank:
            weights = weights[..., None]
        weights = tf.broadcast_to(weights, shape)
    y_pred, weights = tf.reshape(y_pred, [-1]), tf.reshape(weights, [-1])
    positive = tf.reshape(tf.cast(tf.cast(y_true, tf.bool), dtype), [-1]) * weights
    negative = weights - positive

    # Interval i lies above exactly i thresholds.
    interval = tf.searchsorted(tf.constant(thresholds, dtype), y_pred)
    intervals = len(thresholds) + 1

    def above(weight: Any) -> Any:
        sums = tf.math.unsorted_segment_sum(weight, interval, intervals)
        return tf.cumsum(sums, reverse=True)[1:]

    tp, fp = above(positive), above(negative)
    return {
        "tp": tp,
        "fp": fp,
        "fn": tf.reduce_sum(positive) - tp,
        "tn": tf.reduce_sum(negative) - fp,
    }


def keep_top_k(y_pred: Any, k: int) -> Any:
    """Predictions with all but the `k` largest of the last axis at minus infinity."""
    smallest = tf.math.top_k(y_pred, k).values[..., -1:]
    return tf.where(y_pred >= smallest, y_pred, tf.cast(float("-inf"), y_pred.dtype))


def _evenly(number: int) -> list[float]:
    """Thresholds from just below 0 to just above 1."""
    inner = [i / (number - 1) for i in range(1, number - 1)]
    return [-_EDGE, *inner, 1.0 + _EDGE]


def _checked(thresholds: Any, name: str) -> list[float]:
    numbers = [thresholds] if isinstance(thresholds, (int, float)) else list(thresholds)
    if not numbers or any(t is None or not 0 <= t <= 1 for t in numbers):
        raise ValueError(
            f"thresholds are numbers between 0 and 1, as in {name}(thresholds=0.5); "
            f"got {thresholds!r}."
        )
    return [float(t) for t in numbers]


class _Counts(Metric):
    """Keeps some of the four counts, each a vector with one number for each threshold."""

    kept: tuple[str, ...] = ()

    def _prepare(self, thresholds: Sequence[float], shape: Sequence[int] = ()) -> None:
        """Creates the counts; `count` wants thresholds sorted, the user his own order."""
        order = np.argsort(thresholds, kind="stable")
        self._sorted = [thresholds[i] for i in order]
        self._places = np.argsort(order, kind="stable").tolist()
        self._counts = {
            name: self.add_weight(_FULL_NAMES[name], (len(thresholds), *shape))
            for name in self.kept
        }

    def _add(self, counts: dict[str, Any]) -> None:
        for name, variable in self._counts.items():
            variable.assign_add(tf.gather(counts[name], self._places))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account."""
        self._add(count(y_true, y_pred, self._sorted, sample_weight, self.dtype))

    def _read(self, name: str) -> Any:
        return tf.identity(self._counts[name])


_FULL_NAMES = {
    "tp": "true_positives",
    "fp": "false_positives",
    "tn": "true_negatives",
    "fn": "false_negatives",
}


def _scalar(values: Any) -> Any:
    """One threshold gives a number, several a vector."""
    return values[0] if values.shape[0] == 1 else values


# ---------------------------------------------------------------- the four counts


class _Count(_Counts):
    """One of the four."""

    def __init__(
        self, thresholds: Thresholds = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(name, dtype)
        self.thresholds = thresholds
        self._prepare(_checked(0.5 if thresholds is None else thresholds, type(self).__name__))

    def result(self) -> Any:
        return _scalar(self._read(self.kept[0]))


@registry.register("metric")
class TruePositives(_Count):
    """How many predictions above the threshold have target 1.

    Args:
        thresholds: a number between 0 and 1, 0.5 if `None`; or several, for a vector.
        name: name in logs.
        dtype: of the state.

    Example:
        >>> TruePositives()([0, 1, 1, 1], [1, 0, 1, 1]).numpy().item()
        2.0
    """

    kept = ("tp",)


@registry.register("metric")
class FalsePositives(_Count):
    """How many predictions above the threshold have target 0.

    Args:
        thresholds: a number between 0 and 1, 0.5 if `None`; or several, for a vector.
        name: name in logs.
        dtype: of the state.

    Example:
        >>> FalsePositives()([0, 1, 0, 0], [0, 0, 1, 1]).numpy().item()
        2.0
    """

    kept = ("fp",)


@registry.register("metric")
class TrueNegatives(_Count):
    """How many predictions at or below the threshold have target 0.

    Args:
        thresholds: a number between 0 and 1, 0.5 if `None`; or several, for a vector.
        name: name in logs.
        dtype: of the state.

    Example:
        >>> TrueNegatives()([0, 1, 0, 0], [1, 1, 0, 0]).numpy().item()
        2.0
    """

    kept = ("tn",)


@registry.register("metric")
class FalseNegatives(_Count):
    """How many predictions at or below the threshold have target 1.

    Args:
        thresholds: a number between 0 and 1, 0.5 if `None`; or several, for a vector.
        name: name in logs.
        dtype: of the state.

    Example:
        >>> FalseNegatives()([0, 1, 1, 1], [0, 1, 0, 0]).numpy().item()
        2.0
    """

    kept = ("fn",)


# ---------------------------------------------------------------- precision and recall


class _Ratio(_Counts):
    """Precision or recall: `tp / (tp + other)`, perhaps of the top `k` or of one class."""

    def __init__(
        self,
        thresholds: Thresholds = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        self.thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        if thresholds is not None:
            self._prepare(_checked(thresholds, type(self).__name__))
        else:  # the top k are positive whatever their values
            self._prepare([0.5] if top_k is None else [-3.4e38])

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account."""
        y_true, y_pred = tf.convert_to_tensor(y_true), tf.cast(y_pred, self.dtype)
        if self.top_k is not None:
            y_pred = keep_top_k(y_pred, self.top_k)
        if self.class_id is not None:
            y_true, y_pred = y_true[..., self.class_id], y_pred[..., self.class_id]
        super().update_state(y_true, y_pred, sample_weight)

    def result(self) -> Any:
        tp, other = (self._read(name) for name in self.kept)
        return _scalar(tf.math.divide_no_nan(tp, tp + other))


@registry.register("metric")
class Precision(_Ratio):
    """Of the predictions above the threshold, the part with target 1: `tp / (tp + fp)`.

    Args:
        thresholds: a number between 0 and 1, or several; 0.5 if `None`, or everything where
            `top_k` is given.
        top_k: only the `k` largest predictions of a sample count as above.
        class_id: only this class counts.
        name: name in logs.
        dtype: of the state.

    Example:
        >>> print(Precision()([0, 1, 1, 1], [1, 0, 1, 1]).numpy().round(4))
        0.6667
    """

    kept = ("tp", "fp")


@registry.register("metric")
class Recall(_Ratio):
    """Of the targets 1, the part with predictions above the threshold: `tp / (tp + fn)`.

    Args:
        thresholds: a number between 0 and 1, or several; 0.5 if `None`, or everything where
            `top_k` is given.
        top_k: only the `k` largest predictions of a sample count as above.
        class_id: only this class counts.
        name: name in logs.
        dtype: of the state.

    Example:
        >>> print(Recall()([0, 1, 1, 1], [1, 0, 1, 1]).numpy().round(4))
        0.6667
    """

    kept = ("tp", "fn")


# ---------------------------------------------------------------- one rate at another


class _AtRate(_Counts):
    """The largest value of one rate over the thresholds at which another is large enough."""

    kept = ("tp", "tn", "fp", "fn")

    def __init__(self, rate: float, num_thresholds: int, name: str | None, dtype: Any) -> None:
        super().__init__(name, dtype)
        if not 0 <= rate <= 1:
            raise ValueError(
                f"{type(self).__name__} takes a rate between 0 and 1, as in "
                f"{type(self).__name__}(0.9); got {rate!r}."
            )
        if num_thresholds < 1:
            raise ValueError(f"num_thresholds is 1 or more; got {num_thresholds!r}.")
        self.num_thresholds = num_thresholds
        self._prepare([0.5] if num_thresholds == 1 else _evenly(num_thresholds))

    def _rate(self, part: str, rest: str) -> Any:
        part, rest = self._read(part), self._read(rest)
        return tf.math.divide_no_nan(part, part + rest)

    @staticmethod
    def _largest(of: Any, where: Any) -> Any:
        """The largest value where a condition holds, 0 where it never does."""
        return tf.reduce_max(tf.where(where, of, tf.zeros_like(of)))


@registry.register("metric")
class SensitivityAtSpecificity(_AtRate):
    """The largest `tp / (tp + fn)` at a `tn / (tn + fp)` of at least `specificity`.

    Args:
        specificity: between 0 and 1.
        num_thresholds: how many thresholds are tried.
        name: name in logs.
        dtype: of the state.

    Example:
        >>> SensitivityAtSpecificity(0.5)([0, 0, 1, 1], [0., 0.5, 0.3, 0.9]).numpy().item()
        1.0
    """

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, name, dtype)
        self.specificity = specificity

    def result(self) -> Any:
        return self._largest(self._rate("tp", "fn"), self._rate("tn", "fp") >= self.specificity)


@registry.register("metric")
class SpecificityAtSensitivity(_AtRate):
    """The largest `tn / (tn + fp)` at a `tp / (tp + fn)` of at least `sensitivity`.

    Args:
        sensitivity: between 0 and 1.
        num_thresholds: how many thresholds are tried.
        name: name in logs.
        dtype: of the state.

    Example:
        >>> SpecificityAtSensitivity(0.5)([0, 0, 1, 1], [0., 0.5, 0.3, 0.9]).numpy().item()
        1.0
    """

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, name, dtype)
        self.sensitivity = sensitivity

    def result(self) -> Any:
        return self._largest(self._rate("tn", "fp"), self._rate("tp", "fn") >= self.sensitivity)


@registry.register("metric")
class PrecisionAtRecall(_AtRate):
    """The largest precision at a recall of at least `recall`.

    Args:
        recall: between 0 and 1.
        num_thresholds: how many thresholds are tried.
        name: name in logs.
        dtype: of the state.

    Example:
        >>> PrecisionAtRecall(0.5)([0, 0, 1, 1], [0., 0.5, 0.3, 0.9]).numpy().item()
        1.0
    """

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, name, dtype)
        self.recall = recall

    def result(self) -> Any:
        return self._largest(self._rate("tp", "fp"), self._rate("tp", "fn") >= self.recall)


@registry.register("metric")
class RecallAtPrecision(_AtRate):
    """The largest recall at a precision of at least `precision`.

    Args:
        precision: between 0 and 1.
        num_thresholds: how many thresholds are tried.
        name: name in logs.
        dtype: of the state.

    Example:
        >>> RecallAtPrecision(0.8)([0, 0, 1, 1], [0., 0.5, 0.3, 0.9]).numpy().item()
        0.5
    """

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, name, dtype)
        self.precision = precision

    def result(self) -> Any:
        return self._largest(self._rate("tp", "fn"), self._rate("tp", "fp") >= self.precision)


# ---------------------------------------------------------------- area under a curve


@registry.register("metric")
class AUC(_Counts):
    """Area under the ROC or the precision-recall curve.

    Args:
        num_thresholds: how many thresholds the curve is drawn through.
        curve: `"ROC"` (true positive rate over false positive rate) or `"PR"` (precision
            over recall).
        summation_method: between two points of the curve: `"interpolation"` (a straight
            line; for `"PR"` the curve of Davis and Goadrich), `"minoring"` (the lower one)
            or `"majoring"` (the higher one).
        name: name in logs.
        dtype: of the state.
        thresholds: numbers between 0 and 1 in place of `num_thresholds` even ones.
        multi_label: whether `(samples, labels)` give an area for each label and then their
            mean.
        num_labels: number of the labels, where it should be known before the first batch.
        label_weights: weights of the labels in that mean.

    Example:
        >>> AUC(num_thresholds=3)([0, 0, 1, 1], [0., 0.5, 0.3, 0.9]).numpy().item()
        0.75

    Source: Davis and Goadrich 2006, "The Relationship Between Precision-Recall and ROC
    Curves".
    """

    kept = ("tp", "tn", "fp", "fn")

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__(name, dtype)
        self.curve = _choice("curve", curve, ("ROC", "PR"))
        methods = ("interpolation", "minoring", "majoring")
        self.summation_method = _choice("summation_method", summation_method, methods)
        self.thresholds: list[float] | None = None
        if thresholds is not None:
            self.thresholds = sorted(_checked(thresholds, "AUC"))
            num_thresholds = len(self.thresholds) + 2
        elif num_thresholds < 2:
            raise ValueError(f"num_thresholds is 2 or more; got {num_thresholds!r}.")
        self.num_thresholds = num_thresholds
        self.multi_label = bool(multi_label)
        self.label_weights = None if label_weights is None else [float(w) for w in label_weights]
        self.num_labels = num_labels
        if not self.multi_label:
            self._build(())
        elif num_labels is not None:
            self._build((num_labels,))

    def _build(self, shape: tuple[int, ...]) -> None:
        if self.thresholds is None:
            self._prepare(_evenly(self.num_thresholds), shape)
        else:
            self._prepare([-_EDGE, *self.thresholds, 1.0 + _EDGE], shape)
        if shape and self.label_weights is not None and len(self.label_weights) != shape[0]:
            raise ValueError(
                f"AUC was given {len(self.label_weights)} label_weights for {shape[0]} labels."
            )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account."""
        if not self.multi_label:
            super().update_state(y_true, y_pred, sample_weight)
            return
        y_true, y_pred = tf.convert_to_tensor(y_true), tf.convert_to_tensor(y_pred)
        if y_pred.shape.rank != 2:
            raise ValueError(
                "AUC(multi_label=True) expects targets and predictions of shape (samples, labels); "
                f"got shape {tuple(y_pred.shape)}."
            )
        if not self._weights:
            self._build((y_pred.shape[1],))
        columns = [
            count(y_true[:, i], y_pred[:, i], self._sorted, sample_weight, self.dtype)
            for i in range(y_pred.shape[1])
        ]
        self._add({n: tf.stack([c[n] for c in columns], axis=1) for n in self.kept})

    def result(self) -> Any:
        if not self._weights:
            return tf.zeros((), self.dtype)
        tp, tn, fp, fn = (self._read(name) for name in self.kept)
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = _pr_area(tp, fp, fn)
        else:
            recall = tf.math.divide_no_nan(tp, tp + fn)
            if self.curve == "ROC":
                x, y = tf.math.divide_no_nan(fp, fp + tn), recall
            else:
                x, y = recall, tf.math.divide_no_nan(tp, tp + fp)
            areas = tf.reduce_sum((x[:-1] - x[1:]) * self._heights(y), axis=0)
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return tf.reduce_mean(areas)
        weights = tf.constant(self.label_weights, self.dtype)
        return tf.math.divide_no_nan(tf.reduce_sum(areas * weights), tf.reduce_sum(weights))

    def _heights(self, y: Any) -> Any:
        if self.summation_method == "minoring":
            return tf.minimum(y[:-1], y[1:])
        if self.summation_method == "majoring":
            return tf.maximum(y[:-1], y[1:])
        return (y[:-1] + y[1:]) / 2


def _pr_area(tp: Any, fp: Any, fn: Any) -> Any:
    """Area under the precision-recall curve where `tp` grows linearly with `p = tp + fp`.

    Between points a and b of slope `s = (tp_b - tp_a) / (p_b - p_a)` and intercept
    `i = tp_a - s p_a`, the integral of `tp / p` over `tp` is
    `s (tp_b - tp_a + i log(p_b / p_a))`; divided by all positives it is one over recall.
    """
    p = tp + fp
    grown, p_grown = tp[:-1] - tp[1:], p[:-1] - p[1:]
    slope = tf.math.divide_no_nan(grown, tf.maximum(p_grown, 0))
    intercept = tp[1:] - slope * p[1:]
    both = tf.logical_and(p[:-1] > 0, p[1:] > 0)
    ratio = tf.where(both, tf.math.divide_no_nan(p[:-1], tf.maximum(p[1:], 0)), tf.ones_like(p[1:]))
    areas = slope * (grown + intercept * tf.math.log(ratio))
    return tf.reduce_sum(tf.math.divide_no_nan(areas, tf.maximum(tp[1:] + fn[1:], 0)), axis=0)


def _choice(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    spelled = {a.lower(): a for a in allowed}
    if not isinstance(value, str) or value.lower() not in spelled:
        raise ValueError(f"{name} is one of {', '.join(map(repr, allowed))}; got {value!r}.")
    return spelled[value.lower()]
