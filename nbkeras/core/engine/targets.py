"""Targets that ``compile`` was given: ``target_tensors``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import registry
from ..backend.symbolic import KerasTensor

__all__ = ["TargetTensors"]


class TargetTensors:
    """The targets of some outputs, which ``fit`` need not be given.

    A placeholder (``K.placeholder``) stands for a target that ``fit`` is given as before.

    Args:
        given: a tensor, a list of them with ``None`` for those to be passed, or a dictionary
            by output name.
        names: the names of the outputs.

    Raises:
        ValueError: there are too many, too few, or of unknown outputs, or one is computed.
    """

    def __init__(self, given: Any, names: Sequence[str]) -> None:
        self.names = list(names)
        self.tensors = {name: _value(tensor) for name, tensor in _named(given, self.names).items()}

    @property
    def passed(self) -> list[str]:
        """The outputs whose targets are passed."""
        return [name for name in self.names if self.tensors[name] is None]

    def complete(self, y: Any) -> Any:
        """Targets of all outputs by name, from those that are passed.

        Raises:
            ValueError: some are missing, or one is passed that compile was given.
        """
        passed = self.passed
        if y is not None and not passed:
            raise ValueError(
                "compile was given target_tensors for all outputs, so y has no place: fit(x), "
                "or compile without target_tensors."
            )
        if isinstance(y, Mapping):
            found = dict(y)
            twice = [name for name in found if self.tensors.get(name) is not None]
            if twice:
                raise ValueError(f"The target of {twice[0]!r} was given to compile: leave it out.")
        else:
            several = isinstance(y, list | tuple) and len(passed) > 1
            listed = list(y) if several else [] if y is None else [y]
            if len(listed) != len(passed):
                raise ValueError(
                    f"y is missing for the outputs {passed}, whose target_tensors are None or "
                    f"placeholders; got {len(listed)} targets. Pass fit(x, y), y in this order."
                )
            found = dict(zip(passed, listed, strict=True))
        return {**{name: t for name, t in self.tensors.items() if t is not None}, **found}


def _named(given: Any, names: list[str]) -> dict[str, Any]:
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in names]
        if unknown:
            raise ValueError(
                f"target_tensors names an output {unknown[0]!r} that the model does not have."
                f"{registry.suggestion(str(unknown[0]), names)} Its outputs are {names}."
            )
        return {name: given.get(name) for name in names}
    listed = list(given) if isinstance(given, list | tuple) else [given]
    if len(listed) != len(names):
        raise ValueError(
            f"target_tensors has {len(listed)} tensors, but the model has {len(names)} outputs "
            f"{names}. Give one for each, None for those whose targets are passed to fit."
        )
    return dict(zip(names, listed, strict=True))


def _value(tensor: Any) -> Any:
    """A tensor with values; ``None`` where the target is passed."""
    if not isinstance(tensor, KerasTensor):
        return tensor
    if tensor.value is None and tensor.node is not None and tensor.node.inputs:
        raise ValueError(
            f"target_tensors are tensors with values, or placeholders; {tensor!r} is computed from "
            "other tensors. Leave it out, and write model.add_loss(K.mean(...)) with it."
        )
    return tensor.value
