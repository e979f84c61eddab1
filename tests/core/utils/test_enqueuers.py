"""Enqueuers: every batch once, in order, and nothing left when they stop."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import numpy as np
import pytest

from nbkeras.core.utils import GeneratorEnqueuer, OrderedEnqueuer, Sequence, SequenceEnqueuer


class Numbers(Sequence):
    def __init__(self, count: int = 5, bad: int = -1) -> None:
        self.count, self.bad, self.passes = count, bad, 0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        if index == self.bad:
            raise RuntimeError("on purpose")
        return np.full(2, index)

    def on_epoch_end(self) -> None:
        self.passes += 1


def first(enqueuer: Any, count: int) -> list[int]:
    return [int(batch[0]) for batch in itertools.islice(enqueuer.get(), count)]


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_order(workers: int) -> None:
    numbers = Numbers()
    enqueuer = OrderedEnqueuer(numbers)
    assert isinstance(enqueuer, SequenceEnqueuer)
    assert not enqueuer.is_running()
    enqueuer.start(workers=workers, max_queue_size=3)
    assert enqueuer.is_running()
    assert first(enqueuer, 12) == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]
    assert numbers.passes == 2
    enqueuer.stop()
    assert not enqueuer.is_running()


def test_shuffled_passes_hold_every_batch() -> None:
    enqueuer = OrderedEnqueuer(Numbers(20), shuffle=True)
    enqueuer.start()
    passes = np.reshape(first(enqueuer, 60), (3, 20))
    enqueuer.stop()
    assert (np.sort(passes) == np.arange(20)).all()
    assert len({tuple(order) for order in passes.tolist()}) == 3


def test_generators_keep_their_order_and_end() -> None:
    enqueuer = GeneratorEnqueuer(np.full(2, n) for n in range(50))
    enqueuer.start(workers=4)
    assert first(enqueuer, 100) == list(range(50))
    enqueuer.stop()


@pytest.mark.parametrize("make", [OrderedEnqueuer, lambda n: GeneratorEnqueuer(iter(n))])
def test_an_error_comes_through_and_ends_it(make: Any) -> None:
    enqueuer = make(Numbers(5, bad=2))
    enqueuer.start(workers=1)
    batches = enqueuer.get()
    assert [int(next(batches)[0]) for _ in range(2)] == [0, 1]
    with pytest.raises(RuntimeError, match="on purpose"):
        next(batches)
    assert not enqueuer.is_running()


def test_no_thread_is_left() -> None:
    before = set(threading.enumerate())
    for enqueuer in (OrderedEnqueuer(Numbers()), GeneratorEnqueuer(iter(Numbers(1000)))):
        enqueuer.start(workers=2)
        batches = enqueuer.get()
        next(batches)
        enqueuer.stop()
        assert list(batches) == []
    left = set(threading.enumerate()) - before
    for thread in left:
        thread.join(timeout=10)
    assert not any(thread.is_alive() for thread in left)


def test_what_cannot_be() -> None:
    with pytest.raises(TypeError, match="GeneratorEnqueuer"):
        OrderedEnqueuer(iter([1]))
    with pytest.raises(ValueError, match="Write a Sequence"):
        GeneratorEnqueuer(iter([1]), use_multiprocessing=True)
    with pytest.raises(RuntimeError, match="start"):
        OrderedEnqueuer(Numbers()).get()
