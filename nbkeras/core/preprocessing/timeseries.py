"""Windows of a time series, batch by batch (Keras 2 manual, 6.1)."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from nbkeras.core.engine.workers import Sequence

__all__ = ["TimeseriesGenerator", "timeseries_generator_from_json"]


class TimeseriesGenerator(Sequence):
    """Batches of windows of a time series, each with the target that follows it.

    A window that ends before step `t` is `data[t-length:t:sampling_rate]`; its
    target is `targets[t]`.

    Args:
        data: steps along the first axis: an array, a list, or anything sliceable.
        targets: one for each step.
        length: steps a window spans.
        sampling_rate: distance of two steps of a window.
        stride: distance of two windows.
        start_index: first step that is used.
        end_index: last step that is used; the last one by default.
        shuffle: whether windows are drawn at random instead of in order.
        reverse: whether the steps of a window run backwards.
        batch_size: windows in a batch.

    Raises:
        ValueError: data and targets differ in length, or nothing is left to predict.

    Example:
        >>> steps = np.arange(10)
        >>> x, y = TimeseriesGenerator(steps, steps * 10, length=3, batch_size=2)[0]
        >>> x.tolist(), y.tolist()
        ([[0, 1, 2], [1, 2, 3]], [30, 40])

    Source: keras-preprocessing 1.1.2.
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
    ) -> None:
        if len(data) != len(targets):
            raise ValueError(
                f"data and targets have one entry for each step; got {len(data)} and "
                f"{len(targets)}."
            )
        for name, value in (("sampling_rate", sampling_rate), ("stride", stride)):
            if value < 1:
                raise ValueError(f"{name} is at least 1, as in {name}=1; got {value}.")
        if length < 1 or batch_size < 1:
            raise ValueError(
                f"length and batch_size are at least 1; got {length} and {batch_size}."
            )
        last = len(data) - 1 if end_index is None else end_index
        if start_index + length > last:
            raise ValueError(
                f"A window of length {length} from start_index {start_index} needs a target at "
                f"step {start_index + length} or later, but end_index is {last}. Pass more data "
                "or a smaller length."
            )
        self.data = data
        self.targets = targets
        self.length = length
        self.sampling_rate = sampling_rate
        self.stride = stride
        self.start_index = start_index + length  # the first step that is a target
        self.end_index = last
        self.shuffle = shuffle
        self.reverse = reverse
        self.batch_size = batch_size

    def __len__(self) -> int:
        span = self.batch_size * self.stride
        return (self.end_index - self.start_index + span) // span

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if not 0 <= index < len(self):
            raise IndexError(f"There are {len(self)} batches, from 0; got {index}.")
        rows = self._rows(index)
        samples = np.array(
            [self.data[row - self.length : row : self.sampling_rate] for row in rows]
        )
        targets = np.array([self.targets[row] for row in rows])
        return samples[:, ::-1, ...] if self.reverse else samples, targets

    def _rows(self, index: int) -> np.ndarray:
        """The steps whose targets a batch has."""
        if self.shuffle:
            return np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        span = self.batch_size * self.stride
        first = self.start_index + span * index
        return np.arange(first, min(first + span, self.end_index + 1), self.stride)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal generator; data and targets as JSON texts.

        Raises:
            TypeError: data or targets are nothing JSON can hold.
        """
        return {
            "data": _to_json("data", self.data),
            "targets": _to_json("targets", self.targets),
            "length": self.length,
            "sampling_rate": self.sampling_rate,
            "stride": self.stride,
            "start_index": self.start_index - self.length,
            "end_index": self.end_index,
            "shuffle": self.shuffle,
            "reverse": self.reverse,
            "batch_size": self.batch_size,
        }

    def to_json(self, **kwargs: Any) -> str:
        """The generator as a JSON text; `kwargs` go to `json.dumps`."""
        return json.dumps(
            {"class_name": type(self).__name__, "config": self.get_config()}, **kwargs
        )


def timeseries_generator_from_json(json_string: str) -> TimeseriesGenerator:
    """The generator that :meth:`TimeseriesGenerator.to_json` wrote.

    Example:
        >>> written = TimeseriesGenerator([1, 2, 3, 4], [1, 2, 3, 4], length=2).to_json()
        >>> timeseries_generator_from_json(written)[0][1].tolist()
        [3, 4]
    """
    config = dict(json.loads(json_string)["config"])
    data, targets = json.loads(config.pop("data")), json.loads(config.pop("targets"))
    return TimeseriesGenerator(data, targets, **config)


def _to_json(name: str, value: Any) -> str:
    plain = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    try:
        return json.dumps(plain)
    except TypeError as error:
        raise TypeError(
            f"{name} is a {type(value).__name__}, which JSON cannot hold: {error}. Pass an array "
            "or nested lists of numbers."
        ) from error
