"""Predicting many batches, by the form of the program that is fastest for their size."""

from __future__ import annotations

import functools
import time
from typing import Any

import tensorflow as tf

from .buffers import on_gpu
from .choice import Choice
from .program import Program, leaves_of, signature_of

__all__ = ["Predictor"]


class Predictor:
    """Predicts one batch after the other: a function of a batch that gives its outputs.

    Args:
        program: the program of the prediction.
        batches: how many will come, as far as that is known: for what a compilation is worth.
    """

    def __init__(self, program: Program, batches: int = 0) -> None:
        self.program = program
        self.left = batches

    def __call__(self, data: Any) -> Any:
        """The outputs for a batch (inputs, targets, sample weights)."""
        program = self.program
        self.left = max(self.left - 1, 0)
        # On a GPU a call returns before it is done: its time says nothing.
        if program.jit is False or on_gpu():
            return program.on_batch(data)
        choice, rows = self._choice(data), int(leaves_of(data)[0].shape[0])
        jit, warm = choice.current != "loop", choice.warm
        started = time.perf_counter()
        try:
            outputs = program.batch_form(data, rows)(data) if jit else program.on_batch(data)
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
            if not jit:
                raise
            choice.drop(choice.current)
            return program.on_batch(data)
        seconds = time.perf_counter() - started
        if not warm:
            choice.made(seconds)
            return outputs
        choice.record(seconds, 1)
        name = choice.next_to_compile(self.left)
        if name is not None:
            trace = functools.partial(program.batch_form, data, rows)
            choice.compile_beside(name, trace, [data], program.held)
        return outputs

    def _choice(self, data: Any) -> Choice:
        """The choice for batches of one size: XLA would compile another program for another."""
        key = ("batch", signature_of(data), int(leaves_of(data)[0].shape[0]))
        return self.program.choice(key, loop_jit=False)
