"""TensorFlow's own optimizers in the place of ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from nbkeras.core import registry
from nbkeras.core.optimizers.base import Optimizer

__all__ = ["TFOptimizer"]


@registry.register("optimizer", aliases=("tfoptimizer",))
class TFOptimizer(Optimizer):
    """Wraps an optimizer of TensorFlow: one of `tf.compat.v1.train`, or any object with
    `apply_gradients(grads_and_vars)`.

    Args:
        optimizer: the optimizer.
        **kwargs: `clipnorm`, `clipvalue`, `global_clipnorm`, `name`: see `Optimizer`.

    Raises:
        TypeError: if it cannot apply gradients.

    Example:
        >>> w = tf.Variable([1.0])
        >>> descent = TFOptimizer(tf.compat.v1.train.GradientDescentOptimizer(0.5))
        >>> descent.apply_gradients([(tf.constant([1.0]), w)])
        >>> w.numpy().tolist()
        [0.5]

    Source: Keras 2 manual, 9.2.8.
    """

    def __init__(self, optimizer: Any, **kwargs: Any) -> None:
        if not callable(getattr(optimizer, "apply_gradients", None)):
            raise TypeError(
                "TFOptimizer wraps an optimizer of TensorFlow, as in TFOptimizer("
                f"tf.compat.v1.train.AdamOptimizer(1e-3)); got {registry._shorten(optimizer)}."
            )
        super().__init__(**kwargs)
        self.optimizer = optimizer
        # Learning rate and decay are the wrapped optimizer's own affair.
        self._hyper.clear()

    def __getattribute__(self, name: str) -> Any:
        if name in ("lr", "learning_rate", "decay"):
            raise AttributeError(
                f"TFOptimizer has no {name}: the wrapped optimizer keeps its own. For one that can "
                "be moved write optimizers.Adam(lr=0.001)."
            )
        return super().__getattribute__(name)

    def _apply(
        self, gradients: Sequence[Any], variables: Sequence[Any], run: Callable[..., Any]
    ) -> None:
        self.optimizer.apply_gradients(list(zip(gradients, variables, strict=True)))
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(tf.convert_to_tensor(variable)))
        self.iterations.assign_add(1)

    def _apply_merged(self, strategy: Any, gradients: Any, variables: Any) -> None:
        raise NotImplementedError(
            "TFOptimizer cannot step on several replicas: TensorFlow's optimizers would add the "
            f"gradients once more. Under {type(strategy).__name__} use one of keras.optimizers, "
            "such as optimizers.Adam(1e-3)."
        )

    def get_updates(self, loss: Any, params: Sequence[Any]) -> Any:
        """Not known: the wrapped optimizer only applies gradients."""
        raise NotImplementedError(
            "TFOptimizer applies updates but cannot list them. Write optimizer.apply_gradients("
            "zip(optimizer.get_gradients(loss, params), params))."
        )

    def get_config(self) -> dict[str, Any]:
        """Not known: TensorFlow's optimizers have no configuration."""
        raise NotImplementedError(
            "The wrapped optimizer has no configuration that could be saved. Use an optimizer of "
            "keras.optimizers, or save with model.save(path, include_optimizer=False)."
        )
