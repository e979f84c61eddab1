"""What a model is trained for: losses, metrics and their weights, bound to its outputs.

``compile`` accepts many forms; here they become one list of :class:`OutputGoal`,
one for each output, and :class:`Objective`, which turns targets and outputs into
a total loss and the numbers that are logged.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from .. import registry
from ..backend.crossentropies import from_logits_where_known
from ..backend.replay import computed
from ..backend.symbolic import Call, call_scope
from ..config import floatx
from .distribution import WHOLE, Whole

__all__ = ["Objective", "OutputGoal", "weighted_mean"]


@dataclass
class Measure:
    """A metric of an output: a function of targets and outputs, or an object with state."""

    name: str
    metric: Any
    weighted: bool = False

    @property
    def stateful(self) -> bool:
        return hasattr(self.metric, "update_state")

    def value(
        self, y_true: Any, y_pred: Any, mask: Any, weights: Any, part: Whole, call: Call | None
    ) -> Any:
        both = _combine(mask, weights if self.weighted else None)
        if self.stateful:
            part.update(lambda: self.metric.update_state(y_true, y_pred, sample_weight=both))
            return self.result() if part is WHOLE else 0.0
        scores = self.metric(y_true, y_pred)
        with _within(call):
            scores = computed(scores)
        return weighted_mean(scores, both, by_weight=True, part=part)

    def result(self) -> Any:
        """What a metric with state says of all batches."""
        return tf.cast(self.metric.result(), tf.float32)


@dataclass
class OutputGoal:
    """The loss and the metrics of one output."""

    name: str
    loss: Any
    weight: float = 1.0
    measures: list[Measure] = field(default_factory=list)
    temporal: bool = False

    def loss_value(
        self, y_true: Any, y_pred: Any, mask: Any, weights: Any, part: Whole, call: Call | None
    ) -> Any:
        """The output's loss: its mean over samples, weighted, over what is not masked."""
        reduction = str(getattr(self.loss, "reduction", "auto")).rpartition(".")[2].lower()
        compute = getattr(self.loss, "call", self.loss)
        with _within(call), from_logits_where_known():
            scores = computed(compute(y_true, y_pred))
        if reduction == "sum":
            return part.sum(tf.reduce_sum(_weighted(scores, _combine(mask, weights))))
        return weighted_mean(scores, weights, mask=mask, part=part)


class Objective:
    """Losses and metrics of all outputs.

    Args:
        output_names: names of the outputs.
        output_shapes: their shapes.
        loss, metrics, loss_weights, sample_weight_mode, weighted_metrics: as
            ``compile`` takes them.

    Attributes:
        names: what is logged, ``loss`` first (``model.metrics_names``).
    """

    def __init__(
        self,
        output_names: Sequence[str],
        output_shapes: Sequence[Any],
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        sample_weight_mode: Any = None,
        weighted_metrics: Any = None,
    ) -> None:
        outputs = list(output_names)
        losses = _by_output(loss, outputs, "loss")
        shares = _by_output(loss_weights, outputs, "loss_weights", single=False)
        modes = _by_output(sample_weight_mode, outputs, "sample_weight_mode")
        plain = _metrics_by_output(metrics, outputs, "metrics")
        weighted = _metrics_by_output(weighted_metrics, outputs, "weighted_metrics")
        self.goals: list[OutputGoal] = []
        for place, name in enumerate(outputs):
            if modes[place] not in (None, "temporal"):
                raise ValueError(
                    f"sample_weight_mode is None or 'temporal'; got {modes[place]!r} for {name!r}."
                )
            function = registry.get("loss", losses[place])
            measures = [
                _measure(identifier, losses[place], output_shapes[place], is_weighted)
                for group, is_weighted in ((plain[place], False), (weighted[place], True))
                for identifier in group
            ]
            share = 1.0 if shares[place] is None else float(shares[place])
            self.goals.append(
                OutputGoal(name, function, share, measures, modes[place] == "temporal")
            )
        self.names = self._names()

    def _names(self) -> list[str]:
        several = len(self.goals) > 1
        names = ["loss"]
        if several:
            names += [f"{goal.name}_loss" for goal in self.goals if goal.loss is not None]
        for goal in self.goals:
            for measure in goal.measures:
                name = f"{goal.name}_{measure.name}" if several else measure.name
                number = sum(other == name or other.startswith(f"{name}_") for other in names)
                names.append(name if name not in names else f"{name}_{number}")
        return names

    @property
    def stateful_metrics(self) -> list[Any]:
        """Metrics that keep state over an epoch."""
        return [m.metric for goal in self.goals for m in goal.measures if m.stateful]

    @property
    def stateful_names(self) -> set[str]:
        """The names under which they are logged: their last value counts, not a mean."""
        flags = [m.stateful for goal in self.goals for m in goal.measures]
        names = self.names[len(self.names) - len(flags) :]
        return {name for name, stateful in zip(names, flags, strict=True) if stateful}

    def reset_metrics(self) -> None:
        """Let metrics with state begin anew."""
        for metric in self.stateful_metrics:
            metric.reset_states()

    def __call__(
        self,
        targets: Sequence[Any],
        outputs: Sequence[Any],
        masks: Sequence[Any],
        weights: Sequence[Any],
        penalties: Sequence[Any],
        part: Whole = WHOLE,
        call: Call | None = None,
    ) -> tuple[Any, Any]:
        """The total loss, and all that is logged as one vector (in the order of ``names``).

        Of a part of a batch both are what it adds to the whole's; the results of metrics
        with state are still missing then (:meth:`with_results`). Losses and metrics may refer
        to other tensors of the model, whose values the call knows.
        """
        losses, measured = [], []
        total = tf.zeros((), tf.float32)
        for goal, y_true, y_pred, mask, weight in zip(
            self.goals, targets, outputs, masks, weights, strict=True
        ):
            if goal.loss is not None:
                value = goal.loss_value(y_true, y_pred, mask, weight, part, call)
                losses.append(tf.cast(value, tf.float32))
                total += goal.weight * losses[-1]
            for measure in goal.measures:
                measured.append(measure.value(y_true, y_pred, mask, weight, part, call))
        with _within(call):
            penalties = [computed(penalty) for penalty in penalties]
        for penalty in penalties:
            total += part.mean(tf.reduce_mean(tf.cast(penalty, tf.float32)))
        shown = losses if len(self.goals) > 1 else []
        logged = [total, *shown, *measured]
        return total, tf.stack([tf.reshape(tf.cast(v, tf.float32), ()) for v in logged])

    def with_results(self, logged: Any) -> Any:
        """What all parts of a batch logged together, with the results of metrics with state."""
        measures = [measure for goal in self.goals for measure in goal.measures]
        values = tf.unstack(logged)
        for place, measure in enumerate(measures, len(values) - len(measures)):
            if measure.stateful:
                values[place] = measure.result()
        return tf.stack(values)


def _within(call: Call | None) -> Any:
    return contextlib.nullcontext() if call is None else call_scope(call)


# ---------------------------------------------------------------- weighting


def weighted_mean(
    scores: Any, weights: Any, mask: Any = None, by_weight: bool = False, part: Whole = WHOLE
) -> Any:
    r"""The mean of scores under weights and a mask.

    .. math:: \frac{\sum_i w_i m_i s_i}{\sum_i m_i}, \quad
        \text{or } \frac{\sum_i w_i s_i}{\sum_i w_i} \text{ by weight}

    Axes of the scores that the weights lack are averaged first. Of a part of a batch it
    is what the part adds to the whole's mean.
    """
    scores = tf.cast(scores, tf.float32) if scores.dtype != tf.float32 else scores
    if weights is None and mask is None:
        return part.mean(tf.reduce_mean(scores))
    if mask is not None:
        mask = tf.cast(mask, tf.float32)
        scores = _average_to_rank(scores, mask.shape.rank)
        total = part.sum(tf.reduce_sum(_weighted(scores * mask, weights)))
        return total / tf.maximum(part.total(tf.reduce_sum(mask)), 1e-7)
    scores = _average_to_rank(scores, weights.shape.rank)
    total = tf.reduce_sum(scores * tf.cast(weights, tf.float32))
    if by_weight:
        all_weights = part.total(tf.reduce_sum(tf.cast(weights, tf.float32)))
        return part.sum(total) / tf.maximum(all_weights, 1e-7)
    return part.mean(total / tf.cast(tf.size(scores), tf.float32))


def _weighted(scores: Any, weights: Any) -> Any:
    if weights is None:
        return scores
    weights = tf.cast(weights, scores.dtype)
    while weights.shape.rank < scores.shape.rank:
        weights = tf.expand_dims(weights, -1)
    return scores * weights


def _average_to_rank(scores: Any, rank: int) -> Any:
    extra = scores.shape.rank - rank
    return tf.reduce_mean(scores, axis=list(range(-extra, 0))) if extra > 0 else scores


def _combine(mask: Any, weights: Any) -> Any:
    if mask is None or weights is None:
        return weights if mask is None else tf.cast(mask, floatx())
    return _weighted(tf.cast(mask, tf.float32), weights)


# ---------------------------------------------------------------- the forms of compile


def _by_output(value: Any, outputs: list[str], what: str, single: bool = True) -> list[Any]:
    """One value for each output, from a single one, a list or a dictionary by name."""
    if isinstance(value, Mapping) and "class_name" not in value:
        unknown = set(value) - set(outputs)
        if unknown:
            name = sorted(unknown)[0]
            raise ValueError(
                f"{what} names an output {name!r} that the model does not have."
                f"{registry.suggestion(name, outputs)} Its outputs are {outputs}."
            )
        return [value.get(name) for name in outputs]
    if isinstance(value, list | tuple):
        if len(value) != len(outputs):
            raise ValueError(
                f"{what} is a list of {len(value)}, but the model has {len(outputs)} outputs "
                f"{outputs}. Give one for each, or a dictionary by name."
            )
        return list(value)
    if value is not None and not single and len(outputs) > 1:
        raise ValueError(f"{what} is a list or a dictionary by output name; got {value!r}.")
    return [value] * len(outputs)


def _metrics_by_output(metrics: Any, outputs: list[str], what: str) -> list[list[Any]]:
    """A list of metrics for each output: from a flat list (all outputs), nested lists, a dict."""
    if metrics is None or metrics == []:
        return [[] for _ in outputs]
    if isinstance(metrics, Mapping):
        each = _by_output(metrics, outputs, what)
    elif isinstance(metrics, list | tuple):
        nested = any(isinstance(item, list | tuple) for item in metrics)
        each = _by_output(metrics, outputs, what) if nested else [list(metrics)] * len(outputs)
    else:
        raise TypeError(
            f"{what} is a list such as ['accuracy'], or a dictionary by output name; "
            f"got {metrics!r}."
        )
    return [
        [] if item is None else list(item) if isinstance(item, list | tuple) else [item]
        for item in each
    ]


def _measure(identifier: Any, loss: Any, output_shape: Any, weighted: bool) -> Measure:
    """A metric by name, function or object; accuracy is chosen by loss and output."""
    if identifier in ("accuracy", "acc", "crossentropy", "ce"):
        kind = "accuracy" if identifier in ("accuracy", "acc") else "crossentropy"
        metric = registry.get("metric", f"{_label_kind(loss, output_shape)}_{kind}")
        return Measure("acc" if kind == "accuracy" else "ce", metric, weighted)
    metric = registry.get("metric", identifier)
    name = str(getattr(metric, "name", None) or getattr(metric, "__name__", identifier))
    return Measure(name, metric, weighted)


def _label_kind(loss: Any, output_shape: Any) -> str:
    """How labels are written: ``binary``, ``sparse_categorical`` or ``categorical``."""
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    name = name.replace("_", "").lower()
    if name == "sparsecategoricalcrossentropy":
        return "sparse_categorical"
    if name == "binarycrossentropy" or (output_shape is not None and output_shape[-1] == 1):
        return "binary"
    return "categorical"
