"""What all loss objects share (Keras 2.3): weights and reductions."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from nbkeras.core import registry
from nbkeras.core.backend.symbolic import operation

__all__ = ["Loss", "Reduction", "reduce_loss", "same_rank", "weighted"]


class Reduction:
    """How a `Loss` turns one number for each sample into what it returns.

    `NONE` leaves them, `SUM` adds them up, `SUM_OVER_BATCH_SIZE` divides their sum by
    their number; `AUTO` is the latter.

    Example:
        >>> Reduction.SUM
        'sum'
    """

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """All of them."""
        return (cls.AUTO, cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE)

    @classmethod
    def validate(cls, key: Any) -> str:
        """The reduction, if it is one.

        Raises:
            ValueError: otherwise.
        """
        if key is None:
            return cls.NONE
        if key not in cls.all():
            raise ValueError(f"reduction is one of {', '.join(map(repr, cls.all()))}; got {key!r}.")
        return key


@registry.base("loss")
class Loss(registry.Configurable):
    """A loss that weights and averages: override `call(y_true, y_pred)`.

    Args:
        reduction: one of `Reduction`.
        name: a name for logs; by default the class's in lower case.

    Example:
        >>> class Largest(Loss):
        ...     def call(self, y_true, y_pred):
        ...         return tf.reduce_max(tf.abs(y_true - y_pred), axis=-1)
        >>> Largest()([[0., 0.], [0., 0.]], tf.constant([[1., 2.], [3., 4.]])).numpy().item()
        3.0
    """

    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = None) -> None:
        self.reduction = Reduction.validate(reduction)
        self.name = name if name is not None else _snake(type(self).__name__)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One number for each sample; `y_true` and `y_pred` of the same number of dimensions."""
        raise NotImplementedError(
            f"{type(self).__name__} does not say what it computes. Write "
            "`def call(self, y_true, y_pred): return K.mean(K.square(y_pred - y_true), axis=-1)`."
        )

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss.

        Args:
            y_true: targets.
            y_pred: predictions.
            sample_weight: factors of the samples' losses: a number, or a tensor `(samples,)`
                or of the shape of the losses.
        """
        return reduce_loss(self.values(y_true, y_pred), sample_weight, self.reduction)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """One number for each sample, before weights and reduction."""
        return self.call(*same_rank(y_true, y_pred))


@operation
def same_rank(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets `(n,)` beside predictions `(n, 1)` get the missing axis, and the other way round.

    Left alone, they would broadcast to `(n, n)`.
    """
    y_true, y_pred = tf.convert_to_tensor(y_true), tf.convert_to_tensor(y_pred)
    if None in (y_true.shape.rank, y_pred.shape.rank):
        return y_true, y_pred
    if y_pred.shape.rank == y_true.shape.rank + 1 and y_pred.shape[-1] == 1:
        y_true = tf.expand_dims(y_true, -1)
    elif y_true.shape.rank == y_pred.shape.rank + 1 and y_true.shape[-1] == 1:
        y_pred = tf.expand_dims(y_pred, -1)
    return y_true, y_pred


@operation
def reduce_loss(values: Any, sample_weight: Any = None, reduction: str = Reduction.AUTO) -> Any:
    """Losses times weights, reduced.

    `sum_over_batch_size` divides by the number of losses, not by the sum of the weights.
    """
    values = tf.convert_to_tensor(values)
    if sample_weight is not None:
        values = weighted(values, sample_weight)
    if reduction == Reduction.NONE:
        return values
    if reduction == Reduction.SUM:
        return tf.reduce_sum(values)
    # Of no losses the mean is 0, not 0 / 0.
    return tf.math.divide_no_nan(tf.reduce_sum(values), tf.cast(tf.size(values), values.dtype))


def weighted(values: Any, sample_weight: Any) -> Any:
    """Values times weights, where weights may lack the last axes or have a last axis of size 1."""
    weights = tf.cast(sample_weight, values.dtype)
    rank, weight_rank = values.shape.rank, weights.shape.rank
    if rank is None or weight_rank is None or weight_rank == 0:
        return values * weights
    if weight_rank == rank + 1 and weights.shape[-1] == 1:
        weights = tf.squeeze(weights, -1)
    elif weight_rank > rank:
        raise ValueError(
            f"Expected sample weights of shape {tuple(values.shape)} or (samples,); "
            f"got shape {tuple(weights.shape)}."
        )
    for _ in range(rank - weight_rank):
        weights = tf.expand_dims(weights, -1)
    return values * weights


def _snake(name: str) -> str:
    """`MeanSquaredError` as `mean_squared_error`; a run of capitals stays together."""
    out = ""
    for i, letter in enumerate(name):
        if letter.isupper() and i and (name[i - 1].islower() or name[i + 1 : i + 2].islower()):
            out += "_"
        out += letter.lower()
    return out
