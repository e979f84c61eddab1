"""Core layers (Keras 2 manual, chapter 5.2)."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from .. import activations, constraints, initializers, registry, regularizers
from .. import backend as K
from ..engine.layer import InputSpec, Layer
from .rates import Rate

__all__ = ["Activation", "Dense", "Dropout", "Flatten", "Reshape"]


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

    >>> from nbkeras.core.engine.input_layer import Input
    >>> Dense(32, activation="relu")(Input(shape=(16,))).shape
    TensorShape([None, 32])

    Source: Keras 2 manual, chapter 5.2.
    """

    supports_masking = True

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
        if isinstance(units, bool) or not isinstance(units, int | np.integer) or units < 1:
            raise ValueError(f"Dense needs a number of units, such as Dense(32); got {units!r}.")
        self.units = int(units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
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

    Source: Keras 2 manual, chapter 5.2.
    """

    supports_masking = True

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)


@registry.register("layer")
class Dropout(Layer):
    r"""Sets a share of the numbers to zero while training, and scales up the others.

    .. math:: y = \frac{m x}{1 - r}, \quad m \sim \text{Bernoulli}(1 - r)

    Args:
        rate: the share :math:`r`, from 0 up to, but not including, 1. It may be moved while training.
        noise_shape: shape of the mask, with 1 (or ``None`` for the input's own size) where
            one decision serves a whole axis.
        seed: repeats the masks by itself.

    Source: Srivastava et al., Dropout, JMLR 15 (2014); Keras 2 manual, chapter 5.2.
    """

    supports_masking = True
    steerable = {"rate": (0.0, 0.95, "linear")}
    rate = Rate()

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed

    def call(self, inputs: Any, training: Any = None) -> Any:
        def dropped() -> Any:
            level = Rate.tensor(self, "rate")
            return K.dropout(inputs, level, self.noise_shape, self.seed)

        return K.in_train_phase(dropped, inputs, training=training)


@registry.register("layer")
class Flatten(Layer):
    """Joins all axes but the batch's.

    Args:
        data_format: ``channels_first`` moves the channels to the end first, so that
            the numbers are in the order of ``channels_last``.

    >>> from nbkeras.core.engine.input_layer import Input
    >>> Flatten()(Input(shape=(28, 28))).shape
    TensorShape([None, 784])

    Source: Keras 2 manual, chapter 5.2.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = K.normalize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=2)

    def call(self, inputs: Any) -> Any:
        if self.data_format == "channels_first" and inputs.shape.rank > 2:
            inputs = tf.transpose(inputs, [0, *range(2, inputs.shape.rank), 1])
        return K.batch_flatten(inputs)


@registry.register("layer")
class Reshape(Layer):
    """Gives each sample another shape.

    Args:
        target_shape: the sizes, without the batch's; one may be -1.

    >>> from nbkeras.core.engine.input_layer import Input
    >>> Reshape((-1, 2))(Input(shape=(12,))).shape
    TensorShape([None, 6, 2])

    Source: Keras 2 manual, chapter 5.2.
    """

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)

    def call(self, inputs: Any) -> Any:
        return tf.reshape(inputs, (tf.shape(inputs)[0], *self._sizes(tuple(inputs.shape)[1:])))

    def _sizes(self, given: Any) -> Any:
        """The target's sizes, the open one computed."""
        if None in given:
            return self.target_shape
        numbers, known = (
            int(np.prod(given)),
            int(np.prod([s for s in self.target_shape if s != -1])),
        )
        if self.target_shape.count(-1) == 1 and known and numbers % known == 0:
            return tuple(numbers // known if size == -1 else size for size in self.target_shape)
        if -1 in self.target_shape or numbers != known:
            raise ValueError(
                f"Layer {self.name!r} (Reshape) cannot give {numbers} numbers of shape {given} the "
                f"shape {self.target_shape}: their products differ. Reshape((-1,)) flattens."
            )
        return self.target_shape

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], *(None if s == -1 else s for s in self._sizes(input_shape[1:])))
