"""Activation functions (Keras 2 manual, chapter 10).

Each takes a tensor and returns one of the same shape and dtype; all but `softmax`
work on each element by itself. Any function of a tensor may stand where the name
of an activation is expected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core import registry
from nbkeras.core.backend.symbolic import operation

__all__ = [
    "deserialize",
    "elu",
    "exponential",
    "get",
    "hard_sigmoid",
    "linear",
    "relu",
    "selu",
    "serialize",
    "sigmoid",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
]

_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805

# Activations with weights or options of their own are layers in Keras.
_LAYERS = ("ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax", "ThresholdedReLU")


def _activation(function: Callable[..., Any]) -> Callable[..., Any]:
    return registry.register("activation", operation(function))


@_activation
def softmax(x: Any, axis: int = -1) -> Any:
    """Positive numbers that sum to one along an axis.

    `softmax(x)_i = exp(x_i) / sum_j exp(x_j)`, computed after subtracting the maximum.

    Args:
        x: tensor of two or more dimensions.
        axis: the axis along which the sum is one.

    Raises:
        ValueError: if `x` has fewer than two dimensions.

    Example:
        >>> softmax(tf.constant([[0., 0., 0., 0.]])).numpy().tolist()
        [[0.25, 0.25, 0.25, 0.25]]
    """
    x = tf.convert_to_tensor(x)
    if x.shape.rank is not None and x.shape.rank < 2:
        raise ValueError(
            f"softmax expects a tensor of at least 2 dimensions, such as (samples, classes); "
            f"got shape {tuple(x.shape)}. For one sample write softmax(K.expand_dims(x, 0))."
        )
    return K.softmax(x, axis)


@_activation
def elu(x: Any, alpha: float = 1.0) -> Any:
    """Exponential linear unit: `x` where `x > 0`, else `alpha * (exp(x) - 1)`.

    Example:
        >>> elu(tf.constant([-100., 0., 2.]), alpha=0.5).numpy().tolist()
        [-0.5, 0.0, 2.0]

    Source: Clevert et al. 2015, arXiv:1511.07289.
    """
    return K.elu(x, alpha)


@_activation
def selu(x: Any) -> Any:
    """Scaled exponential linear unit: `scale * elu(x, alpha)`.

    `alpha = 1.6733` and `scale = 1.0507` keep mean 0 and variance 1 from layer to
    layer; use it with `lecun_normal` weights and `AlphaDropout`.

    Example:
        >>> print(selu(tf.constant([0., 1.])).numpy().round(4))
        [0.     1.0507]

    Source: Klambauer et al. 2017, arXiv:1706.02515.
    """
    return _SELU_SCALE * K.elu(x, _SELU_ALPHA)


@_activation
def softplus(x: Any) -> Any:
    """`log(1 + exp(x))`.

    Example:
        >>> print(softplus(tf.constant([0., 100.])).numpy().round(4))
        [  0.6931 100.    ]
    """
    return K.softplus(x)


@_activation
def softsign(x: Any) -> Any:
    """`x / (1 + |x|)`.

    Example:
        >>> softsign(tf.constant([-1., 0., 3.])).numpy().tolist()
        [-0.5, 0.0, 0.75]
    """
    return K.softsign(x)


@_activation
def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """Rectified linear unit.

    `max_value` where `x >= max_value`; `x` where `threshold <= x < max_value`; else
    `alpha * (x - threshold)`.

    Args:
        x: tensor.
        alpha: slope below the threshold.
        max_value: largest value returned, or `None`.
        threshold: where the unit begins to answer.

    Example:
        >>> relu(tf.constant([-2., 1., 9.]), alpha=0.5, max_value=6).numpy().tolist()
        [-1.0, 1.0, 6.0]
    """
    return K.relu(x, alpha, max_value, threshold)


@_activation
def tanh(x: Any) -> Any:
    """Hyperbolic tangent.

    Example:
        >>> tanh(tf.constant([0., 20.])).numpy().tolist()
        [0.0, 1.0]
    """
    return K.tanh(x)


@_activation
def sigmoid(x: Any) -> Any:
    """`1 / (1 + exp(-x))`.

    Example:
        >>> print(sigmoid(tf.constant([0., 20.])).numpy().round(4))
        [0.5 1. ]
    """
    return K.sigmoid(x)


@_activation
def hard_sigmoid(x: Any) -> Any:
    """Straight line in place of the sigmoid: `clip(0.2 * x + 0.5, 0, 1)`.

    Example:
        >>> hard_sigmoid(tf.constant([-9., 0., 9.])).numpy().tolist()
        [0.0, 0.5, 1.0]
    """
    return K.hard_sigmoid(x)


@_activation
def exponential(x: Any) -> Any:
    """`exp(x)`.

    Example:
        >>> exponential(tf.constant([0.])).numpy().tolist()
        [1.0]
    """
    return K.exp(x)


@_activation
def linear(x: Any) -> Any:
    """The tensor itself.

    Example:
        >>> linear(7)
        7
    """
    return x


def get(identifier: Any) -> Callable[..., Any]:
    """The activation that a name, a function or a configuration stands for; `None` is `linear`.

    Raises:
        ConfigError: a `ValueError` that shows the closest name or the corrected call.

    Example:
        >>> get('relu') is relu, get(None) is linear
        (True, True)
    """
    if identifier is None:
        return linear
    try:
        return registry.get("activation", identifier)
    except registry.ConfigError as error:
        layer = _layer_meant(identifier)
        if layer is None:
            raise
        raise registry.ConfigError(
            f"{layer} is a layer, not an activation function. Write it as the layer that "
            f"follows: Dense(64), then {layer}()."
        ) from error


def _layer_meant(identifier: Any) -> str | None:
    if isinstance(identifier, Mapping):
        identifier = identifier.get("class_name")
    if not isinstance(identifier, str):
        return None
    spelled = {name.lower(): name for name in _LAYERS}
    return spelled.get(identifier.replace("_", "").lower())


def serialize(activation: Any) -> Any:
    """The name (or the configuration) under which an activation is saved.

    Example:
        >>> serialize(tanh)
        'tanh'
    """
    return registry.serialize(activation)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The activation that `serialize` wrote down.

    Example:
        >>> deserialize('tanh') is tanh
        True
    """
    return registry.deserialize("activation", config, custom_objects)
