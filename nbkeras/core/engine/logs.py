"""The numbers of a batch or an epoch, by name, under both spellings of accuracy."""

from __future__ import annotations

from typing import Any

__all__ = ["Logs", "other_spelling"]


def other_spelling(name: str) -> str | None:
    """The other name of an accuracy: ``acc`` for ``accuracy`` and back.

    >>> other_spelling("val_accuracy"), other_spelling("out_acc"), other_spelling("loss")
    ('val_acc', 'out_accuracy', None)
    """
    head, _, tail = name.rpartition("_")
    swapped = {"acc": "accuracy", "accuracy": "acc"}.get(tail)
    return None if swapped is None else f"{head}_{swapped}" if head else swapped


class Logs(dict[str, Any]):
    """A dictionary that answers to ``accuracy`` where it holds ``acc``, and back.

    Only the name it holds is listed.

    >>> logs = Logs(acc=0.9)
    >>> logs["accuracy"], "accuracy" in logs, list(logs), logs.get("val_accuracy")
    (0.9, True, ['acc'], None)
    """

    def __missing__(self, key: str) -> Any:
        other = other_spelling(key) if isinstance(key, str) else None
        if other is not None and dict.__contains__(self, other):
            return dict.__getitem__(self, other)
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        if dict.__contains__(self, key):
            return True
        other = other_spelling(key) if isinstance(key, str) else None
        return other is not None and dict.__contains__(self, other)

    def get(self, key: str, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default

    def copy(self) -> Logs:
        return Logs(self)
