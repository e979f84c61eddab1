"""Convolutional training written by hand as bare TensorFlow graphs: how fast it can be.

One compiled step over data that lies on the device; no metrics, no callbacks. The
faster of the step with and without XLA counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["mnist_cnn", "resnet50", "vgg_like"]

Forward = Callable[[Any], Any]


class Weights:
    """Makes a network's variables where they are first used, and finds them again."""

    def __init__(self) -> None:
        self.all: list[tf.Variable] = []
        self._next = 0

    def begin(self) -> None:
        """Go through the network once more."""
        self._next = 0

    def get(self, *shape: int) -> tf.Variable:
        if self._next == len(self.all):
            fan = np.prod(shape[:-1]) or 1
            start = np.random.default_rng(self._next).normal(0, (2 / fan) ** 0.5, shape)
            self.all.append(tf.Variable(start.astype("float32")))
        self._next += 1
        return self.all[self._next - 1]

    def conv(self, x: Any, filters: int, size: int, stride: int = 1, padding: str = "VALID") -> Any:
        kernel = self.get(size, size, x.shape[-1], filters)
        return tf.nn.bias_add(tf.nn.conv2d(x, kernel, stride, padding), self.get(filters))

    def dense(self, x: Any, units: int) -> Any:
        return tf.nn.bias_add(x @ self.get(x.shape[-1], units), self.get(units))

    def norm(self, x: Any) -> Any:
        channels = x.shape[-1]
        scale, offset = self.get(channels), self.get(channels)
        return tf.nn.relu(
            tf.raw_ops.FusedBatchNormV3(
                x=x,
                scale=scale,
                offset=offset,
                mean=[],
                variance=[],
                epsilon=1e-3,
                is_training=True,
            ).y
        )


def _dropout(x: Any, rate: float) -> Any:
    return tf.nn.dropout(x, rate)


def _flat(x: Any) -> Any:
    return tf.reshape(x, (-1, int(np.prod(x.shape[1:]))))


def _cnn(weights: Weights, x: Any) -> Any:
    x = tf.nn.relu(weights.conv(x, 32, 3))
    x = tf.nn.relu(weights.conv(x, 64, 3))
    x = _flat(_dropout(tf.nn.max_pool2d(x, 2, 2, "VALID"), 0.25))
    x = _dropout(tf.nn.relu(weights.dense(x, 128)), 0.5)
    return weights.dense(x, 10)


def _vgg(weights: Weights, x: Any) -> Any:
    for filters in (32, 64):
        x = tf.nn.relu(weights.conv(x, filters, 3))
        x = tf.nn.relu(weights.conv(x, filters, 3))
        x = _dropout(tf.nn.max_pool2d(x, 2, 2, "VALID"), 0.25)
    x = _dropout(tf.nn.relu(weights.dense(_flat(x), 256)), 0.5)
    return weights.dense(x, 10)


def _resnet(weights: Weights, x: Any) -> Any:
    x = tf.nn.max_pool2d(weights.norm(weights.conv(x, 64, 7, 2, "SAME")), 3, 2, "SAME")
    for stage, blocks in enumerate((3, 4, 6, 3)):
        filters = 64 * 2**stage
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            y = weights.norm(weights.conv(x, filters, 1, stride, "SAME"))
            y = weights.norm(weights.conv(y, filters, 3, 1, "SAME"))
            y = weights.norm(weights.conv(y, 4 * filters, 1, 1, "SAME"))
            if not block:
                x = weights.norm(weights.conv(x, 4 * filters, 1, stride, "SAME"))
            x = tf.nn.relu(x + y)
    return weights.dense(tf.reduce_mean(x, (1, 2)), 10)


def _milliseconds(network: Any, shape: tuple[int, ...], update: Any) -> float:
    random = np.random.default_rng(0)
    x = tf.constant(random.random(shape, dtype=np.float32))
    y = tf.constant(np.eye(10, dtype="float32")[random.integers(0, 10, shape[0])])
    weights = Weights()
    network(weights, x)
    update = update(weights.all)

    def step() -> Any:
        weights.begin()
        with tf.GradientTape() as tape:
            logits = network(weights, x)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(y, logits))
        update(tape.gradient(loss, weights.all))
        return loss

    best = float("inf")
    for jit in (None, True):
        run = tf.function(step, autograph=False, jit_compile=jit)
        run()
        for _ in range(8):
            began = time.perf_counter()
            run().numpy()
            best = min(best, time.perf_counter() - began)
    return best * 1e3


def _sgd(variables: list[tf.Variable]) -> Any:
    def update(gradients: Any) -> None:
        for variable, gradient in zip(variables, gradients, strict=True):
            variable.assign_sub(0.01 * gradient)

    return update


def _adam(variables: list[tf.Variable]) -> Any:
    first = [tf.Variable(tf.zeros_like(v)) for v in variables]
    second = [tf.Variable(tf.zeros_like(v)) for v in variables]

    def update(gradients: Any) -> None:
        for v, m, s, g in zip(variables, first, second, gradients, strict=True):
            m.assign(0.9 * m + 0.1 * g)
            s.assign(0.999 * s + 0.001 * g * g)
            v.assign_sub(1e-3 * m / (tf.sqrt(s) + 1e-7))

    return update


def mnist_cnn() -> float:
    """Milliseconds of a step of the MNIST CNN, batch 128."""
    return _milliseconds(_cnn, (128, 28, 28, 1), _adam)


def vgg_like() -> float:
    """Milliseconds of a step of the VGG-like network, batch 32."""
    return _milliseconds(_vgg, (32, 100, 100, 3), _sgd)


def resnet50() -> float:
    """Milliseconds of a step of ResNet50 on 64x64x3, batch 16."""
    return _milliseconds(_resnet, (16, 64, 64, 3), _sgd)
