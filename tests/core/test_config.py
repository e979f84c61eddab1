"""Settings, keras.json, seeds."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import config


@pytest.fixture(autouse=True)
def _restored():
    yield
    config.set_floatx("float32")
    config.set_epsilon(1e-7)
    config.set_image_data_format("channels_last")


@pytest.mark.parametrize("value", ["float16", "bfloat16", "float32", "float64"])
def test_floatx(value):
    config.set_floatx(value)
    assert config.floatx() == value


@pytest.mark.parametrize("value", ["float", "int32", None, 32])
def test_floatx_of_no_float(value):
    with pytest.raises(ValueError, match="'float16', 'float32', 'float64'"):
        config.set_floatx(value)
    assert config.floatx() == "float32"


def test_epsilon():
    config.set_epsilon(np.float32(0.5))
    assert config.epsilon() == 0.5
    assert type(config.epsilon()) is float


@pytest.mark.parametrize("value", [0, -1e-7, float("nan"), float("inf"), "1e-7", True, None])
def test_epsilon_of_no_small_number(value):
    with pytest.raises(ValueError, match="small positive number"):
        config.set_epsilon(value)
    assert config.epsilon() == 1e-7


def test_image_data_format():
    config.set_image_data_format("channels_first")
    assert config.image_data_format() == "channels_first"
    assert config.normalize_data_format(None) == "channels_first"
    assert config.normalize_data_format("Channels_Last") == "channels_last"
    for call in (config.set_image_data_format, config.normalize_data_format):
        with pytest.raises(ValueError, match="'channels_last', 'channels_first'"):
            call("NHWC")
    assert config.image_data_format() == "channels_first"


def test_config_file(tmp_path):
    path = tmp_path / "keras.json"
    path.write_text(
        json.dumps(
            {
                "floatx": "float64",
                "epsilon": 1e-3,
                "image_data_format": "channels_first",
                "backend": "theano",
            }
        )
    )
    config.read_config_file(path)
    assert (config.floatx(), config.epsilon(), config.image_data_format()) == (
        "float64",
        1e-3,
        "channels_first",
    )


def test_no_config_file(tmp_path):
    config.read_config_file(tmp_path / "keras.json")
    assert config.floatx() == "float32"
    assert not (tmp_path / "keras.json").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read"),
        ("[1]", "holds list"),
        ('{"floatx": "double", "epsilon": 0.25}', "floatx is one of"),
    ],
)
def test_config_file_with_a_mistake(tmp_path, text, message):
    path = tmp_path / "keras.json"
    path.write_text(text)
    with pytest.warns(UserWarning, match=message):
        config.read_config_file(path)
    assert config.floatx() == "float32"
    assert config.epsilon() == (0.25 if "0.25" in text else 1e-7)


def test_home(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "named"))
    assert config.keras_home() == tmp_path / "named"
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert config.keras_home() == tmp_path / ".keras"
    monkeypatch.setattr(config.os, "access", lambda *_: False)
    assert config.keras_home().name == ".keras"
    assert config.keras_home().parent != tmp_path


def test_file_is_read_on_import_and_tensorflow_is_not_imported(tmp_path):
    (tmp_path / "keras.json").write_text('{"epsilon": 0.125}')
    code = (
        "import sys; from nbkeras.core import config; "
        "print(config.epsilon(), 'tensorflow' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={"KERAS_HOME": str(tmp_path), "PATH": ""},
        cwd=Path(config.__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.split() == ["0.125", "False"]


def test_seed():
    draws = []
    for _ in range(2):
        config.set_random_seed(123)
        draws.append((random.random(), np.random.rand(), float(tf.random.uniform(()))))
    assert draws[0] == draws[1]


@pytest.mark.parametrize("value", [-1, 2**32, 1.5, "1", None, True])
def test_no_seed(value):
    with pytest.raises(ValueError, match="whole number from 0"):
        config.set_random_seed(value)
