"""``%evaluate``: the losses and metrics of a model on data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from IPython.core.magic import line_magic, magics_class, needs_local_scope, no_var_expand

from nbkeras.magics.arguments import CommandParser, Namespace, command
from nbkeras.magics.base import Command, flag, given, guarded, whole
from nbkeras.magics.fit import _anything, _callbacks, _count

__all__ = ["EvaluateMagic", "Scores"]

PARSER = CommandParser(
    "evaluate",
    "[NAME] [x y]",
    "Measure a model's loss and metrics on data, and return them.",
    details=(
        "Without data it takes those of the last %evaluate, else the validation data of the last\n"
        "%fit, else its training data, and says which."
    ),
    examples=["net x_test y_test", "x_test y_test --batch-size 256"],
)
PARSER.add_value("batch-size", "N", "rows in a step (32)")
PARSER.add_value("verbose", "0|1", "text: none, a bar (0)")
PARSER.add_value("sample-weight", "ARRAY", "how much a row counts")
PARSER.add_value("steps", "N", "steps, for generators and tensors")
PARSER.add_value("callbacks", "LIST", "one callback, or a list of them")
PARSER.add_value("max-queue-size", "N", "batches that a generator is ahead (10)")
PARSER.add_value("workers", "N", "threads or processes that feed from a generator (1)")
PARSER.add_value("use-multiprocessing", "BOOL", "processes instead of threads (False)")

OPTIONS = {
    "batch_size": _count,
    "verbose": whole,
    "sample_weight": _anything,
    "steps": _count,
    "callbacks": _callbacks,
    "max_queue_size": _count,
    "workers": whole,
    "use_multiprocessing": flag,
}


class Scores(list[float]):
    """What ``evaluate`` returns, a list, that also knows the names.

    >>> scores = Scores([0.25, 0.5], ["loss", "acc"])
    >>> loss, accuracy = scores
    >>> scores["acc"], scores
    (0.5, loss 0.25, acc 0.5)
    """

    def __init__(self, values: Iterable[float], names: Iterable[str]) -> None:
        super().__init__(values)
        self.names = list(names)

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self.names.index(key) if isinstance(key, str) else key)

    def __repr__(self) -> str:
        return ", ".join(f"{n} {v:.4g}" for n, v in zip(self.names, self, strict=True))


@magics_class
class EvaluateMagic(Command):
    """``%evaluate``."""

    @needs_local_scope
    @no_var_expand
    @line_magic
    @guarded
    @command(PARSER)
    def evaluate(self, arguments: Any, namespace: Namespace) -> Any:
        session = self.session
        model, name, words = session.take_model(arguments.words, namespace, PARSER)
        data = session.take_data(words, namespace, PARSER)
        options = {"verbose": 0, **given(arguments, OPTIONS, namespace)}
        if data is None:
            data = session.tested or session.data
            if data is None:
                PARSER.fail("which data? Name x and y")
            print(f"On {data.source}:")
        session.refuse_if_training(model, "%evaluate")
        session.use(model, name)
        session.tested = data
        scores = model.evaluate(data.x, data.y, **options)
        if not isinstance(scores, list | tuple):
            return scores
        return Scores(scores, model.metrics_names)
