"""Choosing between tensors, going over their elements, stopping gradients, the learning phase."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from ._typing import DType, Tensor
from .symbolic import current_call, is_symbolic, learning_phase, operation, set_learning_phase

__all__ = [
    "foldl",
    "foldr",
    "in_test_phase",
    "in_train_phase",
    "learning_phase",
    "map_fn",
    "set_learning_phase",
    "stop_gradient",
    "switch",
]


# ---------------------------------------------------------------- choosing


def switch(condition: Tensor, then_expression: Any, else_expression: Any) -> Tensor:
    """One of two tensors where a condition holds, the other where it does not.

    Args:
        condition: a scalar chooses between the whole tensors; one of more axes
            chooses element by element along the first axes of the tensors.
        then_expression: a tensor, or a function without arguments that returns one.
        else_expression: the same.

    Raises:
        ValueError: the condition has more axes than the tensors.

    >>> float(switch(True, 1.0, 2.0))
    1.0
    >>> switch([True, False], [[1, 1], [2, 2]], [[7, 7], [8, 8]]).numpy()
    array([[1, 1],
           [8, 8]], dtype=int32)
    """
    if isinstance(condition, bool | int):
        return tf.convert_to_tensor(_value(then_expression if condition else else_expression))
    # A function may hold symbolic tensors that cannot be seen from outside, so
    # it is called before the choice is recorded.
    if is_symbolic(condition):
        then_expression, else_expression = _value(then_expression), _value(else_expression)
    return _switch(condition, then_expression, else_expression)


@operation
def _switch(condition: Tensor, then_expression: Any, else_expression: Any) -> Tensor:
    condition = tf.cast(condition, tf.bool)
    if condition.shape.rank == 0:
        return tf.cond(
            condition,
            lambda: tf.convert_to_tensor(_value(then_expression)),
            lambda: tf.convert_to_tensor(_value(else_expression)),
        )
    chosen = tf.convert_to_tensor(_value(then_expression))
    other = tf.convert_to_tensor(_value(else_expression))
    missing = chosen.shape.rank - condition.shape.rank
    if missing < 0:
        raise ValueError(
            f"K.switch chooses along the first axes of its tensors: a condition of shape "
            f"{condition.shape} has more axes than {chosen.shape}. Reduce it first, as in "
            "K.any(condition, axis=-1)."
        )
    for _ in range(missing):
        condition = tf.expand_dims(condition, -1)
    return tf.where(condition, chosen, other)


def _value(expression: Any) -> Any:
    return expression() if callable(expression) else expression


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Tensor:
    """x while training, alt otherwise.

    Args:
        x: a tensor, or a function without arguments that returns one.
        alt: the same, of the same shape.
        training: the phase, by default :func:`learning_phase`.

    >>> float(in_train_phase(1.0, 2.0, training=True))
    1.0
    """
    phase = learning_phase() if training is None else training
    if isinstance(phase, bool | int):
        return _value(x if phase else alt)
    return switch(phase, x, alt)


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Tensor:
    """x while not training, alt otherwise; see :func:`in_train_phase`.

    >>> float(in_test_phase(1.0, 2.0, training=True))
    2.0
    """
    return in_train_phase(alt, x, training)


# ---------------------------------------------------------------- one element after another


@operation
def map_fn(fn: Callable[..., Any], elems: Any, name: str | None = None, dtype: DType = None) -> Any:
    """fn(elems[0]), fn(elems[1]), … as one tensor.

    Args:
        fn: a function of one element.
        elems: a tensor, or a nest of tensors of the same first size.
        name: a name for messages.
        dtype: the type of the results (a nest of types for a nest of results), if
            it is another than that of the elements.

    >>> map_fn(lambda x: x * x, tf.constant([1, 2, 3])).numpy()
    array([1, 4, 9], dtype=int32)
    """
    elems = tf.nest.map_structure(tf.convert_to_tensor, elems)
    kinds = tf.nest.map_structure(lambda x: x.dtype, elems) if dtype is None else dtype

    def mapped(numbered: tuple[Tensor, Any]) -> Any:
        index, element = numbered
        with noise_of(index):
            return fn(element)

    return tf.map_fn(mapped, (_indices(elems), elems), fn_output_signature=kinds, name=name)


@operation
def foldl(
    fn: Callable[[Any, Any], Any], elems: Tensor, initializer: Any = None, name: str | None = None
) -> Any:
    """fn(… fn(fn(a, e₀), e₁) …, eₙ), a the initializer (by default e₀, and e₁ comes next).

    Args:
        fn: a function of what was gathered so far and an element.
        elems: a tensor, or a nest of tensors of the same first size.
        initializer: what is gathered at first.
        name: a name for messages.

    >>> int(foldl(lambda a, e: a * 10 + e, tf.constant([1, 2, 3])))
    123
    """
    elems = tf.nest.map_structure(tf.convert_to_tensor, elems)
    if initializer is None:
        initializer = tf.nest.map_structure(lambda x: x[0], elems)
        elems = tf.nest.map_structure(lambda x: x[1:], elems)

    def folded(gathered: Any, numbered: tuple[Tensor, Any]) -> Any:
        index, element = numbered
        with noise_of(index):
            return fn(gathered, element)

    return tf.foldl(folded, (_indices(elems), elems), initializer, name=name)


@operation
def foldr(
    fn: Callable[[Any, Any], Any], elems: Tensor, initializer: Any = None, name: str | None = None
) -> Any:
    """:func:`foldl` from the last element to the first.

    >>> int(foldr(lambda a, e: a * 10 + e, tf.constant([1, 2, 3])))
    321
    """
    backwards = tf.nest.map_structure(lambda x: tf.reverse(x, (0,)), elems)
    return foldl(fn, backwards, initializer, name)


def _indices(elems: Any) -> Tensor:
    return tf.range(tf.shape(tf.nest.flatten(elems)[0])[0])


@contextlib.contextmanager
def noise_of(index: Tensor) -> Iterator[None]:
    """Give each pass of a loop noise of its own.

    A compiled loop is written once and run many times, so a seed that does not
    depend on the pass would repeat its noise.
    """
    call = current_call()
    if call is None or call.seed is None:
        yield
        return
    whole = call.seed
    # A large odd number keeps passes and steps apart in the second key.
    step = tf.cast(whole[1], tf.int32) + tf.cast(index + 1, tf.int32) * tf.constant(0x45D9F3B)
    call.seed = (whole[0], step)
    try:
        yield
    finally:
        call.seed = whole


# ---------------------------------------------------------------- gradients


@operation
def stop_gradient(variables: Any) -> Any:
    """The same values, through which no gradient flows; of a list, a list.

    >>> stop_gradient([1.0, 2.0])[1].numpy()
    np.float32(2.0)
    """
    if isinstance(variables, list | tuple):
        return [tf.stop_gradient(variable) for variable in variables]
    return tf.stop_gradient(variables)
