"""What all metric objects share (Keras 2.3): state, updates, results."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nbkeras.core import config as settings
from nbkeras.core import initializers, registry
from nbkeras.core.backend.variables import make_variable
from nbkeras.core.losses.base import same_rank, weighted

__all__ = ["Average", "Mean", "MeanMetricWrapper", "MeanTensor", "Metric", "Reduce", "Sum"]


# Options of tf_keras that are not known here, with the values at which that does not matter.
_WITHOUT_EFFECT = {
    "axis": -1,
    "class_id": None,
    "from_logits": False,
    "ignore_class": None,
    "sparse_y_pred": True,
    "sparse_y_true": True,
}


@registry.base("metric")
class Metric(registry.Configurable):
    """A number that is kept up over batches: `update_state`, `result`, `reset_states`.

    State lives in variables made by `add_weight`, so that updates may run in a
    `tf.function`, compiled by XLA, and in the replicas of a `tf.distribute` strategy.

    Args:
        name: name in logs; the class's in lower case if `None`.
        dtype: of the state; `K.floatx()` if `None`.

    Example: a metric of one's own.
        >>> class Positives(Metric):
        ...     def __init__(self, name=None, dtype=None):
        ...         super().__init__(name, dtype)
        ...         self.count = self.add_weight('count')
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.count.assign_add(tf.reduce_sum(tf.cast(y_pred > 0.5, self.dtype)))
        ...     def result(self):
        ...         return self.count
        >>> metric = Positives()
        >>> metric([0., 1.], tf.constant([0.1, 0.9])).numpy().item()
        1.0
    """

    stateful = True

    def __init__(self, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        if kwargs:
            raise TypeError(
                f"{type(self).__name__} has no argument {next(iter(kwargs))!r}. It takes its own "
                "ones, name and dtype."
            )
        self.name = name or snake_case(type(self).__name__)
        self._dtype = tf.as_dtype(dtype or settings.floatx()).name
        self._weights: list[Any] = []
        self._initial: list[tuple[Any, Any]] = []

    @property
    def dtype(self) -> str:
        """The dtype of the state."""
        return self._dtype

    def add_weight(
        self,
        name: str,
        shape: Sequence[int] = (),
        initializer: Any = "zeros",
        dtype: Any = None,
        *,
        aggregation: Any = tf.VariableAggregation.SUM,
        synchronization: Any = tf.VariableSynchronization.ON_READ,
    ) -> Any:
        """A variable of the state; `reset_states` gives it its initial value again.

        Args:
            name: its name.
            shape: its shape.
            initializer: what it begins with; zeros if `None`.
            dtype: its dtype; that of the metric if `None`.
            aggregation: how the values of replicas become one.
            synchronization: when they do.
        """
        dtype = tf.as_dtype(dtype or self._dtype)
        with tf.init_scope():
            value = initializers.get(initializer or "zeros")(tuple(shape), dtype)
            variable = make_variable(
                value,
                f"{self.name}/{name}",
                dtype=dtype,
                trainable=False,
                synchronization=synchronization,
                aggregation=aggregation,
            )
        self._weights.append(variable)
        self._initial.append((variable, value))
        return variable

    @property
    def variables(self) -> list[Any]:
        """The variables of the state."""
        return list(self._weights)

    weights = variables

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Takes a batch into account; most take `(y_true, y_pred, sample_weight=None)`."""
        raise NotImplementedError(
            f"{type(self).__name__} does not say how a batch changes it. Write "
            "`def update_state(self, y_true, y_pred, sample_weight=None):` in it."
        )

    def result(self) -> Any:
        """The metric over all batches since the last reset, a tensor."""
        raise NotImplementedError(
            f"{type(self).__name__} does not say what its value is. Write `def result(self):`."
        )

    def reset_states(self) -> None:
        """Forgets all batches."""
        for variable, value in self._initial:
            variable.assign(value)

    def reset_state(self) -> None:
        """`reset_states` under its later name."""
        self.reset_states()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Takes a batch into account and returns the result so far."""
        self.update_state(*args, **kwargs)
        return tf.convert_to_tensor(self.result())

    def get_weights(self) -> list[np.ndarray]:
        """The state as arrays."""
        return [variable.numpy() for variable in self._weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Takes over the state of a metric of the same kind.

        Raises:
            ValueError: if the shapes do not fit; nothing is changed then.
        """
        arrays = [np.asarray(weight) for weight in weights]
        expected = [tuple(variable.shape) for variable in self._weights]
        if [array.shape for array in arrays] != expected:
            raise ValueError(
                f"{self.name} expects arrays of shapes {expected}; "
                f"got {[array.shape for array in arrays]}."
            )
        for variable, array in zip(self._weights, arrays, strict=True):
            variable.assign(array)

    def _base_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self._dtype}

    @classmethod
    def from_config(cls, config: Any) -> Any:
        if isinstance(config, Mapping):
            known = inspect.signature(cls).parameters
            config = {
                key: value
                for key, value in config.items()
                if key in known or key not in _WITHOUT_EFFECT or value != _WITHOUT_EFFECT[key]
            }
        return super().from_config(config)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles carry configuration and state."""
        return _restore, (type(self), self.get_config(), self.get_weights())


def _restore(cls: type[Metric], config: dict[str, Any], weights: list[np.ndarray]) -> Metric:
    metric = cls.from_config(config)
    if weights and len(weights) == len(metric.variables):
        metric.set_weights(weights)
    return metric


def snake_case(name: str) -> str:
    """`MeanAbsoluteError` as `mean_absolute_error`, `MeanIoU` as `mean_io_u`.

    Example:
        >>> snake_case('AUC')
        'auc'
    """
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


# ---------------------------------------------------------------- sums and means


class Reduce(Metric):
    """A sum of values, and of their weights where a mean is wanted."""

    def __init__(self, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name, dtype, **kwargs)
        self.total = self.add_weight("total")

    def _add(self, values: Any, sample_weight: Any) -> Any:
        """Adds weighted values to the total; returns the sum of the weights."""
        values = tf.cast(values, self.dtype)
        if sample_weight is None:
            self.total.assign_add(tf.reduce_sum(values))
            return tf.cast(tf.size(values), self.dtype)
        values, sample_weight = _values_per_weight(values, tf.cast(sample_weight, self.dtype))
        self.total.assign_add(tf.reduce_sum(weighted(values, sample_weight)))
        return tf.reduce_sum(weighted(tf.ones_like(values), sample_weight))


def _values_per_weight(values: Any, weights: Any) -> tuple[Any, Any]:
    """Values averaged over the axes that the weights lack; their last axes of size 1 dropped."""
    rank, weight_rank = values.shape.rank, weights.shape.rank
    if rank is None or weight_rank is None or weight_rank == 0:
        return values, weights
    while weight_rank > rank and weights.shape[-1] == 1:
        weights = tf.squeeze(weights, -1)
        weight_rank -= 1
    if rank > weight_rank:
        values = tf.reduce_mean(values, axis=list(range(weight_rank, rank)))
    return values, weights


@registry.register("metric")
class Sum(Reduce):
    """The weighted sum of all values.

    Args:
        name: name in logs.
        dtype: of the state.

    Example:
        >>> Sum()([1, 2, 3, 4]).numpy().item()
        10.0
    """

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Adds the values of a batch."""
        self._add(values, sample_weight)

    def result(self) -> Any:
        return tf.identity(self.total)


class Average(Reduce):
    """A sum of values divided by that of their weights."""

    def __init__(self, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name, dtype, **kwargs)
        self.count = self.add_weight("count")

    def _include(self, values: Any, sample_weight: Any) -> None:
        self.count.assign_add(self._add(values, sample_weight))

    def result(self) -> Any:
        return tf.math.divide_no_nan(tf.identity(self.total), tf.identity(self.count))


@registry.register("metric")
class Mean(Average):
    """The weighted mean of all values.

    Args:
        name: name in logs.
        dtype: of the state.

    Example:
        >>> mean = Mean()
        >>> mean.update_state([1, 3])
        >>> mean.update_state([5], sample_weight=2)
        >>> mean.result().numpy().item()
        3.5
    """

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Adds the values of a batch."""
        self._include(values, sample_weight)


@registry.register("metric")
class MeanMetricWrapper(Average):
    """The mean of a function of targets and predictions that gives a number for each sample.

    Args:
        fn: the function `fn(y_true, y_pred, **kwargs)`.
        name: name in logs; the function's if `None`.
        dtype: of the state.
        **kwargs: further arguments of the function.

    Example:
        >>> metric = MeanMetricWrapper(lambda y_true, y_pred: abs(y_true - y_pred), name='miss')
        >>> metric(tf.constant([1., 2.]), tf.constant([2., 4.])).numpy().item()
        1.5
    """

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", None), dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds the function's values for a batch."""
        y_true, y_pred = same_rank(y_true, y_pred)
        self._include(self._fn(y_true, y_pred, **self._fn_kwargs), sample_weight)

    def get_config(self) -> dict[str, Any]:
        fn = {} if type(self) is not MeanMetricWrapper else {"fn": registry.serialize(self._fn)}
        return {**self._base_config(), **fn, **self._fn_kwargs}

    @classmethod
    def from_config(cls, config: Any) -> Any:
        config = dict(config)
        if cls is MeanMetricWrapper:
            config["fn"] = registry.get("metric", config["fn"])
        return cls(**config)


@registry.register("metric")
class MeanTensor(Metric):
    """The weighted mean of tensors of one shape, element by element.

    Args:
        shape: their shape; if `None`, that of the first one.
        name: name in logs.
        dtype: of the state.

    Example:
        >>> mean = MeanTensor()
        >>> mean.update_state([0, 1, 2])
        >>> mean.update_state([4, 5, 6], sample_weight=[1, 0, 1])
        >>> mean.result().numpy().tolist()
        [2.0, 1.0, 4.0]
    """

    def __init__(
        self,
        shape: Sequence[int] | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        self.shape = None if shape is None else tuple(shape)
        if self.shape is not None:
            self._build(self.shape)

    def _build(self, shape: tuple[int, ...]) -> None:
        self.total = self.add_weight("total", shape)
        self.count = self.add_weight("count", shape)

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Adds a tensor."""
        values = tf.cast(values, self.dtype)
        if not self._weights:
            self._build(tuple(values.shape))
        elif tuple(values.shape) != tuple(self.total.shape):
            raise ValueError(
                f"{self.name} averages tensors of shape {tuple(self.total.shape)}; "
                f"got shape {tuple(values.shape)}."
            )
        weights = tf.ones_like(values)
        if sample_weight is not None:
            weights = weighted(weights, tf.cast(sample_weight, self.dtype))
        self.total.assign_add(values * weights)
        self.count.assign_add(weights)

    def result(self) -> Any:
        if not self._weights:
            raise ValueError(
                f"{self.name} has seen no tensor yet. Call update_state(values) before, or write "
                "MeanTensor(shape=...)."
            )
        return tf.math.divide_no_nan(tf.identity(self.total), tf.identity(self.count))
