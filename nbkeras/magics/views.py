"""How models, histories and runs are shown."""

from __future__ import annotations

from typing import Any

from nbkeras.magics import names
from nbkeras.magics.arguments import CommandParser, closest
from nbkeras.magics.session import Session

__all__ = ["Formatters", "check", "show"]


def check(kind: str, parser: CommandParser, kinds: tuple[str, ...]) -> str:
    """One of the kinds of view.

    Raises:
        UsageError: it is none.
    """
    kind = kind.strip("'\"")
    if kind not in kinds:
        near = closest(kind, kinds)
        parser.fail(
            f"--show takes {', '.join(kinds[:-1])} or {kinds[-1]}, not {kind!r}",
            near and f"--show {near}",
        )
    return kind


def show(model: Any, name: str, kind: str) -> None:
    """Show a model in the cell that runs.

    Args:
        model: the model.
        name: what it is called there.
        kind: ``table``, ``graph`` or ``none``.
    """
    if kind == "none":
        return
    from nbkeras import widgets

    view = widgets.ModelGraph if kind == "graph" else widgets.LayerTable
    view(names.core("engine.describe").describe(model, name)).show()


class Formatters:
    """What IPython shows for a value of ours at the end of a cell.

    A model is shown as its table, so that ``%%model`` can return it and show it once,
    and a History in one line; neither holds an address in memory, which would make every
    saved notebook differ from the one before.
    """

    def __init__(self, shell: Any, session: Session) -> None:
        self._shell, self._session = shell, session
        self._changed: list[tuple[Any, type]] = []

    def learn(self, value: Any) -> None:
        """Take note of the class of a model or a History."""
        formatters = self._shell.display_formatter
        for kind in type(value).__mro__:
            if not kind.__module__.startswith("nbkeras.core"):
                continue
            if kind.__name__ == "Model":
                self._add(formatters.ipython_display_formatter, kind, self._show_model)
            elif kind.__name__ == "History":
                self._add(formatters.formatters["text/plain"], kind, _print_history)

    def _add(self, formatter: Any, kind: type, function: Any) -> None:
        if (formatter, kind) not in self._changed:
            formatter.for_type(kind, function)
            self._changed.append((formatter, kind))

    def remove(self) -> None:
        """Leave IPython as it was."""
        for formatter, kind in self._changed:
            formatter.pop(kind, None)
        self._changed.clear()

    def _show_model(self, model: Any) -> bool:
        """A table, or what the ``%%model`` of this very cell asked for."""
        name, kind = model.name, "table"
        if self._session.view is not None:
            cell, shown, asked, called = self._session.view
            if cell == self._shell.execution_count and shown is model:
                name, kind = called, asked
        show(model, name, kind)
        return True


def _print_history(history: Any, printer: Any, cycle: bool) -> None:
    logs = history.history
    epochs = max(map(len, logs.values()), default=0)
    last = ", ".join(f"{name} {values[-1]:.4g}" for name, values in logs.items() if values)
    printer.text(f"History of {epochs} epoch{'s' * (epochs != 1)}" + (f": {last}" if last else ""))
