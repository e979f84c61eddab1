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
    "EDGE",
    "Counts",
    "FalseNegatives",
    "FalsePositives",
    "Precision",
    "Recall",
    "TrueNegatives",
    "TruePositives",
    "check_thresholds",
    "count",
    "evenly",
]

Thresholds = float | Sequence[float] | None

# Just outside of [0, 1]: with these thresholds everything is positive, and nothing is.
EDGE = 1e-7


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


def evenly(number: int) -> list[float]:
    """Thresholds from just below 0 to just above 1."""
    inner = [i / (number - 1) for i in range(1, number - 1)]
    return [-EDGE, *inner, 1.0 + EDGE]


def check_thresholds(thresholds: Any, name: str) -> list[float]:
    numbers = [thresholds] if isinstance(thresholds, (int, float)) else list(thresholds)
    if not numbers or any(t is None or not 0 <= t <= 1 for t in numbers):
        raise ValueError(
            f"thresholds are numbers between 0 and 1, as in {name}(thresholds=0.5); "
            f"got {thresholds!r}."
        )
    return [float(t) for t in numbers]


class Counts(Metric):
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


class _Count(Counts):
    """One of the four."""

    def __init__(
        self, thresholds: Thresholds = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(name, dtype)
        self.thresholds = thresholds
        self._prepare(
            check_thresholds(0.5 if thresholds is None else thresholds, type(self).__name__)
        )

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


class _Ratio(Counts):
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
            self._prepare(check_thresholds(thresholds, type(self).__name__))
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
