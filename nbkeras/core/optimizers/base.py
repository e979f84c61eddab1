"""What all optimizers share: hyperparameters, slots, clipping, applying, saving.

An optimizer is a pure function of numbers, `step`, and the variables around it. A
subclass says how it is called (`__init__`), which tensors it keeps for each weight
(`slot_names`), and what one step does (`step`); see `sgd.py` for the shortest one.
"""

from __future__ import annotations

import contextlib
import difflib
import functools
import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np
import tensorflow as tf

from nbkeras.core import registry
from nbkeras.core.backend.replay import LossOfStep
from nbkeras.core.backend.symbolic import Call, call_scope, is_symbolic, operation
from nbkeras.core.backend.variables import Kept
from nbkeras.core.optimizers import gradients as gradient_tools
from nbkeras.core.optimizers.hyper import (
    Hyperparameter,
    compute_dtype,
    hyper_dtype,
    make_variable,
)

__all__ = ["Numbers", "Optimizer", "Slots", "takes_older_arguments"]

Numbers = dict[str, Any]
"""Scalars by name."""
Slots = dict[str, Any]
"""The tensors (or variables) that an optimizer keeps for one weight, by name."""


_ALWAYS = object()

# What tf_keras writes beside the hyperparameters, with the values that change nothing.
_WITHOUT_EFFECT: dict[str, tuple[Any, ...]] = {
    "ema_momentum": (),
    "ema_overwrite_frequency": (),
    "is_legacy_optimizer": (),
    "jit_compile": (),
    "use_ema": (None, False),
    "weight_decay": (None, 0, 0.0),
}


Method = TypeVar("Method", bound=Callable[..., Any])


def takes_older_arguments(get_updates: Method) -> Method:
    """Let an optimizer's `get_updates(loss, params)` take Keras 1's arguments as well.

    Args:
        get_updates: the method.

    Returns:
        The method; called with `(params, constraints, loss)` it has these the other way round.

    >>> class Still:
    ...     @takes_older_arguments
    ...     def get_updates(self, loss, params):
    ...         return loss, params
    >>> Still().get_updates(['w'], [], 'loss')
    ('loss', ['w'])
    """

    @functools.wraps(get_updates)
    def taking(self: Any, *args: Any, **kwargs: Any) -> Any:
        old = ("params", "constraints", "loss")
        if len(args) == len(old) or "constraints" in kwargs:
            kwargs = {**dict(zip(old, args, strict=False)), **kwargs}
            del kwargs["constraints"]
            args = ()
        return get_updates(self, *args, **kwargs)

    return taking  # type: ignore[return-value]


@registry.base("optimizer")
class Optimizer(registry.Configurable):
    """Base class of the optimizers (Keras 2 manual, chapter 9).

    Args:
        lr: learning rate; `learning_rate` is the same.
        decay: the learning rate of update `t = 0, 1, ...` is `lr / (1 + decay * t)`.
        clipnorm: each gradient is shortened to this norm: `g * c / max(c, |g|)`.
        clipvalue: the numbers of gradients are cut to `[-clipvalue, clipvalue]`.
        global_clipnorm: all gradients are shortened together to this common norm.
        name: name of its variables.

    Attributes:
        iterations: how many updates were made, an int64 variable.
        lr, decay, ...: the hyperparameters, variables; assigning a number sets their value.

    Example: an optimizer of one's own.
        >>> class SignSGD(Optimizer):
        ...     def step(self, parameter, gradient, slots, numbers):
        ...         return parameter - numbers['lr'] * tf.sign(gradient), slots
        >>> w = tf.Variable([1., 2.])
        >>> SignSGD(lr=0.5).apply_gradients([(tf.constant([9., -9.]), w)])
        >>> w.numpy().tolist()
        [0.5, 2.5]
    """

    lr = Hyperparameter()
    learning_rate = Hyperparameter("lr")
    decay = Hyperparameter()

    slot_names: tuple[str, ...] = ()
    """The tensors kept for each weight, in the order in which they are saved."""

    shared_names: tuple[str, ...] = ()
    """Hyperparameters that an update changes itself; they are saved with the slots."""

    additions: ClassVar[Mapping[str, Any]] = {}
    """Arguments that Keras 2 does not know, with their defaults, at which they are not saved."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Who overrides the formula must not be overtaken by the parent's faster forms of it.
        if "step" in vars(cls):
            for name in ("fused", "rows"):
                if name not in vars(cls):
                    setattr(cls, name, vars(Optimizer)[name])
        # Whichever says last how weights move is followed.
        said = [name for name in ("step", "_apply", "get_updates") if name in vars(cls)]
        if said:
            cls._by_updates = said == ["get_updates"]

    _by_updates = False
    """Whether `get_updates`, as in Keras 2, says what one update is, and not `step`."""

    def __init__(
        self,
        lr: float = 0.01,
        decay: float = 0.0,
        *,
        learning_rate: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
        **unknown: Any,
    ) -> None:
        if unknown:
            raise TypeError(_unknown_argument(type(self), next(iter(unknown))))
        if {"lr", "learning_rate"} <= self._passed:
            raise TypeError("lr and learning_rate are the same; write one of them.")
        self._hyper: dict[str, Any] = {}
        self._slots: dict[Any, Slots] = {}
        self._variables: list[Any] = []
        self._pending: list[np.ndarray] | None = None
        self._warned: set[tuple[str, ...]] = set()
        self._kept: Kept | None = None
        self._own_weights: list[Any] | None = None
        self.name = name or type(self).__name__
        self.lr = lr if learning_rate is None else learning_rate
        self.decay = decay
        self.clipnorm = _positive("clipnorm", clipnorm)
        self.clipvalue = _positive("clipvalue", clipvalue)
        self.global_clipnorm = _positive("global_clipnorm", global_clipnorm)
        self._iterations = make_variable(0, tf.int64, "iterations")

    @property
    def iterations(self) -> Any:
        """How many updates were made."""
        return self._iterations

    @iterations.setter
    def iterations(self, value: Any) -> None:
        self._iterations.assign(value)

    # ------------------------------------------------------------ the mathematics

    def step(
        self, parameter: Any, gradient: Any, slots: Slots, numbers: Numbers
    ) -> tuple[Any, Slots]:
        """One update of one weight: a pure function of tensors.

        Args:
            parameter: the weight.
            gradient: its gradient, of the same shape and dtype.
            slots: the tensors kept for it.
            numbers: what `numbers` returned for this update.

        Returns:
            The new weight and the new slots.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not say what one update is. Write `def step(self, "
            "parameter, gradient, slots, numbers): return parameter - numbers['lr'] * gradient, "
            "slots`."
        )

    def numbers(self, hyper: Numbers, iteration: Any) -> Numbers:
        """The scalars of update number `iteration` (from 0): the same for all weights.

        Args:
            hyper: the hyperparameters, as `hyper` gives them.
            iteration: how many updates came before.
        """
        lr = hyper["lr"] / (1.0 + hyper["decay"] * tf.cast(iteration, hyper["lr"].dtype))
        return {**hyper, "lr": lr}

    def advance(self, hyper: Numbers, iteration: Any) -> Numbers:
        """The values that `shared_names` have after an update."""
        return {}

    def fused(self, variable: Any, gradient: Any, slots: Slots, numbers: Numbers) -> bool:
        """`step` in place, by one kernel or by less copying; `False` if it knows no such way."""
        return False

    def rows(
        self, variable: Any, gradient: tf.IndexedSlices, slots: Slots, numbers: Numbers
    ) -> bool:
        """`step` in place where it changes only the rows of the gradient; `False` otherwise."""
        return False

    def initial_slots(self, parameter: Any) -> Slots:
        """The slots of a weight before the first update: zeros."""
        dtype = compute_dtype(parameter.dtype)
        return {name: tf.zeros(parameter.shape, dtype) for name in self.slot_names}

    def hyper(self, dtype: Any = None) -> Numbers:
        """The present values of the hyperparameters, as scalars of a dtype."""
        dtype = tf.as_dtype(dtype or hyper_dtype())
        # Read once, not wherever a formula names them.
        return {
            name: tf.cast(tf.convert_to_tensor(variable), dtype)
            for name, variable in self._hyper.items()
        }

    def update(
        self,
        parameter: Any,
        gradient: Any,
        slots: Slots,
        hyper: Numbers | None = None,
        iteration: Any = None,
    ) -> tuple[Any, Slots]:
        """One update of one weight as a pure function; nothing is assigned, nothing clipped.

        Args:
            parameter: the weight.
            gradient: its gradient.
            slots: its slots, tensors or variables by name.
            hyper: hyperparameters; the present ones if `None`.
            iteration: number of the update, from 0; `iterations` if `None`.

        Returns:
            The new weight and the new slots.

        Example:
            >>> sgd = registry.get('optimizer', 'sgd')
            >>> new, _ = sgd.update(tf.constant(1.), tf.constant(2.), {})
            >>> print(new.numpy())
            0.98
        """
        parameter = tf.convert_to_tensor(parameter)
        dtype = compute_dtype(parameter.dtype)
        hyper = self.hyper(dtype) if hyper is None else _cast_all(hyper, dtype)
        iteration = self.iterations if iteration is None else iteration
        return self._step_in(dtype, parameter, gradient, slots, self.numbers(hyper, iteration))

    def _step_in(
        self, dtype: tf.DType, parameter: Any, gradient: Any, slots: Slots, numbers: Numbers
    ) -> tuple[Any, Slots]:
        """`step` in the dtype of the slots; the weight comes back in its own."""
        new, new_slots = self.step(
            tf.cast(parameter, dtype),
            tf.cast(gradient_tools.dense(gradient, parameter.shape), dtype),
            {name: tf.convert_to_tensor(value) for name, value in slots.items()},
            numbers,
        )
        return tf.cast(new, parameter.dtype), new_slots

    # ------------------------------------------------------------ variables

    def build(self, variables: Iterable[Any]) -> None:
        """Creates the slots of the weights that have none yet."""
        variables = list(variables)
        if self._pending is None and not (self._by_updates and self._kept is None):
            slots = self._slots
            if all(variable.ref() in slots for variable in variables):
                return
        with tf.init_scope():
            for variable in variables:
                if variable.ref() in self._slots:
                    continue
                prefix, owner = self.name, _plain(variable)
                with _scope_of(variable):
                    self._slots[variable.ref()] = {
                        name: make_variable(value, value.dtype, f"{prefix}/{name}/{owner}")
                        for name, value in self.initial_slots(variable).items()
                    }
                self._variables.append(variable)
            if self._by_updates and self._kept is None:
                # Called once for the variables that it makes; nothing is assigned.
                self._kept = Kept()
                self._updates([tf.zeros_like(v) for v in self._variables], self._variables)
            pending, self._pending = self._pending, None
            if pending is not None:
                self.set_weights(pending)

    @property
    def built(self) -> bool:
        """Whether there are slots for some weights."""
        return bool(self._slots)

    @property
    def variables(self) -> list[Any]:
        """`iterations`, the shared numbers, and the slots: what is saved."""
        if self._by_updates:
            if self._own_weights is not None:
                return list(self._own_weights)
            return [self._iterations, *(self._kept.variables if self._kept else ())]
        shared = [self._hyper[name] for name in self.shared_names]
        slots = [self._slots[v.ref()][name] for name in self.slot_names for v in self._variables]
        return [self._iterations, *shared, *slots]

    @property
    def weights(self) -> list[Any]:
        """The same as `variables`; a `get_updates` of one's own may assign what is to be saved."""
        return self.variables

    @weights.setter
    def weights(self, variables: Sequence[Any]) -> None:
        self._own_weights = list(variables)

    def slots(self, variable: Any) -> Slots:
        """The slot variables of a weight, by name.

        Raises:
            KeyError: if the optimizer has not been built for it.
        """
        try:
            return dict(self._slots[variable.ref()])
        except KeyError:
            raise KeyError(
                f"{type(self).__name__} keeps nothing for {_plain(variable)!r} yet. "
                "Call optimizer.build([variable]) before."
            ) from None

    # ------------------------------------------------------------ applying

    def apply_gradients(
        self, grads_and_vars: Iterable[tuple[Any, Any]], name: str | None = None
    ) -> None:
        """Updates variables by their gradients.

        May be called eagerly, in a `tf.function`, in the body of a loop, compiled by
        XLA, and in the replicas of a `tf.distribute` strategy, whose gradients are added.

        Args:
            grads_and_vars: pairs of gradient and variable; a gradient may be a tensor,
                `tf.IndexedSlices` or `None`.
            name: accepted as Keras does.

        Raises:
            ValueError: if all gradients are `None`.
        """
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])

    def apply(self, gradients: Sequence[Any], variables: Sequence[Any]) -> None:
        """`apply_gradients` with gradients and variables in two lists."""
        gradients, variables = self._present(gradients, variables)
        if _replicas() > 1 and not tf.distribute.in_cross_replica_context():
            context = tf.distribute.get_replica_context()
            gradients = self.clip(context.all_reduce(tf.distribute.ReduceOp.SUM, gradients))
            context.merge_call(self._apply_merged, args=(gradients, variables))
            return
        self.build(variables)
        self._apply(self.clip(gradients), variables, _run_here)

    def _apply_merged(self, strategy: Any, gradients: Any, variables: Any) -> None:
        """Updates each replica's copy of the variables alike."""
        self.build(variables)

        def run(function: Callable[..., Any], variable: Any, *args: Any) -> None:
            strategy.extended.update(variable, function, args=args, group=False)

        self._apply(gradients, variables, run)

    def _apply(
        self, gradients: Sequence[Any], variables: Sequence[Any], run: Callable[..., Any]
    ) -> None:
        if self._by_updates:
            self._apply_updates(gradients, variables)
            return
        iteration = tf.convert_to_tensor(self.iterations)
        numbers: dict[tf.DType, Numbers] = {}
        for gradient, variable in zip(gradients, variables, strict=True):
            dtype = compute_dtype(variable.dtype)
            if dtype not in numbers:
                numbers[dtype] = self.numbers(self.hyper(dtype), iteration)
            run(self._update_variable, variable, gradient, self.slots(variable), numbers[dtype])
        for name, value in self.advance(self.hyper(), iteration).items():
            self._hyper[name].assign(value)
        self.iterations.assign_add(1)

    def _updates(self, gradients: Sequence[Any], variables: Sequence[Any]) -> list[tuple[Any, Any]]:
        """What the subclass's `get_updates` assigns, for gradients that are known."""
        known: dict[str, Any] = {
            "loss": LossOfStep([tf.convert_to_tensor(g) for g in gradients], variables),
            "params": list(variables),
            "constraints": {},  # Keras 2.0 asked for them
        }
        names = list(inspect.signature(self.get_updates).parameters)
        taken = names if set(names) <= set(known) else ["loss", "params"]
        assert self._kept is not None
        # Within a call, K.update returns a pair of variable and value, and assigns nothing.
        with call_scope(Call(training=True)), self._kept.used():
            pairs = self.get_updates(*(known[name] for name in taken))
        given = pairs if isinstance(pairs, list | tuple) else [pairs]
        if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in given):
            raise TypeError(
                f"{type(self).__name__}.get_updates(loss, params) returns a list of updates, as "
                f"[K.update(p, p - lr * g)], or pairs (variable, new value); got {pairs!r:.200}."
            )
        return [(variable, tf.cast(value, variable.dtype)) for variable, value in pairs]

    def _apply_updates(self, gradients: Sequence[Any], variables: Sequence[Any]) -> None:
        if _replicas() > 1:
            raise NotImplementedError(
                f"{type(self).__name__} says with get_updates what one update is, which cannot be "
                "done on several replicas. Write `def step(self, parameter, gradient, slots, "
                "numbers)` in it instead; optimizers.SGD is an example."
            )
        for variable, value in self._updates(gradients, variables):
            variable.assign(value)

    def _update_variable(
        self, variable: Any, gradient: Any, slots: Slots, numbers: Numbers
    ) -> None:
        """One update of one variable, by the shortest way that gives the documented result."""
        if not self._update_in_place(variable, gradient, slots, numbers):
            dtype = compute_dtype(variable.dtype)
            new, new_slots = self._step_in(
                dtype, tf.convert_to_tensor(variable), gradient, slots, numbers
            )
            variable.assign(new)
            for name, value in new_slots.items():
                slots[name].assign(value)
        if variable.constraint is not None:
            variable.assign(variable.constraint(tf.convert_to_tensor(variable)))

    def _update_in_place(
        self, variable: Any, gradient: Any, slots: Slots, numbers: Numbers
    ) -> bool:
        if variable.dtype != compute_dtype(variable.dtype) or variable.dtype != gradient.dtype:
            return False
        if isinstance(gradient, tf.IndexedSlices):
            if self.rows(variable, gradient, slots, numbers):
                return True
            gradient = gradient_tools.dense(gradient, variable.shape)
        return self.fused(variable, gradient, slots, numbers)

    def clip(self, gradients: Sequence[Any]) -> list[Any]:
        """The gradients within the bounds that the constructor was given."""
        return gradient_tools.clip(gradients, self.clipvalue, self.clipnorm, self.global_clipnorm)

    def _present(
        self, gradients: Sequence[Any], variables: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        """Without the variables that have no gradient; says once which they are."""
        pairs = list(zip(gradients, variables, strict=True))
        missing = tuple(_plain(v) for g, v in pairs if g is None)
        if missing and len(missing) == len(pairs):
            raise ValueError(
                f"The loss depends on none of the weights {_list(missing)}: they have no gradient. "
                "Check that the loss is computed from the model's output by functions that have "
                "gradients (not K.argmax, K.round, ...), and that not all layers are frozen."
            )
        if missing and missing not in self._warned:
            self._warned.add(missing)
            warnings.warn(
                f"The loss does not depend on {_list(missing)}; training leaves them as they are.",
                stacklevel=4,
            )
        kept = [(g, v) for g, v in pairs if g is not None]
        return [g for g, _ in kept], [v for _, v in kept]

    # ------------------------------------------------------------ as in Keras 2

    def get_gradients(self, loss: Any, params: Sequence[Any]) -> list[Any]:
        """The clipped gradients of a loss.

        Args:
            loss: a symbolic scalar, a tensor within a `tf.function`, or a function
                without arguments that computes it.
            params: the variables.

        Raises:
            ValueError: if the loss does not depend on one of them.
        """
        params = list(params)
        if isinstance(loss, LossOfStep):
            # Clipped before; without one a weight stays as it is.
            found = loss.gradients(params)
            return [
                tf.zeros_like(p) if g is None else g for g, p in zip(found, params, strict=True)
            ]
        if is_symbolic(loss):
            from nbkeras.core import backend

            found = backend.gradients(loss, params)
        elif callable(loss):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(params)
                value = loss()
            found = tape.gradient(value, params)
        elif tf.executing_eagerly():
            raise ValueError(
                "A computed loss has forgotten how it came about. Pass the computation: "
                "optimizer.get_gradients(lambda: K.mean(K.square(w - 1)), [w])."
            )
        else:
            found = tf.gradients(loss, params)
        missing = [_plain(p) for g, p in zip(found, params, strict=True) if g is None]
        if missing:
            raise ValueError(
                f"The loss does not depend on {_list(missing)}. Leave them out of params, or use "
                "functions that have gradients (not K.argmax, K.round, K.eval) between."
            )
        return list(operation(lambda *gradients: self.clip(gradients))(*found))

    @takes_older_arguments
    def get_updates(self, loss: Any, params: Sequence[Any]) -> list[tuple[Any, Any]]:
        """What one update would assign: pairs of variable and new value, for `K.function`.

        Args:
            loss: as for `get_gradients`.
            params: the variables to train.

        Example:
            >>> w, sgd = tf.Variable(1.), registry.get('optimizer', 'sgd')
            >>> pairs = sgd.get_updates(lambda: w * w, [w])
            >>> for variable, value in pairs: _ = variable.assign(value)
            >>> print(w.numpy())
            0.98
        """
        params = list(params)
        self.build(params)

        def new_values(*gradients: Any) -> list[Any]:
            values: list[Any] = [self.iterations + 1]
            values += self.advance(self.hyper(), self.iterations).values()
            for gradient, variable in zip(gradients, params, strict=True):
                new, slots = self.update(variable, gradient, self.slots(variable))
                constraint = variable.constraint
                values.append(new if constraint is None else constraint(new))
                values += (slots[name] for name in self.slot_names)
            return values

        targets: list[Any] = [self.iterations, *(self._hyper[n] for n in self.shared_names)]
        for variable in params:
            slots = self.slots(variable)
            targets += [variable, *(slots[name] for name in self.slot_names)]
        values = operation(new_values)(*self.get_gradients(loss, params))
        return list(zip(targets, values, strict=True))

    # ------------------------------------------------------------ saving

    def get_weights(self) -> list[np.ndarray]:
        """The state as arrays: `iterations`, shared numbers, then slot by slot for all weights.

        The order is that of Keras 2 and tf_keras.
        """
        if self._pending is not None:
            return list(self._pending)
        return [variable.numpy() for variable in self.variables]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Takes over the state of another optimizer of the class; call `build` before.

        Also takes what Keras 2.0 to 2.2 wrote: without `iterations`, or with tensors that
        are not used.

        Raises:
            ValueError: if number or shapes do not fit; nothing is changed then.
        """
        targets = self.variables
        given = [np.asarray(weight) for weight in weights]
        for layout in self._layouts(given):
            if [w.shape for w in layout] == [tuple(t.shape) for t in targets]:
                for target, weight in zip(targets, layout, strict=True):
                    target.assign(weight.astype(target.dtype.as_numpy_dtype))
                return
        expected = ", ".join(f"{_plain(t)} {tuple(t.shape)}" for t in targets[:8])
        raise ValueError(
            f"{type(self).__name__} for {len(self._variables)} weights expects {len(targets)} "
            f"arrays ({expected}{', ...' if len(targets) > 8 else ''}); got {len(given)} of shapes "
            f"{_list([w.shape for w in given])}. Call optimizer.build(model.trainable_weights) "
            "before, for the model that the state was saved from."
        )

    def _layouts(self, weights: list[np.ndarray]) -> Iterable[list[np.ndarray]]:
        """The lists of arrays that the given ones may mean, the likeliest first."""
        yield weights
        if not self.shared_names:
            yield [self.iterations.numpy(), *weights]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, hyperparameters with their present values."""
        config = super().get_config()
        for name, variable in self._hyper.items():
            if name in config:
                # 0.01, not the 0.009999999776 that its float32 is.
                config[name] = float(str(variable.numpy()))
        for name in ("clipnorm", "clipvalue", "global_clipnorm"):
            if getattr(self, name) is not None:
                config[name] = getattr(self, name)
        if self.name != type(self).__name__:
            config["name"] = self.name
        return {k: v for k, v in config.items() if v != self.additions.get(k, _ALWAYS)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """An optimizer from what `get_config` returned, here or in Keras or tf_keras.

        Raises:
            ConfigError: if something in it is not known here.
        """
        if not isinstance(config, Mapping):
            raise registry.ConfigError(
                f"Expected a dictionary as the config of {cls.__name__}; got {config!r}."
            )
        config = cls._adapt_config(dict(config))
        own = inspect.signature(cls.__init__).parameters
        for name, harmless in _WITHOUT_EFFECT.items():
            if name in own:  # an optimizer of one's own may have a weight_decay
                continue
            value = config.pop(name, None)
            if harmless and value not in harmless:
                raise registry.ConfigError(
                    f"{cls.__name__} has no {name}; it was saved with {name}={value!r}."
                )
        if isinstance(config.get("learning_rate"), Mapping):
            raise registry.ConfigError(
                f"{cls.__name__} was saved with a learning rate schedule. Write {cls.__name__}("
                "lr=0.01) and give fit the callback LearningRateScheduler(schedule)."
            )
        try:
            return cls(**config)
        except (TypeError, ValueError) as error:
            raise registry.ConfigError(str(error)) from error

    @classmethod
    def _adapt_config(cls, config: dict[str, Any]) -> dict[str, Any]:
        """A configuration of another version, in our words."""
        return config

    def __repr__(self) -> str:
        try:
            config = self.get_config()
        except NotImplementedError:
            return object.__repr__(self)
        arguments = ", ".join(f"{key}={value!r}" for key, value in config.items())
        return f"{type(self).__name__}({arguments})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles carry configuration and state; the slots find their weights again."""
        return _restore, (type(self), self.get_config(), self.get_weights())


def _restore(cls: type[Optimizer], config: dict[str, Any], weights: list[np.ndarray]) -> Any:
    optimizer = cls.from_config(config)
    scalars = optimizer.variables
    for variable, value in zip(scalars, weights, strict=False):
        variable.assign(value)
    if len(weights) > len(scalars):
        optimizer._pending = weights
    return optimizer


# ---------------------------------------------------------------- helpers


def _cast_all(numbers: Numbers, dtype: tf.DType) -> Numbers:
    return {name: tf.cast(number, dtype) for name, number in numbers.items()}


def _run_here(function: Callable[..., Any], variable: Any, *args: Any) -> None:
    function(variable, *args)


def _replicas() -> int:
    return tf.distribute.get_strategy().num_replicas_in_sync


def _scope_of(variable: Any) -> contextlib.AbstractContextManager[Any]:
    """Where a variable's slots are created: on the same replicas."""
    strategy = getattr(variable, "distribute_strategy", None)
    if strategy is None or strategy is tf.distribute.get_strategy():
        return contextlib.nullcontext()
    return strategy.scope()


def _plain(variable: Any) -> str:
    """A variable's name as a person knows it."""
    return str(getattr(variable, "name", variable)).split(":")[0]


def _list(items: Sequence[Any], limit: int = 8) -> str:
    shown = ", ".join(str(item) for item in items[:limit])
    return shown if len(items) <= limit else f"{shown}, ... ({len(items)} in all)"


def _positive(name: str, value: float | None) -> float | None:
    """A bound of gradients; `None` and 0 mean none."""
    if value is None or value == 0:
        return None
    if not value > 0:
        raise ValueError(f"{name} is a number above 0, as in {name}=1.0; got {value!r}.")
    return float(value)


def _unknown_argument(cls: type, name: str) -> str:
    accepted = [
        p.name
        for owner in cls.__mro__
        if "__init__" in vars(owner)
        for p in inspect.signature(vars(owner)["__init__"]).parameters.values()
        if p.name != "self" and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    accepted = list(dict.fromkeys(accepted))
    close = difflib.get_close_matches(name, accepted, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"{cls.__name__} has no argument {name!r}.{hint} It takes {', '.join(accepted)}."
