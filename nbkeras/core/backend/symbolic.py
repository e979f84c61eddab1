"""Record: symbolic tensors, the nodes that made them, and the call in progress.

A :class:`KerasTensor` stands for a tensor that does not exist yet: its shape,
its dtype, and the node that will make it. Calling a backend function or a layer
on one records a :class:`Node`; :mod:`.replay` later runs the recorded nodes on
real tensors. On real tensors backend functions are plain TensorFlow.

What a call needs to know beside its arguments (is this training? where does
noise come from? which tensors are masked?) is a :class:`Call`, held in a context
variable while a model runs. No layer reads a global.
"""

from __future__ import annotations

import contextlib
import contextvars
import copy
import functools
import itertools
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = [
    "Call",
    "KerasTensor",
    "Node",
    "call_scope",
    "current_call",
    "current_phase",
    "is_symbolic",
    "learning_phase",
    "next_seed",
    "operation",
    "record",
    "set_learning_phase",
]


# ---------------------------------------------------------------- symbolic tensors


class KerasTensor:
    """A tensor to come: shape, dtype, and the node that makes it (none for an input).

    Compared and hashed by identity. Python's operators record nodes.

    Attributes:
        shape: ``tf.TensorShape``; ``None`` where a size is not known.
        dtype: ``tf.DType``.
        node: the :class:`Node` it is an output of, or ``None``.
        index: which output of the node it is.
    """

    __array_priority__ = 1000.0

    def __init__(
        self,
        shape: Any,
        dtype: Any = "float32",
        *,
        node: Node | None = None,
        index: int = 0,
        name: str | None = None,
        sparse: bool = False,
        value: Any = None,
    ) -> None:
        self.shape = tf.TensorShape(shape)
        self.dtype = tf.as_dtype(dtype)
        self.node = node
        self.index = index
        self.name = name or f"tensor_{next(_tensor_numbers)}"
        self.sparse = sparse
        self.value = value
        """What an input is bound to when nothing else is fed (``Input(tensor=...)``)."""
        self.mask_shape: tf.TensorShape | None = None
        """The shape of the mask that will travel with it; ``None`` if there will be none."""

    @property
    def ndim(self) -> int | None:
        return self.shape.rank

    @property
    def _keras_shape(self) -> tuple[int | None, ...]:
        return tuple(self.shape)

    @property
    def _keras_history(self) -> tuple[Any, int, int]:
        """(layer, which of its calls, which output), as Keras 2 code reads it."""
        if self.node is None:
            return (None, 0, 0)
        return (self.node.operation, self.node.call_index, self.index)

    def get_shape(self) -> tf.TensorShape:
        return self.shape

    def set_shape(self, shape: Any) -> None:
        self.shape = self.shape.merge_with(shape)

    @property
    def spec(self) -> tf.TypeSpec:
        """What ``tf.function`` calls the type of this tensor."""
        kind = tf.SparseTensorSpec if self.sparse else tf.TensorSpec
        return kind(self.shape, self.dtype)

    def __repr__(self) -> str:
        sizes = tuple(self.shape) if self.shape.rank is not None else "unknown"
        return f"<KerasTensor {self.name!r} shape={sizes} dtype={self.dtype.name}>"

    def __bool__(self) -> bool:
        raise TypeError(
            f"{self!r} has no value yet, so Python cannot branch on it. "
            "Write K.switch(condition, then, otherwise)."
        )

    def __iter__(self) -> Iterator[Any]:
        size = self.shape[0] if self.shape.rank else None
        if size is None:
            raise TypeError(f"{self!r} cannot be iterated over: its first size is not known.")
        return (_getitem(self, i) for i in range(size))

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise TypeError(
            f"{self!r} has no value yet, so NumPy cannot read it. Write K.function([inputs], "
            "[outputs]) or model.predict(x) to compute values, and K.* functions instead of np.*."
        )


_tensor_numbers = itertools.count(1)


def is_symbolic(value: Any) -> bool:
    """Whether a value is a :class:`KerasTensor`, or a list, tuple or dict that holds one."""
    if isinstance(value, KerasTensor):
        return True
    if type(value) in (list, tuple):
        return any(is_symbolic(item) for item in value)
    if type(value) is dict:
        return any(is_symbolic(item) for item in value.values())
    return False


class Node:
    """One recorded call: an operation, its arguments, and the tensors it makes.

    ``operation`` is a layer or a backend function; ``call_index`` counts the
    calls of a layer, so that a shared one can tell them apart.
    """

    def __init__(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.call_index = 0
        self.inputs = tuple(_tensors((args, kwargs)))
        self.outputs: Any = None
        self.flat_outputs: tuple[KerasTensor, ...] = ()

    def set_outputs(self, structure: Any) -> Any:
        """Turn inferred tensors, or their types, into this node's symbolic outputs."""
        found: list[KerasTensor] = []

        def symbol(value: Any) -> Any:
            sparse = isinstance(value, tf.SparseTensor | tf.SparseTensorSpec)
            if not sparse and not isinstance(value, tf.Tensor | tf.TensorSpec | tf.Variable):
                return value
            name = f"{operation_name(self.operation)}_{next(_tensor_numbers)}"
            found.append(
                KerasTensor(
                    value.shape,
                    value.dtype,
                    node=self,
                    index=len(found),
                    name=name,
                    sparse=sparse,
                )
            )
            return found[-1]

        self.outputs = map_structure(symbol, structure)
        self.flat_outputs = tuple(found)
        return self.outputs

    def run(self, resolve: Callable[[KerasTensor], Any]) -> Any:
        """Call the operation with real tensors in place of symbolic ones."""
        args = map_structure(lambda v: resolve(v) if isinstance(v, KerasTensor) else v, self.args)
        kwargs = map_structure(
            lambda v: resolve(v) if isinstance(v, KerasTensor) else v, self.kwargs
        )
        return self.operation(*args, **kwargs)


def operation_name(operation: Any) -> str:
    """The name a person knows an operation by: a layer's, or a function's."""
    return str(getattr(operation, "name", None) or getattr(operation, "__name__", "operation"))


def map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    """Apply a function to the leaves of nested lists, tuples and dicts.

    Unlike ``tf.nest`` it leaves sparse tensors and other composites whole.
    """
    kind = type(structure)
    if kind is list:
        return [map_structure(function, item) for item in structure]
    if kind is tuple:
        return tuple(map_structure(function, item) for item in structure)
    if kind is dict:
        return {key: map_structure(function, item) for key, item in structure.items()}
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return kind(*(map_structure(function, item) for item in structure))
    return function(structure)


def flatten(structure: Any) -> list[Any]:
    """The leaves of nested lists, tuples and dicts, in order."""
    leaves: list[Any] = []
    map_structure(leaves.append, structure)
    return leaves


def _tensors(structure: Any) -> Iterator[KerasTensor]:
    return (leaf for leaf in flatten(structure) if isinstance(leaf, KerasTensor))


# ---------------------------------------------------------------- recording


def operation(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function of tensors record itself when it is given a symbolic one.

    On real tensors it is the function itself, but for a look at its arguments.
    """

    @functools.wraps(function)
    def recorded(*args: Any, **kwargs: Any) -> Any:
        for value in args:
            kind = type(value)
            if kind is KerasTensor or (kind in _CONTAINERS and is_symbolic(value)):
                return record(recorded, args, kwargs, infer=function)
        if kwargs:
            for value in kwargs.values():
                kind = type(value)
                if kind is KerasTensor or (kind in _CONTAINERS and is_symbolic(value)):
                    return record(recorded, args, kwargs, infer=function)
        return function(*args, **kwargs)

    return recorded


_CONTAINERS = (list, tuple, dict)


def record(
    operation: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    infer: Callable[..., Any] | None = None,
) -> Any:
    """Record a call on symbolic tensors and return its symbolic outputs.

    The shapes come from running ``infer`` (by default the operation itself) once
    on placeholders in a graph that is thrown away.
    """
    node = Node(operation, args, kwargs)
    return node.set_outputs(infer_outputs(infer or operation, args, kwargs))


def infer_outputs(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Run a function on placeholders in a scratch graph; its outputs know their shapes."""
    graph = tf.__internal__.FuncGraph("scratch")
    placeholders: dict[int, Any] = {}

    def placeholder(value: Any) -> Any:
        if not isinstance(value, KerasTensor):
            return value
        if id(value) not in placeholders:
            make = tf.compat.v1.sparse_placeholder if value.sparse else tf.compat.v1.placeholder
            placeholders[id(value)] = made = make(value.dtype, value.shape)
            if value.mask_shape is not None:
                call.set_mask(made, tf.compat.v1.placeholder(tf.bool, value.mask_shape))
        return placeholders[id(value)]

    with graph.as_default(), call_scope(Call(training=False, seed=(0, 0), scratch=True)) as call:
        return function(*map_structure(placeholder, args), **map_structure(placeholder, kwargs))


def tensor_types(structure: Any) -> Any:
    """The types of the tensors in what an operation returned: shape and dtype."""

    def type_of(value: Any) -> Any:
        if isinstance(value, tf.SparseTensor):
            return tf.SparseTensorSpec(value.shape, value.dtype)
        if isinstance(value, tf.Tensor | tf.Variable):
            return tf.TensorSpec(value.shape, value.dtype)
        return value

    return map_structure(type_of, structure)


# ---------------------------------------------------------------- the call in progress


class Call:
    """What a running model tells its layers beside their inputs.

    Args:
        training: the learning phase: a bool, a bool tensor, or ``None`` if not said.
        seed: two int32 numbers (or a tensor of them), new for every step, from
            which each random operation of the step derives its own; ``None``
            outside compiled steps.
        scratch: whether only shapes are wanted.
        frozen: the layers that were frozen when the running model was compiled; ``None``
            where nothing was compiled: a layer's ``trainable`` tells then.
    """

    def __init__(
        self,
        training: Any = None,
        seed: Any = None,
        *,
        scratch: bool = False,
        frozen: frozenset[Any] | None = None,
    ) -> None:
        self.training = training
        self.seed = seed
        self.scratch = scratch
        self.frozen = frozen
        self.losses: list[Any] = []
        self.metrics: list[tuple[str, Any]] = []
        self.watched: Any = None
        """The plan whose tensors are to be known afterwards."""
        self.known: dict[KerasTensor, Any] = {}
        """The values of its tensors, once it has run."""
        self._masks: dict[int, tuple[Any, Any]] = {}
        self._random_operations = itertools.count(1)

    def mask_of(self, tensor: Any) -> Any:
        """The mask that travels with a tensor, or ``None``."""
        entry = self._masks.get(id(tensor))
        return None if entry is None else entry[1]

    def set_mask(self, tensor: Any, mask: Any) -> None:
        """Let a mask travel with a tensor."""
        if mask is None:
            self._masks.pop(id(tensor), None)
        else:
            # The tensor is kept alive beside its mask: its id must not be used again.
            self._masks[id(tensor)] = (tensor, mask)

    def with_training(self, training: Any) -> Call:
        """This call with another learning phase; all else is shared."""
        other = copy.copy(self)
        other.training = training
        return other

    def with_losses(self) -> Call:
        """This call with a list of losses of its own; all else is shared."""
        other = copy.copy(self)
        other.losses = []
        return other

    def next_seed(self, seed: int | None) -> Any:
        number = next(self._random_operations)
        if self.scratch:
            return (0, 0)
        key, step = self.seed[0], self.seed[1]
        # A golden-ratio walk keeps the keys of a step's operations apart.
        offset = np.int32((number * 0x9E3779B9 + 2**31) % 2**32 - 2**31)
        start = key if seed is None else np.int32(seed % 2**31)
        return tf.stack([start + offset, tf.cast(step, tf.int32)])


_call: contextvars.ContextVar[Call | None] = contextvars.ContextVar("nbkeras_call", default=None)


def current_call() -> Call | None:
    """The call in progress in this thread, or ``None``."""
    return _call.get()


@contextlib.contextmanager
def call_scope(call: Call) -> Iterator[Call]:
    """Make a call the one in progress."""
    token = _call.set(call)
    try:
        yield call
    finally:
        _call.reset(token)


def next_seed(seed: int | None = None) -> Any:
    """Two int32 numbers to seed one ``tf.random.stateless_*`` operation with.

    In a compiled step they are new for each operation and each step, and the
    same whichever executor runs it. Eagerly they come from NumPy's global
    generator, so ``np.random.seed`` repeats them; an explicit ``seed`` repeats
    by itself.
    """
    call = _call.get()
    if call is not None and call.seed is not None:
        return call.next_seed(seed)
    if seed is not None:
        return (int(seed) % 2**31, 0)
    if tf.executing_eagerly():
        return tuple(int(number) for number in np.random.randint(0, 2**31 - 1, size=2))
    # A user's own tf.function: a constant here would repeat the noise at every call.
    return tf.random.uniform([2], maxval=2**31 - 1, dtype=tf.int32)


# ---------------------------------------------------------------- learning phase

_fixed_phase: int | None = None
PHASE = KerasTensor((), "bool", name="keras_learning_phase")
"""The symbolic learning phase; replay binds it to the phase of the call."""


def current_phase() -> Any:
    """The learning phase in force: fixed by hand, of the call in progress, or ``None``."""
    if _fixed_phase is not None:
        return bool(_fixed_phase)
    call = _call.get()
    return None if call is None else call.training


def learning_phase() -> Any:
    """The learning phase: 0 or 1 where it is known, else a symbolic scalar.

    Inside a running model it is known; outside it is what
    :func:`set_learning_phase` fixed, or a symbolic tensor that may be an input
    of ``K.function`` (manual 3.3.8).
    """
    phase = current_phase()
    if phase is None:
        return 0 if _call.get() is not None else PHASE
    return int(phase) if isinstance(phase, bool) else phase


def set_learning_phase(value: int) -> None:
    """Fix the learning phase for all that follows: 0 (test) or 1 (train).

    Raises:
        ValueError: the value is neither.
    """
    global _fixed_phase
    if value not in (0, 1):
        raise ValueError(f"The learning phase is 0 (test) or 1 (train); got {value!r}.")
    _fixed_phase = int(value)


def clear_learning_phase() -> None:
    """Let each call decide its learning phase again."""
    global _fixed_phase
    _fixed_phase = None


# ---------------------------------------------------------------- operators


def _install_operators() -> None:
    """Python's operators on symbolic tensors record what they do to real ones."""
    unary = ("neg", "abs", "invert")
    compared = ("lt", "le", "gt", "ge")
    binary = (
        "add",
        "sub",
        "mul",
        "truediv",
        "floordiv",
        "mod",
        "pow",
        "matmul",
        "and",
        "or",
        "xor",
    )
    for name in unary + compared + binary:
        recorded = _operator(f"__{name}__")
        setattr(KerasTensor, f"__{name}__", recorded)
        if name in binary:
            setattr(KerasTensor, f"__r{name}__", lambda self, other, f=recorded: f(other, self))
        if name not in unary:
            _let_variables_defer(f"__{name}__")
    setattr(KerasTensor, "__getitem__", _getitem)  # noqa: B010 - as for the others


def _let_variables_defer(name: str) -> None:
    """Leave ``variable + symbolic`` to the symbolic tensor.

    TensorFlow would hand it the variable's value of that moment, a constant that
    later updates and gradients miss.
    """
    function = getattr(tf.Variable, name, None)
    if function is None:
        return

    @functools.wraps(function)
    def deferring(self: Any, other: Any) -> Any:
        return NotImplemented if type(other) is KerasTensor else function(self, other)

    setattr(tf.Variable, name, deferring)


def _operator(name: str) -> Callable[..., Any]:
    function = getattr(operator, name)

    def compute(*operands: Any) -> Any:
        return function(*operands)

    compute.__name__ = name.strip("_")
    return operation(compute)


_getitem = _operator("__getitem__")
_install_operators()
