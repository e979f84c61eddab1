"""TensorFlow is imported without the ``keras`` package, which it would import as well.

That package registers its optimizers with TensorFlow and is not used here; it takes two
fifths of the import's time. ``tf.keras`` is still there: it imports ``keras`` when it is
first used. Of what is left, a fifth would go into looking for garbage among new modules.
"""

from __future__ import annotations

import gc
import importlib.abc
import sys
import threading
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["spare_keras"]


def spare_keras() -> None:
    """See to it that the first import of TensorFlow, whoever makes it, leaves ``keras`` out.

    Nothing is done where TensorFlow or ``keras`` is imported already. The means are those
    that Python documents: a finder in ``sys.meta_path``, until TensorFlow is imported.
    """
    known = {"tensorflow", "keras"} & set(sys.modules)
    if not known and not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder("tensorflow", _TensorFlow))


class _Finder(importlib.abc.MetaPathFinder):
    """Finds a module as the other finders do, but gives it a loader of ours.

    Args:
        name: the module.
        kind: the loader, made of the module's own one and this finder.
        thread: the only thread that it works for; all if ``None``.
    """

    def __init__(self, name: str, kind: type[_Loader], thread: int | None = None) -> None:
        self.name, self.kind, self.thread = name, kind, thread

    def find_spec(
        self, fullname: str, path: Any = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.name or self.thread not in (None, threading.get_ident()):
            return None
        for finder in sys.meta_path:
            found = None if finder is self else finder.find_spec(fullname, path, target)
            if found is not None:
                if found.loader is not None:
                    found.loader = self.kind(found.loader, self)
                return found
        return None

    def end(self) -> None:
        """Find nothing any more."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)


class _Loader(importlib.abc.Loader):
    """Loads a module by its own loader."""

    def __init__(self, own: Any, finder: _Finder) -> None:
        self.own, self.finder = own, finder

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self.own.create_module(spec)
        return made


class _TensorFlow(_Loader):
    """Loads TensorFlow while its own thread cannot import ``keras``, and nothing is collected."""

    def exec_module(self, module: ModuleType) -> None:
        self.finder.end()
        module.__loader__ = self.own
        if module.__spec__ is not None:
            module.__spec__.loader = self.own
        without = _Finder("keras", _Refused, threading.get_ident())
        if "keras" not in sys.modules:
            sys.meta_path.insert(0, without)
        collecting = gc.isenabled()
        gc.disable()
        try:
            self.own.exec_module(module)
        finally:
            without.end()
            if collecting:
                gc.enable()


class _Refused(_Loader):
    """Says that there is no such package; TensorFlow goes on without it."""

    def exec_module(self, module: ModuleType) -> None:
        raise ImportError(f"{module.__name__} is left out while TensorFlow is imported.")
