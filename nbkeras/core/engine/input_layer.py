"""The entry of a graph."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .. import registry
from ..backend.symbolic import KerasTensor, Node
from ..config import floatx
from .layer import Layer
from .shapes import to_shape
from .uids import unique_name

__all__ = ["Input", "InputLayer"]


@registry.register("layer")
class InputLayer(Layer):
    """The layer behind :func:`Input`: it computes nothing and stands for what is fed.

    Args:
        input_shape: shape of one sample.
        batch_size: the batch size, if it is fixed.
        batch_input_shape: both in one.
        dtype: the type of the tensor, by default ``K.floatx()``.
        input_tensor: a tensor to use when nothing is fed.
        sparse: whether sparse tensors are fed.
        name: its name.
    """

    def __init__(
        self,
        input_shape: Any = None,
        batch_size: int | None = None,
        batch_input_shape: Any = None,
        dtype: Any = None,
        input_tensor: Any = None,
        sparse: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        ragged = kwargs.pop("ragged", False)
        if ragged:
            raise ValueError("Ragged inputs are not supported: pad them with pad_sequences.")
        if input_tensor is not None:
            batch_input_shape = tuple(input_tensor.shape)
            dtype = dtype or input_tensor.dtype.name
        elif batch_input_shape is None:
            if input_shape is None:
                raise ValueError("An InputLayer needs a shape: InputLayer(input_shape=(784,)).")
            batch_input_shape = (batch_size, *to_shape(input_shape))
        super().__init__(
            name=name or unique_name("Input"),
            batch_input_shape=batch_input_shape,
            dtype=dtype or floatx(),
            **kwargs,
        )
        self.sparse = sparse
        self.built = True
        node = Node(self, (), {})
        symbolic_input = isinstance(input_tensor, KerasTensor)
        tensor = KerasTensor(
            self._batch_input_shape,
            self.dtype,
            node=node,
            name=self.name,
            sparse=sparse,
            value=None if symbolic_input else input_tensor,
        )
        node.outputs, node.flat_outputs = tensor, (tensor,)
        self._inbound_nodes.append(node)

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_input_shape": self._batch_input_shape,
            "dtype": tf.as_dtype(self.dtype).name,
            "sparse": self.sparse,
            "name": self.name,
        }


def Input(
    shape: Any = None,
    batch_shape: Any = None,
    name: str | None = None,
    dtype: Any = None,
    sparse: bool = False,
    tensor: Any = None,
    batch_size: int | None = None,
) -> KerasTensor:
    """A symbolic tensor to build a model on.

    Args:
        shape: shape of one sample, without the batch size.
        batch_shape: shape with the batch size, if it is fixed.
        name: a name unique in the model.
        dtype: its type, by default ``K.floatx()``.
        sparse: whether sparse tensors will be fed.
        tensor: a tensor to wrap; nothing is fed then.
        batch_size: the batch size, beside ``shape``.

    Returns:
        The symbolic tensor.

    Raises:
        ValueError: no shape is given.

    >>> Input(shape=(32,)).shape
    TensorShape([None, 32])

    Source: Keras 2 manual, chapter 5.2.
    """
    if shape is None and batch_shape is None and tensor is None:
        raise ValueError(
            "Input needs the shape of one sample, without the batch size: Input(shape=(784,))."
        )
    layer = InputLayer(
        input_shape=shape,
        batch_size=batch_size,
        batch_input_shape=batch_shape,
        dtype=dtype,
        input_tensor=tensor,
        sparse=sparse,
        name=name,
    )
    return layer._inbound_nodes[0].outputs
