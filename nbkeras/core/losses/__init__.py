"""Losses (Keras 2 manual, chapter 7; `Loss` objects as in Keras 2.3).

A loss function returns one number for each sample; a `Loss` object also weights and
averages them. Any function `f(y_true, y_pred)` may stand where the name of a loss is
expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbkeras.core import registry
from nbkeras.core.losses.base import Loss, Reduction
from nbkeras.core.losses.functions import (
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    cosine_proximity,
    hinge,
    huber,
    kullback_leibler_divergence,
    logcosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from nbkeras.core.losses.objects import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)

__all__ = [
    "BCE",
    "KLD",
    "MAE",
    "MAPE",
    "MSE",
    "MSLE",
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "Reduction",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "bce",
    "binary_crossentropy",
    "categorical_crossentropy",
    "categorical_hinge",
    "cosine",
    "cosine_proximity",
    "cosine_similarity",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "huber_loss",
    "kl_divergence",
    "kld",
    "kullback_leibler_divergence",
    "log_cosh",
    "logcosh",
    "mae",
    "mape",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse",
    "msle",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]

mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
kld = KLD = kl_divergence = kullback_leibler_divergence
bce = BCE = binary_crossentropy
cosine = cosine_similarity = cosine_proximity
huber_loss = huber
log_cosh = logcosh


def get(identifier: Any) -> Any:
    """The loss that a name, function or configuration stands for; `None` for `None`.

    Raises:
        ConfigError: a `ValueError` that shows the closest name.

    Example:
        >>> get('mse') is mean_squared_error
        True
    """
    return registry.get("loss", identifier)


def serialize(loss: Any) -> Any:
    """The name or the configuration of a loss.

    Example:
        >>> serialize(mse)
        'mean_squared_error'
    """
    return registry.serialize(loss)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The loss that `serialize` wrote down.

    Example:
        >>> deserialize('mean_squared_error') is mse
        True
    """
    return registry.deserialize("loss", config, custom_objects)
