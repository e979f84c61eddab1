"""Variables, made so that nothing is left of them when they are gone."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import types
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

__all__ = ["Kept", "keeping", "make_variable"]


class Kept:
    """The variables of a function that is run more than once: made at first, found again later.

    >>> kept = Kept()
    >>> def count(): return make_variable(0).assign_add(1)
    >>> for _ in range(3):
    ...     with kept.used():
    ...         total = count()
    >>> int(total)
    3
    """

    def __init__(self) -> None:
        self.variables: list[Any] = []
        self._complete = False
        self._place = 0

    @contextlib.contextmanager
    def used(self) -> Iterator[None]:
        """Let the variables that are made within the block be these."""
        self._place = 0
        token = _kept.set(self)
        try:
            yield
        finally:
            _kept.reset(token)
        self._complete = True

    def next(self, value: Any, name: str | None, **kwargs: Any) -> Any:
        """The next one."""
        if not self._complete:
            with tf.init_scope():
                self.variables.append(_made(value, name, **kwargs))
        elif self._place >= len(self.variables):
            raise RuntimeError(
                f"A function that made {len(self.variables)} variables when it was first called "
                f"makes more now, such as {name or value!r}. Make them in the constructor."
            )
        self._place += 1
        return self.variables[self._place - 1]


_kept: contextvars.ContextVar[Kept | None] = contextvars.ContextVar("nbkeras_kept", default=None)


def keeping() -> bool:
    """Whether variables that are made now are kept, in a graph too."""
    return _kept.get() is not None


def make_variable(value: Any, name: str | None = None, **kwargs: Any) -> Any:
    """A ``tf.Variable`` that is called ``name`` within the name scopes in force.

    TensorFlow compiles a kernel for each name that it creates a variable under, and keeps it for
    ever: 0.8 ms and 34 KB for each weight of each model. So it is told one name for all, and the
    variable's own is put in its place afterwards.

    Args:
        value: what it starts with.
        name: what it is called.
        **kwargs: as ``tf.Variable`` takes them.

    >>> make_variable([1.0, 2.0], "factor", trainable=False).name
    'factor:0'
    """
    kept = _kept.get()
    if kept is not None:
        return kept.next(value, name, **kwargs)
    return _made(value, name, **kwargs)


def _made(value: Any, name: str | None, **kwargs: Any) -> Any:
    if not tf.executing_eagerly():
        return tf.Variable(value, name=name, **kwargs)
    with tf.name_scope(name or "Variable") as scope:
        full = scope.rstrip("/")
    with tf.name_scope("/"):
        variable = tf.Variable(value, name="variable", **kwargs)
    _rename(variable, full)
    if not hasattr(variable, "values"):  # one for each replica: TensorFlow looks at its type
        kind: Any = type(variable)
        variable.__class__ = _with_operators(kind)
    return variable


@functools.cache
def _with_operators(kind: type) -> type:
    """A type of variables for which ``v *= x`` is ``v = v * x``, as in Keras 2.

    TensorFlow's own raise an error there. Optimizers begin with ``lr = self.lr; lr *= ...``.
    """

    def computed(operator: str) -> Callable[[Any, Any], Any]:
        return lambda variable, other: getattr(variable, operator)(other)

    names = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
    operators = {f"__i{name}__": computed(f"__{name}__") for name in names}
    return types.new_class(kind.__name__, (kind,), {}, lambda body: body.update(operators))


def _rename(variable: Any, name: str) -> None:
    """Give a variable, and its copies on other replicas, another name."""
    for number, copy in enumerate(getattr(variable, "values", None) or [variable]):
        if hasattr(copy, "_handle_name"):
            copy._handle_name = f"{name}/replica_{number}:0" if number else f"{name}:0"
    if hasattr(variable, "_common_name"):
        variable._common_name = name
