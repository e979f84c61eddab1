"""A function as a layer (Keras 2 manual, chapter 5.2)."""

from __future__ import annotations

import base64
import binascii
import inspect
import marshal
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ... import backend as K
from ... import registry
from ...engine.layer import Layer
from ...engine.shapes import shape_of, to_shape

__all__ = ["Lambda"]


@registry.register("layer")
class Lambda(Layer):
    """Computes by a function of its input.

    A named function is saved by its name, and found again among the custom objects. An
    anonymous one is saved as Python byte code, which a file may only run where the caller
    says so: ``load_model(path, safe_mode=False)``.

    Args:
        function: takes the input and returns the output; takes ``mask`` and ``training`` as
            well if it names them.
        output_shape: the output's shape without the batch size, or a function from the
            input's shape to the output's, where it cannot be seen by running the function.
        mask: the output's mask, or a function ``mask(inputs, mask)`` that returns it; without
            one no mask is passed on.
        arguments: further keyword arguments of the function.

    Raises:
        TypeError: the function is none.

    >>> from nbkeras.core import backend as K
    >>> K.get_value(Lambda(lambda x: x**2)(K.constant([3.0]))).tolist()
    [9.0]

    Source: Keras 2 manual, chapter 5.2.
    """

    supports_masking = True

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(
                f"Lambda takes a function, as in Lambda(lambda x: x ** 2); got {function!r:.80}."
            )
        self.function = function
        self.arguments = dict(arguments or {})
        self.mask = mask
        self._output_shape: Any = output_shape if callable(output_shape) else None
        if output_shape is not None and not callable(output_shape):
            self._output_shape = to_shape(output_shape)
        self._takes = _names(function)

    # ---------------------------------------------------------------- computation

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        said = {"mask": mask, "training": training}
        extra = {k: v for k, v in said.items() if k in self._takes and k not in self.arguments}
        outputs = self.function(inputs, **self.arguments, **extra)
        if isinstance(outputs, np.ndarray | float | int):
            outputs = tf.convert_to_tensor(outputs)
        if self._output_shape is not None and isinstance(outputs, tf.Tensor):
            declared = tf.TensorShape(self._declared(shape_of(inputs)))
            if not outputs.shape.is_compatible_with(declared):
                raise ValueError(
                    f"Layer {self.name!r} (Lambda) was declared to return shape {tuple(declared)}; "
                    f"its function returned {tuple(outputs.shape)}. TensorFlow finds the shape by "
                    "itself: output_shape may be left out."
                )
            outputs.set_shape(declared)
        return outputs

    def _declared(self, input_shape: Any) -> Any:
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        first = input_shape[0] if isinstance(input_shape, list) else input_shape
        return (first[0], *self._output_shape)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    # ---------------------------------------------------------------- configuration

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain data, in the format of Keras 2."""
        function, kind, module = _written(self.function)
        shape, shape_kind, shape_module = self._output_shape, "raw", None
        if callable(shape):
            shape, shape_kind, shape_module = _written(shape)
        mask, mask_kind = self.mask, "raw"
        if callable(mask):
            mask, mask_kind, _ = _written(mask)
        config = {
            "function": function,
            "function_type": kind,
            "module": module,
            "output_shape": shape,
            "output_shape_type": shape_kind,
            "output_shape_module": shape_module,
            "arguments": registry.serialize_value(self.arguments),
        }
        if mask is not None:
            config.update(mask=mask, mask_type=mask_kind)
        return {**super().get_config(), **config}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Lambda:
        """A new layer from :meth:`get_config`'s data.

        Raises:
            ConfigError: the function is byte code and may not be run, or its name is not known.
        """
        config = dict(config)
        for key, kind in (
            ("function", config.pop("function_type", None)),
            ("output_shape", config.pop("output_shape_type", None)),
            ("mask", config.pop("mask_type", None)),
        ):
            if key in config:
                config[key] = _read(config[key], kind)
        for remark in ("module", "output_shape_module"):
            config.pop(remark, None)
        config["arguments"] = {k: _array(v) for k, v in (config.get("arguments") or {}).items()}
        return cls(**config)


# ---------------------------------------------------------------- functions as data


def _names(function: Any) -> set[str]:
    """The names of a function's arguments."""
    try:
        return set(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return set()


def _written(function: Any) -> tuple[Any, str, str | None]:
    """A function as data, what kind of data it is, and the module it was in."""
    module = getattr(function, "__module__", None)
    shared = registry.shared_name(function)
    if shared is not None:
        return shared, "function", module
    if not inspect.isfunction(function) or function.__name__ != "<lambda>":
        name = registry.name_of(function) or getattr(function, "__name__", None)
        if name is None:
            raise registry.ConfigError(
                f"Lambda: {function!r:.80} has no name to save it by. Write a function with def."
            )
        return name, "function", module
    cells = function.__closure__ or ()
    closure = registry.serialize_value(tuple(cell.cell_contents for cell in cells)) or None
    code = base64.b64encode(marshal.dumps(function.__code__)).decode("ascii")
    return [code, registry.serialize_value(function.__defaults__), closure], "lambda", module


def _read(value: Any, kind: str | None) -> Any:
    """What :func:`_written` wrote."""
    if isinstance(value, Mapping) and value.get("class_name") == "__lambda__":  # tf_keras 2.13+
        inner = value.get("config", {})
        value, kind = [inner.get("code"), inner.get("defaults"), inner.get("closure")], "lambda"
    if kind == "lambda":
        return _function(value)
    if kind == "function" or isinstance(value, str):
        known = registry.get_custom_objects()
        if value not in known:
            raise registry.ConfigError(
                f"A Lambda layer computes by a function called {value!a}, which no file can hold. "
                f"Pass it: load_model(path, custom_objects={{{value!a}: that_function}})."
            )
        return known[value]
    return value


def _function(data: Any) -> Any:
    if not registry.unsafe_allowed():
        raise registry.ConfigError(
            "A Lambda layer holds Python byte code, which is not run unless you trust the file: "
            "load_model(path, safe_mode=False). A named function needs no byte code: "
            "Lambda(my_function), and custom_objects={'my_function': my_function} to load it."
        )
    text, defaults, closure = data if isinstance(data, list | tuple) else (data, None, None)
    try:
        code = marshal.loads(base64.b64decode(text.encode("ascii")))
    except (ValueError, TypeError, EOFError, AttributeError, binascii.Error) as error:
        raise registry.ConfigError(
            "A Lambda layer's byte code cannot be read; it was written by another version of "
            "Python. Write the function with def, and pass it as a custom object."
        ) from error
    names = {"K": K, "np": np, "tf": tf, "__builtins__": __builtins__}
    cells = tuple(types.CellType(_array(value)) for value in closure or ())
    values = tuple(defaults) if defaults else None
    return types.FunctionType(code, names, "<lambda>", values, cells or None)


def _array(value: Any) -> Any:
    """An argument, with arrays as Keras 2 writes them turned back into arrays."""
    if isinstance(value, Mapping) and value.get("type") == "ndarray":
        return np.asarray(value["value"])
    return value
