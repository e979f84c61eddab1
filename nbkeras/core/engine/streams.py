"""Batches that are not all in memory: generators, sequences, data sets.

A :class:`BatchStream` turns each of them into one iterator of (x, y, sample
weight), read ahead by threads or processes. :class:`StreamExecutor` runs a
program over it, with the interface of
:class:`~nbkeras.core.engine.program.ArrayExecutor`, so that one loop serves both.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import queue
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent import futures
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from .program import Program

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


class Sequence:
    """A data set that gives any of its batches by number.

    A subclass writes ``__getitem__(index)``, which returns a batch as (x, y) or
    (x, y, sample weights), and ``__len__``, the number of batches.

    >>> class Squares(Sequence):
    ...     def __len__(self):
    ...         return 2
    ...     def __getitem__(self, index):
    ...         x = np.arange(3.0) + 3 * index
    ...         return x, x**2
    >>> Squares()[1][1].tolist()
    [9.0, 16.0, 25.0]

    Source: Keras 2 manual, chapter 20.
    """

    use_sequence_api = True

    def __getitem__(self, index: int) -> Any:
        """The batch of a number."""
        raise NotImplementedError(f"{type(self).__name__} needs __getitem__(self, index).")

    def __len__(self) -> int:
        """The number of batches."""
        raise NotImplementedError(f"{type(self).__name__} needs __len__(self).")

    def on_epoch_end(self) -> None:
        """Called when all batches were given once."""

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))


def is_stream(data: Any) -> bool:
    """Whether data come batch by batch: a generator, a sequence, a ``tf.data.Dataset``."""
    return (
        isinstance(data, Sequence | tf.data.Dataset | Iterator)
        or inspect.isgenerator(data)
        or getattr(data, "use_sequence_api", False) is True
    )


class BatchStream:
    """Batches of a source, without end, pass after pass.

    Args:
        source: a generator or iterator, a :class:`Sequence`, or a ``tf.data.Dataset``.
        steps: batches in an epoch; a sequence or a data set of known size says it itself.
        reading: who reads ahead, and how far.
        shuffle: whether the batches of a sequence are shuffled before each pass.

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
        self._close: list[Callable[[], None]] = []
        self._batches = self._open()

    def _open(self) -> Iterator[Any]:
        if self.indexed:
            return self._passes()
        if isinstance(self.source, tf.data.Dataset):
            return self._dataset()
        if self._workers == 0:
            return self.source
        ahead = Prefetch(self.source, self._ahead)
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
        """Passes over a sequence, its batches in order, computed ahead."""
        fetch, pool = self._pool()
        while True:
            order = np.arange(len(self.source))
            if self._shuffle:
                np.random.shuffle(order)
            yield from self.source_in(order.tolist(), fetch, pool)
            self.source.on_epoch_end()

    def source_in(
        self, order: list[int], fetch: Callable[[int], Any], pool: Any
    ) -> Generator[Any, None, None]:
        """The batches of some numbers, in that order."""
        if pool is None:
            yield from map(fetch, order)
            return
        waiting: deque[futures.Future[Any]] = deque()
        numbers = iter(order)
        send = _published(self.source) if self._processes else None
        with send or contextlib.nullcontext() as place:
            for _ in range(len(order) + self._ahead):
                number = next(numbers, None)
                if number is not None:
                    task = (fetch, number) if place is None else (_fetch, place, number)
                    waiting.append(pool.submit(*task))
                if number is None or len(waiting) > self._ahead:
                    if not waiting:
                        return
                    yield waiting.popleft().result()

    def _pool(self) -> tuple[Callable[[int], Any], Any]:
        if self._workers == 0:
            return self.source.__getitem__, None
        if self._processes:
            from loky import get_reusable_executor  # starts workers by spawn, kills them for sure

            pool = get_reusable_executor(
                self._workers, timeout=None, initializer=_ignore_interrupts, reuse=False
            )
            self._close.append(lambda: pool.shutdown(wait=True, kill_workers=True))
        else:
            pool = futures.ThreadPoolExecutor(self._workers, thread_name_prefix="nbkeras-batches")
            self._close.append(lambda: pool.shutdown(wait=False, cancel_futures=True))
        return self.source.__getitem__, pool

    def __next__(self) -> Any:
        return next(self._batches)

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

    >>> list(Prefetch(iter([1, 2, 3]), 2))
    [1, 2, 3]
    """

    def __init__(self, source: Iterable[Any], size: int) -> None:
        self._queue: queue.Queue[tuple[str, Any]] = queue.Queue(size)
        self._closed = threading.Event()
        self._done: tuple[str, Any] | None = None
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
        kind, value = self._done or self._queue.get()
        if kind == "item":
            return value
        self._done = (kind, value)
        if kind == "error":
            raise value
        raise StopIteration

    def close(self, wait: float = 0) -> None:
        """Let the thread end, and wait for that some seconds at most."""
        self._closed.set()
        if wait:
            self._thread.join(wait)


# ---------------------------------------------------------------- in worker processes


def _ignore_interrupts() -> None:
    """An interrupt is for the process that trains; it ends its workers itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def _published(source: Any) -> Iterator[str]:
    """A source pickled once into a file for the workers of a pass."""
    import cloudpickle  # classes written in a notebook travel too

    with tempfile.TemporaryDirectory(prefix="nbkeras-") as folder:
        path = os.path.join(folder, "sequence")
        with open(path, "wb") as file:
            cloudpickle.dump(source, file)
        yield path


_loaded: dict[str, Any] = {}


def _fetch(path: str, index: int) -> Any:
    """A batch of a published source; the source is read once by each worker and pass."""
    if path not in _loaded:
        import pickle

        _loaded.clear()
        with open(path, "rb") as file:
            _loaded[path] = pickle.load(file)  # written by our own parent process
    return _loaded[path][index]


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
        raw = next(self.stream, None)
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
