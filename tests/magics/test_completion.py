"""The Tab key, with and without jedi."""

from __future__ import annotations

import pytest
from IPython.core.completer import provisionalcompleter

from nbkeras.magics import warm
from tests.magics.conftest import NET, Notebook


@pytest.fixture(params=[True, False], ids=["jedi", "no-jedi"])
def typing(notebook: Notebook, request: pytest.FixtureRequest) -> Notebook:
    notebook.shell.Completer.use_jedi = request.param
    warm.finish()
    notebook.run(NET)
    notebook.run("model_b = net; x_test = x[:8]; number = 3")
    return notebook


def completed(notebook: Notebook, text: str) -> set[str]:
    """What the text may become."""
    with provisionalcompleter():
        found = notebook.shell.Completer.completions(text, len(text))
        return {text[: one.start] + one.text for one in found}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%fit --ep", {"%fit --epochs"}),
        (
            "h = %fit net x --val",
            {
                "h = %fit net x --validation-split",
                "h = %fit net x --validation-data",
                "h = %fit net x --validation-steps",
                "h = %fit net x --validation-freq",
            },
        ),
        (
            "a = 1\n%fit --epochs 3 --ba",
            {
                "a = 1\n%fit --epochs 3 --batch-size",
                "a = 1\n%fit --epochs 3 --background",
            },
        ),
        ("%evaluate --bat", {"%evaluate --batch-size"}),
        ("%%model net --opt", {"%%model net --optimizer"}),
        ("%summary --show g", {"%summary --show graph"}),
        ("%summary --show=t", {"%summary --show=table", "%summary --show=text"}),
        ("%%model net --show t", {"%%model net --show table"}),
        ("%fit ne", {"%fit net"}),
        ("%fit mod", {"%fit model_b"}),
        ("%fit net x_", {"%fit net x_test"}),
        ("%predict x_", {"%predict x_test"}),
        ("%fit --epochs 3 --epo", set()),
    ],
)
def test_it_completes_to_exactly(typing: Notebook, text: str, expected: set[str]) -> None:
    found = completed(typing, text)
    assert expected <= found
    assert {one for one in found - expected if "--" in one.rpartition(" ")[2]} == set()


@pytest.mark.parametrize(
    ("text", "among"),
    [
        ("%%model net --optimizer ad", "%%model net --optimizer adam"),
        ("%%model net --loss m", "%%model net --loss mse"),
        ("%%model net --metrics acc,ma", "%%model net --metrics acc,mae"),
        ("%fit net x y --callbacks Early", "%fit net x y --callbacks EarlyStopping"),
        ("%fit net x y --callbacks [Early", "%fit net x y --callbacks [EarlyStopping"),
        ("%fit net x y --validation-data (x_", "%fit net x y --validation-data (x_test"),
        ("%%model net --input x_", "%%model net --input x_test"),
        ("%%model net\nDen", "%%model net\nDense"),
        ("%%model net\na = Drop", "%%model net\na = Dropout"),
        ("%fit ", "%fit net"),
        ("%fit ", "%fit x_test"),
    ],
)
def test_among_what_it_completes_to(typing: Notebook, text: str, among: str) -> None:
    assert among in completed(typing, text)


@pytest.mark.parametrize("text", ["number.real", "%time number", "Den", "other %fit --ep"])
def test_it_keeps_out_of_other_lines(typing: Notebook, text: str) -> None:
    ours = {"Dense", "--epochs"}
    assert not {one for one in completed(typing, text) if one.rpartition(" ")[2] in ours}


def test_it_waits_for_nothing(typing: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "is_ready", lambda: False)
    assert "%%model net\nDense" not in completed(typing, "%%model net\nDen")
    assert "%fit --epochs" in completed(typing, "%fit --ep")
