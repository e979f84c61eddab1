"""The dense layer, and activations (Keras 2 manual, chapter 5.2)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ... import backend as K
from ... import registry, regularizers
from ...engine.layer import InputSpec, Layer
from ..arguments import check_count, keep

__all__ = ["Activation", "ActivityRegularization", "Dense"]


@registry.register("layer")
class Dense(Layer):
    r"""A fully connected layer, :math:`y = f(x W + b)`.

    Args:
        units: size of the output.
        activation: the function :math:`f`; none by default.
        use_bias: whether there is a :math:`b`.
        kernel_initializer: how :math:`W` starts.
        bias_initializer: how :math:`b` starts.
        kernel_regularizer: penalty on :math:`W`.
        bias_regularizer: penalty on :math:`b`.
        activity_regularizer: penalty on the output.
        kernel_constraint: constraint on :math:`W`.
        bias_constraint: constraint on :math:`b`.

    Shapes: ``(..., inputs)`` to ``(..., units)``.

    Raises:
        ValueError: the number of units is none, or the size of the last axis is not known.

    >>> from nbkeras.core.layers import Input
    >>> Dense(32, activation="relu")(Input(shape=(16,))).shape
    TensorShape([None, 32])

    Source: Keras 2 manual, chapter 5.2.
    """

    supports_masking = True
    declares_output = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        keep(self, locals())
        self.units = check_count(self, "units", units)
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        if input_shape[-1] is None:
            raise ValueError(
                f"Layer {self.name!r} (Dense) needs to know the size of its input's last axis; got "
                f"shape {tuple(input_shape)}. Give the first layer an input_shape whose sizes are "
                "numbers; Flatten() and Reshape() need them too."
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: input_shape[-1]})
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        outputs = K.dot(inputs, self.kernel)
        if self.use_bias:
            outputs = tf.nn.bias_add(outputs, self.bias)
        return self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)


@registry.register("layer")
class Activation(Layer):
    """Applies a function to every number.

    Args:
        activation: its name, or a function of a tensor.

    >>> from nbkeras.core import backend as K
    >>> K.get_value(Activation("relu")(K.constant([-1.0, 2.0]))).tolist()
    [0.0, 2.0]

    Source: Keras 2 manual, chapter 5.2.
    """

    supports_masking = True
    declares_output = True

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        keep(self, locals())

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        # A function of the user's may change it.
        if registry.name_of(self.activation) is None:
            return super().compute_output_shape(input_shape)
        return input_shape


@registry.register("layer")
class ActivityRegularization(Layer):
    r"""Passes its input on and adds :math:`l_1 \sum |x| + l_2 \sum x^2` to the loss.

    Args:
        l1: weight of the absolute values.
        l2: weight of the squares.

    >>> from nbkeras.core.layers import Input
    >>> ActivityRegularization(l1=0.01)(Input((3,))).shape
    TensorShape([None, 3])

    Source: Keras 2 manual, chapter 5.2.
    """

    supports_masking = True
    declares_output = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.l1 = l1
        self.l2 = l2
        self.activity_regularizer = regularizers.L1L2(l1, l2)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape
