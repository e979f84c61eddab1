"""The module name of Keras 2 for the backend: ``import keras.backend.tensorflow_backend as KTF``.

It has what the backend has, and two of its inner functions that many programs call.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from nbkeras.core import backend


def __getattr__(name: str) -> Any:
    return getattr(backend, name)


def _to_tensor(x: Any, dtype: Any) -> Any:
    """A value as a tensor, as losses of one's own turn ``epsilon`` into one."""
    return backend.cast(x, dtype) if backend.is_tensor(x) else tf.convert_to_tensor(x, dtype)


def _get_available_gpus() -> list[str]:
    """Names of the GPUs that TensorFlow may use."""
    return [device.name for device in tf.config.list_logical_devices("GPU")]
