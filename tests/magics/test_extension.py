"""Loading, unloading, and what the shell looks like in between."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from tests.magics.conftest import NET, Notebook

NAMES = {"line": {"fit", "evaluate", "predict", "summary"}, "cell": {"model"}}


def state(notebook: Notebook) -> object:
    """All that an extension may have touched."""
    shell = notebook.shell
    display = shell.display_formatter
    return (
        # IPython loads its own magics when they are first needed, so only names count.
        {kind: set(table) for kind, table in shell.magics_manager.magics.items()},
        {name for name in shell.magics_manager.registry if name.endswith("Magic")},
        list(shell.Completer.custom_matchers),
        {name: list(calls) for name, calls in shell.events.callbacks.items()},
        list(shell.input_transformers_cleanup),
        list(shell.input_transformers_post),
        list(shell.ast_transformers),
        dict(display.ipython_display_formatter.type_printers),
        dict(display.ipython_display_formatter.deferred_printers),
        set(display.formatters["text/plain"].type_printers),
        set(display.formatters["text/plain"].deferred_printers),
        {name for name in shell.user_ns if not name.startswith("_")},
        shell.user_ns["__builtins__"],
    )


def test_loading_adds_the_magics(notebook: Notebook) -> None:
    for kind, names in NAMES.items():
        assert names <= notebook.shell.magics_manager.magics[kind].keys()


def test_unloading_leaves_nothing(bare: Notebook) -> None:
    before = state(bare)
    manager = bare.shell.extension_manager
    manager.load_extension("nbkeras")
    bare["x"] = bare["y"] = np.ones((4, 2))
    bare.shell.run_cell(NET.replace("Dense(1)", "Dense(2)"))
    bare.shell.run_cell("h = %fit net x y --verbose 0")
    for name in ("x", "y", "net", "h"):
        del bare.shell.user_ns[name]
    manager.unload_extension("nbkeras")
    assert state(bare) == before


def test_a_magic_that_was_hidden_comes_back(bare: Notebook) -> None:
    bare.shell.register_magic_function(lambda line: "another", "line", "fit")
    bare.run("%load_ext nbkeras")
    bare.run("%unload_ext nbkeras")
    assert bare.run("%fit") == "another"


def test_loading_twice_is_harmless(bare: Notebook) -> None:
    from nbkeras import load_ipython_extension

    load_ipython_extension(bare.shell)
    before = state(bare)
    load_ipython_extension(bare.shell)
    assert state(bare) == before
    bare.run("%load_ext nbkeras")
    bare.run("%reload_ext nbkeras")
    assert len(bare.shell.Completer.custom_matchers) == 1


def test_loading_prints_nothing_and_tensorflow_comes_in_silence() -> None:
    code = (
        "import os, sys; os.environ.pop('TF_CPP_MIN_LOG_LEVEL', None)\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_line_magic('load_ext', 'nbkeras')\n"
        "print('kept', file=sys.stderr, flush=True)\n"
        "from nbkeras.magics import warm; warm.finish()\n"
        "print('tensorflow' in sys.modules, flush=True); os._exit(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("True\n", "kept\n")


@pytest.mark.parametrize(
    ("arguments", "folder"),
    [(["--prefix", "there"], "there/share/jupyter"), (["--user"], "data")],
)
def test_the_kernel_spec_starts_this_python_with_the_extension(
    tmp_path, monkeypatch, capsys, arguments, folder
) -> None:
    from nbkeras.__main__ import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    assert main(["kernelspec", "install", *arguments]) == 0
    spec = json.loads((tmp_path / folder / "kernels/nbkeras/kernel.json").read_text())
    assert spec["argv"][0] == sys.executable
    assert "--ext=nbkeras" in spec["argv"]
    assert spec["display_name"] == "Python (nbkeras)"
    assert "Python (nbkeras)" in capsys.readouterr().out


def test_a_kernel_spec_that_cannot_be_written_is_one_line(tmp_path, capsys) -> None:
    from nbkeras.__main__ import main

    (tmp_path / "file").write_text("")
    assert main(["kernelspec", "install", "--prefix", str(tmp_path / "file")]) == 1
    assert "Nothing was installed" in capsys.readouterr().err


def test_the_command_line_says_version_and_help(capsys) -> None:
    import nbkeras
    from nbkeras.__main__ import main

    assert main([]) == 0
    text = capsys.readouterr().out
    assert nbkeras.__version__ in text
    assert "kernelspec" in text
