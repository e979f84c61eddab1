"""How models, histories and runs are shown."""

from __future__ import annotations

from functools import partial, reduce
from typing import Any

from nbkeras.magics import names
from nbkeras.magics.arguments import CommandParser, closest
from nbkeras.magics.session import Session

__all__ = ["Formatters", "check", "show", "weights_of"]

# Named, not imported: TensorFlow stands behind them.
MODEL = ("nbkeras.core.models.model", "Model")
HISTORY = ("nbkeras.core.callbacks.history", "History")


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

    built = names.core("engine.describe").describe(model, name)
    if kind == "graph":
        widgets.ModelGraph(built, inspect=partial(weights_of, model)).show()
    else:
        widgets.LayerTable(built).show()


def weights_of(model: Any, *path: str) -> dict[str, Any]:
    """The values of a layer's weights by their names, as they are now.

    Args:
        model: the model.
        path: the layer's name; below sub-models, their names before it.
    """
    layer = reduce(_inside, path, model)
    return {weight.name: weight.numpy() for weight in layer.weights}


def _inside(parent: Any, name: str) -> Any:
    """A layer of a model, or of the model that a wrapper holds."""
    return (parent if hasattr(parent, "get_layer") else parent.layer).get_layer(name)


class Formatters:
    """What IPython shows for a value of ours at the end of a cell.

    A model is shown as its table, so that ``%%model`` can return it and show it once,
    and a History in one line; neither holds an address in memory, which would make every
    saved notebook differ from the one before.
    """

    def __init__(self, shell: Any, session: Session) -> None:
        self._shell, self._session = shell, session
        self._added = [
            (shell.display_formatter.ipython_display_formatter, *MODEL, self._show_model),
            (shell.display_formatter.formatters["text/plain"], *HISTORY, _print_history),
        ]
        for formatter, module, name, function in self._added:
            formatter.for_type_by_name(module, name, function)

    def remove(self) -> None:
        """Leave IPython as it was."""
        for formatter, module, name, _ in self._added:
            formatter.pop(f"{module}.{name}", None)

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
