"""The layer: something with weights that turns tensors into tensors.

A layer is called in two ways. On real tensors it checks them, builds its
weights if need be, runs :meth:`Layer.call` and lets masks and losses travel
with the :class:`~nbkeras.core.backend.symbolic.Call` in progress. On symbolic
tensors it records a node (:mod:`.graph`) and returns symbolic outputs.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from .. import registry
from ..backend import symbolic
from ..backend.replay import mask_of
from ..backend.symbolic import Call, KerasTensor, call_scope, current_call, is_symbolic
from ..backend.variables import make_variable
from ..config import floatx
from . import graph
from .shapes import InputSpec, Shape, check_inputs, shape_of, to_shape
from .spelling import Spelled, in_present_words
from .uids import unique_name

__all__ = ["InputSpec", "Layer"]

_KEYWORDS = {
    "name",
    "trainable",
    "dtype",
    "input_shape",
    "batch_input_shape",
    "batch_size",
    "input_dim",
    "input_length",
    "input_dtype",
    "weights",
}


def _takes_shape_first(add_weight: Any) -> Any:
    """Let ``add_weight(name, shape)`` take the shape first, as layers for Keras 1 write it."""

    @functools.wraps(add_weight)
    def taking(self: Any, *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], tuple | list | tf.TensorShape):
            starts = dict(zip(("shape", "initializer"), args, strict=False))
            return add_weight(self, *args[2:], **starts, **kwargs)
        return add_weight(self, *args, **kwargs)

    return taking


@registry.base("layer")
class Layer(registry.Configurable, metaclass=Spelled):
    """A computation with weights of its own; the base of all layers.

    A subclass writes ``build(input_shape)``, which makes the weights with
    :meth:`add_weight`; ``call(inputs)``, which computes; and, where the shape of
    the output cannot be seen by running ``call``, ``compute_output_shape``.

    Args:
        name: a name unique in its model; by default made from the class name.
        trainable: whether training moves its weights.
        dtype: the type of its weights, by default ``K.floatx()``.
        input_shape: shape of one sample, for a model's first layer.
        batch_input_shape: the same with the batch size in front.
        batch_size: the batch size, beside ``input_shape``.
        input_dim: size of the input's last axis, a short form of ``input_shape``.
        input_length: number of time steps, beside ``input_dim``.
        weights: arrays to start from.

    >>> from nbkeras.core import backend as K
    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight("factor", (input_shape[-1],), initializer="ones")
    ...         super().build(input_shape)
    ...     def call(self, inputs):
    ...         return inputs * self.factor
    >>> K.get_value(Scale()(K.constant([[1.0, 2.0]]))).tolist()
    [[1.0, 2.0]]

    Source: Keras 2 manual, chapters 5.1 and 5.13.
    """

    supports_masking = False
    stateful = False
    sequence_input = False
    """Whether a sample is a sequence: ``input_dim`` alone then leaves its length open."""
    loops_over_time = False
    """Whether its graph has a loop over the steps of a sequence."""
    declares_output = False
    """Whether ``compute_output_shape`` says all about the output for inputs of the layer's dtype:
    one tensor, of that dtype, with the input's mask or none. Such a layer is called on symbolic
    tensors without running anything; a subclass from elsewhere is run nonetheless."""
    steerable: ClassVar[dict[str, tuple[float, float, str]]] = {}
    """Numbers that may be moved while training: attribute -> (minimum, maximum, scale)."""

    dtype: Any
    built: bool
    _name: str | None
    _trainable: bool

    # ---------------------------------------------------------------- construction

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        # Fields are set here, so that a subclass may set attributes, or make
        # weights, before it calls super().__init__().
        self = super().__new__(cls, *args, **kwargs)
        fields = vars(self)
        fields.update(
            built=False,
            input_spec=None,
            dtype=floatx(),
            _name=None,
            _trainable=True,
            _trainable_weights=[],
            _non_trainable_weights=[],
            _sublayers=[],
            _regularized=[],
            _inbound_nodes=[],
            _outbound_nodes=[],
            _inferred={},
            _updated={},
            _initial_weights=None,
            _batch_input_shape=None,
        )
        return self

    def __init__(self, **kwargs: Any) -> None:
        self._check_keywords(kwargs)
        self._name = kwargs.get("name") or self._name
        self._trainable = kwargs.get("trainable", self._trainable)
        self._batch_input_shape = _batch_input_shape(kwargs, self.sequence_input)
        self.dtype = kwargs.get("dtype") or kwargs.get("input_dtype") or self.dtype
        self._initial_weights = kwargs.get("weights")

    def _check_keywords(self, kwargs: dict[str, Any]) -> None:
        unknown = kwargs.keys() - _KEYWORDS
        if unknown:
            takes = [p for p in inspect.signature(type(self).__init__).parameters if p != "self"]
            raise TypeError(
                f"{type(self).__name__} has no argument {sorted(unknown)[0]!r}."
                + registry.suggestion(sorted(unknown)[0], [*takes, *_KEYWORDS])
            )

    @property
    def name(self) -> str:
        if self._name is None:
            self._name = unique_name(type(self).__name__)
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = value

    @property
    def batch_input_shape(self) -> Shape | None:
        """The shape this layer was told to expect, with the batch size in front."""
        if self._batch_input_shape is None:
            raise AttributeError(f"Layer {self.name!r} was given no input_shape.")
        return self._batch_input_shape

    @batch_input_shape.setter
    def batch_input_shape(self, shape: Any) -> None:
        self._batch_input_shape = None if shape is None else to_shape(shape)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Layer) or (
            isinstance(value, list | tuple) and value and isinstance(value[0], Layer)
        ):
            self._track(value)
        super().__setattr__(name, value)

    def _track(self, value: Any) -> None:
        """Remember layers held as attributes: their weights are this layer's too."""
        known = {id(layer) for layer in self._sublayers}
        for layer in value if isinstance(value, list | tuple) else [value]:
            if isinstance(layer, Layer) and id(layer) not in known:
                known.add(id(layer))
                self._sublayers.append(layer)

    # ---------------------------------------------------------------- weights

    def build(self, input_shape: Any) -> None:
        """Make the weights for an input shape (batch size in front); called once."""
        self.built = True

    @_takes_shape_first
    def add_weight(
        self,
        name: str | None = None,
        shape: Any = (),
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool = True,
        constraint: Any = None,
    ) -> tf.Variable:
        """Make a weight of this layer.

        Args:
            name: what it is called after the layer's name.
            shape: its sizes.
            dtype: its type, by default the layer's.
            initializer: name, object or function; ``glorot_uniform`` by default.
            regularizer: a penalty that is added to the model's loss.
            trainable: whether training moves it.
            constraint: a function applied to it after each update.

        Returns:
            The ``tf.Variable``.

        Raises:
            ValueError: a size is not a whole number of zero or more.
        """
        sizes = tuple(shape)
        if any(size is None or int(size) < 0 for size in sizes):
            raise ValueError(
                f"Layer {self.name!r} cannot make its weight {name!r} of shape {sizes}: every size "
                "must be known. Give the first layer an input_shape whose sizes are numbers."
            )
        sizes = tuple(int(size) for size in sizes)
        registry.charge(int(np.prod(sizes, dtype=np.float64)), f"{self.name}/{name}")
        dtype = tf.as_dtype(dtype or self.dtype)
        start = registry.get("initializer", initializer or "glorot_uniform")
        constraint = registry.get("constraint", constraint)
        with tf.init_scope():
            value = start(sizes, dtype=dtype.name)
            variable = make_variable(
                value if getattr(value, "dtype", None) is dtype else tf.cast(value, dtype),
                name or "weight",
                trainable=trainable,
                constraint=constraint,
                shape=sizes,
                # Replicas move a statistic together, to the mean of what each found.
                aggregation=tf.VariableAggregation.NONE
                if trainable
                else tf.VariableAggregation.MEAN,
            )
        (self._trainable_weights if trainable else self._non_trainable_weights).append(variable)
        if regularizer is not None:
            self._regularized.append((variable, registry.get("regularizer", regularizer)))
        return variable

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        Layer.freezings += 1
        self._trainable = bool(value)
        for layer in self._sublayers:
            layer.trainable = value

    freezings: ClassVar[int] = 0
    """How often ``trainable`` was assigned to in any layer: whoever keeps the number sees whether
    it may have changed since."""

    def is_frozen(self) -> bool:
        """Whether the model that is running the layer leaves it as it is.

        What counts is ``trainable`` when that model was compiled; outside of one, what it is now.
        """
        call = current_call()
        if call is None or call.frozen is None:
            return not self.trainable
        return self in call.frozen

    @property
    def trainable_weights(self) -> list[tf.Variable]:
        """The weights that training moves."""
        if not self.trainable:
            return []
        own = list(self._trainable_weights)
        return once(own + [w for layer in self._sublayers for w in layer.trainable_weights])

    @trainable_weights.setter
    def trainable_weights(self, weights: list[tf.Variable]) -> None:
        self._trainable_weights = list(weights)

    @property
    def non_trainable_weights(self) -> list[tf.Variable]:
        """The weights that training leaves alone; all of them if the layer is frozen."""
        own = list(self._non_trainable_weights)
        if not self.trainable:
            own = list(self._trainable_weights) + own
        return once(own + [w for layer in self._sublayers for w in layer.non_trainable_weights])

    @non_trainable_weights.setter
    def non_trainable_weights(self, weights: list[tf.Variable]) -> None:
        self._non_trainable_weights = list(weights)

    @property
    def weights(self) -> list[tf.Variable]:
        """All weights, those that train first."""
        return self.trainable_weights + self.non_trainable_weights

    def get_weights(self) -> list[np.ndarray]:
        """The values of all weights, as NumPy arrays."""
        return [weight.numpy() for weight in self.weights]

    def set_weights(self, weights: Iterable[Any]) -> None:
        """Give all weights new values, in the order of :meth:`get_weights`.

        Raises:
            ValueError: their number or a shape does not fit; nothing is changed then.
        """
        arrays = [np.asarray(array) for array in weights]
        expected = [tuple(weight.shape) for weight in self.weights]
        given = [array.shape for array in arrays]
        if expected != given:
            raise ValueError(
                f"Layer {self.name!r} has {len(expected)} weights of the shapes {expected}; got "
                f"{len(given)} arrays of the shapes {given}."
                + ("" if self.built else " It is not built yet: call it, or give an input_shape.")
            )
        for weight, array in zip(self.weights, arrays, strict=True):
            weight.assign(tf.cast(array, weight.dtype))

    def count_params(self) -> int:
        """How many numbers its weights hold.

        Raises:
            RuntimeError: the layer is not built yet.
        """
        if not self.built:
            raise RuntimeError(
                f"Layer {self.name!r} has no weights to count yet: build it by calling it on an "
                "input, or by giving it an input_shape."
            )
        return sum(int(np.prod(weight.shape)) for weight in self.weights)

    # ---------------------------------------------------------------- losses

    def _penalties(self) -> list[tuple[tf.Variable, Any]]:
        """The weights that are regularized, with their penalties, each pair once."""
        own = {id(weight): (weight, penalty) for weight, penalty in self._regularized}
        for layer in self._sublayers:
            own.update((id(weight), (weight, penalty)) for weight, penalty in layer._penalties())
        return list(own.values())

    @property
    def losses(self) -> list[Any]:
        """The penalties of its regularized weights, as tensors."""
        return [penalty(weight) for weight, penalty in self._penalties()]

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add tensors to the loss of the model that is running this layer.

        Args:
            losses: a tensor or several; of each the mean counts.
            inputs: not needed: a call knows its inputs.

        Raises:
            RuntimeError: no model is running; a model's own ``add_loss`` takes symbolic
                tensors at any time.
        """
        call = current_call()
        if call is None:
            raise RuntimeError(
                f"Layer {self.name!r}: add_loss belongs into call(), while a model runs the layer. "
                "Outside of it write model.add_loss(tensor)."
            )
        call.losses.extend(losses if isinstance(losses, list | tuple) else [losses])

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Let variables change whenever the layer trains (a stateful layer: whenever it runs).

        Args:
            updates: pairs (variable, new value), as ``K.update`` returns them, or one.
            inputs: what they depend on, for :meth:`get_updates_for`; ``None`` for nothing.
        """
        single = isinstance(updates, tuple) and isinstance(updates[0], tf.Variable)
        pairs = [updates] if single else list(updates)
        self._updated.update((id(v), (v, inputs is not None)) for v, _ in pairs)
        call = current_call()
        if call is None or call.scratch or (self.is_frozen() and not self.stateful):
            return
        for variable, value in pairs:
            value = tf.cast(value, variable.dtype)
            if not self.stateful:
                value = _in_training(call.training, value, variable)
            if value is not None:
                variable.assign(value)

    def _updates(self) -> list[tuple[tf.Variable, bool]]:
        """The variables that change as the layer runs, and whether its inputs decide how."""
        if self.is_frozen() and not self.stateful:
            return []
        own = list(self._updated.values())
        return own + [pair for layer in self._sublayers for pair in layer._updates()]

    @property
    def updates(self) -> list[tuple[tf.Variable, tf.Variable]]:
        """The variables that change as the layer runs in training, as pairs for ``K.function``.

        They change by themselves, wherever the layer runs, so each stands beside itself: to name
        them as updates of a ``K.function`` changes nothing more.
        """
        return [(variable, variable) for variable in once([v for v, _ in self._updates()])]

    def get_updates_for(self, inputs: Any) -> list[tuple[tf.Variable, tf.Variable]]:
        """Those of :attr:`updates` that depend on some inputs, or with ``None`` on nothing."""
        if inputs is not None and not self._calls_on(inputs):
            return []
        wanted = inputs is not None
        return [(v, v) for v in once([v for v, depends in self._updates() if depends is wanted])]

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """What the layer adds to the loss for some inputs, or with ``None`` for any.

        Args:
            inputs: what the layer was called on, or ``None``: the penalties of its weights.

        Returns:
            A list of tensors; symbolic ones if they depend on the inputs.
        """
        if inputs is None:
            return [penalty(weight) for weight, penalty in self._penalties()]
        return [loss for node in self._calls_on(inputs) for loss in graph.node_losses(node)]

    def _calls_on(self, inputs: Any) -> list[Any]:
        """The calls of this layer on some symbolic inputs."""
        wanted = {id(tensor) for tensor in symbolic.flatten(inputs)}
        return [
            node
            for node in self._inbound_nodes
            if wanted & {id(tensor) for tensor in symbolic.flatten(graph.node_inputs(node))}
        ]

    @property
    def uses_learning_phase(self) -> bool:
        """Whether the layer computes in training otherwise than in use."""
        parts = self._sublayers
        return "training" in _arguments(type(self)) or any(p.uses_learning_phase for p in parts)

    # ---------------------------------------------------------------- calling

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; what a subclass writes."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The output's shape for an input's, by running ``call`` on placeholders."""
        shapes = [input_shape] if _is_shape(input_shape) else list(input_shape)
        tensors = [KerasTensor(shape, self.dtype) for shape in shapes]
        outputs, _ = graph.infer(self, tensors[0] if _is_shape(input_shape) else tensors, (), {})
        return shape_of(outputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the output; by default the input's, where masks are supported.

        Raises:
            TypeError: a mask came and the layer does not know what to do with it.
        """
        if self.supports_masking:
            return mask
        masks = mask if isinstance(mask, list | tuple) else [mask]
        if any(m is not None for m in masks):
            raise TypeError(
                f"Layer {self.name!r} does not support masking, but was given a mask. Set "
                "self.supports_masking = True in it, or take away the layer that makes the mask."
            )
        return None

    def _known_outputs(self, inputs: Any) -> Any:
        """Types of the outputs and of their masks where a model knows them from its own graph."""
        return None

    @property
    def passes_mask(self) -> bool:
        """Whether a mask passes through the layer as it is."""
        return self.supports_masking and type(self).compute_mask is Layer.compute_mask

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if is_symbolic(inputs) or (args and is_symbolic(args)) or (kwargs and is_symbolic(kwargs)):
            return graph.record_layer(self, inputs, args, kwargs)
        return self._run(inputs, *args, **kwargs)

    def _run(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Call on real tensors, with masks and losses travelling beside them."""
        call = current_call()
        if call is None:
            with call_scope(Call()):
                return self._run(inputs, *args, **kwargs)
        inputs = _as_tensors(inputs, self.dtype)
        self.prepare(shape_of(inputs), inputs)
        masks = symbolic.map_structure(call.mask_of, inputs)
        kind: Any = type(self)
        takes = _arguments(kind)
        if "mask" in takes and "mask" not in kwargs and any_mask(masks):
            kwargs["mask"] = masks
        if "training" in takes and "training" not in kwargs and len(args) == 0:
            kwargs["training"] = symbolic.current_phase()
        outputs = self.call(inputs, *args, **kwargs)
        if type(outputs) in (list, tuple) and len(outputs) == 1:
            outputs = outputs[0]  # as in Keras 2: K.gradients returns a list of one, for instance
        outputs = _fresh(outputs, inputs)
        mask = kwargs.get("mask", masks if any_mask(masks) else None)
        self._set_output_masks(call, outputs, self.compute_mask(inputs, mask))
        regularizer = getattr(self, "activity_regularizer", None)
        if regularizer is not None:
            for output in symbolic.flatten(outputs):
                rows = tf.cast(tf.shape(output)[0], tf.float32)
                call.losses.append(tf.cast(regularizer(output), tf.float32) / rows)
        return outputs

    @staticmethod
    def _set_output_masks(call: Call, outputs: Any, masks: Any) -> None:
        flat = symbolic.flatten(outputs)
        each = masks if isinstance(masks, list | tuple) else [masks] * len(flat)
        for output, mask in zip(flat, each, strict=False):
            call.set_mask(output, mask)

    def prepare(self, input_shape: Any, inputs: Any) -> None:
        """Check inputs and build the weights if this is the first call."""
        check_inputs(self, inputs)
        if self.built:
            return
        with tf.init_scope(), tf.name_scope(self.name):
            self.build(input_shape)
        self.built = True
        check_inputs(self, inputs)
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)
            self._initial_weights = None

    # ---------------------------------------------------------------- nodes

    def _node_value(self, index: int, what: str) -> Any:
        if not self._inbound_nodes:
            raise AttributeError(
                f"Layer {self.name!r} has never been called, so it has no {what}. Call it on an "
                "input: layer(Input(shape=...))."
            )
        if not -len(self._inbound_nodes) <= index < len(self._inbound_nodes):
            raise ValueError(
                f"Layer {self.name!r} was called {len(self._inbound_nodes)} times; asked for the "
                f"{what} of call {index}."
            )
        node = self._inbound_nodes[index]
        return graph.node_inputs(node) if what.startswith("input") else node.outputs

    def _only_node_value(self, what: str) -> Any:
        if len(self._inbound_nodes) > 1:
            values = [shape_of(self._node_value(i, what)) for i in range(len(self._inbound_nodes))]
            if not what.endswith("shape") or any(v != values[0] for v in values):
                raise AttributeError(
                    f"Layer {self.name!r} was called {len(self._inbound_nodes)} times, so its "
                    f"{what} is ambiguous. Write layer.get_{what.replace(' ', '_')}_at(call)."
                )
        return self._node_value(0, what)

    @property
    def input(self) -> Any:
        """What the layer was called on, if it was called once."""
        return self._only_node_value("input")

    @property
    def output(self) -> Any:
        """What the layer returned, if it was called once."""
        return self._only_node_value("output")

    @property
    def input_shape(self) -> Any:
        """Shape of the input (batch size in front), if all calls agree."""
        if not self._inbound_nodes and self._batch_input_shape is not None:
            return self._batch_input_shape
        return shape_of(self._only_node_value("input shape"))

    @property
    def output_shape(self) -> Any:
        """Shape of the output (batch size in front), if all calls agree."""
        return shape_of(self._only_node_value("output shape"))

    def get_input_at(self, node_index: int) -> Any:
        """What the layer was called on, the given time."""
        return self._node_value(node_index, "input")

    def get_output_at(self, node_index: int) -> Any:
        """What the layer returned, the given time."""
        return self._node_value(node_index, "output")

    def get_input_shape_at(self, node_index: int) -> Any:
        """Shape of what the layer was called on, the given time."""
        return shape_of(self._node_value(node_index, "input shape"))

    def get_output_shape_at(self, node_index: int) -> Any:
        """Shape of what the layer returned, the given time."""
        return shape_of(self._node_value(node_index, "output shape"))

    def _node_masks(self, tensors: Any) -> Any:
        return symbolic.map_structure(mask_of, tensors)

    @property
    def input_mask(self) -> Any:
        """The mask of what the layer was called on, if it was called once; symbolic."""
        return self._node_masks(self._only_node_value("input mask"))

    @property
    def output_mask(self) -> Any:
        """The mask of what the layer returned, if it was called once; symbolic."""
        return self._node_masks(self._only_node_value("output mask"))

    def get_input_mask_at(self, node_index: int) -> Any:
        """The mask of what the layer was called on, the given time."""
        return self._node_masks(self._node_value(node_index, "input mask"))

    def get_output_mask_at(self, node_index: int) -> Any:
        """The mask of what the layer returned, the given time."""
        return self._node_masks(self._node_value(node_index, "output mask"))

    # ---------------------------------------------------------------- configuration

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """A new layer from what ``get_config`` returned, here or in Keras 1 or 2.

        Raises:
            ConfigError: it does not fit the constructor.
        """
        if isinstance(config, Mapping):
            try:
                config = in_present_words(cls, config)
            except (TypeError, ValueError) as error:
                raise registry.ConfigError(str(error)) from error
        return super().from_config(config)

    def _base_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {"name": self.name, "trainable": self._trainable}
        if self._batch_input_shape is not None:
            config["batch_input_shape"] = self._batch_input_shape
        config["dtype"] = tf.as_dtype(self.dtype).name
        return config

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


def frozen_layers(layer: Any, frozen: bool = False) -> frozenset[Any]:
    """The layers within a layer, itself included, that training leaves as they are now."""
    frozen = frozen or not layer.trainable
    inner = (frozen_layers(part, frozen) for part in layer._sublayers)
    return frozenset([layer] if frozen else []).union(*inner)


def once(variables: list[tf.Variable]) -> list[tf.Variable]:
    """Variables in order, each once: those of a shared layer are met more than once."""
    return list({id(variable): variable for variable in variables}.values())


def _in_training(training: Any, value: Any, variable: tf.Variable) -> Any:
    """An update's value in training; ``None``, or the old value, outside of it."""
    if tf.is_tensor(training):
        return tf.where(tf.cast(training, tf.bool), value, variable)
    return value if training else None


def any_mask(masks: Any) -> bool:
    """Whether any of the masks beside some inputs is one."""
    return any(mask is not None for mask in symbolic.flatten(masks))


@functools.lru_cache(maxsize=1024)
def _arguments(cls: Any) -> frozenset[str]:
    """The names of the arguments that a layer class's ``call`` takes."""
    return frozenset(inspect.signature(cls.call).parameters)


def _as_tensors(inputs: Any, dtype: Any) -> Any:
    """Arrays and numbers become tensors; tensors stay what they are."""

    def convert(value: Any) -> Any:
        if isinstance(value, tf.Tensor | tf.SparseTensor) or value is None:
            return value
        if isinstance(value, tf.Variable):
            return tf.convert_to_tensor(value)
        array = np.asarray(value)
        return tf.constant(array, dtype if array.dtype.kind == "f" else None)

    return symbolic.map_structure(convert, inputs)


def _fresh(outputs: Any, inputs: Any) -> Any:
    """Outputs that are not the very input objects, so that each has a mask of its own."""
    given = {id(value) for value in symbolic.flatten(inputs)}
    return symbolic.map_structure(
        lambda value: tf.identity(value) if id(value) in given else value, outputs
    )


def _batch_input_shape(kwargs: dict[str, Any], sequence: bool) -> Shape | None:
    if kwargs.get("batch_input_shape") is not None:
        return to_shape(kwargs["batch_input_shape"])
    if kwargs.get("input_shape") is not None:
        return (kwargs.get("batch_size"), *to_shape(kwargs["input_shape"]))
    if kwargs.get("input_dim") is not None:
        features = to_shape(kwargs["input_dim"])
        steps = (kwargs.get("input_length"),) if sequence or "input_length" in kwargs else ()
        return (kwargs.get("batch_size"), *steps, *features)
    return None


def _is_shape(value: Any) -> bool:
    return isinstance(value, tf.TensorShape) or all(
        size is None or isinstance(size, int | np.integer) for size in value
    )
