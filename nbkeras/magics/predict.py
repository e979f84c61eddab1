"""``%predict``: what a model answers."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import line_magic, magics_class, needs_local_scope, no_var_expand

from nbkeras.magics.arguments import CommandParser, Namespace, command
from nbkeras.magics.base import Command, given, guarded
from nbkeras.magics.evaluate import OPTIONS

__all__ = ["PredictMagic"]

PARSER = CommandParser(
    "predict",
    "[NAME] [x]",
    "Return what a model answers to data.",
    details="Without data it takes those of the last %evaluate or %fit, and says which.",
    examples=["net x_test", "x_test[:10]"],
)
PARSER.add_value("batch-size", "N", "rows in a step (32)")
PARSER.add_value("verbose", "0|1", "text: none, a bar (0)")
PARSER.add_value("steps", "N", "steps, for generators and tensors")
PARSER.add_value("callbacks", "LIST", "one callback, or a list of them")
PARSER.add_value("max-queue-size", "N", "batches that a generator is ahead (10)")
PARSER.add_value("workers", "N", "threads or processes that feed from a generator (1)")
PARSER.add_value("use-multiprocessing", "BOOL", "processes instead of threads (False)")


@magics_class
class PredictMagic(Command):
    """``%predict``."""

    @needs_local_scope
    @no_var_expand
    @line_magic
    @guarded
    @command(PARSER)
    def predict(self, arguments: Any, namespace: Namespace) -> Any:
        session = self.session
        model, name, words = session.take_model(arguments.words, namespace, PARSER)
        if len(words) > 1:
            PARSER.fail(f"there is one model and x, and here is also {' '.join(words[1:])!r}")
        data = session.take_data(words, namespace, PARSER)
        checks = {key: check for key, check in OPTIONS.items() if key != "sample_weight"}
        options = {"verbose": 0, **given(arguments, checks, namespace)}
        if data is None:
            data = session.tested or session.data
            if data is None:
                PARSER.fail("which data? Name x")
            print(f"On {data.source}:")
        session.use(model, name)
        return model.predict(data.x, **options)
