"""Weights of layers into an HDF5 group, and back: everything is checked before one is changed."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np

from . import hdf5_writer
from .conversions import Origin, convert
from .hdf5_reader import Reader, Stored
from .layout import BACKEND, KERAS_VERSION, OWN_WEIGHTS, SavedFileError

__all__ = ["assign", "layer_variables", "plan", "write_weights"]

_SHOWN = 12
"""How many layers an error lists before it says "and n more"."""


def layer_variables(layer: Any) -> list[Any]:
    """A layer's variables in the order of Keras 2's files: those that train first, each once."""
    both = [*layer.trainable_weights, *layer.non_trainable_weights]
    return list({id(variable): variable for variable in both}.values())


def own_variables(model: Any) -> list[Any]:
    """The variables of a model that belong to none of its layers."""
    of_layers = {id(v) for layer in model.layers for v in layer_variables(layer)}
    return [v for v in layer_variables(model) if id(v) not in of_layers]


# ---------------------------------------------------------------- writing


def write_weights(group: h5py.Group, model: Any) -> None:
    """All weights of a model, a group for each layer.

    Raises:
        ValueError: if a layer is not built yet, or its name cannot name a group.
    """
    layers = list(model.layers)
    _check_built(model, layers)
    for layer in layers:
        _check_name(layer.name)
    hdf5_writer.write_texts(group, "layer_names", [layer.name for layer in layers])
    hdf5_writer.write_text(group, "backend", BACKEND)
    hdf5_writer.write_text(group, "keras_version", KERAS_VERSION)
    # In the order of names, so that 'a' is there before 'a/b'.
    for layer in sorted(layers, key=lambda layer: layer.name):
        _write_group(group.require_group(layer.name), layer_variables(layer))
    own = own_variables(model)
    if own:
        _write_group(group.require_group(OWN_WEIGHTS), own)


def _write_group(group: h5py.Group, variables: Sequence[Any]) -> None:
    arrays = (variable.numpy() for variable in variables)
    hdf5_writer.write_arrays(group, [variable.name for variable in variables], arrays)


def _check_built(model: Any, layers: Iterable[Any]) -> None:
    waiting = [layer.name for layer in layers if not getattr(layer, "built", True)]
    if not waiting and getattr(model, "built", True):
        return
    what = f"its layers {_some(waiting)} have" if waiting else "it has"
    raise ValueError(
        f"The weights of model {model.name!r} do not exist yet: {what} not been built. Call the "
        "model on data, or give its first layer an input_shape, and try again."
    )


def _check_name(name: str) -> None:
    if any(part in ("", ".", "..") for part in name.split("/")) or "\0" in name:
        raise ValueError(
            f"A layer named {name!a} cannot be saved: HDF5 reads the name as a path. "
            "Give the layer another name."
        )


# ---------------------------------------------------------------- reading


@dataclass
class _Report:
    """What fits and what does not, while a file is compared with a model."""

    fits: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def error(self, where: str) -> SavedFileError:
        lines = [f"{where} does not fit the model, so nothing was loaded."]
        lines += ["Does not fit:", *_bullets(self.problems)]
        lines += ["Fits:", *_bullets(self.fits)] if self.fits else ["Nothing fits."]
        lines.append(
            "To load the layers of the same name and skip what does not fit: "
            "model.load_weights(path, by_name=True, skip_mismatch=True)."
        )
        return SavedFileError("\n".join(lines))


def plan(
    reader: Reader,
    model: Any,
    by_name: bool = False,
    skip_mismatch: bool = False,
    reshape: bool = False,
) -> list[tuple[Any, np.ndarray]]:
    """Reads and checks everything; changes nothing.

    Args:
        reader: of a weights file, or of the group `model_weights`.
        model: the model the weights are for.
        by_name: layers are found by name instead of by their order.
        skip_mismatch: with `by_name`, what does not fit is left out with a warning.
        reshape: arrays of the right size are brought into shape.

    Returns:
        Variables with the arrays they shall be assigned.

    Raises:
        SavedFileError: with a list of what fits and what does not.
    """
    _check_built(model, model.layers)
    origin = Origin(reader.text("keras_version") or "1", reader.text("backend"))
    names = reader.texts("layer_names")
    if names is None:
        raise SavedFileError(
            f"{reader.where} holds no weights in Keras 2's layout (the attribute 'layer_names' is "
            "missing). Expected a file of model.save('model.h5') or save_weights('weights.h5')."
        )
    saved = [(name, _stored(reader.group(name))) for name in names]
    report = _Report()
    pairs = _by_name(saved, model) if by_name else _by_order(saved, model, report)
    pairs += _own(reader, model, by_name)
    assignments = []
    for name, stored, title, layer, variables in pairs:
        found = _fit(stored, layer, variables, origin, reshape)
        (report.problems if found.problems else report.fits).append(
            f"{title}: {'; '.join(found.problems) or _shapes(variables)}"
            + ("" if layer is None or name == layer.name else f" (in the file: {name!r})")
        )
        assignments += found.assignments
    if report.problems and not skip_mismatch:
        raise report.error(reader.where)
    for problem in report.problems:
        warnings.warn(f"Not loaded: {problem}.", stacklevel=4)
    if by_name and not report.fits and not report.problems:
        warnings.warn(
            f"No layer of {reader.where} has a name of the model, so nothing was loaded. The file "
            f"has {_some(names)}, the model {_some([layer.name for layer in model.layers])}.",
            stacklevel=4,
        )
    return assignments


def assign(assignments: Sequence[tuple[Any, np.ndarray]]) -> None:
    """Gives variables their new values; shapes and types have been checked."""
    for variable, array in assignments:
        variable.assign(array)


def _stored(group: Reader) -> list[Stored]:
    return [group.stored(name) for name in group.texts("weight_names") or []]


_Saved = tuple[str, list[Stored]]
"""A layer's name in the file and its data sets."""

_Pair = tuple[str, list[Stored], str, Any, list[Any]]
"""Name in the file, data sets, what to call it, layer (or none), variables."""


def _by_order(
    saved: Sequence[tuple[str, list[Stored]]], model: Any, report: _Report
) -> list[_Pair]:
    """Layers with weights on both sides, first to first."""
    here = [(layer, layer_variables(layer)) for layer in model.layers]
    here = [(layer, variables) for layer, variables in here if variables]
    there = [(name, stored) for name, stored in saved if stored]
    if len(here) != len(there):
        report.problems.append(
            f"the number of layers with weights: the model has {len(here)} "
            f"({_some([layer.name for layer, _ in here])}), the file {len(there)} "
            f"({_some([name for name, _ in there])})"
        )
    return [
        (name, stored, layer.name, layer, variables)
        for (name, stored), (layer, variables) in zip(there, here, strict=False)
    ]


def _by_name(saved: Sequence[_Saved], model: Any) -> list[_Pair]:
    stored = dict(saved)
    return [
        (layer.name, stored[layer.name], layer.name, layer, layer_variables(layer))
        for layer in model.layers
        if layer.name in stored and (stored[layer.name] or layer_variables(layer))
    ]


def _own(reader: Reader, model: Any, by_name: bool) -> list[_Pair]:
    """Weights of the model itself."""
    variables = own_variables(model)
    stored = _stored(reader.group(OWN_WEIGHTS)) if OWN_WEIGHTS in reader else []
    if not stored and (not variables or by_name):
        return []
    return [(OWN_WEIGHTS, stored, "the model's own weights", None, variables)]


@dataclass
class _Fit:
    assignments: list[tuple[Any, np.ndarray]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def _fit(
    stored: Sequence[Stored], layer: Any, variables: Sequence[Any], origin: Origin, reshape: bool
) -> _Fit:
    """The arrays of one layer, converted, for its variables."""
    # Declared sizes are compared before anything is read. The largest difference between two
    # layouts of the same layer is the second bias of cuDNN.
    expected = sum(_size(variable) for variable in variables)
    declared = sum(item.size for item in stored)
    if declared > 2 * expected:
        return _Fit(problems=[f"it has {expected:,} numbers, the file {declared:,}"])
    stored = _in_order(stored, variables, layer)
    arrays = [item.read() for item in stored]
    if layer is not None:
        arrays = convert(layer, arrays, origin)
    if len(arrays) != len(variables):
        return _Fit(
            problems=[
                f"the layer has {len(variables)} weights ({_shapes(variables)}), the file "
                f"{len(stored)} ({', '.join(str(item.shape) for item in stored) or 'none'})"
            ]
        )
    fit = _Fit()
    for variable, array in zip(variables, arrays, strict=True):
        shape = tuple(variable.shape)
        if reshape and array.size == _size(variable):
            array = array.reshape(shape)
        if array.shape != shape:
            fit.problems.append(f"{variable.name} has shape {shape}, in the file {array.shape}")
        else:
            fit.assignments.append((variable, array.astype(variable.dtype.as_numpy_dtype)))
    return fit


def _in_order(stored: Sequence[Stored], variables: Sequence[Any], layer: Any) -> list[Stored]:
    """The data sets in the order of the variables.

    The order within a nested model depends on what was frozen when it was saved,
    here and there. The names tell, where they are the same on both sides; else
    the kinds of weight ('kernel', 'gamma') and the shapes in the other order do.
    """
    names = [item.name for item in stored]
    wanted = [variable.name for variable in variables]
    if names == wanted or len(names) != len(wanted):
        return list(stored)
    if len(set(names)) == len(names) and set(names) == set(wanted):
        found = {item.name: item for item in stored}
        return [found[name] for name in wanted]
    inner = [w for part in getattr(layer, "layers", []) for w in part.weights]
    by_layer = list({id(w): w for w in inner}.values())
    if {id(w) for w in by_layer} != {id(w) for w in variables}:
        return list(stored)
    frozen_last = [w for w in by_layer if w.trainable] + [w for w in by_layer if not w.trainable]
    kinds = [(_kind(item.name), item.shape) for item in stored]
    for order in (variables, by_layer, frozen_last):
        if [(_kind(w.name), tuple(w.shape)) for w in order] == kinds:
            place = {id(w): item for w, item in zip(order, stored, strict=True)}
            return [place[id(w)] for w in variables]
    return list(stored)


def _kind(name: str) -> str:
    return name.rpartition("/")[2].partition(":")[0]


def _size(variable: Any) -> int:
    return int(np.prod(tuple(variable.shape), dtype=np.int64))


def _shapes(variables: Sequence[Any]) -> str:
    return ", ".join(f"{_kind(v.name)} {tuple(v.shape)}" for v in variables) or "no weights"


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(ascii(name) for name in names[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "") or "none"


def _bullets(lines: Sequence[str]) -> list[str]:
    more = [f"  ... and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return [f"  - {line}" for line in lines[:_SHOWN]] + more
