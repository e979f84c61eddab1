"""Area under the curve of binary decisions at all thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from nbkeras.core import registry
from nbkeras.core.metrics.confusion import EDGE, Counts, check_thresholds, count, evenly

__all__ = ["AUC"]


@registry.register("metric")
class AUC(Counts):
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
            self.thresholds = sorted(check_thresholds(thresholds, "AUC"))
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
            self._prepare(evenly(self.num_thresholds), shape)
        else:
            self._prepare([-EDGE, *self.thresholds, 1.0 + EDGE], shape)
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
