"""Shapes as tuples, and what a layer demands of its inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ..backend.symbolic import flatten, map_structure

__all__ = ["InputSpec", "check_inputs", "shape_of", "to_shape"]

Shape = tuple[int | None, ...]


def to_shape(shape: Any) -> Shape:
    """A tuple of sizes from what a user may write: an int, a sequence, a TensorShape.

    >>> to_shape(3), to_shape([None, 4])
    ((3,), (None, 4))

    Raises:
        TypeError: a size is no whole number.
    """
    if isinstance(shape, tf.TensorShape):
        return tuple(shape)
    sizes = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
    for size in sizes:
        if size is not None and (isinstance(size, bool) or not isinstance(size, int | np.integer)):
            raise TypeError(
                f"A shape is a tuple of whole numbers, None where unknown, such as (None, 28, 28); "
                f"got {shape!r}."
            )
    return tuple(None if size is None else int(size) for size in sizes)


def shape_of(structure: Any) -> Any:
    """The shape of a tensor as a tuple, or a list of shapes for several tensors."""
    return map_structure(
        lambda t: None if t is None or t.shape.rank is None else tuple(t.shape), structure
    )


class InputSpec:
    """What a layer demands of an input: rank, sizes of axes, dtype.

    Args:
        dtype: the type it must have.
        shape: its shape, ``None`` where any size will do.
        ndim: its number of axes.
        max_ndim: the most axes it may have.
        min_ndim: the fewest axes it may have.
        axes: sizes of single axes, ``{axis: size}``.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
    ) -> None:
        self.dtype = dtype
        self.shape = None if shape is None else to_shape(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = dict(axes or {})

    def problem(self, shape: Shape | None, dtype: Any) -> str | None:
        """What this spec expected where a tensor does not meet it, else ``None``."""
        if self.dtype is not None and tf.as_dtype(self.dtype) != tf.as_dtype(dtype):
            return f"an input of dtype {self.dtype}"
        if shape is None:
            return None
        if self.ndim is not None and len(shape) != self.ndim:
            return f"an input with {self.ndim} axes, the batch axis included"
        if self.min_ndim is not None and len(shape) < self.min_ndim:
            return f"an input with at least {self.min_ndim} axes, the batch axis included"
        if self.max_ndim is not None and len(shape) > self.max_ndim:
            return f"an input with at most {self.max_ndim} axes, the batch axis included"
        for axis, size in self.axes.items():
            if size is not None and shape[axis] not in (None, size):
                return f"size {size} on axis {axis} of its input"
        for size, given in zip(self.shape or (), shape, strict=False):
            if size is not None and given not in (None, size):
                return f"an input of shape {self.shape}"
        return None

    def __repr__(self) -> str:
        said = {key: value for key, value in vars(self).items() if value not in (None, {})}
        return f"InputSpec({', '.join(f'{key}={value}' for key, value in said.items())})"


def check_inputs(layer: Any, inputs: Any) -> None:
    """Compare inputs with a layer's ``input_spec``.

    Raises:
        ValueError: they do not meet it; the error names layer, expectation and input.
    """
    if layer.input_spec is None:
        return
    specs = layer.input_spec if isinstance(layer.input_spec, list | tuple) else [layer.input_spec]
    tensors = flatten(inputs)
    if len(tensors) != len(specs):
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}) expected {len(specs)} inputs; got "
            f"{len(tensors)}: {shape_of(inputs)}."
        )
    for number, (spec, tensor) in enumerate(zip(specs, tensors, strict=True)):
        if spec is None or tensor is None:
            continue
        shape = shape_of(tensor)
        expected = spec.problem(shape, tensor.dtype)
        if expected:
            which = f" (input {number})" if len(specs) > 1 else ""
            raise ValueError(
                f"Layer {layer.name!r} ({type(layer).__name__}) expected {expected}{which}; got "
                f"shape {shape}, dtype {tensor.dtype.name}.{_advice(layer, spec, shape)}"
            )


def _advice(layer: Any, spec: InputSpec, shape: Shape | None) -> str:
    """The call that would have worked, where it can be told."""
    if shape is None:
        return ""
    if spec.ndim == 4 and len(shape) == 3:
        return f" Add a channel axis: x[..., None] has shape {(*shape, 1)}."
    axes = spec.ndim if spec.ndim is not None else spec.min_ndim
    if axes is not None and len(shape) < axes and None not in shape[1:]:
        return f" Put Reshape(target_shape) with {axes - 1} sizes before it."
    if spec.ndim == 2 and len(shape) > 2:
        return " Put Flatten() before it."
    if spec.axes and layer.built:
        return " It was built for that size; call a new layer on this input."
    return ""
