"""``%nbkeras``: what concerns the whole notebook; so far, whose ``keras`` its cells import."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import line_magic, magics_class, no_var_expand

from nbkeras.core.alias import Imports
from nbkeras.magics.arguments import CommandParser, Namespace, command
from nbkeras.magics.base import Command, guarded

__all__ = ["AliasMagic"]

PARSER = CommandParser(
    "nbkeras",
    "alias [on|off]",
    "Let cells that say `import keras` import nbkeras; TensorFlow still finds its own keras.",
    examples=["alias on", "alias off", "alias"],
)


@magics_class
class AliasMagic(Command):
    """``%nbkeras``."""

    @no_var_expand
    @line_magic
    @guarded
    @command(PARSER)
    def nbkeras(self, arguments: Any, namespace: Namespace) -> None:
        words, shell = arguments.words, self.session.shell
        if not words or words[0] != "alias" or len(words) > 2:
            PARSER.fail("write %nbkeras alias on, or %nbkeras alias off")
        if len(words) == 2:
            if words[1] not in ("on", "off"):
                PARSER.fail(f"alias is on or off, not {words[1]!r}")
            remove(shell)
            if words[1] == "on":
                shell.ast_transformers.append(Imports())
        state = "nbkeras" if any(map(_is_ours, shell.ast_transformers)) else "the keras package"
        print(f"`import keras` in a cell imports {state}.")


def remove(shell: Any) -> None:
    """Let cells import what they say again."""
    shell.ast_transformers[:] = [t for t in shell.ast_transformers if not _is_ours(t)]


def _is_ours(transformer: Any) -> bool:
    return isinstance(transformer, Imports)
