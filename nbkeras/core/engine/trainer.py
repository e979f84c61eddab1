"""What a compiled model does with one batch: its steps, and the programs made of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ..backend.precision import computing_in
from ..backend.symbolic import Call, call_scope, flatten
from .buffers import on_gpu
from .distribution import WHOLE, Distribution, Whole, check_distribution, scope_of
from .layer import frozen_layers
from .mixed import LossScale, precision_of
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
        distribution: the ``tf.distribute`` strategy that they run under, if there is one.
        mixed_precision: ``'float16'`` or ``'bfloat16'`` for products; ``None`` for none.

    Raises:
        ValueError: they do not go together under that strategy.
    """

    def __init__(
        self,
        model: Any,
        optimizer: Any = None,
        objective: Objective | None = None,
        jit: bool | str = "auto",
        distribution: Distribution | None = None,
        mixed_precision: str | None = None,
    ) -> None:
        self.distribution = distribution
        metrics = objective.stateful_metrics if objective else []
        check_distribution(self.distribution, model, optimizer, metrics, jit)
        self.model = model
        self.optimizer = optimizer
        self.objective = objective
        self.trained: list[tf.Variable] = list(model.trainable_weights)
        self.frozen = frozen_layers(model)
        self.precision = precision_of(mixed_precision)
        if self.precision == "float16" and distribution is not None:
            raise ValueError(
                "A loss scale for float16 is not kept under a tf.distribute strategy: compile with "
                "mixed_precision='bfloat16', or outside of the strategy."
            )
        self._loss_scale: LossScale | None = None
        self._jit = jit
        self._rng: tf.Variable | None = None
        self._programs: dict[str, Program] = {}
        self._lock = threading.RLock()

    # ---------------------------------------------------------------- steps

    def _outputs(self, inputs: Sequence[Any], call: Call) -> tuple[list[Any], list[Any]]:
        """Outputs and their masks for a batch."""
        call.watched = self.model.plan
        with call_scope(call), computing_in(self.precision):
            outputs = flatten(self.model._run(inputs[0] if len(inputs) == 1 else list(inputs)))
        return outputs, [call.mask_of(output) for output in outputs]

    def _measured(
        self, inputs: Any, targets: Any, weights: Any, call: Call, part: Whole
    ) -> tuple[Any, Any]:
        """The loss of a batch, and what is logged of it."""
        outputs, masks = self._outputs(inputs, call)
        penalties = [*call.losses, *(rule(weight) for weight, rule in self.model._penalties())]
        batch = targets, outputs, masks, weights
        return self.objective(*batch, penalties, part, call)  # type: ignore[misc]

    def _gradients(self, inputs: Any, targets: Any, weights: Any, part: Whole) -> tuple[Any, Any]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.trained)
            call = Call(training=True, seed=part.seed(self._rng), frozen=self.frozen)
            loss, logs = self._measured(inputs, targets, weights, call, part)
            scale = self._loss_scale
            loss = loss if scale is None else scale.scaled(loss)
        gradients = tape.gradient(loss, self.trained)
        return logs, gradients if scale is None else [scale.unscaled(g) for g in gradients]

    def _logged(self, step: Any, *batch: Any) -> Any:
        """What a step logs: of the whole batch, or of the parts that the replicas have."""
        if self.distribution is None:
            return step(*batch, WHOLE)
        return self.objective.with_results(self.distribution.sums(step, batch))  # type: ignore[union-attr]

    def train(self, inputs: Any, targets: Any, weights: Any) -> Any:
        """One update: outputs, loss, gradients, new weights; returns the logs."""
        logs = self._logged(self._train, inputs, targets, weights)
        self._rng.assign_add([0, 1])  # type: ignore[union-attr]
        return logs

    def _train(self, inputs: Any, targets: Any, weights: Any, part: Whole) -> Any:
        logs, gradients = self._gradients(inputs, targets, weights, part)
        if self.distribution is not None:
            gradients = self.distribution.reducible(gradients)
        if self._loss_scale is None:
            self.optimizer.apply(gradients, self.trained)
        else:
            self._loss_scale.update(
                gradients, lambda: self.optimizer.apply(gradients, self.trained)
            )
        return logs

    def test(self, inputs: Any, targets: Any, weights: Any) -> Any:
        """Loss and metrics as in use, without noise; nothing is changed."""
        return self._logged(self._test, inputs, targets, weights)

    def _test(self, inputs: Any, targets: Any, weights: Any, part: Whole) -> Any:
        call = Call(training=False, seed=(0, 0))
        return self._measured(inputs, targets, weights, call, part)[1]

    def predict(self, inputs: Any, targets: Any, weights: Any) -> Any:
        """Outputs as in use."""
        if self.distribution is None:
            return self._predict(inputs, targets, weights, WHOLE)
        return self.distribution.rows(self._predict, (inputs, targets, weights))

    def _predict(self, inputs: Any, targets: Any, weights: Any, part: Whole) -> Any:
        outputs, _ = self._outputs(inputs, Call(training=False, seed=(0, 0)))
        return [part.rows(output) for output in outputs]

    def probe(self, inputs: Any, targets: Any, weights: Any) -> Any:
        """1 if a batch of training has a loss and gradients that are numbers, else 0."""
        batch = (inputs, targets, weights)
        divided = self.distribution
        bad = self._bad(*batch, WHOLE) if divided is None else divided.sums(self._bad, batch)
        return tf.cast(bad == 0, tf.float32)

    def _bad(self, inputs: Any, targets: Any, weights: Any, part: Whole) -> Any:
        """How many of the loss and the gradients of a batch are no numbers."""
        logs, gradients = self._gradients(inputs, targets, weights, part)
        if self._loss_scale is not None:
            gradients = []  # those that overflow are left out, and the scale is lowered
        values = [logs[0], *(tf.convert_to_tensor(g) for g in gradients if g is not None)]
        finite = [tf.reduce_all(tf.math.is_finite(value)) for value in values]
        return tf.reduce_sum(tf.cast(tf.logical_not(tf.stack(finite)), tf.float32))

    # ---------------------------------------------------------------- programs

    def program(self, kind: str) -> Program:
        """The program of a step (``train``, ``test``, ``predict``, ``probe``), made once."""
        if self.distribution is not None:
            self.distribution.refresh()
        with self._lock:
            if kind not in self._programs:
                width = len(self.objective.names) if self.objective else 0
                compiled = kind != "probe" and self.distribution is None
                jit = self._jit if compiled else False
                if kind == "predict" and jit is True:
                    jit = "auto"  # batches to predict come in any size: each is another program
                loop_jit = self._loop_jit()
                if jit == "auto" and not loop_jit:
                    jit = False  # measured: XLA's convolutions are slower on a CPU, up to 12 times
                # Batches of one size, where the model was built for it, are known to be so.
                fixed = any(tensor.shape[0] is not None for tensor in self.model.inputs)
                self._programs[kind] = Program(
                    getattr(self, kind),
                    width,
                    jit,
                    loop_jit,
                    fixed,
                    repeats=kind == "train",
                    held=self._held,
                    direct=self.distribution is None,
                    rewritten=self._gains_by_rewriting(kind),
                )
            return self._programs[kind]

    def _held(self) -> list[tf.Variable]:
        """What a step may write that TensorFlow has no record of."""
        scale = self._loss_scale.variables if self._loss_scale else []
        return [*(self.optimizer.variables if self.optimizer else ()), *scale]

    @property
    def state(self) -> list[tuple[str, tf.Variable]]:
        """What training goes on from, beside the weights, the optimizer and the metrics."""
        scale = self._loss_scale.variables if self._loss_scale else []
        return [("noise", self._rng), *((v.name.split(":")[0], v) for v in scale)]

    def _loop_jit(self) -> bool:
        """Whether XLA may compile a loop of steps: not with convolutions on a CPU."""
        return on_gpu() or not _has(self.model, _is_convolution)

    def _gains_by_rewriting(self, kind: str) -> bool:
        """Whether Grappler makes a step faster: see :mod:`.grappler`."""
        in_use = kind != "train" and _has(self.model, _is_convolution)
        return in_use or _has(self.model, lambda layer: getattr(layer, "loops_over_time", False))

    def prepare(self) -> None:
        """Make the variables that a training step needs, before it is traced."""
        with scope_of(self.distribution):
            if self._rng is None:
                self._rng = tf.Variable(
                    [0, 0],
                    dtype=tf.int32,
                    trainable=False,
                    name="rng",
                    aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
                )
                self.seed_noise()
            if self.precision == "float16" and self._loss_scale is None:
                self._loss_scale = LossScale()
            self.optimizer.build(self.trained)

    def seed_noise(self) -> None:
        """Begin a new stream of noise, drawn from NumPy's generator; its steps count on."""
        key = tf.constant(int(self.agreed(np.random.randint(0, 2**31 - 1))), tf.int32)
        self._rng.assign(tf.stack([key, self._rng[1]]))  # type: ignore[union-attr, index]

    # ---------------------------------------------------------------- several workers

    def agreed(self, numbers: Any) -> Any:
        """Whole numbers that were drawn at random, the same on all workers."""
        return numbers if self.distribution is None else self.distribution.agreed(numbers)

    @property
    def step_by_step(self) -> bool:
        """Whether each step of training is a call of its own."""
        return self.distribution is not None and self.distribution.step_by_step

    @property
    def writes_files(self) -> bool:
        """Whether this process writes the files of a run; of several workers one does."""
        return self.distribution is None or self.distribution.is_chief


def _has(layer: Any, what: Callable[[Any], bool]) -> bool:
    """Whether something is true of a layer or of one in it."""
    return what(layer) or any(_has(part, what) for part in getattr(layer, "_sublayers", ()))


def _is_convolution(layer: Any) -> bool:
    return "Conv" in type(layer).__name__
