"""``%fit`` as a call: what it passes on, what it remembers, what it refuses."""

from __future__ import annotations

import inspect
import threading
from typing import Any

import numpy as np
import pytest
from IPython.core.error import UsageError

from nbkeras.magics.fit import PARSER
from tests.magics.conftest import NET, Notebook


@pytest.fixture
def calls(trained: Notebook, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the model's fit was called with."""
    seen: list[dict[str, Any]] = []
    model = trained["net"]
    real = model.fit

    def fit(x: Any, y: Any, **options: Any) -> Any:
        seen.append({"x": x, "y": y, "thread": threading.current_thread(), **options})
        allowed = {"epochs", "callbacks", "verbose"}
        return real(x, y, **{key: options[key] for key in options if key in allowed})

    monkeypatch.setattr(model, "fit", fit)
    return seen


def test_it_trains_and_returns_the_history(trained: Notebook) -> None:
    history = trained.run("h = %fit net x y --epochs 3 --validation-split 0.25 --verbose 0\nh")
    assert set(history.history) >= {"loss", "val_loss"}
    assert len(history.history["loss"]) == 3


def test_every_argument_of_fit_has_its_option(trained: Notebook) -> None:
    arguments = set(inspect.signature(type(trained["net"]).fit).parameters)
    arguments -= {"self", "x", "y", "kwargs"}
    options = {option.lstrip("-").replace("-", "_") for option in PARSER.options}
    assert arguments <= options
    assert options - arguments == {"help", "background", "no_panel"}


def test_values_are_expressions(trained: Notebook, calls: list[dict[str, Any]]) -> None:
    trained["n"] = 4
    trained["weights"] = np.ones(64)
    trained.run(
        "%fit net x[:32] y[:32] --epochs (n // 2) --batch-size {n} --verbose 0"
        + " --class-weight {0: 1., 1: 2.} --sample-weight weights[:32] --shuffle batch"
        + " --validation-data (x[32:], y[32:]) --initial-epoch 0 --validation-freq [1,2]"
        + " --steps-per-epoch None --validation-steps 3 --max-queue-size 5 --workers 0"
        + " --use-multiprocessing False"
    )
    [call] = calls
    assert call["x"].shape == (32, 8)
    assert (call["epochs"], call["batch_size"], call["verbose"]) == (2, 4, 0)
    assert call["class_weight"] == {0: 1.0, 1: 2.0}
    assert call["sample_weight"].shape == (32,)
    assert call["shuffle"] == "batch"
    assert call["validation_data"][0].shape == (32, 8)
    assert call["validation_freq"] == [1, 2]
    assert call["steps_per_epoch"] is None
    assert (call["validation_steps"], call["max_queue_size"], call["workers"]) == (3, 5, 0)
    assert call["use_multiprocessing"] is False


def test_what_is_not_said_is_not_passed(trained: Notebook, calls: list[dict[str, Any]]) -> None:
    trained.run("%fit net x y")
    assert set(calls[0]) == {"x", "y", "thread", "callbacks", "verbose"}
    assert calls[0]["verbose"] == 1  # in a terminal there is no panel


def test_training_never_runs_in_the_main_thread(
    trained: Notebook, calls: list[dict[str, Any]]
) -> None:
    trained.run("%fit net x y --verbose 0")
    assert calls[0]["thread"] is not threading.main_thread()


def test_callbacks_need_no_import(trained: Notebook, calls: list[dict[str, Any]]) -> None:
    trained.run("%fit net x y --callbacks EarlyStopping('loss') --verbose 0")
    trained.run("%fit --callbacks [EarlyStopping('loss'), LambdaCallback()] --verbose 0")
    names = [[type(callback).__name__ for callback in call["callbacks"]] for call in calls]
    assert names == [["EarlyStopping", "Run"], ["EarlyStopping", "LambdaCallback", "Run"]]
    assert "EarlyStopping" not in trained


def test_the_last_model_and_data_are_taken(trained: Notebook, calls: list[dict[str, Any]]) -> None:
    trained.run("%fit net x[:16] y[:16] --verbose 0")
    trained.run("%fit --verbose 0")
    trained.run("%fit x y --verbose 0")
    trained.run("%fit net --verbose 0")
    assert [len(call["x"]) for call in calls] == [16, 16, 64, 64]


def test_a_local_name_is_found(trained: Notebook, calls: list[dict[str, Any]]) -> None:
    trained.run(
        "def train(rows):\n"
        "    a, b = x[:rows], y[:rows]\n"
        "    get_ipython().run_line_magic('fit', 'net a b --verbose 0')\n"
        "train(8)\n"
    )
    assert len(calls[0]["x"]) == 8


def test_a_trailing_semicolon_hides_the_result(trained: Notebook) -> None:
    assert "History" in trained.shown("%fit net x y --verbose 0")
    assert "History" not in trained.shown("%fit net x y --verbose 0;")
    trained.run("h = %fit net x y --verbose 0;")
    assert trained["h"].history


def test_the_history_is_one_line_without_an_address(trained: Notebook) -> None:
    trained.run("h = %fit net x y --epochs 2 --verbose 0")
    text = trained.shown("h")
    assert "History of 2 epochs: loss " in text
    assert "0x" not in text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("%fit nett x y", "there is no 'nett'. Did you mean 'net'?"),
        ("%fit net xx y", "there is no 'xx'. Did you mean 'x'?"),
        ("%fit net x y x", "one model, x and y, and here is also 'x'"),
        ("%fit net x y --epoch 3", "no option --epoch. Did you mean --epochs?"),
        ("%fit net x y epochs=3", "write --epochs 3"),
        ("%fit net x y --epochs", "--epochs needs a value"),
        ("%fit net x y --epochs 0", "--epochs takes a whole number from 1 on, not 0"),
        ("%fit net x y --epochs ten", "--epochs: there is no 'ten'"),
        ("%fit net x y --epochs 2.5", "--epochs takes a whole number"),
        ("%fit net x y --batch-size -1", "--batch-size takes a whole number from 1 on"),
        ("%fit net x y --validation-split 1", "from 0 to below 1, not 1"),
        ("%fit net x y --callbacks EarlyStopping", "is a class; write EarlyStopping()"),
        ("%fit net x y --callbacks 3", "takes callbacks such as EarlyStopping(), not 3"),
        ("%fit net x y --use-multiprocessing maybe", "there is no 'maybe'"),
        ("%fit net (x y", "missing )"),
    ],
)
def test_wrong_calls(trained: Notebook, line: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        trained.run(line)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_without_a_model_or_data(notebook: Notebook) -> None:
    with pytest.raises(UsageError, match="which model"):
        notebook.run("%fit x y")
    notebook.run(NET)
    with pytest.raises(UsageError, match="which data"):
        notebook.run("%fit")


def test_a_model_that_is_not_compiled(notebook: Notebook) -> None:
    notebook.run("%%model net --input x --show none\nDense(1)")
    with pytest.raises(UsageError, match=r"net is not compiled: give %%model a --loss"):
        notebook.run("%fit net x y")


def test_an_error_of_the_data_is_short(trained: Notebook) -> None:
    text = trained.shown("%fit net x y[:5] --verbose 0")
    assert text.startswith("ValueError: ")
    assert "64" in text
    assert "5" in text
    assert len(text.strip().split("\n")) <= 3
    trained.run("%xmode Verbose")
    try:
        assert "Traceback" in trained.shown("%fit net x y[:5] --verbose 0")
    finally:
        trained.run("%xmode Context")


def test_help(trained: Notebook) -> None:
    text = trained.shown("%fit --help")
    assert "usage: %fit [NAME] [x y] [options]" in text
    assert "%fit net x_train y_train --epochs 5" in text
    assert trained.shell.find_line_magic("fit").__doc__.strip() == text.strip()


# ---------------------------------------------------------------- --background


def test_background_returns_a_handle(trained: Notebook) -> None:
    run = trained.run("run = %fit net x y --epochs 3 --verbose 0 --background\nrun")
    history = run.wait(timeout=60)
    assert (run.status, run.active) == ("finished", False)
    assert run.history is history.history
    assert repr(run).startswith("<Run of net: finished: loss ")


def test_the_handle_raises_what_the_training_raised(trained: Notebook) -> None:
    text = trained.shown("run = %fit net x y[:5] --verbose 0 --background")
    with pytest.raises(ValueError, match="64"):
        trained["run"].wait(timeout=60)
    assert trained["run"].status == "failed"
    assert "Traceback" not in text
