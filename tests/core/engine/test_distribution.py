"""Training under ``tf.distribute``: replicas in one process, and two processes.

Devices are split before TensorFlow starts, and workers are processes anyway, so both run
as programs of their own: ``replicas.py`` and ``worker.py``.
"""

from __future__ import annotations

import ast
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nbkeras.core.layers import Dense
from nbkeras.core.models import Sequential
from nbkeras.core.utils import multi_gpu_model, multi_gpu_utils

HERE = Path(__file__).parent
QUICK = (
    "case_arrays_with_an_uneven_end",
    "case_multi_gpu_model_refuses",
    "case_refused",
)
CASES = [
    node.name
    for node in ast.parse((HERE / "replicas.py").read_text(encoding="utf-8")).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("case_")
]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **more}


def outcomes(folder: Path, names: list[str]) -> dict[str, str]:
    """Run cases in one program; for each a traceback, or nothing."""
    path = folder / "report.json"
    done = subprocess.run(
        [sys.executable, str(HERE / "replicas.py"), str(path), *names],
        capture_output=True,
        text=True,
        timeout=600,
        env=environment(),
    )
    assert path.exists(), done.stderr[-3000:]
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return outcomes(tmp_path_factory.mktemp("quick"), list(QUICK))


@pytest.fixture(scope="module")
def thorough(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    names = [name for name in CASES if name not in QUICK]
    return outcomes(tmp_path_factory.mktemp("thorough"), names)


@pytest.mark.parametrize("name", QUICK)
def test_replicas(quick: dict[str, str], name: str) -> None:
    assert not quick[name], quick[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CASES if name not in QUICK])
def test_replicas_thoroughly(thorough: dict[str, str], name: str) -> None:
    assert not thorough[name], thorough[name]


def test_one_device_is_not_several() -> None:
    model = Sequential([Dense(1, input_shape=(2,))])
    for gpus in (None, 2, [0, 1]):
        with pytest.raises(ValueError, match=r"This process has 1: CPU:0\..* model itself"):
            multi_gpu_model(model, gpus)
    assert multi_gpu_utils.multi_gpu_model is multi_gpu_model


# ---------------------------------------------------------------- two processes


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@pytest.fixture
def start_workers() -> Iterator[Any]:
    """Starts two workers; whatever happens, none outlives the test."""
    started: list[subprocess.Popen[str]] = []

    def start(folder: Path, *arguments: str) -> list[subprocess.Popen[str]]:
        hosts = [f"127.0.0.1:{port}" for port in free_ports(2)]
        for index in range(2):
            task = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
            started.append(
                subprocess.Popen(
                    [sys.executable, str(HERE / "worker.py"), str(folder), *arguments],
                    stdout=subprocess.DEVNULL,
                    stderr=(folder / f"{index}.log").open("w"),
                    text=True,
                    env=environment(TF_CONFIG=json.dumps(task), TF_NUM_INTEROP_THREADS="2"),
                )
            )
        return started

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_two_workers_learn_what_one_process_does(tmp_path: Path, start_workers: Any) -> None:
    from tests.core.engine import worker

    model = worker.make()
    model.save_weights(tmp_path / "start.h5")
    workers = start_workers(tmp_path)
    expected = worker.train(model, 0)
    for index, process in enumerate(workers):
        code = process.wait(timeout=300)
        assert code == 0, (tmp_path / f"{index}.log").read_text()[-3000:]
    results = [json.loads((tmp_path / f"{index}.json").read_text()) for index in range(2)]
    assert [result["files"] for result in results] == [["log.csv", "model.h5"], []]
    assert results[0]["parameters"] == model.count_params()
    # With statistics and noise of each replica's own, both still have the same weights.
    assert results[0]["apart"] == results[1]["apart"]
    for result in results:
        for name, values in expected.items():
            for one, several in zip(values, result[name], strict=True):
                np.testing.assert_allclose(several, one, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.slow
def test_a_worker_that_dies_is_an_error_for_the_others(tmp_path: Path, start_workers: Any) -> None:
    survivor, dead = start_workers(tmp_path, "dies")
    assert dead.wait(timeout=300) == 9
    assert survivor.wait(timeout=300) != 0
    assert "UnavailableError" in (tmp_path / "0.log").read_text()
