"""``%fit``: train a model, in the foreground or behind it."""

from __future__ import annotations

import sys
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import line_magic, magics_class, needs_local_scope, no_var_expand

from nbkeras import events
from nbkeras.magics.arguments import CommandParser, Namespace, command
from nbkeras.magics.base import Command, flag, given, guarded, rate, whole
from nbkeras.magics.run import Run
from nbkeras.magics.session import Data

__all__ = ["FitMagic"]

PARSER = CommandParser(
    "fit",
    "[NAME] [x y]",
    "Train a model and return its History.",
    details=(
        "Without a model or without data it takes those of the last %%model or %fit. Values are\n"
        "Python expressions in your namespace; one with blanks in it stands in brackets.\n"
        "The training runs in a thread of its own. The interrupt button ends it after the step\n"
        "in flight, and the History is returned all the same. A trailing ; shows no result."
    ),
    examples=[
        "net x_train y_train --epochs 5 --validation-split 0.1",
        "--epochs 20 --callbacks [EarlyStopping(patience=2)]",
        "net x_train y_train --validation-data (x_test, y_test) --background",
    ],
)
PARSER.add_value("epochs", "N", "the epoch to train up to (1)")
PARSER.add_value("batch-size", "N", "rows in a step (32)")
PARSER.add_value("validation-split", "F", "the last part of the rows is validated on: 0.1")
PARSER.add_value("validation-data", "DATA", "(x, y) or (x, y, weights) to validate on")
PARSER.add_value("callbacks", "LIST", "one callback, or a list of them")
PARSER.add_value("verbose", "0|1|2", "text: none, a bar, a line an epoch (0 with the panel)")
PARSER.add_value("shuffle", "BOOL", "a new order of rows each epoch (True), or batch")
PARSER.add_value("class-weight", "DICT", "how much a class counts: {0: 1., 1: 5.}")
PARSER.add_value("sample-weight", "ARRAY", "how much a row counts")
PARSER.add_value("initial-epoch", "N", "the epoch to begin with (0)")
PARSER.add_value("steps-per-epoch", "N", "steps in an epoch, for generators and tensors")
PARSER.add_value("validation-steps", "N", "steps of a validation")
PARSER.add_value("validation-freq", "N", "validate each N-th epoch, or in a list of epochs (1)")
PARSER.add_value("max-queue-size", "N", "batches that a generator is ahead (10)")
PARSER.add_value("workers", "N", "threads or processes that feed from a generator (1)")
PARSER.add_value("use-multiprocessing", "BOOL", "processes instead of threads (False)")
PARSER.add_flag("background", "return at once, a handle with .wait(), .stop(), .status, ...")
PARSER.add_flag("no-panel", "no live panel; progress as text")


def _anything(value: Any, option: str) -> Any:
    return value


def _count(value: Any, option: str) -> int | None:
    return None if value is None else whole(value, option, 1)


def _share(value: Any, option: str) -> float:
    share = 0.0 if value == 0 and not isinstance(value, bool) else rate(value, option)
    if share >= 1:
        raise UsageError(f"{option} is a part of the rows, from 0 to below 1, not {value!r:.60}.")
    return share


def _callbacks(value: Any, option: str) -> list[Any]:
    callbacks = list(value) if isinstance(value, list | tuple) else [value]
    for callback in callbacks:
        if isinstance(callback, type):
            name = callback.__name__
            raise UsageError(f"{option}: {name} is a class; write {name}() with its arguments.")
        if not (hasattr(callback, "on_epoch_end") or hasattr(callback, "handle")):
            raise UsageError(
                f"{option} takes callbacks such as EarlyStopping(), not {callback!r:.60}."
            )
    return callbacks


OPTIONS = {
    "epochs": lambda value, option: whole(value, option, 1),
    "batch_size": _count,
    "validation_split": _share,
    "validation_data": _anything,
    "callbacks": _callbacks,
    "verbose": whole,
    "shuffle": _anything,
    "class_weight": _anything,
    "sample_weight": _anything,
    "initial_epoch": whole,
    "steps_per_epoch": _count,
    "validation_steps": _count,
    "validation_freq": _anything,
    "max_queue_size": _count,
    "workers": whole,
    "use_multiprocessing": flag,
}


@magics_class
class FitMagic(Command):
    """``%fit``."""

    @needs_local_scope
    @no_var_expand
    @line_magic
    @guarded
    @command(PARSER)
    def fit(self, arguments: Any, namespace: Namespace) -> Any:
        session = self.session
        model, name, words = session.take_model(arguments.words, namespace, PARSER)
        data = session.take_data(words, namespace, PARSER) or session.data
        if data is None:
            PARSER.fail("which data? Name x and y")
        options = given(arguments, OPTIONS, namespace, words=("batch",))
        if getattr(model, "optimizer", None) is None:
            raise UsageError(
                f"%fit: {name} is not compiled: give %%model a --loss, or call "
                f"{name}.compile(optimizer='adam', loss='mse')."
            )
        session.refuse_if_training(model, "%fit")
        session.use(model, name)
        session.data = data
        if "validation_data" in options:
            validation = options["validation_data"]
            if isinstance(validation, list | tuple) and len(validation) in (2, 3):
                source = arguments.validation_data
                session.tested = Data(validation[0], validation[1], source)
        return self._train(name, model, data, options, arguments)

    def _train(
        self, name: str, model: Any, data: Data, options: dict[str, Any], arguments: Any
    ) -> Any:
        from nbkeras.widgets import TrainingPanel
        from nbkeras.widgets.base import in_kernel

        callbacks = options.pop("callbacks", [])
        shown = any(isinstance(callback, TrainingPanel) for callback in callbacks)
        panel = None
        if in_kernel() and not (shown or arguments.no_panel):
            panel = TrainingPanel()
        options.setdefault("verbose", 0 if panel or shown else 1)

        def train(run: Run) -> Any:
            listeners = [run, panel] if panel else [run]
            return model.fit(data.x, data.y, callbacks=[*callbacks, *listeners], **options)

        if not arguments.background:
            run = self.session.start(name, model, train)
            history = self.session.finish(run)
            if run.status == "interrupted" and panel is None:
                print(f"Interrupted in {run.progress}; {name} keeps what it has learned.")
            return history
        if panel:
            panel.show()  # here, where the output is certain to be this cell's
        run = self.session.start(name, model, train)
        run.when_done(lambda: _tell_failure(run, panel))
        return run


def _tell_failure(run: Run, panel: Any) -> None:
    """An error behind the scenes: in the panel and in the cell that began the run."""
    if run.error is None:
        return
    kind, message = type(run.error).__name__, str(run.error)
    if panel is not None and panel.state.status != "failed":
        panel.handle(events.RunFailed(panel.state.run, kind, message, 0.0))
    print(f"The training of {run.name} failed: {kind}: {message}", file=sys.stderr, flush=True)
