"""Batches read ahead by threads or processes, for loops of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..engine.streams import BatchStream, Reading

__all__ = ["GeneratorEnqueuer", "OrderedEnqueuer", "SequenceEnqueuer"]


class SequenceEnqueuer:
    """What both enqueuers share: start, get batches, stop. ``fit`` reads by the same stream.

    Args:
        sequence: where batches come from.
        use_multiprocessing: whether processes read them, not threads.
    """

    def __init__(self, sequence: Any, use_multiprocessing: bool = False) -> None:
        self.sequence = sequence
        self.use_multiprocessing = use_multiprocessing
        self._stream: BatchStream | None = None

    def _open(self, workers: int, max_queue_size: int) -> BatchStream:
        return BatchStream(
            self.sequence,
            1,  # a number of steps, which only fit needs
            Reading(workers, self.use_multiprocessing, max_queue_size),
        )

    def start(self, workers: int = 1, max_queue_size: int = 10) -> None:
        """Begin to read ahead.

        Args:
            workers: how many threads or processes; 0 reads when asked.
            max_queue_size: how many batches wait at most.
        """
        self.stop()
        self._stream = self._open(workers, max_queue_size)

    def is_running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._stream is not None

    def get(self) -> Iterator[Any]:
        """The batches, one after the other, until :meth:`stop` or the source's end.

        Raises:
            RuntimeError: it is not started.
        """
        if self._stream is None:
            raise RuntimeError(f"Start it first: {type(self).__name__}(...).start().")
        return self._batches(self._stream)

    def _batches(self, stream: BatchStream) -> Iterator[Any]:
        while stream is self._stream:
            try:
                batch = next(stream)
            except StopIteration:
                return
            except BaseException:
                self.stop()
                raise
            yield batch

    def stop(self, timeout: float | None = None) -> None:
        """End the threads or processes."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()


class OrderedEnqueuer(SequenceEnqueuer):
    """Reads a ``Sequence`` ahead, pass after pass, its batches in order.

    Args:
        sequence: the sequence.
        use_multiprocessing: whether processes read it, not threads.
        shuffle: whether each pass has an order of its own, from NumPy's generator.

    >>> from nbkeras.core.utils import Sequence
    >>> class Numbers(Sequence):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, index):
    ...         return index
    >>> enqueuer = OrderedEnqueuer(Numbers())
    >>> enqueuer.start(workers=2)
    >>> batches = enqueuer.get()
    >>> [next(batches) for _ in range(5)]
    [0, 1, 2, 0, 1]
    >>> enqueuer.stop()

    Source: Keras 2, ``keras.utils.OrderedEnqueuer``.
    """

    def __init__(
        self, sequence: Any, use_multiprocessing: bool = False, shuffle: bool = False
    ) -> None:
        if not hasattr(sequence, "__getitem__") or not hasattr(sequence, "__len__"):
            raise TypeError(
                "OrderedEnqueuer reads a Sequence, with __getitem__ and __len__; got a "
                f"{type(sequence).__name__}. For a generator: GeneratorEnqueuer(generator)."
            )
        super().__init__(sequence, use_multiprocessing)
        self.shuffle = shuffle

    def _open(self, workers: int, max_queue_size: int) -> BatchStream:
        return BatchStream(
            self.sequence,
            reading=Reading(workers, self.use_multiprocessing, max_queue_size),
            shuffle=self.shuffle,
        )


class GeneratorEnqueuer(SequenceEnqueuer):
    """Reads a generator ahead by one thread, so that no batch is lost, doubled or moved.

    Args:
        generator: the generator.
        use_multiprocessing: not for generators: their state cannot be shared.
        wait_time: accepted as Keras does.
        random_seed: accepted as Keras does.

    Raises:
        ValueError: processes are asked for.

    >>> enqueuer = GeneratorEnqueuer(iter("abc"))
    >>> enqueuer.start()
    >>> list(enqueuer.get())
    ['a', 'b', 'c']
    >>> enqueuer.stop()

    Source: Keras 2, ``keras.utils.GeneratorEnqueuer``.
    """

    def __init__(
        self,
        generator: Any,
        use_multiprocessing: bool = False,
        wait_time: float | None = None,
        random_seed: int | None = None,
    ) -> None:
        if use_multiprocessing:
            raise ValueError(
                "Processes cannot share a generator without doubling its batches. Write a "
                "Sequence and OrderedEnqueuer(sequence, use_multiprocessing=True)."
            )
        super().__init__(iter(generator))
