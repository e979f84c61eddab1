"""Batches that are not all in memory: generators, sequences, data sets.

A :class:`BatchStream` turns each of them into one iterator of (x, y, sample
weight), read ahead by threads or processes. :class:`StreamExecutor` runs a
program over it, with the interface of
:class:`~nbkeras.core.engine.executors.ArrayExecutor`, so that one loop serves both.
"""

from __future__ import annotations

import copy
import inspect
import itertools
import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent import futures
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from .program import Program
from .workers import Processes, Sequence, Threads, explained

__all__ = ["BatchStream", "Prefetch", "Reading", "Sequence", "StreamExecutor", "is_stream"]


@dataclass(frozen=True)
class Reading:
    """How batches are read ahead.

    Attributes:
        workers: how many threads or processes read; 0 reads when asked.
        use_multiprocessing: whether they are processes (for a sequence).
        max_queue_size: how many batches are read ahead at most.
    """

    workers: int = 1
    use_multiprocessing: bool = False
    max_queue_size: int = 10

    def __post_init__(self) -> None:
        for name in ("workers", "max_queue_size"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
                raise ValueError(f"{name} is a whole number, 0 or more; got {value!r}.")


def is_stream(data: Any) -> bool:
    """Whether data come batch by batch: a generator, a sequence, a ``tf.data.Dataset``."""
    return (
        isinstance(data, Sequence | tf.data.Dataset | Iterator)
        or inspect.isgenerator(data)
        or getattr(data, "use_sequence_api", False) is True
    )


POLL = 0.2
"""Seconds between two looks around while a batch is waited for."""


class WaitingEndedError(Exception):
    """Who waits for a batch was asked to stop."""


class BatchStream:
    """Batches of a source, without end, pass after pass.

    Args:
        source: a generator or iterator, a :class:`Sequence`, or a ``tf.data.Dataset``.
        steps: batches in an epoch; a sequence or a data set of known size says it itself.
        reading: who reads ahead, and how far.
        shuffle: whether the batches of a sequence are shuffled before each pass.

    Attributes:
        attend: is called now and then while a batch is waited for; whether to stop.

    Raises:
        ValueError: nobody says how many batches make an epoch.
    """

    def __init__(
        self,
        source: Any,
        steps: int | None = None,
        reading: Reading = Reading(),
        *,
        shuffle: bool = False,
    ) -> None:
        self.source = source
        self.indexed = _by_number(source)
        self.steps = steps or _steps_of(source)
        self._shuffle = shuffle
        self._workers = reading.workers
        self._processes = reading.use_multiprocessing
        self._ahead = max(reading.max_queue_size, 1)
        self.attend: Callable[[], bool] | None = None
        self._close: list[Callable[[], None]] = []
        self._order: list[int] = []
        self._given = 0
        self._begun: Any = None
        self._batches = self._open()

    def _open(self) -> Iterator[Any]:
        if self.indexed:
            return self._passes()
        if isinstance(self.source, tf.data.Dataset):
            return self._dataset()
        if self._workers == 0:
            return self.source
        ahead = Prefetch(self.source, self._ahead, self._let_stop)
        self._close.append(ahead.close)
        return ahead

    def _dataset(self) -> Generator[Any, None, None]:
        while True:
            empty = True
            for batch in self.source:
                empty = False
                yield batch
            if empty:
                return
            if self.steps is None:
                yield None  # the end of a pass of unknown length

    def _passes(self) -> Generator[Any, None, None]:
        """Passes over a sequence, its batches in order, made ahead."""
        makers = self._makers()
        while True:
            if self._given == len(self._order):
                if self._order:
                    self.source.on_epoch_end()
                self._begin_pass()
            for batch in self._in_order(self._order[self._given :], makers):
                self._given += 1
                yield batch

    def _begin_pass(self) -> None:
        self._begun = copy.deepcopy(self.source.get_state()) if self.resumable else None
        order = np.arange(len(self.source))
        if self._shuffle:
            np.random.shuffle(order)
        self._order, self._given = order.tolist(), 0

    # ---------------------------------------------------------------- going on after a kill

    @property
    def resumable(self) -> bool:
        """Whether it can go on where another process was."""
        return self.indexed and hasattr(self.source, "set_state")

    @property
    def remembers(self) -> bool:
        """Whether a sequence that changes itself after a pass says what changes."""
        kind = type(self.source)
        if not self.resumable or not isinstance(self.source, Sequence):
            return True
        changes = kind.on_epoch_end is not Sequence.on_epoch_end
        return not changes or bool(kind.state_names) or kind.get_state is not Sequence.get_state

    def get_state(self) -> dict[str, Any] | None:
        """Where it is: the order of the pass, how much of it was given, how the source began it."""
        if not self.resumable:
            return None
        order = np.array(self._order, np.int64)
        return {"order": order, "given": self._given, "source": self._begun}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there; nothing may have been read yet."""
        self._order, self._given = state["order"].tolist(), int(state["given"])
        self._begun = state["source"]
        if self._begun is not None:
            here = self._workers == 0 or not self._processes
            self.source.set_state(copy.deepcopy(self._begun), self._given if here else None)

    # ---------------------------------------------------------------- reading

    def _makers(self) -> Threads | Processes | None:
        if self._workers == 0:
            return None
        makers = (Processes if self._processes else Threads)(self.source, self._workers)
        self._close.append(makers.close)
        return makers

    def _in_order(
        self, order: list[int], makers: Threads | Processes | None
    ) -> Generator[Any, None, None]:
        """The batches of some numbers, in that order."""
        if makers is None:
            yield from map(self.source.__getitem__, order)
            return
        makers.begin_pass()
        waiting: deque[tuple[int, futures.Future[Any]]] = deque()
        numbers = iter(order)
        for number in itertools.islice(numbers, self._ahead):
            waiting.append((number, makers.submit(number)))
        while waiting:
            number, future = waiting.popleft()
            self._wait(number, future, makers)
            try:
                batch = future.result()
                for following in itertools.islice(numbers, 1):
                    waiting.append((following, makers.submit(following)))
            except Exception as error:
                raise explained(error, self.source, number)  # noqa: B904
            yield batch

    def _wait(self, number: int, future: futures.Future[Any], makers: Any) -> None:
        """Wait for a batch, with an eye on who makes it and on who may want to stop."""
        if future.done():
            return
        waited = 0.0
        while not futures.wait([future], timeout=POLL).done:
            makers.check(number, waited)
            waited += POLL
            self._let_stop()

    def _let_stop(self) -> None:
        if self.attend is not None and self.attend():
            raise WaitingEndedError

    def __next__(self) -> Any:
        return next(self._batches)

    def __iter__(self) -> BatchStream:
        return self

    def close(self) -> None:
        """Stop reading ahead; no thread or process is left."""
        if isinstance(self._batches, Generator) and self._batches is not self.source:
            self._batches.close()
        for close in reversed(self._close):
            close()
        self._close.clear()


def _by_number(source: Any) -> bool:
    """Whether batches can be asked for by number; image iterators also answer to `next`."""
    return getattr(source, "use_sequence_api", False) is True or not isinstance(
        source, tf.data.Dataset | Iterator
    )


def _steps_of(source: Any) -> int | None:
    if isinstance(source, tf.data.Dataset):
        size = int(source.cardinality())
        if size == tf.data.INFINITE_CARDINALITY:
            raise ValueError(
                "This data set has no end: say how many batches make an epoch, steps=."
            )
        return size if size > 0 else None
    if not _by_number(source):
        raise ValueError(
            "A generator does not say how many batches make an epoch: pass steps_per_epoch=... to "
            "fit, or steps=... to evaluate and predict."
        )
    steps = len(source)
    if steps < 1:
        raise ValueError(f"{type(source).__name__} has no batches: its len() is {steps}.")
    return steps


class Prefetch:
    """An iterator read ahead by a thread.

    Args:
        source: the iterator.
        size: how many items wait at most.
        waiting: is called every now and then while the next item is waited for.

    >>> list(Prefetch(iter([1, 2, 3]), 2))
    [1, 2, 3]
    """

    def __init__(
        self, source: Iterable[Any], size: int, waiting: Callable[[], None] | None = None
    ) -> None:
        self._queue: queue.Queue[tuple[str, Any]] = queue.Queue(size)
        self._closed = threading.Event()
        self._done: tuple[str, Any] | None = None
        self._waiting = waiting
        self._thread = threading.Thread(
            target=self._read, args=(iter(source),), daemon=True, name="nbkeras-prefetch"
        )
        self._thread.start()

    def _read(self, source: Iterator[Any]) -> None:
        try:
            for item in source:
                if not self._put(("item", item)):
                    return
            self._put(("end", None))
        except BaseException as error:  # handed to the reader, which raises it
            self._put(("error", error))

    def _put(self, message: tuple[str, Any]) -> bool:
        while not self._closed.is_set():
            try:
                self._queue.put(message, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def __iter__(self) -> Prefetch:
        return self

    def __next__(self) -> Any:
        kind, value = self._done or self._next()
        if kind == "item":
            return value
        self._done = (kind, value)
        if kind == "error":
            raise value
        raise StopIteration

    def _next(self) -> tuple[str, Any]:
        while True:
            try:
                return self._queue.get(timeout=POLL)
            except queue.Empty:
                if self._waiting is not None:
                    self._waiting()

    def close(self, wait: float = 0) -> None:
        """Let the thread end, and wait for that some seconds at most."""
        self._closed.set()
        if wait:
            self._thread.join(wait)


# ---------------------------------------------------------------- running


class StreamExecutor:
    """Runs a program's step over a stream, a batch at a time.

    Args:
        program: what to run.
        stream: where batches come from.
        adapt: from a raw batch to (inputs, targets, sample weights), checked.
    """

    def __init__(self, program: Program, stream: BatchStream, adapt: Callable[[Any], Any]) -> None:
        self.program = program
        self.stream = stream
        self.steps = stream.steps
        self.rows_in_pass: int | None = None
        self._adapt = adapt
        self._batch: Any = None

    def begin(self, order: Any = None) -> None:
        """Start a pass: the stream goes on where it is."""
        self._batch = None

    def has(self, step: int) -> bool:
        """Whether there is a batch ``step``; it is fetched."""
        if self.steps is not None and step >= self.steps:
            return False
        try:
            raw = next(self.stream, None)
        except WaitingEndedError:
            return False
        if raw is None:
            if self.steps is None and step > 0:
                return False
            raise ValueError(
                f"The data ended after {step} batches; an epoch should have "
                f"{self.steps or 'at least one'}. A generator for fit never ends: put its loop "
                "into `while True:`; or pass fewer steps."
            )
        self._batch = self._adapt(raw)
        return True

    def next_passes(self, wanted: int, allowed: int | None = None) -> int:
        """A pass is never known before it is read."""
        return 0

    def halt_on_nan(self) -> None:
        """Every batch is a call of its own."""

    def see_each(self, wanted: bool) -> None:
        """Every batch is a call of its own."""

    def next_count(self, step: int, allowed: int | None = None) -> int:
        return 1

    def sizes(self, step: int, count: int) -> np.ndarray:
        """Rows in the batch that was fetched."""
        return np.array(
            [next(int(t.shape[0]) for part in self._batch for t in part if t is not None)]
        )

    def run(self, step: int, count: int) -> np.ndarray:
        """Run the fetched batch."""
        return self.program.on_batch(self._batch).numpy()[None]
