"""What lasts between calls: unique numbers, names, and what became of TensorFlow's sessions."""

from __future__ import annotations

import threading
import warnings
from collections import defaultdict
from typing import Any, NoReturn

import tensorflow as tf

from .symbolic import clear_learning_phase

__all__ = [
    "backend",
    "clear_session",
    "get_session",
    "get_uid",
    "manual_variable_initialization",
    "name_scope",
    "reset_uids",
    "set_session",
]

_uids: dict[str, int] = defaultdict(int)
_uids_lock = threading.Lock()


def backend() -> str:
    """The name of the library that computes.

    >>> backend()
    'tensorflow'
    """
    return "tensorflow"


def get_uid(prefix: str = "") -> int:
    """The next number for a prefix: 1, 2, …

    >>> first = get_uid('example')
    >>> get_uid('example') - first
    1
    """
    with _uids_lock:
        _uids[prefix] += 1
        return _uids[prefix]


def reset_uids() -> None:
    """Count all prefixes from 1 again."""
    with _uids_lock:
        _uids.clear()


def clear_session() -> None:
    """Forget what earlier models left: counted names and a fixed learning phase.

    Models themselves are freed when nothing refers to them any more.
    """
    reset_uids()
    clear_learning_phase()


def name_scope(name: str) -> Any:
    """A context that puts a name before the names of operations made in it.

    >>> with name_scope('encoder'):
    ...     pass
    """
    return tf.name_scope(name)


def manual_variable_initialization(value: bool) -> None:
    """Accepted for programs that have it: a variable has its value as soon as it exists.

    Args:
        value: whether the program means to initialize variables itself.

    Raises:
        TypeError: the value is not a boolean.

    >>> manual_variable_initialization(True)
    """
    if not isinstance(value, bool):
        raise TypeError(
            f"manual_variable_initialization takes True or False; got {type(value).__name__}."
        )


def get_session() -> NoReturn:
    """There are no sessions any more; the error shows what to write.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError(
        "TensorFlow 2 has no sessions: values are there at once. Instead of "
        "K.get_session().run(x) write K.eval(x) or K.get_value(variable); instead of "
        "session.run(outputs, feed_dict) write K.function([inputs], [outputs])([arrays])."
    )


def set_session(sess: Any) -> None:
    """Accepted for programs that have it: a warning shows what to write for its settings.

    Args:
        sess: a session; it is not used.
    """
    warnings.warn(
        "TensorFlow 2 has no sessions, and K.set_session has no effect. For the settings of a "
        "tf.ConfigProto write, before the first computation: "
        "tf.config.threading.set_intra_op_parallelism_threads(1), "
        "tf.config.threading.set_inter_op_parallelism_threads(1), "
        "tf.config.experimental.set_memory_growth(gpu, True), "
        "and keras.utils.set_random_seed(42) for results that repeat.",
        stacklevel=2,
    )
