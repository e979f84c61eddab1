"""Backend functions beside the bare TensorFlow they stand for, on eager tensors; prints ratios.

python -m tests.benchmarks.backend [dot conv2d ...]
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

CEILING = 1.3
CALLS, ROUNDS = 60, 30

Pair = tuple[Callable[[], Any], Callable[[], Any]]


def pairs() -> dict[str, Pair]:
    """For each function: our call, and TensorFlow's for the same result."""
    import numpy as np
    import tensorflow as tf

    from nbkeras.core import backend as K

    a, b, positive = (tf.random.uniform((32, 32)) for _ in range(3))
    variable, value = tf.Variable(a), np.zeros((32, 32), "float32")
    series, cube = tf.random.normal((4, 8, 8)), tf.random.normal((2, 8, 3))
    image, volume = tf.random.normal((2, 8, 8, 3)), tf.random.normal((1, 4, 4, 4, 2))
    kernel1, kernel2 = tf.random.normal((3, 3, 4)), tf.random.normal((3, 3, 3, 4))
    kernel3, bias = tf.random.normal((2, 2, 2, 2, 3)), tf.random.normal((3,))
    rows, labels, hot = tf.constant([1, 2, 3]), tf.range(32), tf.one_hot(tf.range(32), 32)
    seed = (1, 2)
    return {
        "abs": (lambda: K.abs(a), lambda: tf.abs(a)),
        "sqrt": (lambda: K.sqrt(a), lambda: tf.sqrt(tf.maximum(a, 0))),
        "pow": (lambda: K.pow(a, 2), lambda: tf.pow(a, 2)),
        "clip": (lambda: K.clip(a, 0.0, 1.0), lambda: tf.clip_by_value(a, 0.0, 1.0)),
        "equal": (lambda: K.equal(a, b), lambda: tf.equal(a, b)),
        "maximum": (lambda: K.maximum(a, b), lambda: tf.maximum(a, b)),
        "sum": (lambda: K.sum(a, axis=0), lambda: tf.reduce_sum(a, axis=0)),
        "mean": (lambda: K.mean(a, axis=-1), lambda: tf.reduce_mean(a, axis=-1)),
        "var": (lambda: K.var(a, axis=-1), lambda: tf.math.reduce_variance(a, axis=-1)),
        "argmax": (lambda: K.argmax(a), lambda: tf.argmax(a, -1)),
        "dot": (lambda: K.dot(a, b), lambda: tf.matmul(a, b)),
        "batch_dot": (lambda: K.batch_dot(series, series), lambda: tf.matmul(series, series)),
        "reshape": (lambda: K.reshape(a, (-1,)), lambda: tf.reshape(a, (-1,))),
        "batch_flatten": (lambda: K.batch_flatten(series), lambda: tf.reshape(series, (-1, 64))),
        "expand_dims": (lambda: K.expand_dims(a), lambda: tf.expand_dims(a, -1)),
        "concatenate": (lambda: K.concatenate([a, b]), lambda: tf.concat([a, b], -1)),
        "gather": (lambda: K.gather(a, rows), lambda: tf.gather(a, rows)),
        "repeat_elements": (
            lambda: K.repeat_elements(series, 2, 1),
            lambda: tf.repeat(series, 2, 1),
        ),
        "cast": (lambda: K.cast(a, "float64"), lambda: tf.cast(a, "float64")),
        "relu": (lambda: K.relu(a), lambda: tf.nn.relu(a)),
        "sigmoid": (lambda: K.sigmoid(a), lambda: tf.sigmoid(a)),
        "softmax": (lambda: K.softmax(a), lambda: tf.nn.softmax(a)),
        "categorical_crossentropy": (
            lambda: K.categorical_crossentropy(hot, a, True),
            lambda: tf.nn.softmax_cross_entropy_with_logits(hot, a),
        ),
        "sparse_categorical_crossentropy": (
            lambda: K.sparse_categorical_crossentropy(labels, a, True),
            lambda: tf.nn.sparse_softmax_cross_entropy_with_logits(labels, a),
        ),
        "binary_crossentropy": (
            lambda: K.binary_crossentropy(hot, a, True),
            lambda: tf.nn.sigmoid_cross_entropy_with_logits(hot, a),
        ),
        "in_top_k": (
            lambda: K.in_top_k(a, labels, 3),
            lambda: tf.math.in_top_k(labels, a, 3),
        ),
        "batch_normalization": (
            lambda: K.batch_normalization(a, b[0], positive[0], None, None),
            lambda: tf.nn.batch_normalization(a, b[0], positive[0], None, None, 1e-3),
        ),
        "normalize_batch_in_training": (
            lambda: K.normalize_batch_in_training(a, None, None, [0]),
            lambda: tf.nn.batch_normalization(a, *tf.nn.moments(a, [0]), None, None, 1e-3),
        ),
        "bias_add": (lambda: K.bias_add(image, bias), lambda: tf.nn.bias_add(image, bias)),
        "conv1d": (
            lambda: K.conv1d(cube, kernel1),
            lambda: tf.nn.conv1d(cube, kernel1, 1, "VALID"),
        ),
        "conv2d": (
            lambda: K.conv2d(image, kernel2),
            lambda: tf.nn.conv2d(image, kernel2, (1, 1), "VALID"),
        ),
        "conv3d": (
            lambda: K.conv3d(volume, kernel3),
            lambda: tf.nn.conv3d(volume, kernel3, (1, 1, 1, 1, 1), "VALID"),
        ),
        "depthwise_conv2d": (
            lambda: K.depthwise_conv2d(image, kernel2),
            lambda: tf.nn.depthwise_conv2d(image, kernel2, (1, 1, 1, 1), "VALID"),
        ),
        "pool2d": (
            lambda: K.pool2d(image, (2, 2)),
            lambda: tf.nn.max_pool2d(image, (2, 2), (1, 1), "VALID"),
        ),
        "random_uniform": (
            lambda: K.random_uniform((32, 32)),
            lambda: tf.random.stateless_uniform((32, 32), seed, alg="philox"),
        ),
        "random_normal": (
            lambda: K.random_normal((32, 32)),
            lambda: tf.random.stateless_normal((32, 32), seed, alg="philox"),
        ),
        "dropout": (
            lambda: K.dropout(a, 0.5),
            lambda: tf.nn.experimental.stateless_dropout(a, 0.5, seed),
        ),
        "switch": (
            lambda: K.switch(a[0, 0] > 0, a, b),
            lambda: tf.cond(a[0, 0] > 0, lambda: a, lambda: b),
        ),
        "variable": (
            lambda: K.variable(value),
            lambda: tf.Variable(value, dtype="float32"),
        ),
        "get_value": (lambda: K.get_value(variable), lambda: variable.numpy()),
        "set_value": (lambda: K.set_value(variable, value), lambda: variable.assign(value)),
        "update": (lambda: K.update(variable, a), lambda: variable.assign(a)),
    }


def seconds(call: Callable[[], Any]) -> float:
    """The time of one call, in a row of them."""
    began = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - began) / CALLS


def main(names: list[str]) -> int:
    """Print a table; 1 if a ratio is above the ceiling."""
    known = pairs()
    print("| function | µs | TensorFlow µs | ratio |\n| --- | ---: | ---: | ---: |")
    missed = []
    for name in names or known:
        ours, bare = known[name]
        ours(), bare()
        # In turn, and the best of each: what else the machine does hits both.
        rounds = [(seconds(ours), seconds(bare)) for _ in range(ROUNDS)]
        a, b = (1e6 * min(times) for times in zip(*rounds, strict=True))
        print(f"| {name} | {a:.1f} | {b:.1f} | {a / b:.2f} |")
        if a / b > CEILING:
            missed.append(f"{name}: {a / b:.2f}, asked {CEILING}")
    print(*(f"Missed: {line}" for line in missed), sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(main(sys.argv[1:]))
