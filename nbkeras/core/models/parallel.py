"""One model on several devices of a machine (Keras 2 manual, chapters 20.9 and 3.3.4.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ..engine.distribution import Distribution
from .clone import clone_model
from .model import Model

__all__ = ["multi_gpu_model"]


def multi_gpu_model(
    model: Any,
    gpus: int | Sequence[int] | None = None,
    cpu_merge: bool = True,
    cpu_relocation: bool = False,
) -> Any:
    """A model that divides each batch over several devices and shares its weights with another.

    Each device computes its part of a batch, under a ``tf.distribute.MirroredStrategy``;
    the weights after an update are those that one device would find. The copy of the
    weights on the first device is the given model's own, so that this one knows at any
    time what was learned: save it, or the model returned.

    Freeze layers before; compile the model that is returned, with any optimizer. A new
    program has less to write with a strategy: ``with strategy.scope():`` around the making
    of a model.

    Args:
        model: the model, built.
        gpus: how many devices, 2 or more, or a list of their numbers; all by default. They
            are the machine's GPUs or, where there are none, its (virtual) CPUs.
        cpu_merge, cpu_relocation: accepted; where results are joined and weights lie is
            the strategy's affair.

    Returns:
        A model of the same structure.

    Raises:
        ValueError: there are no such devices, or the model cannot be copied.

    >>> from nbkeras.core.layers import Dense
    >>> from nbkeras.core.models import Sequential
    >>> multi_gpu_model(Sequential([Dense(1, input_shape=(2,))]), gpus=1)
    Traceback (most recent call last):
    ...
    ValueError: multi_gpu_model takes gpus=2 or more, or a list such as gpus=[0, 1]; got gpus=1....

    Source: the function of that name of Keras 2.
    """
    devices = _chosen(gpus)
    if not isinstance(model, Model) or not model.built:
        raise ValueError(
            "multi_gpu_model takes a model that is built: give its first layer an input_shape, or "
            f"call model.build((None, ...)); got {type(model).__name__}."
        )
    if model._distribution is not None:
        kind = type(model._distribution.strategy).__name__
        raise ValueError(
            f"Model {model.name!r} was made under {kind}, so it is divided already: use it as it "
            "is, or give multi_gpu_model one that was made outside of any scope."
        )
    # Copies over one device need no NCCL, and do not get into the way of other strategies.
    across = tf.distribute.ReductionToOneDevice()
    strategy = tf.distribute.MirroredStrategy(devices, cross_device_ops=across)
    drawn = np.random.get_state()
    try:
        twin = _twin(model, strategy)
    finally:
        np.random.set_state(drawn)  # what the copies began with is of no account
    twin._distribution = Distribution(strategy, _spreading(twin, strategy))
    return twin


# ---------------------------------------------------------------- devices


def _chosen(gpus: Any) -> list[str]:
    """The names of the devices that were asked for."""
    available = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    names = [f"{device.device_type}:{number}" for number, device in enumerate(available)]
    there_are = f" This process has {len(names)}: {', '.join(names)}."
    whole = isinstance(gpus, int | np.integer) and not isinstance(gpus, bool)
    if gpus is None:
        numbers = list(range(len(names)))
    elif whole:
        numbers = list(range(max(int(gpus), 0)))
    else:
        numbers = list(gpus) if isinstance(gpus, list | tuple | range) else []
    if len(numbers) < 2 or len(set(numbers)) < len(numbers):
        raise ValueError(
            "multi_gpu_model takes gpus=2 or more, or a list such as gpus=[0, 1]; got "
            f"gpus={gpus!r}.{there_are} On one device use the model itself."
        )
    missing = [number for number in numbers if number not in range(len(names))]
    if missing:
        example = f"gpus={len(names)}" if len(names) > 1 else "the model itself"
        raise ValueError(
            f"multi_gpu_model: there is no device {missing[0]!r} for gpus={gpus!r}.{there_are} "
            f"Use {example}."
        )
    return [names[number] for number in numbers]


# ---------------------------------------------------------------- shared weights


def _twin(model: Any, strategy: Any) -> Any:
    """A copy of a model whose mirrored weights are, on the first device, the model's own."""
    made: list[Any] = []

    def note(create: Callable[..., Any], **kwargs: Any) -> Any:
        made.append(create(**kwargs))
        return made[-1]

    # A first copy tells in which order a copy makes its variables, and which is which weight.
    with tf.variable_creator_scope(note):
        first = clone_model(model)
    order = {id(variable): number for number, variable in enumerate(made)}
    own = {order[id(w)]: mine for w, mine in zip(first.weights, model.weights, strict=True)}
    count = 0

    def share(create: Callable[..., Any], **kwargs: Any) -> Any:
        # The strategy asks for each variable once for each device, the first device first.
        nonlocal count
        number, replica = divmod(count, strategy.num_replicas_in_sync)
        count += 1
        return own[number] if replica == 0 and number in own else create(**kwargs)

    with tf.variable_creator_scope(share), strategy.scope():
        return clone_model(model)


def _spreading(twin: Any, strategy: Any) -> Callable[[], None]:
    """What brings the copies on the other devices up to date with the first."""
    copies = [strategy.experimental_local_results(weight) for weight in twin.weights]

    @tf.function(autograph=False)
    def spread() -> None:
        for first, *others in copies:
            for other in others:
                other.assign(first)

    return lambda: spread()
