"""Grappler, TensorFlow's rewriting of graphs, and how to call a function without it.

Before a function first runs, Grappler rewrites its graph, which takes as long as tracing
it. Loops over time gain a quarter by that and convolutions in use a few percent (their bias
and activation are fused); a training step of anything else gains nothing on a CPU, and a
small one loses: its fused products wake threads.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

try:  # TensorFlow says for a whole process whether Grappler runs; this says it for a call
    from tensorflow.python.eager.context import context as _context
except ImportError:
    _context = None

__all__ = ["call_options", "options_without", "without_grappler"]

_made: dict[Any, Any] = {}


def call_options() -> Any:
    """How this thread calls functions, or ``None`` where TensorFlow does not tell."""
    return getattr(_context and _context(), "function_call_options", None)


def options_without() -> Any:
    """This thread's call options, but without Grappler.

    ``None`` if they cannot be had, or if ``tf.config.optimizer`` was set to something: then
    that holds.
    """
    options = call_options()
    if options is None or any(tf.config.optimizer.get_experimental_options().values()):
        return None
    key = options.executor_type, options.config_proto_serialized
    if key not in _made:
        config = tf.compat.v1.ConfigProto.FromString(options.config_proto_serialized)
        config.graph_options.rewrite_options.disable_meta_optimizer = True
        _made[key] = type(options)(options.executor_type, config)
    return _made[key]


@contextlib.contextmanager
def without_grappler() -> Iterator[None]:
    """Functions that this thread calls meanwhile, and called no other way, are not rewritten."""
    before, options = call_options(), options_without()
    if options is None:
        yield
        return
    _context().function_call_options = options
    try:
        yield
    finally:
        _context().function_call_options = before
