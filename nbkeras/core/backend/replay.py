"""Replay: run recorded nodes on real tensors, and what follows from it.

``K.function``, ``K.gradients``, ``K.eval`` and every model are the same thing: a
:class:`Plan` of the nodes between some inputs and some outputs, run in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tensorflow as tf

from .symbolic import PHASE, Call, KerasTensor, Node, call_scope, current_call, is_symbolic, record

__all__ = ["Plan", "computed", "function", "gradients", "placeholder"]


class LossOfStep:
    """Stands for the loss of a step whose gradients are known already.

    Args:
        gradients: them.
        variables: the variables that they belong to.
    """

    def __init__(self, gradients: Sequence[Any], variables: Sequence[Any]) -> None:
        self._known = {id(v): g for v, g in zip(variables, gradients, strict=True)}

    def gradients(self, variables: Iterable[Any]) -> list[Any]:
        """The gradients with respect to some of the variables; ``None`` for any other."""
        return [self._known.get(id(variable)) for variable in variables]


class Plan:
    """The nodes that lead from inputs to outputs, in an order in which they can run.

    Args:
        inputs: symbolic tensors that will be given.
        outputs: symbolic tensors wanted.

    Raises:
        ValueError: an output depends on a tensor that is neither given nor computed.
    """

    def __init__(self, inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor]) -> None:
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.nodes = order_nodes(self.inputs, self.outputs)

    def run(self, values: Iterable[Any]) -> list[Any]:
        """The outputs' values for values of the inputs, in the call in progress."""
        known: dict[int, Any] = {
            id(tensor): value for tensor, value in zip(self.inputs, values, strict=True)
        }

        def resolve(tensor: KerasTensor) -> Any:
            value = known.get(id(tensor))
            if value is not None:
                return value
            if tensor is PHASE:
                call = current_call()
                training = None if call is None else call.training
                return tf.cast(False if training is None else training, tf.bool)
            return tensor.value

        for node in self.nodes:
            results = node.run(resolve)
            for symbol, value in zip(node.flat_outputs, real_tensors(results), strict=True):
                known[id(symbol)] = value
        call = current_call()
        if call is not None and call.watched is self:
            made = (symbol for node in self.nodes for symbol in node.flat_outputs)
            call.known.update({t: known[id(t)] for t in (*self.inputs, *made)})
        return [resolve(tensor) for tensor in self.outputs]


def computed(value: Any) -> Any:
    """The value of what was made of symbolic tensors of the model in the call in progress.

    A loss may be a function of more than it is given, such as of the mean and the variance that
    an encoder computes: what the model has computed in this call is not computed again.
    """
    if not isinstance(value, KerasTensor):
        return value
    call = current_call()
    known = {} if call is None else call.known
    return Plan(list(known), [value]).run(known.values())[0]


def real_tensors(structure: Any) -> list[Any]:
    """The tensors in what an operation returned, in order."""
    if isinstance(structure, list | tuple):
        return [tensor for item in structure for tensor in real_tensors(item)]
    if isinstance(structure, dict):
        return [tensor for item in structure.values() for tensor in real_tensors(item)]
    return [structure] if isinstance(structure, tf.Tensor | tf.SparseTensor | tf.Variable) else []


def order_nodes(inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor]) -> list[Node]:
    """Nodes from inputs to outputs, each after those it needs (iterative: depth is no limit)."""
    given = {id(tensor) for tensor in inputs}
    order: list[Node] = []
    done: set[int] = set()
    path: set[int] = set()
    stack: list[tuple[KerasTensor | Node, bool]] = [(t, False) for t in reversed(outputs)]
    while stack:
        item, leaving = stack.pop()
        if isinstance(item, KerasTensor):
            if id(item) in given or item is PHASE or item.value is not None:
                continue
            if item.node is None or not (item.node.inputs or item.node.args):
                raise ValueError(_disconnected(item, inputs))
            item = item.node
        if leaving:
            path.discard(id(item))
            done.add(id(item))
            order.append(item)
        elif id(item) not in done:
            if id(item) in path:
                raise ValueError(f"The graph has a cycle at {item.operation!r}.")
            path.add(id(item))
            stack.append((item, True))
            stack.extend((tensor, False) for tensor in reversed(item.inputs))
    return order


def _disconnected(tensor: KerasTensor, inputs: Sequence[KerasTensor]) -> str:
    names = ", ".join(repr(t.name) for t in inputs) or "none"
    return (
        f"Graph disconnected: the outputs need the input {tensor!r}, which is not among the "
        f"given inputs ({names}). Add it, as in Model(inputs=[..., that_input], outputs=...)."
    )


# ---------------------------------------------------------------- backend functions


def placeholder(
    shape: Any = None,
    ndim: int | None = None,
    dtype: Any = None,
    sparse: bool = False,
    name: str | None = None,
) -> KerasTensor:
    """A symbolic tensor to be fed later, by ``K.function`` or a model.

    Args:
        shape: sizes, ``None`` where any size will do.
        ndim: the number of axes, where no shape is given.
        dtype: its type, by default ``K.floatx()``.
        sparse: whether a sparse tensor will be fed.
        name: a name for error messages.

    >>> from nbkeras.core import backend as K
    >>> K.int_shape(K.placeholder(shape=(2, 4, 5)))
    (2, 4, 5)

    Source: Keras 2 manual, chapter 14.
    """
    from ..config import floatx

    if shape is None:
        if ndim is None:
            raise ValueError(
                "A placeholder needs a shape or a number of axes: K.placeholder(ndim=2)."
            )
        shape = (None,) * ndim
    return KerasTensor(shape, dtype or floatx(), name=name, sparse=sparse)


def _gradients(loss: Any, variables: list[Any]) -> list[Any]:
    slopes = tf.gradients(loss, variables, unconnected_gradients="zero")
    return [tf.convert_to_tensor(slope) for slope in slopes]


def _gradient_shapes(loss: Any, variables: list[Any]) -> list[Any]:
    """Each gradient has the shape of its variable; in a scratch graph nothing is connected."""
    return [tf.convert_to_tensor(variable) for variable in variables]


def gradients(loss: Any, variables: Any) -> Any:
    r"""Gradients of a loss with respect to tensors or variables, :math:`\partial L/\partial v_i`.

    Args:
        loss: a symbolic tensor, or a tensor of the graph being built; it is summed.
        variables: one tensor or variable, or a list of them.

    Returns:
        A list of tensors (one for a single variable too).

    >>> from nbkeras.core import backend as K
    >>> x = K.placeholder((1,))
    >>> slope = K.function([x], K.gradients(K.sum(x ** 2), [x]))
    >>> float(slope([[3.0]])[0][0])
    6.0

    Source: Keras 2 manual, chapter 14.
    """
    wanted = list(variables) if isinstance(variables, list | tuple) else [variables]
    if isinstance(loss, LossOfStep):
        return loss.gradients(wanted)
    if is_symbolic([loss, wanted]):
        return record(_gradients, (loss, wanted), {}, infer=_gradient_shapes)
    return _gradients(loss, wanted)


def _mask_of(tensor: Any) -> Any:
    call = current_call()
    return None if call is None else call.mask_of(tensor)


def mask_of(tensor: Any) -> Any:
    """The mask that travels with a symbolic tensor, itself symbolic; ``None`` if there is none."""
    if not isinstance(tensor, KerasTensor) or tensor.mask_shape is None:
        return None
    return record(_mask_of, (tensor,), {})


class Function:
    """A compiled function from inputs to outputs, with updates; see :func:`function`."""

    def __init__(self, inputs: Any, outputs: Any, updates: Any = None, name: Any = None) -> None:
        self.inputs = list(inputs)
        self._single = not isinstance(outputs, list | tuple)
        self.outputs = [outputs] if self._single else list(outputs)
        symbolic = [t for t in self.outputs if isinstance(t, KerasTensor)]
        changes = [
            t for pair in updates or () for t in _as_pair(pair) if isinstance(t, KerasTensor)
        ]
        self._updates = list(updates or ())
        self._plan = Plan(self.inputs, [*symbolic, *changes])
        self._seed = None
        self.name = name
        self._compiled = tf.function(self._run, autograph=False)

    def _run(self, values: list[Any], seed: Any) -> list[Any]:
        training = None
        for tensor, value in zip(self.inputs, values, strict=True):
            if tensor is PHASE:
                training = tf.cast(value, tf.bool)
        with call_scope(Call(training=training, seed=seed)):
            results = iter(self._plan.run(values))
            outputs = [next(results) if isinstance(t, KerasTensor) else t for t in self.outputs]
            outputs = [tf.convert_to_tensor(output) for output in outputs]
            # An update sees the values from before the call, as the outputs do.
            with tf.control_dependencies(outputs):
                for pair in self._updates:
                    variable, new = _as_pair(pair)
                    new = next(results) if isinstance(new, KerasTensor) else new
                    if variable is not None:
                        variable.assign(tf.cast(new, variable.dtype))
        return outputs

    def __call__(self, inputs: Any) -> Any:
        """Compute the outputs as NumPy arrays."""
        if not isinstance(inputs, list | tuple):
            raise TypeError(
                f"A K.function takes a list of inputs: f([x]); got {type(inputs).__name__}."
            )
        if len(inputs) != len(self.inputs):
            raise ValueError(f"This K.function has {len(self.inputs)} inputs; got {len(inputs)}.")
        values = [
            value if isinstance(value, tf.SparseTensor) else tf.cast(value, tensor.dtype)
            for tensor, value in zip(self.inputs, inputs, strict=True)
        ]
        from .symbolic import next_seed

        results = self._compiled(values, tf.constant(next_seed(), tf.int32))
        results = [_numpy(result) for result in results]
        return results[0] if self._single else results


def _as_pair(update: Any) -> tuple[Any, Any]:
    """An update is (variable, new value), or a recorded ``K.update`` alone."""
    return tuple(update) if isinstance(update, list | tuple) else (None, update)


def _numpy(value: Any) -> Any:
    return value if isinstance(value, tf.SparseTensor) else value.numpy()


def function(inputs: Any, outputs: Any, updates: Any = None, **kwargs: Any) -> Callable[[Any], Any]:
    """A compiled function that computes symbolic outputs from symbolic inputs.

    Args:
        inputs: a list of symbolic tensors; ``K.learning_phase()`` may be among them.
        outputs: a list of symbolic tensors, or one.
        updates: pairs (variable, new value), assigned after the outputs are computed.

    Returns:
        A callable from a list of arrays to a list of arrays.

    >>> from nbkeras.core import backend as K
    >>> x = K.placeholder((None, 2))
    >>> K.function([x], [K.sum(x)])([[[1.0, 2.0]]])
    [np.float32(3.0)]

    Source: Keras 2 manual, chapter 14 and 3.3.8.
    """
    if kwargs.keys() - {"name"}:
        raise ValueError(
            f"K.function takes inputs, outputs, updates and name; got {sorted(kwargs)}."
        )
    return Function(inputs, outputs, updates, **kwargs)
