"""A batch on several devices or machines, by the strategies of ``tf.distribute``.

A strategy runs a step in replicas, each with its own copy of the variables. Here a
batch is cut into parts, one for each replica, and every mean is taken so that the
parts *add up* to the number that one device computes: a replica divides what it
found in its part by the size of the whole batch. Its gradients are then added by
the strategy, and the weights are those of one device, to rounding.

A model that was made outside of any ``strategy.scope()`` has no
:class:`Distribution`, and its batches are :data:`WHOLE`.

Under a ``MultiWorkerMirroredStrategy`` every worker runs the same program on the same
data and takes its share of each batch; all go step by step. What a worker draws at
random is the chief's, and the chief writes the files. If the process of one ends,
TensorFlow lets the others fail with an ``UnavailableError`` after some missed heartbeats.
One that is interrupted and lives on lets the others wait: interrupt all of them.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tensorflow as tf

__all__ = ["ASIDE", "WHOLE", "Distribution", "Part", "Whole", "check_distribution", "scope_of"]

# Far apart on the circle of 2³² numbers, so that no replica meets the noise of another's steps.
_NOISE_OF_REPLICA = 0x3C6EF372


class Whole:
    """A batch that is not divided: its own means and sums are the batch's."""

    def mean(self, value: Any) -> Any:
        """A mean over the part's rows, as a share of the batch's mean."""
        return value

    def sum(self, value: Any) -> Any:
        """A sum over the part's rows, as a share of the batch's sum."""
        return value

    def total(self, value: Any) -> Any:
        """The sum over the whole batch, from a sum over the part's rows; no gradient."""
        return value

    def rows(self, value: Any) -> Any:
        """The rows of a tensor that are the part's own."""
        return value

    def update(self, change: Callable[[], Any]) -> None:
        """Let the part's rows change something, such as a metric."""
        change()

    def seed(self, seed: Any) -> Any:
        """Where the part's noise comes from."""
        return seed


class Aside(Whole):
    """A whole batch that is only looked at: metrics do not take it into account."""

    def update(self, change: Callable[[], Any]) -> None:
        """Nothing is changed."""


WHOLE = Whole()
ASIDE = Aside()


class Part(Whole):
    """The rows of a batch that one replica computes; to be used within it.

    A batch with fewer rows than there are replicas leaves some without any. These
    compute the last row once more, and nothing of it counts.

    Args:
        share: the part's rows divided by the batch's, a scalar tensor.
    """

    def __init__(self, share: Any) -> None:
        self._share = share
        self._present = share > 0

    def mean(self, value: Any) -> Any:
        return value * tf.cast(self._share, value.dtype)

    def sum(self, value: Any) -> Any:
        return value * tf.cast(self._present, value.dtype)

    def total(self, value: Any) -> Any:
        replica = tf.distribute.get_replica_context()
        return replica.all_reduce(tf.distribute.ReduceOp.SUM, tf.stop_gradient(self.sum(value)))

    def rows(self, value: Any) -> Any:
        return value[: tf.where(self._present, tf.shape(value)[0], 0)]

    def update(self, change: Callable[[], Any]) -> None:
        def changed() -> Any:
            change()
            return tf.constant(True)

        tf.cond(self._present, changed, lambda: tf.constant(False))

    def seed(self, seed: Any) -> Any:
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        apart = tf.cast(replica, tf.int32) * tf.constant(_NOISE_OF_REPLICA, tf.int32)
        return tf.convert_to_tensor(seed) + tf.stack([0, apart])


class Distribution:
    """Runs a model's steps under a strategy.

    Args:
        strategy: a ``tf.distribute`` strategy with synchronous replicas.
        refresh: called before something is run, where the replicas' variables must be
            brought up to date.
    """

    def __init__(self, strategy: Any, refresh: Callable[[], None] | None = None) -> None:
        self.strategy = strategy
        self.refresh = refresh or (lambda: None)
        self._local = len(strategy.extended.worker_devices)
        self._several_workers = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)

    @classmethod
    def current(cls) -> Distribution | None:
        """The strategy whose scope is open in this thread, if there is one."""
        if not tf.distribute.has_strategy():
            return None
        strategy = tf.distribute.get_strategy()
        _warn_of_a_second(strategy)
        return cls(strategy)

    @classmethod
    def of(cls, weights: Iterable[Any]) -> Distribution | None:
        """The strategy that weights were made under, if there is one."""
        made = (getattr(weight, "distribute_strategy", None) for weight in weights)
        strategy = next((each for each in made if each is not None), None)
        return None if strategy is None else cls(strategy)

    @classmethod
    def chosen(cls, own: Distribution | None, weights: Iterable[Any]) -> Distribution | None:
        """What to compile for: the open scope's strategy, else the model's own or its weights'."""
        current = cls.current()
        if current is None:
            return own or cls.of(weights)
        return own if own is not None and own.strategy is current.strategy else current

    # ---------------------------------------------------------------- steps

    def sums(self, step: Callable[..., Any], batch: Any) -> Any:
        """A step's numbers, added over the replicas.

        Args:
            step: from (inputs, targets, sample weights, part) to a tensor.
            batch: inputs, targets and sample weights, lists of tensors or ``None``.
        """
        found = self._run(step, batch, self.strategy.num_replicas_in_sync)
        return self.strategy.reduce(tf.distribute.ReduceOp.SUM, found, axis=None)

    def rows(self, step: Callable[..., Any], batch: Any) -> list[Any]:
        """A step's tensors with a row for each of the batch's, in its order.

        Each worker computes all rows by itself, and waits for no other.
        """
        found = self._run(step, batch, self._local)
        parts = [self.strategy.experimental_local_results(tensor) for tensor in found]
        return [tf.concat(each, axis=0) for each in parts]

    def _run(self, step: Callable[..., Any], batch: Any, count: int) -> Any:
        tensors = [t for group in batch for t in group if t is not None]
        rows = tf.shape(tensors[0])[0]

        def cut(context: Any) -> list[Any]:
            number = context.replica_id_in_sync_group % count
            # The first parts take one row more where they cannot be equal.
            least, more = rows // count, rows % count
            size = least + tf.cast(number < more, tf.int32)
            start = tf.minimum(number * least + tf.minimum(number, more), rows - 1)
            end = start + tf.maximum(size, 1)
            share = tf.cast(size, tf.float32) / tf.cast(rows, tf.float32)
            return [share, *(tensor[start:end] for tensor in tensors)]

        def replica(values: list[Any]) -> Any:
            share, *own = values
            rest = iter(own)
            groups = [[None if t is None else next(rest) for t in group] for group in batch]
            return step(*groups, Part(share))

        parts = self.strategy.experimental_distribute_values_from_function(cut)
        return self.strategy.run(replica, args=(parts,))

    def reducible(self, gradients: Sequence[Any]) -> list[Any]:
        """A replica's gradients in a form in which they can be added up.

        Gradients of single rows are gathered, and TensorFlow allows no gathering of
        batches of different sizes within one call: there they are added as a whole.
        """
        if self.step_by_step:
            return list(gradients)
        return [
            tf.convert_to_tensor(g) if isinstance(g, tf.IndexedSlices) else g for g in gradients
        ]

    # ---------------------------------------------------------------- several workers

    @property
    def step_by_step(self) -> bool:
        """Whether steps are counted one by one.

        How many go into a call is measured, and differs between workers. They could not
        stop after the same step.
        """
        return self._several_workers

    @property
    def is_chief(self) -> bool:
        """Whether this process is the one that writes files."""
        resolver = self.strategy.cluster_resolver if self._several_workers else None
        if resolver is None or not resolver.task_type:
            return True
        has_chief = bool(resolver.cluster_spec().as_dict().get("chief"))
        return resolver.task_type == "chief" or (not has_chief and resolver.task_id == 0)

    def agreed(self, numbers: Any) -> Any:
        """The chief's whole numbers, in place of those that other workers drew."""
        if not self._several_workers or numbers is None:
            return numbers
        own = tf.constant(numbers, tf.int64)
        every = self.strategy.experimental_distribute_values_from_function(
            lambda context: own if context.replica_id_in_sync_group == 0 else tf.zeros_like(own)
        )
        return self.strategy.reduce(tf.distribute.ReduceOp.SUM, every, axis=None).numpy()


_met: list[Any] = []
"""The strategies that exchange numbers by TensorFlow's collective operations, in order."""

_WITHOUT_COLLECTIVES = (
    tf.distribute.HierarchicalCopyAllReduce,
    tf.distribute.NcclAllReduce,
    tf.distribute.ReductionToOneDevice,
)


def _warn_of_a_second(strategy: Any) -> None:
    """Tell who makes a strategy once more, as by running a cell of a notebook again.

    Each counts its collective operations from the start, and TensorFlow then takes those of
    one for those of the other: an error that only ends with the process.
    """
    if not isinstance(strategy, tf.distribute.MirroredStrategy) or strategy in _met:
        return
    way = getattr(strategy.extended, "_cross_device_ops", None)
    if strategy.num_replicas_in_sync == 1 or isinstance(way, _WITHOUT_COLLECTIVES):
        return
    _met.append(strategy)
    if len(_met) > 1:
        warnings.warn(
            "This is not the first MirroredStrategy of this process, and TensorFlow mixes up what "
            "two of them exchange ('Collective ops is aborted'). Make it once and use it for all "
            "models, or write tf.distribute.MirroredStrategy("
            "cross_device_ops=tf.distribute.ReductionToOneDevice()).",
            RuntimeWarning,
            stacklevel=4,
        )


# ---------------------------------------------------------------- what belongs together


def scope_of(distribution: Distribution | None) -> contextlib.AbstractContextManager[Any]:
    """Where the variables of a model are made."""
    return contextlib.nullcontext() if distribution is None else distribution.strategy.scope()


def check_distribution(
    distribution: Distribution | None, model: Any, optimizer: Any, metrics: Iterable[Any], jit: Any
) -> None:
    """Refuse what cannot be run together under a strategy, or under none.

    Raises:
        ValueError: a variable was made under another strategy, or the strategy cannot
            divide the model's batches.
    """
    made = [(f"model {model.name!r}", model.weights)]
    made += [(f"metric {type(metric).__name__}", _variables(metric)) for metric in metrics]
    # What an optimizer has before it meets weights is moved once for all replicas, so it
    # may be of no strategy.
    made += [(f"optimizer {type(optimizer).__name__}", _of_a_strategy(_variables(optimizer)))]
    for owner, variables in made:
        for variable in variables:
            if not _belongs(variable, distribution):
                raise ValueError(_made_elsewhere(distribution, owner, variable))
    if distribution is None:
        return
    strategy = distribution.strategy
    name = type(strategy).__name__
    if isinstance(strategy, tf.distribute.experimental.ParameterServerStrategy):
        raise ValueError(
            f"{name} has no replicas that step together, which fit needs. Use "
            "tf.distribute.MirroredStrategy() or tf.distribute.MultiWorkerMirroredStrategy()."
        )
    if jit is True:
        raise ValueError(
            f"XLA does not compile steps under {name}: leave jit_compile=True out of compile()."
        )
    count = strategy.num_replicas_in_sync
    sizes = {tensor.shape[0] for tensor in model.inputs} - {None}
    if count > 1 and sizes:
        raise ValueError(
            f"Model {model.name!r} was built for batches of {min(sizes)} rows, which {name} would "
            f"divide over {count} replicas. Build it without a batch size: input_shape=... in "
            "place of batch_input_shape=..., and no stateful layers."
        )


def _variables(owner: Any) -> Sequence[Any]:
    return getattr(owner, "variables", None) or ()


def _of_a_strategy(variables: Sequence[Any]) -> list[Any]:
    return [v for v in variables if getattr(v, "distribute_strategy", None) is not None]


def _belongs(variable: Any, distribution: Distribution | None) -> bool:
    if distribution is None:
        return getattr(variable, "distribute_strategy", None) is None
    return bool(distribution.strategy.extended.variable_created_in_scope(variable))


def _made_elsewhere(distribution: Distribution | None, owner: str, variable: Any) -> str:
    where = "tf.distribute strategy"
    made = getattr(variable, "distribute_strategy", None)
    if distribution is None:
        problem = f"was made under {type(made).__name__}, the model under no {where}"
    else:
        under = f"under {type(made).__name__}" if made is not None else "outside of any scope"
        mine = type(distribution.strategy).__name__
        problem = f"was made {under}, and is to be trained under {mine}"
    return (
        f"The variable {variable.name.split(':')[0]!r} of {owner} {problem}. Make the model, its "
        "optimizer and its metrics in one scope: `with strategy.scope(): model = Sequential([...]);"
        " model.compile(optimizer=..., loss=..., metrics=[...])`."
    )
