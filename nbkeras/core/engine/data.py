"""Data as the loop wants it: lists of equal-length tensors, checked against the model.

What users pass (an array, a list, a dictionary by name) becomes (inputs,
targets, sample weights). All is checked before anything is trained; an error
says what was expected, what came, and what to write.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from .. import registry
from ..config import floatx
from .buffers import to_tensor
from .shapes import Shape, shape_of

__all__ = [
    "all_finite",
    "batch_of",
    "check_class_weight",
    "check_rows",
    "is_array",
    "shuffled",
    "split_place",
    "split_rows",
    "standardize_inputs",
]


def batch_of(
    model: Any, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None
) -> Any:
    """(inputs, targets, sample weights) as lists of tensors, checked against a model.

    Raises:
        ValueError: a name, a shape or a number of rows does not fit.
    """
    inputs = standardize_inputs(model, x)
    targets = _targets(model, y)
    weights = _weights(model, sample_weight, class_weight, y_true=targets)
    check_rows({"x": inputs, "y": targets, "sample_weight": weights})
    return inputs, targets, weights


def standardize_inputs(model: Any, x: Any) -> list[Any]:
    """Inputs as a list of tensors in the model's order, with the model's types."""
    if not model.inputs:
        # A subclassed model takes what it is given.
        return [_tensor(array, floatx(), keep_integers=True) for array in _as_list(x)]
    arrays = _by_name(x, model.input_names, "x", "input")
    return [
        _checked(array, name, shape_of(tensor), tensor.dtype.name, "x")
        for array, name, tensor in zip(arrays, model.input_names, model.inputs, strict=True)
    ]


def _targets(model: Any, y: Any) -> list[Any]:
    goals = model.objective.goals
    if not goals or y is None:
        if y is None and any(goal.loss is not None for goal in goals):
            raise ValueError("y is missing: the model was compiled with a loss. Pass fit(x, y).")
        return [None] * len(goals)
    # An output without a loss and without metrics needs no target, but may be given one.
    idle = [goal.name for goal in goals if goal.loss is None and not goal.measures]
    names = [goal.name for goal in goals]
    if isinstance(y, Mapping):
        y = {**dict.fromkeys(idle), **y}
    elif not (isinstance(y, list | tuple) and len(y) == len(names)):
        names = [name for name in names if name not in idle] or names
    arrays = dict(zip(names, _by_name(y, names, "y", "output"), strict=True))
    return [
        None
        if goal.name in idle and arrays.get(goal.name) is None
        else _target(arrays[goal.name], goal, output)
        for goal, output in zip(goals, model.outputs or [None] * len(goals), strict=True)
    ]


def _target(array: Any, goal: Any, output: Any) -> Any:
    dtype = output.dtype.name if output is not None and output.dtype.is_floating else floatx()
    tensor = _tensor(array, "float32" if dtype == "float16" else dtype)
    if tensor.shape.rank == 1:
        tensor = tf.expand_dims(tensor, -1)
    if output is not None and goal.loss is not None:
        _check_target_shape(tuple(tensor.shape), shape_of(output), goal)
    return tensor


_SAME_SHAPE = {
    "mean_squared_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error",
    "binary_crossentropy",
    "categorical_crossentropy",
    "kullback_leibler_divergence",
    "poisson",
    "logcosh",
    "hinge",
    "squared_hinge",
    "categorical_hinge",
    "cosine_proximity",
}


def _check_target_shape(given: Shape, output: Shape | None, goal: Any) -> None:
    """A target has the output's shape, or one label for each place for sparse losses."""
    loss = getattr(goal.loss, "__name__", None) or getattr(goal.loss, "name", "")
    if output is None:
        return
    if loss == "sparse_categorical_crossentropy":
        expected: Shape = (*output[:-1], 1)
        if _fits(given, expected) or _fits(given, output[:-1]):
            return
        advice = ""
        if given[-1] == output[-1]:
            advice = (
                " The labels are one-hot: compile with loss='categorical_crossentropy', or pass "
                "y.argmax(-1)."
            )
    elif loss in _SAME_SHAPE:
        expected = output
        if _fits(given, expected):
            return
        advice = ""
        if given[-1] == 1 and loss == "categorical_crossentropy":
            advice = (
                " The labels are whole numbers: compile with "
                "loss='sparse_categorical_crossentropy', or pass "
                f"keras.utils.to_categorical(y, {output[-1]})."
            )
        elif output[-1] == 1 and len(given) == len(output):
            advice = f" Give the last layer {given[-1]} units."
        elif given[-1] == 1:
            advice = " Give the last layer one unit, Dense(1), or choose another loss."
    else:
        return
    raise ValueError(
        f"y for output {goal.name!r} with loss {loss}: expected shape "
        f"{_readable(expected)}; got {given}.{advice}"
    )


def _fits(given: Sequence[Any], expected: Sequence[Any]) -> bool:
    """Whether all sizes but the first agree: how many rows make a batch is the feed's business."""
    return len(given) == len(expected) and all(
        e is None or g is None or g == e for g, e in zip(given[1:], expected[1:], strict=True)
    )


def _readable(shape: Sequence[Any]) -> str:
    return "(" + ", ".join(["rows", *("any" if s is None else str(s) for s in shape[1:])]) + ")"


# ---------------------------------------------------------------- one array


def _checked(array: Any, name: str, shape: Shape | None, dtype: str, what: str) -> Any:
    tensor = _tensor(array, dtype)
    given = tuple(tensor.shape)
    if shape is None or _fits(given, shape):
        return tensor
    if len(given) == len(shape) - 1 and len(shape) > 1 and shape[-1] == 1:
        # One number a place needs no axis of its own: x of shape (rows,) for an input (1,).
        return tf.expand_dims(tensor, -1)
    raise ValueError(
        f"{what} for input {name!r}: expected shape {_readable(shape)}; got {given}."
        f"{_reshape_advice(given, shape, what)}"
    )


def _reshape_advice(given: Shape, expected: Shape, what: str) -> str:
    rows, sizes = given[:1], list(expected[1:])
    if given == tuple(expected[1:]):
        return f" That is one sample; pass a batch of one: {what}[None]."
    if None not in sizes and len(given) > 0:
        numbers = math.prod(g or 0 for g in given[1:])
        if rows and numbers == math.prod(s or 0 for s in sizes):
            return f" Write {what}.reshape({', '.join(map(str, [-1, *sizes]))})."
    if len(given) == len(expected) and None not in given[1:]:
        return f" Or build the model for it: input_shape={tuple(given[1:])}."
    return ""


def _tensor(array: Any, dtype: str, keep_integers: bool = False) -> Any:
    """A tensor on the device; NumPy's memory is shared where TensorFlow can."""
    if isinstance(array, tf.SparseTensor):
        return array
    if isinstance(array, tf.Tensor | tf.Variable):
        keep = keep_integers and not array.dtype.is_floating
        return tf.convert_to_tensor(array) if keep else tf.cast(array, dtype)
    array = np.asarray(array)
    if array.dtype == object or array.dtype.kind in "USOV":
        raise ValueError(
            f"Expected an array of numbers; got dtype {array.dtype} of shape {array.shape}. Rows "
            "of different lengths are padded with pad_sequences(x); text is made numbers first."
        )
    if array.ndim == 0:
        raise ValueError(f"Expected an array with one row for each sample; got the number {array}.")
    if keep_integers and array.dtype.kind in "iub":
        return tf.convert_to_tensor(array)
    return to_tensor(array, dtype)


def all_finite(array: np.ndarray) -> bool:
    """Whether no number of an array is NaN or infinite: one pass, and no copy.

    Their sum is not, where they are not; and where it is too large, a sum in 64 bits tells.
    """
    digits = (np.float32 if array.dtype.itemsize < 4 else array.dtype, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        return any(bool(np.isfinite(array.sum(dtype=kind))) for kind in digits)


def is_array(value: Any) -> bool:
    """Whether something has rows of numbers: an array, a tensor, a data set in a file."""
    return hasattr(value, "dtype") and hasattr(value, "shape") and len(value.shape) > 0


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _by_name(value: Any, names: Sequence[str], what: str, kind: str) -> list[Any]:
    """Arrays in the model's order, from one, a list or a dictionary by name."""
    if isinstance(value, Mapping):
        missing = [name for name in names if name not in value]
        unknown = [name for name in value if name not in names]
        if missing:
            hint = registry.suggestion(str(unknown[0]), names) if unknown else ""
            raise ValueError(
                f"{what} lacks the {kind} {missing[0]!r}.{hint} The model's {kind}s are "
                f"{list(names)}; got {sorted(map(str, value))}."
            )
        return [value[name] for name in names]
    if hasattr(value, "columns") and hasattr(value, "to_numpy"):
        value = value.to_numpy()
    if isinstance(value, list | tuple):
        arrays = all(is_array(item) for item in value)
        several = len(names) > 1 or (arrays and len(value) > 0)
        if several and len(value) != len(names):
            raise ValueError(
                f"{what} is a list of {len(value)} arrays, but the model has {len(names)} {kind}s "
                f"{list(names)}."
            )
        if several:
            return list(value)
    if value is None:
        raise ValueError(f"{what} is missing: pass an array with one row for each sample.")
    if len(names) > 1:
        raise ValueError(
            f"The model has {len(names)} {kind}s {list(names)}: pass {what} as a list of "
            f"{len(names)} arrays or a dictionary by name; got {type(value).__name__}."
        )
    return [value]


def check_rows(groups: dict[str, list[Any]]) -> None:
    """Refuse arrays whose numbers of rows differ, or are 0.

    Raises:
        ValueError: they do; the error says which have how many.
    """
    counts = {int(a.shape[0]) for arrays in groups.values() for a in arrays if a is not None}
    if len(counts) > 1:
        told = (
            ", ".join(
                f"{what} has {sorted({int(a.shape[0]) for a in arrays if a is not None})}"
                for what, arrays in groups.items()
                if any(a is not None for a in arrays)
            )
            .replace("[", "")
            .replace("]", "")
        )
        fewest = min(counts)
        raise ValueError(
            f"All arrays need the same number of rows: {told}. Did you mean x[:{fewest}], "
            f"y[:{fewest}]?"
        )
    if not counts or counts == {0}:
        raise ValueError("There is no data: x has no rows.")


# ---------------------------------------------------------------- weights


def _weights(model: Any, sample_weight: Any, class_weight: Any, y_true: list[Any]) -> list[Any]:
    goals = model.objective.goals
    if sample_weight is None:
        given: list[Any] = [None] * len(goals)
    elif len(goals) == 1 and not isinstance(sample_weight, Mapping | list):
        given = [sample_weight]
    elif isinstance(sample_weight, Mapping):
        given = [sample_weight.get(goal.name) for goal in goals]
    elif len(goals) == 1:
        given = [sample_weight[0] if np.ndim(sample_weight[0]) else sample_weight]
    else:
        given = list(sample_weight)
        if len(given) != len(goals):
            raise ValueError(
                f"sample_weight is a list of {len(given)}, but the model has {len(goals)} outputs."
            )
    classes = _class_weights(class_weight, [goal.name for goal in goals])
    return [
        _weight(weight, balance, goal, target)
        for weight, balance, goal, target in zip(given, classes, goals, y_true, strict=True)
    ]


def check_class_weight(model: Any, y: Any, class_weight: Any) -> None:
    """Refuse weights that lack a class of some targets.

    Raises:
        ValueError: they do.
    """
    _weights(model, None, class_weight, _targets(model, y))


def _class_weights(class_weight: Any, names: list[str]) -> list[Any]:
    if isinstance(class_weight, Mapping) and class_weight and set(class_weight) <= set(names):
        return [class_weight.get(name) for name in names]
    if isinstance(class_weight, str):
        warnings.warn(
            f"class_weight={class_weight!r} weighs nothing, as in Keras 2. Write a weight for each "
            "class, as in class_weight={0: 1.0, 1: 5.0}.",
            stacklevel=2,
        )
        return [None] * len(names)
    if isinstance(class_weight, np.ndarray | list | tuple):
        if not all(isinstance(weight, int | float | np.number) for weight in class_weight):
            return list(class_weight)
        class_weight = dict(enumerate(class_weight))  # as scikit-learn computes them
    if class_weight is not None and len(names) > 1:
        raise ValueError(f"class_weight is a dictionary by output name here: {names}.")
    return [class_weight] * len(names)


def _weight(weight: Any, balance: Any, goal: Any, target: Any) -> Any:
    tensor = None if weight is None else _tensor(weight, "float32")
    if tensor is not None and tensor.shape.rank != 1 and not goal.temporal:
        if tensor.shape.rank == 2 and tensor.shape[1] == 1:
            tensor = tf.squeeze(tensor, 1)
        else:
            raise ValueError(
                f"sample_weight for output {goal.name!r}: expected shape (rows,); got "
                f"{tuple(tensor.shape)}. For a weight at each time step compile with "
                "sample_weight_mode='temporal'."
            )
    if goal.temporal and tensor is not None and tensor.shape.rank != 2:
        raise ValueError(
            f"sample_weight for output {goal.name!r} with sample_weight_mode='temporal': expected "
            f"shape (rows, time steps); got {tuple(tensor.shape)}."
        )
    if balance is None:
        return tensor
    by_class = _balance(balance, goal, target)
    return by_class if tensor is None else tensor * by_class


def _balance(balance: Any, goal: Any, target: Any) -> Any:
    """The weight of each row's class."""
    if target.shape.rank > 2:
        raise ValueError(
            f"class_weight needs one class a row; output {goal.name!r} has targets of shape "
            f"{tuple(target.shape)}. Use sample_weight."
        )
    labels = target.numpy()
    classes = labels.argmax(1) if labels.shape[1] > 1 else labels[:, 0].astype(int)
    present, places = np.unique(classes, return_inverse=True)
    missing = sorted(set(present.tolist()) - set(balance))
    if missing:
        raise ValueError(
            f"class_weight has no weight for the classes {missing}; it has {sorted(balance)}."
        )
    weights = np.array([balance[label] for label in present.tolist()], np.float32)
    return tf.convert_to_tensor(weights[places])


# ---------------------------------------------------------------- rows


def split_place(rows: int, share: float) -> int:
    """The first of the last ``share`` of some rows.

    Raises:
        ValueError: the share is not between 0 and 1, or leaves one side empty.
    """
    if not 0 < share < 1:
        raise ValueError(
            f"validation_split is a share between 0 and 1, such as 0.2; got {share!r}."
        )
    place = int(rows * (1 - share))
    if place in (0, rows):
        raise ValueError(
            f"validation_split={share} of {rows} rows leaves nothing to "
            f"{'train' if place == 0 else 'validate'} on."
        )
    return place


def split_rows(data: Any, share: float) -> tuple[Any, Any]:
    """The first rows to train on, the last ``share`` of them to validate on.

    Raises:
        ValueError: the share is not between 0 and 1, or leaves one side empty.
    """
    rows = next(int(t.shape[0]) for part in data for t in part if t is not None)
    place = split_place(rows, share)

    def cut(where: slice) -> Any:
        return tuple([None if t is None else t[where] for t in part] for part in data)

    return cut(slice(None, place)), cut(slice(place, None))


def shuffled(rows: int, shuffle: Any, batch_size: int) -> np.ndarray | None:
    """An order for the rows: shuffled by NumPy's generator; ``"batch"`` keeps batches whole."""
    if not shuffle:
        return None
    if shuffle != "batch":
        return np.random.permutation(rows)
    starts = np.arange(0, rows - rows % batch_size, batch_size)
    np.random.shuffle(starts)
    order = (starts[:, None] + np.arange(batch_size)).ravel()
    return np.concatenate([order, np.arange(order.size, rows)])
