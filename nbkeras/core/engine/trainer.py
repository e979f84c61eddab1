"""What a compiled model does with one batch: its steps, and the programs made of them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ..backend.symbolic import Call, call_scope, flatten
from .objective import Objective
from .program import Program

__all__ = ["Trainer"]


class Trainer:
    """The steps of a model: train, test, predict, each written once.

    Args:
        model: the model.
        optimizer: moves its weights; ``None`` for a model that only predicts.
        objective: its losses and metrics.
        jit: whether XLA compiles the steps: ``True``, ``False`` or ``"auto"``.
    """

    def __init__(
        self,
        model: Any,
        optimizer: Any = None,
        objective: Objective | None = None,
        jit: bool | str = "auto",
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.objective = objective
        self.trained: list[tf.Variable] = list(model.trainable_weights)
        self._jit = jit
        self._rng: tf.Variable | None = None
        self._programs: dict[str, Program] = {}
        self._lock = threading.RLock()

    # ---------------------------------------------------------------- steps

    def _outputs(self, inputs: Sequence[Any], call: Call) -> tuple[list[Any], list[Any]]:
        """Outputs and their masks for a batch."""
        with call_scope(call):
            outputs = flatten(self.model._run(inputs[0] if len(inputs) == 1 else list(inputs)))
        return outputs, [call.mask_of(output) for output in outputs]

    def _measured(self, inputs: Any, targets: Any, weights: Any, call: Call) -> tuple[Any, Any]:
        """The loss of a batch, and what is logged of it."""
        outputs, masks = self._outputs(inputs, call)
        penalties = [*call.losses, *(rule(weight) for weight, rule in self.model._penalties())]
        return self.objective(targets, outputs, masks, weights, penalties)  # type: ignore[misc]

    def _gradients(self, inputs: Any, targets: Any, weights: Any) -> tuple[Any, Any]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.trained)
            call = Call(training=True, seed=self._rng)
            loss, logs = self._measured(inputs, targets, weights, call)
        return logs, tape.gradient(loss, self.trained)

    def train(self, inputs: Any, targets: Any, weights: Any) -> Any:
        """One update: outputs, loss, gradients, new weights; returns the logs."""
        logs, gradients = self._gradients(inputs, targets, weights)
        self.optimizer.apply(gradients, self.trained)
        self._rng.assign_add([0, 1])  # type: ignore[union-attr]
        return logs

    def test(self, inputs: Any, targets: Any, weights: Any) -> Any:
        """Loss and metrics as in use, without noise; nothing is changed."""
        return self._measured(inputs, targets, weights, Call(training=False, seed=(0, 0)))[1]

    def predict(self, inputs: Any, targets: Any, weights: Any) -> Any:
        """Outputs as in use."""
        return self._outputs(inputs, Call(training=False, seed=(0, 0)))[0]

    def probe(self, inputs: Any, targets: Any, weights: Any) -> Any:
        """1 if a batch of training has a loss and gradients that are numbers, else 0."""
        logs, gradients = self._gradients(inputs, targets, weights)
        values = [logs[0], *(tf.convert_to_tensor(g) for g in gradients if g is not None)]
        finite = [tf.reduce_all(tf.math.is_finite(value)) for value in values]
        return tf.cast(tf.reduce_all(finite), tf.float32)

    # ---------------------------------------------------------------- programs

    def program(self, kind: str) -> Program:
        """The program of a step (``train``, ``test``, ``predict``, ``probe``), made once."""
        with self._lock:
            if kind not in self._programs:
                width = len(self.objective.names) if self.objective else 0
                jit = self._jit if kind in ("train", "test") else False
                self._programs[kind] = Program(getattr(self, kind), width, jit, self._loop_jit())
            return self._programs[kind]

    def _loop_jit(self) -> bool:
        """Whether XLA may compile a loop of steps: not with convolutions on a CPU."""
        on_gpu = bool(tf.config.list_logical_devices("GPU"))
        return on_gpu or not _has_convolution(self.model)

    def prepare(self) -> None:
        """Make the variables that a training step needs, before it is traced."""
        if self._rng is None:
            self._rng = tf.Variable([0, 0], dtype=tf.int32, trainable=False, name="rng")
            self.seed_noise()
        self.optimizer.build(self.trained)

    def seed_noise(self) -> None:
        """Begin a new stream of noise, drawn from NumPy's generator; its steps count on."""
        key = tf.constant(np.random.randint(0, 2**31 - 1), tf.int32)
        self._rng.assign(tf.stack([key, self._rng[1]]))  # type: ignore[union-attr, index]


def _has_convolution(layer: Any) -> bool:
    return "Conv" in type(layer).__name__ or any(
        _has_convolution(part) for part in getattr(layer, "_sublayers", ())
    )
