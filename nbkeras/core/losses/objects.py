"""Loss objects (Keras 2.3): a loss function with its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nbkeras.core import registry
from nbkeras.core.losses import functions
from nbkeras.core.losses.base import Loss, Reduction

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
]


class _FunctionLoss(Loss):
    """A loss object around a loss function: `function` and which arguments it is given."""

    function: Callable[..., Any]
    arguments: tuple[str, ...] = ()

    def call(self, y_true: Any, y_pred: Any) -> Any:
        options = {name: getattr(self, name) for name in self.arguments}
        return type(self).function(y_true, y_pred, **options)

    @classmethod
    def from_config(cls, config: Any) -> Any:
        if isinstance(config, Mapping):  # tf_keras also writes these
            config = {k: v for k, v in config.items() if k != "fn"}
            if config.get("ignore_class", 0) is None:
                del config["ignore_class"]
        return super().from_config(config)


@registry.register("loss")
class MeanSquaredError(_FunctionLoss):
    """`mean_squared_error`, weighted and averaged.

    Example:
        >>> MeanSquaredError()([[0.], [0.]], [[1.], [3.]]).numpy().item()
        5.0
    """

    function = staticmethod(functions.mean_squared_error)


@registry.register("loss")
class MeanAbsoluteError(_FunctionLoss):
    """`mean_absolute_error`, weighted and averaged.

    Example:
        >>> MeanAbsoluteError()([[0.], [0.]], [[1.], [3.]]).numpy().item()
        2.0
    """

    function = staticmethod(functions.mean_absolute_error)


@registry.register("loss")
class MeanAbsolutePercentageError(_FunctionLoss):
    """`mean_absolute_percentage_error`, weighted and averaged.

    Example:
        >>> MeanAbsolutePercentageError()([[1.], [1.]], [[1.], [3.]]).numpy().item()
        100.0
    """

    function = staticmethod(functions.mean_absolute_percentage_error)


@registry.register("loss")
class MeanSquaredLogarithmicError(_FunctionLoss):
    """`mean_squared_logarithmic_error`, weighted and averaged.

    Example:
        >>> MeanSquaredLogarithmicError()([[1.], [1.]], [[1.], [1.]]).numpy().item()
        0.0
    """

    function = staticmethod(functions.mean_squared_logarithmic_error)


@registry.register("loss")
class LogCosh(_FunctionLoss):
    """`logcosh`, weighted and averaged.

    Example:
        >>> LogCosh()([[1.], [1.]], [[1.], [1.]]).numpy().item()
        0.0
    """

    function = staticmethod(functions.logcosh)


@registry.register("loss")
class Poisson(_FunctionLoss):
    """`poisson`, weighted and averaged.

    Example:
        >>> Poisson()([[0.], [0.]], [[1.], [3.]]).numpy().item()
        2.0
    """

    function = staticmethod(functions.poisson)


@registry.register("loss")
class Hinge(_FunctionLoss):
    """`hinge`, weighted and averaged.

    Example:
        >>> Hinge()([[1.], [-1.]], [[1.], [1.]]).numpy().item()
        1.0
    """

    function = staticmethod(functions.hinge)


@registry.register("loss")
class SquaredHinge(_FunctionLoss):
    """`squared_hinge`, weighted and averaged.

    Example:
        >>> SquaredHinge()([[1.], [-1.]], [[1.], [1.]]).numpy().item()
        2.0
    """

    function = staticmethod(functions.squared_hinge)


@registry.register("loss")
class CategoricalHinge(_FunctionLoss):
    """`categorical_hinge`, weighted and averaged.

    Example:
        >>> CategoricalHinge()([[0., 1.]], [[1., 0.]]).numpy().item()
        2.0
    """

    function = staticmethod(functions.categorical_hinge)


@registry.register("loss")
class KLDivergence(_FunctionLoss):
    """`kullback_leibler_divergence`, weighted and averaged.

    Example:
        >>> KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]]).numpy().item()
        0.0
    """

    function = staticmethod(functions.kullback_leibler_divergence)


@registry.register("loss")
class Huber(_FunctionLoss):
    """`huber`, weighted and averaged.

    Args:
        delta: where the squares end and the straight lines begin.
        reduction: one of `Reduction`.
        name: a name for logs.

    Example:
        >>> Huber(delta=2.)([[0.]], [[1.]]).numpy().item()
        0.5
    """

    function = staticmethod(functions.huber)
    arguments = ("delta",)

    def __init__(
        self, delta: float = 1.0, reduction: str = Reduction.AUTO, name: str | None = None
    ) -> None:
        super().__init__(reduction, name)
        self.delta = delta


@registry.register("loss")
class CosineSimilarity(_FunctionLoss):
    """`cosine_proximity`, weighted and averaged; -1 is best.

    Args:
        axis: the axis of the vectors.
        reduction: one of `Reduction`.
        name: a name for logs.

    Example:
        >>> CosineSimilarity()([[0., 2.]], [[0., 1.]]).numpy().item()
        -1.0
    """

    function = staticmethod(functions.cosine_proximity)
    arguments = ("axis",)

    def __init__(
        self, axis: int = -1, reduction: str = Reduction.AUTO, name: str | None = None
    ) -> None:
        super().__init__(reduction, name)
        self.axis = axis


@registry.register("loss")
class BinaryCrossentropy(_FunctionLoss):
    """`binary_crossentropy`, weighted and averaged.

    Args:
        from_logits: whether predictions are logits.
        label_smoothing: how far targets are drawn towards 1/2.
        reduction: one of `Reduction`.
        name: a name for logs.
        axis: the axis of the mean.

    Example:
        >>> print(BinaryCrossentropy(from_logits=True)([[1.]], [[0.]]).numpy().round(4))
        0.6931
    """

    function = staticmethod(functions.binary_crossentropy)
    arguments = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: str = Reduction.AUTO,
        name: str | None = None,
        *,
        axis: int = -1,
    ) -> None:
        super().__init__(reduction, name)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


@registry.register("loss")
class CategoricalCrossentropy(_FunctionLoss):
    """`categorical_crossentropy`, weighted and averaged.

    Args:
        from_logits: whether predictions are logits.
        label_smoothing: how far targets are drawn towards equal probabilities.
        reduction: one of `Reduction`.
        name: a name for logs.
        axis: the axis of the classes.

    Example:
        >>> CategoricalCrossentropy(from_logits=True)([[0., 1.]], [[0., 0.]]).numpy().item()
        0.693...
    """

    function = staticmethod(functions.categorical_crossentropy)
    arguments = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: str = Reduction.AUTO,
        name: str | None = None,
        *,
        axis: int = -1,
    ) -> None:
        super().__init__(reduction, name)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


@registry.register("loss")
class SparseCategoricalCrossentropy(_FunctionLoss):
    """`sparse_categorical_crossentropy`, weighted and averaged.

    Args:
        from_logits: whether predictions are logits.
        reduction: one of `Reduction`.
        name: a name for logs.

    Example:
        >>> SparseCategoricalCrossentropy(from_logits=True)([1], [[0., 0.]]).numpy().item()
        0.693...
    """

    function = staticmethod(functions.sparse_categorical_crossentropy)
    arguments = ("from_logits",)

    def __init__(
        self,
        from_logits: bool = False,
        reduction: str = Reduction.AUTO,
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, name)
        self.from_logits = from_logits
