"""What holds for a whole session: float type, fuzz factor, image layout, seed.

The first values come from ``keras.json`` (Keras 2 manual, 3.3.19 and 14.3) in
the directory :func:`keras_home` names. The file is read, never written.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

__all__ = [
    "epsilon",
    "floatx",
    "image_data_format",
    "keras_home",
    "normalize_data_format",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_random_seed",
]

FLOAT_TYPES = ("bfloat16", "float16", "float32", "float64")
DATA_FORMATS = ("channels_last", "channels_first")

_floatx = "float32"
_epsilon = 1e-7
_image_data_format = "channels_last"


# ---------------------------------------------------------------- the three settings


def floatx() -> str:
    """The float type of new variables and of converted inputs.

    >>> floatx()
    'float32'
    """
    return _floatx


def set_floatx(floatx: str) -> None:
    """Change the default float type.

    Args:
        floatx: ``'float16'``, ``'bfloat16'``, ``'float32'`` or ``'float64'``.

    Raises:
        ValueError: it is none of these.

    >>> set_floatx('float64'); set_floatx('float32')
    """
    global _floatx
    _floatx = _one_of("floatx", floatx, FLOAT_TYPES, "set_floatx('float32')")


def epsilon() -> float:
    """The small number that keeps quotients and logarithms finite.

    >>> epsilon()
    1e-07
    """
    return _epsilon


def set_epsilon(e: float) -> None:
    """Change the fuzz factor.

    Raises:
        ValueError: it is not a positive number.

    >>> set_epsilon(1e-5); set_epsilon(1e-7)
    """
    global _epsilon
    if isinstance(e, bool) or not isinstance(e, int | float | np.number) or not 0 < e < np.inf:
        raise ValueError(f"epsilon is a small positive number, as in set_epsilon(1e-7); got {e!r}.")
    _epsilon = float(e)


def image_data_format() -> str:
    """The layout of images: ``'channels_last'`` or ``'channels_first'``.

    >>> image_data_format()
    'channels_last'
    """
    return _image_data_format


def set_image_data_format(data_format: str) -> None:
    """Change the layout that layers and image functions use when none is given.

    Raises:
        ValueError: it is neither ``'channels_last'`` nor ``'channels_first'``.

    >>> set_image_data_format('channels_last')
    """
    global _image_data_format
    _image_data_format = _one_of(
        "data_format", data_format, DATA_FORMATS, "set_image_data_format('channels_last')"
    )


def normalize_data_format(value: str | None) -> str:
    """A checked data format; ``None`` is the default of the session.

    >>> normalize_data_format('Channels_First')
    'channels_first'
    """
    if value is None:
        return _image_data_format
    lowered = value.lower() if isinstance(value, str) else value
    return _one_of("data_format", lowered, DATA_FORMATS, "data_format='channels_last'")


def _one_of(name: str, value: Any, choices: tuple[str, ...], example: str) -> str:
    if value not in choices:
        expected = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name} is one of {expected}, as in {example}; got {value!r}.")
    return str(value)


# ---------------------------------------------------------------- seed


def set_random_seed(seed: int) -> None:
    """Make all random numbers of the session repeat: Python's, NumPy's, TensorFlow's, ours.

    Initial weights, dropout, shuffling and augmentation take theirs from NumPy's
    global generator, so they repeat exactly, whichever executor runs.

    Args:
        seed: a whole number from 0 to 2**32 - 1.

    Raises:
        ValueError: it is not.

    >>> set_random_seed(7)
    >>> first = np.random.rand()
    >>> set_random_seed(7)
    >>> first == np.random.rand()
    True
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ValueError(
            "A seed is a whole number from 0 to 4294967295, as in set_random_seed(42); "
            f"got {seed!r}."
        )
    import tensorflow as tf  # here, because reading the configuration needs no TensorFlow

    random.seed(int(seed))
    np.random.seed(int(seed))
    tf.random.set_seed(int(seed))


# ---------------------------------------------------------------- keras.json


def keras_home() -> Path:
    """The directory of ``keras.json`` and of downloaded data.

    ``$KERAS_HOME`` if set, else ``.keras`` in the home directory, else, where
    that cannot be written, ``.keras`` in the directory for temporary files.

    >>> keras_home().name != ''
    True
    """
    if named := os.environ.get("KERAS_HOME"):
        return Path(named).expanduser()
    try:
        home = Path.home()
    except RuntimeError:
        home = Path("~")  # no home directory at all
    if os.access(home, os.W_OK):
        return home / ".keras"
    return Path(tempfile.gettempdir()) / ".keras"


def read_config_file(path: Path) -> None:
    """Take over the settings of a ``keras.json``; one that cannot be used is named and skipped.

    ``backend`` is accepted and without effect: there is one backend, TensorFlow.
    """
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(settings, dict):
            raise ValueError(f"it holds {type(settings).__name__}, not an object of settings")
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        _warn(path, f"cannot be read ({error}); the defaults are used")
        return
    setters: dict[str, Callable[[Any], None]] = {
        "floatx": set_floatx,
        "epsilon": set_epsilon,
        "image_data_format": set_image_data_format,
    }
    for name, setter in setters.items():
        if name in settings:
            try:
                setter(settings[name])
            except ValueError as error:
                _warn(path, f"{error} The default is used")


def _warn(path: Path, what: str) -> None:
    example = json.dumps(
        {
            "image_data_format": "channels_last",
            "epsilon": 1e-07,
            "floatx": "float32",
            "backend": "tensorflow",
        }
    )
    warnings.warn(f"{path}: {what}. A complete file: {example}", UserWarning, stacklevel=2)


read_config_file(keras_home() / "keras.json")
