"""Intersection over union, for segmentation."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from nbkeras.core import registry
from nbkeras.core.metrics.base import Metric

__all__ = ["MeanIoU"]


@registry.register("metric")
class MeanIoU(Metric):
    """The mean over classes of `tp / (tp + fp + fn)`; classes that never occur do not count.

    Args:
        num_classes: number of the classes.
        name: name in logs.
        dtype: of the state.

    Example:
        >>> print(MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1]).numpy().round(4))
        0.3333
    """

    def __init__(self, num_classes: int, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.num_classes = num_classes
        self.total_cm = self.add_weight("total_confusion_matrix", (num_classes, num_classes))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account.

        Args:
            y_true: class numbers, of any shape.
            y_pred: predicted class numbers, of the same shape.
            sample_weight: weights of that shape.
        """
        size = tf.constant(self.num_classes, tf.int64)
        y_true = tf.reshape(tf.cast(y_true, tf.int64), [-1])
        y_pred = tf.reshape(tf.cast(y_pred, tf.int64), [-1])
        message = f"MeanIoU(num_classes={self.num_classes}) was given a class number above."
        for classes in (y_true, y_pred):
            tf.debugging.assert_less(classes, size, message=message)
        weights = tf.ones_like(y_true, self.dtype)
        if sample_weight is not None:
            weights *= tf.reshape(tf.cast(sample_weight, self.dtype), [-1])
        cells = tf.math.unsorted_segment_sum(weights, y_true * size + y_pred, self.num_classes**2)
        self.total_cm.assign_add(tf.reshape(cells, (self.num_classes, self.num_classes)))

    def result(self) -> Any:
        matrix = tf.identity(self.total_cm)
        hits = tf.linalg.diag_part(matrix)
        union = tf.reduce_sum(matrix, 0) + tf.reduce_sum(matrix, 1) - hits
        occur = tf.reduce_sum(tf.cast(union != 0, self.dtype))
        return tf.math.divide_no_nan(tf.reduce_sum(tf.math.divide_no_nan(hits, union)), occur)
