"""What a shell gets by ``%load_ext``, and how it is taken away again."""

from __future__ import annotations

from typing import Any

from nbkeras.magics import alias
from nbkeras.magics.completion import matcher
from nbkeras.magics.evaluate import EvaluateMagic
from nbkeras.magics.fit import FitMagic
from nbkeras.magics.model import ModelMagic
from nbkeras.magics.predict import PredictMagic
from nbkeras.magics.session import Session
from nbkeras.magics.summary import SummaryMagic
from nbkeras.magics.views import Formatters

__all__ = ["Installation"]

MAGICS = (ModelMagic, FitMagic, EvaluateMagic, PredictMagic, SummaryMagic, alias.AliasMagic)


class Installation:
    """The magics of one shell, their session, completion and views."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        manager = shell.magics_manager
        self._before = {kind: dict(table) for kind, table in manager.magics.items()}
        self._registry = dict(manager.registry)
        self.session = Session(shell)
        self._formatters = Formatters(shell, self.session)
        shell.register_magics(*[kind(shell, self.session) for kind in MAGICS])
        self._added = {
            kind: {name: magic for name, magic in table.items() if self._is_ours(magic)}
            for kind, table in manager.magics.items()
        }
        parsers = {
            magic.parser.command: magic.parser
            for table in self._added.values()
            for magic in table.values()
        }
        self._matcher = matcher(shell, parsers)
        shell.Completer.custom_matchers.append(self._matcher)

    def remove(self) -> None:
        """Take away what is still ours, and put back what it hid."""
        manager = self._shell.magics_manager
        for kind, added in self._added.items():
            for name, magic in added.items():
                if manager.magics[kind].get(name) == magic:
                    manager.magics[kind].pop(name)
                    if name in self._before[kind]:
                        manager.magics[kind][name] = self._before[kind][name]
        for magics in MAGICS:
            manager.registry.pop(magics.__name__, None)
        manager.registry.update(
            {name: value for name, value in self._registry.items() if name not in manager.registry}
        )
        if self._matcher in self._shell.Completer.custom_matchers:
            self._shell.Completer.custom_matchers.remove(self._matcher)
        alias.remove(self._shell)
        self._formatters.remove()
        self.session.close()

    def _is_ours(self, magic: Any) -> bool:
        return isinstance(getattr(magic, "__self__", None), MAGICS)
