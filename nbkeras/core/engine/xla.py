"""XLA, the compiler: how it is set up, and how it compiles what nobody may call yet."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from .buffers import on_gpu

__all__ = ["compile_unseen", "set_up"]

LEVEL = "xla_backend_optimization_level"
"""The flag that says how hard XLA works on machine code: 2 here, where 3 is its default.

On a CPU, level 3 makes small recurrent models 5 to 15 % slower and nothing faster.
"""

_set_up = threading.Event()
_lock = threading.Lock()


def set_up() -> None:
    """Set XLA's level of optimization, unless ``XLA_FLAGS`` says it or XLA was in use before.

    XLA reads that variable once, when it first compiles something; so something is
    compiled here, and the variable is again what it was.
    """
    if _set_up.is_set():
        return
    with _lock:
        if _set_up.is_set():
            return
        before = os.environ.get("XLA_FLAGS")
        if LEVEL not in (before or "") and not on_gpu():
            os.environ["XLA_FLAGS"] = f"{before or ''} --{LEVEL}=2".strip()
            try:
                with tf.init_scope():
                    tf.function(tf.negative, autograph=False, jit_compile=True)(tf.constant(0.0))
            finally:
                if before is None:
                    del os.environ["XLA_FLAGS"]
                else:
                    os.environ["XLA_FLAGS"] = before
        _set_up.set()


def compile_unseen(form: Any, arguments: Iterable[Any], held: Iterable[Any] = ()) -> bool:
    """Compile a function with XLA on variables of the same shapes, none of its own.

    XLA compiles a function when it is first called, holding the variables that it
    writes. Here it is called on zeros, so the weights stay free for the training that
    goes on; the next call, on the weights, finds the program compiled.

    Args:
        form: a concrete function that nobody calls yet.
        arguments: what to call it with.
        held: variables that it may hold without TensorFlow's record of them.

    Returns:
        Whether that could be done; if not, nothing happened.
    """
    captured = list(form.captured_inputs)
    variables = {id(v.handle): v for v in (*form.graph.variables, *held)}
    places = [i for i, tensor in enumerate(captured) if tensor.dtype == tf.resource]
    if any(id(captured[i]) not in variables for i in places):
        return False
    shadows = []  # kept: a variable ends with the object that stands for it
    stand_ins = list(captured)
    for i in places:
        variable = variables[id(captured[i])]
        with tf.device(variable.device):
            shadows.append(tf.Variable(tf.zeros(variable.shape, variable.dtype), trainable=False))
        stand_ins[i] = shadows[-1].handle
    form.set_external_captures(stand_ins)
    try:
        form(*arguments)
    finally:
        form.set_external_captures(captured)
    return True
