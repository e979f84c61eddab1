"""Who makes the batches of a sequence: threads, or processes that are watched.

Worker processes import this module; it imports no TensorFlow, so that they start fast.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent import futures
from pathlib import Path
from typing import Any, ClassVar

__all__ = ["Processes", "Sequence", "Threads"]

PATIENCE = float(os.environ.get("NBKERAS_WORKER_PATIENCE", 4))
"""Seconds that a worker process may do nothing at all while its batch is waited for; 0: any."""


class Sequence:
    """A data set that gives any of its batches by number.

    A subclass writes ``__getitem__(index)``, which returns a batch as (x, y) or
    (x, y, sample weights), and ``__len__``, the number of batches.

    >>> import numpy as np
    >>> class Squares(Sequence):
    ...     def __len__(self):
    ...         return 2
    ...     def __getitem__(self, index):
    ...         x = np.arange(3.0) + 3 * index
    ...         return x, x**2
    >>> Squares()[1][1].tolist()
    [9.0, 16.0, 25.0]

    Attributes:
        state_names: the attributes that :meth:`on_epoch_end` changes, such as an order of rows;
            ``BackupAndRestore`` keeps them (numbers, text, arrays, and lists and dictionaries
            of these).

    Source: Keras 2 manual, chapter 20; the state is our own.
    """

    use_sequence_api = True
    state_names: ClassVar[tuple[str, ...]] = ()

    def __getitem__(self, index: int) -> Any:
        """The batch of a number."""
        raise NotImplementedError(f"{type(self).__name__} needs __getitem__(self, index).")

    def __len__(self) -> int:
        """The number of batches."""
        raise NotImplementedError(f"{type(self).__name__} needs __len__(self).")

    def on_epoch_end(self) -> None:
        """Called when all batches were given once."""

    def get_state(self) -> dict[str, Any]:
        """What a pass begins with, to be given to :meth:`set_state` in a later process."""
        return {name: getattr(self, name) for name in self.state_names if hasattr(self, name)}

    def set_state(self, state: Mapping[str, Any], given: int | None = 0) -> None:
        """Be as :meth:`get_state` found it at the begin of a pass of which some batches were given.

        Args:
            state: what it returned.
            given: how many batches this object has made since; ``None`` where copies of it, in
                other processes, made them.
        """
        for name, value in state.items():
            setattr(self, name, value)

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))


# ---------------------------------------------------------------- threads


class Threads:
    """Threads that make batches by number.

    They do not keep the program from ending: one that hangs cannot be ended otherwise.

    Args:
        source: has the batches.
        count: how many threads.
    """

    def __init__(self, source: Any, count: int) -> None:
        self._source = source
        self._tasks: queue.SimpleQueue[tuple[int, futures.Future[Any]] | None]
        self._tasks = queue.SimpleQueue()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, daemon=True, name=f"nbkeras-batches-{number}")
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None and not self._closed:
            number, future = task
            try:
                future.set_result(self._source[number])
            except BaseException as error:  # raised where the batch is asked for
                future.set_exception(error)

    def begin_pass(self) -> None:
        """Nothing is copied: the threads see the source as it is."""

    def submit(self, number: int) -> futures.Future[Any]:
        """Have a batch made."""
        future: futures.Future[Any] = futures.Future()
        self._tasks.put((number, future))
        return future

    def check(self, number: int, waited: float) -> None:
        """A slow thread is left its time."""

    def close(self) -> None:
        """Let the threads end with the batch they are at."""
        self._closed = True
        for _ in self._threads:
            self._tasks.put(None)


# ---------------------------------------------------------------- processes


class Processes:
    """Processes that make batches by number, started anew and ended for sure.

    At the begin of each pass they get a copy of the source as it is then.

    Args:
        source: has the batches; it must be possible to pickle it.
        count: how many processes.
    """

    def __init__(self, source: Any, count: int) -> None:
        # Its workers are new interpreters, not forks of one that runs TensorFlow, and if
        # one dies their end is noticed.
        from loky import ProcessPoolExecutor

        self._source = source
        self._folder = tempfile.TemporaryDirectory(prefix="nbkeras-")
        self._path = ""
        self._passes = 0
        self._seen: dict[int, tuple[Any, float]] = {}
        self._pool = ProcessPoolExecutor(
            count, timeout=None, initializer=_begin_worker, initargs=(os.getpid(),)
        )

    def begin_pass(self) -> None:
        """Publish the source for the batches of a pass."""
        import cloudpickle  # classes written in a notebook travel too

        self._passes += 1
        self._path = os.path.join(self._folder.name, f"pass-{self._passes}")
        with open(self._path, "wb") as file:
            cloudpickle.dump(self._source, file)
        with contextlib.suppress(FileNotFoundError):  # all batches of the pass before are here
            os.unlink(os.path.join(self._folder.name, f"pass-{self._passes - 1}"))

    def submit(self, number: int) -> futures.Future[Any]:
        """Have a batch made."""
        future: futures.Future[Any] = self._pool.submit(_make, self._path, number)
        return future

    def check(self, number: int, waited: float) -> None:
        """Look whether the worker of a batch that is waited for still does anything.

        Slow work is left its time. A process that has not run for some seconds, neither
        computing nor woken by a disk, a network or a clock, is taken to hang.

        Raises:
            RuntimeError: it hangs.
        """
        if waited == 0:
            self._seen.clear()
        now = time.monotonic()
        makers = self._makers(number)
        idle = [self._idle(pid, now) for pid in makers]
        if PATIENCE and idle and min(idle) >= PATIENCE:
            raise RuntimeError(
                f"Batch {number} of {type(self._source).__name__} does not come: worker process "
                f"{', '.join(map(str, makers))} did nothing for {min(idle):.0f} s, neither "
                "compute nor read. It seems to hang: on a lock, or on a file or a server that "
                "does not answer. If batches may wait that long, set the environment variable "
                "NBKERAS_WORKER_PATIENCE to more seconds, or to 0 for no limit, before nbkeras "
                "is imported."
            )

    def _makers(self, number: int) -> list[int]:
        """The process that is at a batch; all of them while none is."""
        pids = sorted(self._pool._processes or ())
        return [pid for pid in pids if _at(self._folder.name, pid) == number] or pids

    def _idle(self, pid: int, now: float) -> float:
        """For how many seconds a process has not run, as far as was looked."""
        activity = _activity(pid)
        before, since = self._seen.get(pid, (None, now))
        if activity is None or activity != before:
            since = now
        self._seen[pid] = (activity, since)
        return now - since

    def close(self) -> None:
        """Kill the processes, whatever they are at."""
        self._pool.shutdown(wait=True, kill_workers=True)
        self._folder.cleanup()


def explained(error: BaseException, source: Any, number: int) -> BaseException:
    """An error of a worker, with what can be said about it."""
    from loky import BrokenProcessPool

    if isinstance(error, BrokenProcessPool):
        told = RuntimeError(
            f"A worker process ended while batch {number} of {type(source).__name__} was waited "
            "for: it was killed, as the system does when memory runs out, or it crashed. Use "
            "fewer workers or smaller batches, or threads: use_multiprocessing=False."
        )
        told.__cause__ = error
        return told
    if hasattr(error, "add_note"):  # Python 3.11
        error.add_note(f"This is from batch {number} of {type(source).__name__}.")
    return error


def _activity(pid: int) -> Any:
    """Something that changes whenever a process, or a child of it, runs; None where unknown."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/task/{pid}/status").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return None
    if stat[0] == "D":  # waits for a disk
        return time.monotonic()
    switches = [line for line in status.splitlines() if "ctxt_switches" in line]
    return stat[11:13], switches, [(child, _activity(int(child))) for child in children]


def _at(folder: str, pid: int) -> int | None:
    """The batch that a process said it begins."""
    try:
        return int(Path(folder, str(pid)).read_text())
    except (OSError, ValueError):
        return None


# ---------------------------------------------------------------- in a worker process


def _begin_worker(parent: int) -> None:
    """An interrupt is for the process that trains; when that is gone, so is its worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="nbkeras-parent").start()


_loaded: dict[str, Any] = {}


def _make(path: str, number: int) -> Any:
    """A batch of a published source; the source is read once by each worker and pass."""
    Path(path).with_name(str(os.getpid())).write_text(str(number))
    if path not in _loaded:
        _loaded.clear()
        with open(path, "rb") as file:
            _loaded[path] = pickle.load(file)  # written by our own parent process
    return _loaded[path][number]
