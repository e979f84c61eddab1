"""One rate of binary decisions at a given value of another."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from nbkeras.core import registry
from nbkeras.core.metrics.confusion import Counts, evenly

__all__ = [
    "PrecisionAtRecall",
    "RecallAtPrecision",
    "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
]


class _AtRate(Counts):
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
        self._prepare([0.5] if num_thresholds == 1 else evenly(num_thresholds))

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
