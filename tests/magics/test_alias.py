"""``%nbkeras alias``: whose keras the cells of a notebook import."""

from __future__ import annotations

import sys

import pytest
from IPython.core.error import UsageError

from nbkeras.core.alias import Imports
from tests.magics.conftest import Notebook


def test_cells_import_nbkeras_and_nobody_else_does(notebook: Notebook) -> None:
    before = sys.modules.get("keras")
    assert "imports the keras package" in notebook.shown("%nbkeras alias")
    assert "imports nbkeras" in notebook.shown("%nbkeras alias on")
    notebook.run("import keras\nfrom keras.layers import Dense\nimport keras.backend as K")
    assert notebook["keras"].__name__ == "nbkeras.core"
    assert notebook["Dense"].__module__.startswith("nbkeras.core.layers")
    assert notebook["K"].__name__ == "nbkeras.core.backend"
    assert sys.modules.get("keras") is before
    notebook.run("%nbkeras alias on")
    assert len([t for t in notebook.shell.ast_transformers if isinstance(t, Imports)]) == 1
    notebook.run("%nbkeras alias off")
    assert not any(isinstance(t, Imports) for t in notebook.shell.ast_transformers)


def test_unloading_takes_it_away(bare: Notebook) -> None:
    bare.run("%load_ext nbkeras")
    bare.run("%nbkeras alias on")
    bare.run("%unload_ext nbkeras")
    assert not any(isinstance(t, Imports) for t in bare.shell.ast_transformers)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%nbkeras", "alias on"),
        ("%nbkeras aliass on", "alias on"),
        ("%nbkeras alias maybe", "on or off"),
    ],
)
def test_wrong_calls(notebook: Notebook, line: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        notebook.run(line)
