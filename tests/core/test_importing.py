"""TensorFlow comes without the keras package, and tf.keras works all the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TENSORFLOW = """
import gc, importlib.util, threading
collecting = gc.isenabled()
found = importlib.util.find_spec("keras").origin
try:
    import keras
    registered = True
except ImportError:
    registered = False
def other():
    global elsewhere
    import keras
    elsewhere = keras.value
thread = threading.Thread(target=other)
thread.start()
thread.join()
"""


def run(program: str) -> list[str]:
    """What a fresh process prints, line by line."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def stand_ins(tmp_path: Path) -> str:
    """A line that puts packages in the place of TensorFlow and keras."""
    for name, text in {"tensorflow": TENSORFLOW, "keras": "value = 7"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text)
    return f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"


def test_only_the_thread_that_imports_tensorflow_cannot_import_keras(stand_ins: str) -> None:
    program = """
import nbkeras.core
before = list(sys.meta_path)
import tensorflow, keras
print(tensorflow.registered, tensorflow.elsewhere, keras.value, tensorflow.found == keras.__file__)
print(type(tensorflow.__loader__).__name__, type(tensorflow.__spec__.loader).__name__)
import gc
print(len(before) - len(sys.meta_path), tensorflow.collecting, gc.isenabled())
"""
    assert run(stand_ins + program) == [
        "False 7 7 True",
        "SourceFileLoader SourceFileLoader",
        "1 False True",
    ]


@pytest.mark.parametrize("first", ["keras", "tensorflow"])
def test_what_was_imported_before_stays_as_it_is(stand_ins: str, first: str) -> None:
    program = f"""
import {first}
before = list(sys.meta_path)
import nbkeras.core, tensorflow, keras
print(tensorflow.registered, keras.value, sys.meta_path == before)
"""
    assert run(stand_ins + program) == ["True 7 True"]


def test_a_tensorflow_that_cannot_be_imported_leaves_nothing_behind(
    stand_ins: str, tmp_path: Path
) -> None:
    (tmp_path / "tensorflow" / "__init__.py").write_text("raise OSError('no such library')")
    program = """
before = list(sys.meta_path)
import nbkeras.core
try:
    import tensorflow
except OSError as error:
    print(error)
import keras
print(keras.value, sys.meta_path == before)
"""
    assert run(stand_ins + program) == ["no such library", "7 True"]


def test_tf_keras_is_imported_when_it_is_used() -> None:
    program = """
import sys
import nbkeras.core.layers
import tensorflow as tf
print("keras" in sys.modules)
print(tf.keras.layers.Dense.__name__, "keras" in sys.modules)
from tensorflow.keras.layers import Dense
print(Dense is tf.keras.layers.Dense)
"""
    assert run(program) == ["False", "Dense True", "True"]
