"""That the harness itself sees what it claims to see."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook


def test_a_cell_runs_in_a_real_jupyterlab(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook("harness.ipynb", cells=["answer = 6 * 7", "answer"])
    notebook.run(0)
    notebook.reload()
    notebook.run(1)  # by the kernel that the page found again
    expect(notebook.output(1)).to_have_text("42")
    assert "42" in str(notebook.save()["cells"][1]["outputs"])
    notebook.theme("Dark")
    notebook.theme("Light")
    assert notebook.errors == []
