"""Workers: every batch once and in order; an error, a kill or a hang is told of and cleaned up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nbkeras import events
from nbkeras.core.engine import workers
from nbkeras.core.engine.streams import BatchStream, Reading
from nbkeras.core.layers import Dense
from nbkeras.core.models import Sequential
from nbkeras.core.utils import set_random_seed

from .batches import COUNT, Batches, compute, die, fail, hang

IN_PROCESSES = Reading(workers=2, use_multiprocessing=True, max_queue_size=4)
IN_THREADS = Reading(workers=2, max_queue_size=4)


def numbers(stream: BatchStream, count: int) -> list[int]:
    return [int(next(stream)[0][0, 0]) for _ in range(count)]


def running(stream: BatchStream) -> list[int]:
    """The worker processes of a stream."""
    makers = next(close.__self__ for close in stream._close)  # type: ignore[attr-defined]
    return sorted(makers._pool._processes)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def net() -> Sequential:
    model = Sequential([Dense(1, input_shape=(3,))])
    model.compile("sgd", "mse", jit_compile=False)
    return model


@pytest.mark.parametrize("reading", [IN_THREADS, IN_PROCESSES], ids=["threads", "processes"])
def test_each_batch_once_in_order_pass_after_pass(reading: Reading) -> None:
    stream = BatchStream(Batches(), None, reading)
    batches = [next(stream) for _ in range(2 * COUNT)]
    pids = running(stream) if reading.use_multiprocessing else []
    stream.close()
    assert [int(x[0, 0]) for x, *_ in batches] == 2 * list(range(COUNT))
    # What on_epoch_end changed is what the workers of the next pass see.
    assert [int(y[0, 0]) for _, y, _ in batches] == [0] * COUNT + [1] * COUNT
    assert not any(map(alive, pids))


@pytest.mark.parametrize("reading", [IN_THREADS, IN_PROCESSES], ids=["threads", "processes"])
def test_an_error_comes_through_after_the_batches_before_it(reading: Reading) -> None:
    stream = BatchStream(Batches(5, fail), None, reading)
    assert numbers(stream, 5) == [0, 1, 2, 3, 4]
    with pytest.raises(KeyError, match="on purpose") as caught:
        next(stream)
    if hasattr(caught.value, "__notes__"):
        assert caught.value.__notes__ == ["This is from batch 5 of Batches."]
    stream.close()


def test_a_killed_worker_is_told_of() -> None:
    stream = BatchStream(Batches(5, die), None, IN_PROCESSES)
    with pytest.raises(RuntimeError, match=r"it was killed.*use_multiprocessing=False"):
        numbers(stream, COUNT)
    pids = running(stream)
    stream.close()
    assert not any(map(alive, pids))


def test_a_hanging_worker_is_told_of_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 1.0)
    stream = BatchStream(Batches(5, hang), None, IN_PROCESSES)
    assert numbers(stream, 5) == [0, 1, 2, 3, 4]
    pids = running(stream)
    with pytest.raises(RuntimeError, match=r"Batch 5 of Batches.*hang.*NBKERAS_WORKER_PATIENCE"):
        next(stream)
    stream.close()
    assert len(pids) == 2
    assert not any(map(alive, pids))


def test_slow_work_is_no_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 0.6)
    stream = BatchStream(Batches(2, compute), None, IN_PROCESSES)
    assert numbers(stream, 4) == [0, 1, 2, 3]
    stream.close()


@pytest.mark.parametrize("do", [fail, die])
def test_a_failed_fit_leaves_no_process_and_a_model_that_trains(do: Callable[[], Any]) -> None:
    model, seen = net(), []

    class Seen(Batches):
        def on_epoch_end(self) -> None:
            seen.append(1)

    with pytest.raises((KeyError, RuntimeError)):
        model.fit(Batches(5, do), verbose=0, workers=2, use_multiprocessing=True)
    assert not [t for t in threading.enumerate() if t.name.startswith("nbkeras-batches")]
    model.fit(Seen(), epochs=2, verbose=0, validation_data=Batches())
    assert seen


def test_training_and_validation_have_workers_of_their_own() -> None:
    def history(processes: bool) -> Any:
        set_random_seed(3)
        reading = {"workers": 1, "use_multiprocessing": processes}
        data = {"x": Batches(), "validation_data": Batches()}
        return net().fit(**data, epochs=2, shuffle=False, verbose=0, **reading).history

    assert history(True) == history(False)


@pytest.mark.parametrize("source", ["sequence", "generator"])
def test_a_run_that_waits_for_a_batch_can_be_stopped(source: str) -> None:
    waits = threading.Event()
    ended = threading.Event()

    def stuck() -> None:
        waits.set()
        ended.wait(60)

    def endless() -> Any:
        while True:
            yield from Batches(5, stuck)

    attached = threading.Event()

    class Listener:
        def attach(self, mailbox: events.Mailbox) -> None:
            self.mailbox = mailbox
            attached.set()

        def handle(self, event: events.Event) -> None:
            pass

    listener, model = Listener(), net()
    data: Any = Batches(5, stuck) if source == "sequence" else endless()
    steps = None if source == "sequence" else COUNT
    run = threading.Thread(
        target=lambda: model.fit(
            data, steps_per_epoch=steps, epochs=3, shuffle=False, verbose=0, callbacks=[listener]
        ),
        daemon=True,
    )
    run.start()
    assert waits.wait(60)
    assert attached.wait(60)
    listener.mailbox.post(events.Stop("stopped"))
    run.join(60)
    stopped = not run.is_alive()
    ended.set()
    assert stopped
    assert model.history is not None
    assert model.history.epoch == [0]
    assert np.isfinite(model.history.history["loss"]).all()


def test_workers_of_a_killed_program_end(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import sys, time
        sys.path.insert(0, sys.argv[1])
        from nbkeras.core.engine.workers import Processes, Sequence

        class Slow(Sequence):
            def __len__(self): return 4
            def __getitem__(self, index): time.sleep(60 * index)

        if __name__ == "__main__":
            makers = Processes(Slow(), 2)
            makers.begin_pass()
            futures = [makers.submit(number) for number in range(4)]
            futures[0].result()
            print(*makers._pool._processes, flush=True)
            time.sleep(600)
        """
    )
    (tmp_path / "program.py").write_text(program)
    root = str(Path(workers.__file__).parents[3])
    command = [sys.executable, str(tmp_path / "program.py"), root]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pids = [int(pid) for pid in process.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(alive, pids))
        process.kill()
    end = time.monotonic() + 30
    while any(map(alive, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(alive, pids))


def test_numbers_of_workers_are_whole() -> None:
    for wrong in ({"workers": -1}, {"workers": 1.5}, {"max_queue_size": True}):
        with pytest.raises(ValueError, match="is a whole number, 0 or more"):
            Reading(**wrong)


@pytest.mark.slow
def test_an_interrupt_ends_a_run_whose_workers_hang(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import sys
        sys.path.insert(0, sys.argv[1])
        from nbkeras.core.callbacks import Callback
        from nbkeras.core.layers import Dense
        from nbkeras.core.models import Sequential
        from tests.core.engine import batches

        class Say(Callback):
            def on_batch_end(self, batch, logs=None):
                if batch == 4:
                    print("waiting", flush=True)

        if __name__ == "__main__":
            model = Sequential([Dense(1, input_shape=(3,))])
            model.compile("sgd", "mse")
            data = batches.Batches(5, batches.hang)
            reading = {"workers": 2, "use_multiprocessing": True}
            history = model.fit(
                data, epochs=9, shuffle=False, verbose=0, callbacks=[Say()], **reading
            )
            print("ended", history.epoch, flush=True)
        """
    )
    (tmp_path / "program.py").write_text(program)
    root = str(Path(workers.__file__).parents[3])
    command = [sys.executable, str(tmp_path / "program.py"), root]
    environment = {**os.environ, "NBKERAS_WORKER_PATIENCE": "0"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        # As a terminal does: the workers get it too, and leave it to the program.
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.readline() == "ended [0]\n"
        assert process.wait(60) == 0
    end = time.monotonic() + 30
    while _has_members(process.pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not _has_members(process.pid)


def _has_members(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
