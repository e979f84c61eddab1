"""``%summary``: a model's layers, as a table, a graph or text."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import line_magic, magics_class, needs_local_scope, no_var_expand

from nbkeras.magics import views
from nbkeras.magics.arguments import CommandParser, Namespace, command
from nbkeras.magics.base import Command, given, guarded, whole

__all__ = ["SummaryMagic"]

PARSER = CommandParser(
    "summary",
    "[NAME]",
    "Show a model's layers, shapes and parameters.",
    examples=["net", "net --show graph", "--show text --line-length 100"],
)
PARSER.add_value("show", "table|graph|text", "how (table)")
PARSER.add_value("line-length", "N", "characters in a line of text")
PARSER.add_value("positions", "LIST", "where the columns of text end, as parts of a line")


@magics_class
class SummaryMagic(Command):
    """``%summary``."""

    @needs_local_scope
    @no_var_expand
    @line_magic
    @guarded
    @command(PARSER)
    def summary(self, arguments: Any, namespace: Namespace) -> None:
        model, name, words = self.session.take_model(arguments.words, namespace, PARSER)
        if words:
            PARSER.fail(f"{words[0]} is no model")
        kind = views.check(arguments.show or "table", PARSER, ("table", "graph", "text"))
        layout = given(
            arguments,
            {"line_length": whole, "positions": lambda value, option: list(value)},
            namespace,
        )
        if layout and kind != "text":
            PARSER.fail("--line-length and --positions go with --show text")
        self.session.use(model, name)
        if kind == "text":
            model.summary(**layout)
        else:
            views.show(model, name, kind)
