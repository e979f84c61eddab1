"""Locally connected layers (Keras 2 manual, chapter 5.5)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from .. import backend as K
from .. import registry
from .arguments import check_choice, passed
from .convolutional.base import Convolution
from .windows import check_fit

__all__ = ["LocallyConnected1D", "LocallyConnected2D"]


class LocallyConnected(Convolution):
    """A convolution whose every position has a kernel and a bias of its own.

    The implementations compute the same and keep their kernels in different forms:

    1: (positions, window·channels, filters). Products of the windows; padding ``'valid'`` only.
    2: (channels, input sizes, filters, output sizes), zeros where nothing is connected. One
       product of matrices: fast for small inputs.
    3: one number for each connection, in the order of the connections. A sparse product: least
       memory for large inputs and small windows.
    """

    def __init__(self, implementation: int, **kwargs: Any) -> None:
        super().__init__(dilation_rate=1, **kwargs)
        self.implementation = check_choice(self, "implementation", implementation, (1, 2, 3))
        if self.padding != "valid" and implementation == 1:
            raise ValueError(
                f"{type(self).__name__}: padding={self.padding!r} needs implementation=2 or 3; "
                "implementation=1 knows 'valid' only."
            )

    # ---------------------------------------------------------------- weights

    def build(self, input_shape: Any) -> None:
        channels = self.channels_of(input_shape)
        sizes = self.spatial(input_shape)
        if None in sizes:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) has weights for each position, so it "
                f"needs to know all sizes of its input; got shape {tuple(input_shape)}. Give the "
                "first layer an input_shape whose sizes are numbers."
            )
        outputs = self.spatial(self.compute_output_shape(input_shape))
        self._places = (tuple(sizes), tuple(outputs))
        check_fit(self, self.kernel_size, input_shape)
        if self.implementation == 1:
            window = int(np.prod(self.kernel_size)) * channels
            shape: Any = (math.prod(size or 0 for size in outputs), window, self.filters)
        elif self.implementation == 2:
            if self.channel_axis == 1:
                shape = (channels, *sizes, self.filters, *outputs)
            else:
                shape = (*sizes, channels, *outputs, self.filters)
            self._connected = self._mask(sizes, outputs)
        else:
            self._indices = self._connections(sizes, outputs, channels)
            shape = (len(self._indices),)
        self.kernel = self.add_weight(
            name="kernel",
            shape=shape,
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(*outputs, self.filters),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def _reach(self, sizes: Any, outputs: Any) -> np.ndarray:
        """Which input place each output place sees: (*sizes, *outputs) of booleans."""
        reach = np.array(True)
        axes = zip(sizes, outputs, self.kernel_size, self.strides, strict=True)
        for size, count, window, stride in axes:
            # With 'same', Keras 2 puts each window's middle on a multiple of the stride.
            before = window // 2 if self.padding == "same" else 0
            start = np.arange(count) * stride - before
            place = np.arange(size)[:, None]
            reach = np.multiply.outer(reach, (place >= start) & (place < start + window))
        # (size, count, size, count) -> (size, size, count, count)
        return reach.transpose([*range(0, 2 * self.rank, 2), *range(1, 2 * self.rank, 2)])

    def _mask(self, sizes: Any, outputs: Any) -> np.ndarray:
        """Whether an input and an output number are connected; broadcasts to the kernel's shape."""
        reach = self._reach(sizes, outputs)
        if self.channel_axis == 1:
            return reach.reshape(1, *sizes, 1, *outputs)
        return reach.reshape(*sizes, 1, *outputs, 1)

    def _connections(self, sizes: Any, outputs: Any, channels: int) -> np.ndarray:
        """(number of the output, number of the input) of all connections, sorted."""
        places, results = int(np.prod(sizes)), math.prod(size or 0 for size in outputs)
        here, there = np.nonzero(self._reach(sizes, outputs).reshape(places, results))
        channel, filter_ = np.arange(channels), np.arange(self.filters)
        if self.channel_axis == 1:
            columns = here[:, None, None] + channel[:, None] * places
            rows = there[:, None, None] + filter_ * results
        else:
            columns = here[:, None, None] * channels + channel[:, None]
            rows = there[:, None, None] * self.filters + filter_
        rows, columns = np.broadcast_arrays(rows, columns)
        pairs = np.stack([rows.ravel(), columns.ravel()], axis=1)
        return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]

    # ---------------------------------------------------------------- computation

    def convolve(self, inputs: Any) -> Any:
        outputs = self._places[1]
        if self.implementation == 1:
            function = (K.local_conv1d, K.local_conv2d)[self.rank - 1]
            extra = (outputs,) if self.rank == 2 else ()
            return function(
                inputs, self.kernel, self.kernel_size, self.strides, *extra, self.data_format
            )
        flat = tf.reshape(inputs, (-1, int(np.prod(inputs.shape[1:]))))
        if self.implementation == 2:
            kernel = self.kernel * tf.constant(self._connected, self.kernel.dtype)
            y = tf.matmul(flat, tf.reshape(kernel, (flat.shape[1], -1)))
        else:
            shape = (math.prod(size or 0 for size in outputs) * self.filters, flat.shape[1])
            matrix = tf.SparseTensor(self._indices, self.kernel, shape)
            y = tf.transpose(tf.sparse.sparse_dense_matmul(matrix, flat, adjoint_b=True))
        return tf.reshape(y, self.shaped(-1, outputs, self.filters))


@registry.register("layer")
class LocallyConnected1D(LocallyConnected):
    """A convolution along time whose every position has a kernel of its own.

    Args:
        filters: number of output channels.
        kernel_size: steps in a window.
        strides: steps from window to window.
        padding: ``'valid'``; ``'same'`` with implementation 2 or 3.
        data_format: where the channels are; by default as in ``keras.json``.
        activation: function of the output; none by default.
        use_bias: whether a bias is added, one for each position and filter.
        kernel_initializer: how the kernels start.
        bias_initializer: how the bias starts.
        kernel_regularizer: penalty on the kernels.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the output.
        kernel_constraint: constraint on the kernels.
        bias_constraint: constraint on the bias.
        implementation: how to compute it: 1 window by window, 2 as one product of matrices
            (fast and large), 3 as a sparse product (for large inputs and few connections). It
            decides on the shape of the kernel.

    Shapes: ``(batch, steps, channels)`` to ``(batch, new_steps, filters)``.

    Raises:
        ValueError: an argument is out of range, or a size of the input is not known.

    >>> from nbkeras.core.layers import Input
    >>> LocallyConnected1D(64, 3)(Input((10, 32))).shape
    TensorShape([None, 8, 64])

    Source: Keras 2 manual, chapter 5.5.
    """

    rank = 1

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        implementation: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**passed(locals()))


@registry.register("layer")
class LocallyConnected2D(LocallyConnected):
    """A convolution of images whose every position has a kernel of its own.

    Args:
        filters: number of output channels.
        kernel_size: rows and columns of a window, or one number for both.
        strides: steps from window to window.
        padding: ``'valid'``; ``'same'`` with implementation 2 or 3.
        data_format: where the channels are; by default as in ``keras.json``.
        activation: function of the output; none by default.
        use_bias: whether a bias is added, one for each position and filter.
        kernel_initializer: how the kernels start.
        bias_initializer: how the bias starts.
        kernel_regularizer: penalty on the kernels.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the output.
        kernel_constraint: constraint on the kernels.
        bias_constraint: constraint on the bias.
        implementation: how to compute it; see :class:`LocallyConnected1D`.

    Shapes: ``(batch, rows, columns, channels)`` to ``(batch, new_rows, new_columns, filters)``,
    or both with channels first.

    Raises:
        ValueError: an argument is out of range, or a size of the input is not known.

    >>> from nbkeras.core.layers import Input
    >>> LocallyConnected2D(64, (3, 3))(Input((8, 8, 3))).shape
    TensorShape([None, 6, 6, 64])

    Source: Keras 2 manual, chapter 5.5.
    """

    rank = 2

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        implementation: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**passed(locals()))
