"""What every test shares: a quiet TensorFlow on few threads, no GPU, no home folder, seeds."""

from __future__ import annotations

import os
import random
import sys

import hypothesis
import numpy as np
import pytest

# Before anything imports TensorFlow. A variable that is already set stays.
for name, value in {
    "CUDA_VISIBLE_DEVICES": "-1",
    "JUPYTER_PLATFORM_DIRS": "1",
    "KERAS_BACKEND": "tensorflow",  # the oracle's, not ours
    "MPLBACKEND": "agg",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
}.items():
    os.environ.setdefault(name, value)

hypothesis.settings.register_profile("nbkeras", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.load_profile("nbkeras")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that run for minutes wait until they are asked for."""
    if "slow" not in config.option.markexpr:
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="runs for minutes: pytest -m slow"))


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Every test draws the same numbers, alone or after any other."""
    random.seed(0)
    np.random.seed(0)
    tensorflow = sys.modules.get("tensorflow")
    if hasattr(tensorflow, "random"):
        tensorflow.random.set_seed(0)


@pytest.fixture(autouse=True, scope="session")
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads or writes the settings, caches and histories of whoever runs it."""
    home = tmp_path_factory.mktemp("home")
    os.environ.update(
        HOME=str(home),
        IPYTHONDIR=str(home / "ipython"),
        JUPYTER_CONFIG_DIR=str(home / "jupyter"),
        JUPYTER_DATA_DIR=str(home / "jupyter-data"),
        KERAS_HOME=str(home / "keras"),
    )
    os.environ.pop("PYTHONSTARTUP", None)
