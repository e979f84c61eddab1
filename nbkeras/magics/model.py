"""``%%model``: a model from the layers, or the code, in a cell."""

from __future__ import annotations

import keyword
import numbers
from collections.abc import Callable
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import cell_magic, magics_class, needs_local_scope, no_var_expand

from nbkeras.magics import names, views
from nbkeras.magics.arguments import CommandParser, Namespace, command
from nbkeras.magics.base import Command, guarded, rate, whole
from nbkeras.magics.cell import Cell, Step, chain
from nbkeras.magics.session import is_model

__all__ = ["ModelMagic"]

PARSER = CommandParser(
    "model",
    "NAME",
    "Make a model, bind it to NAME, return it and show its layers.",
    details=(
        "The cell holds one layer a line, which become a Sequential, or any Python, whose last\n"
        "expression is the model or which assigns it to NAME. Layers, Input, Model, Sequential,\n"
        "keras and K are there without import. With --loss the model is compiled."
    ),
    examples=[
        "net --input x_train --loss mse",
        "net --input 8,8,1 --optimizer adam --loss categorical_crossentropy --metrics accuracy",
        "net --optimizer SGD(momentum=0.9) --lr 0.05 --loss mse --seed 1 --show graph",
    ],
    marker="%%",
)
PARSER.add_value("input", "SHAPE|ARRAY", "the shape of one row, 8,8,1, or an array of rows")
PARSER.add_value("optimizer", "NAME|OBJECT", "adam (with --loss the default), SGD(0.1), ...")
PARSER.add_value("loss", "NAME|OBJECT", "mse, categorical_crossentropy, a function, ...")
PARSER.add_value("metrics", "NAMES", "accuracy, or several: accuracy,mae")
PARSER.add_value("lr", "F", "the optimizer's learning rate")
PARSER.add_value("seed", "N", "seeds Python, NumPy and the weights, so that a run repeats")
PARSER.add_value("show", "table|graph|none", "how the model is shown (table)")


@magics_class
class ModelMagic(Command):
    """``%%model``."""

    @needs_local_scope
    @no_var_expand
    @cell_magic
    @guarded
    @command(PARSER)
    def model(self, arguments: Any, source: str, namespace: Namespace) -> Any:
        shell = self.session.shell
        name = _name(arguments.words)
        kind = views.check(arguments.show or "table", PARSER, ("table", "graph", "none"))
        shape = None
        if arguments.input is not None:
            shape = row_shape(namespace.evaluate(arguments.input, "--input"))
        compilation = _compilation(arguments, namespace)
        if arguments.seed is not None:
            seed = whole(namespace.evaluate(arguments.seed, "--seed"), "--seed")
            names.core("config").set_random_seed(seed)
        cell = Cell(shell, source)
        model = build(cell, cell.run(), name, shape)
        if compilation:
            _compile(model, name, compilation)
        shell.push({name: model})
        self.session.use(model, name)
        self.session.view = (shell.execution_count, model, kind, name)
        return model


def _name(words: list[str]) -> str:
    if len(words) != 1:
        what = f"one name, not {' '.join(words)!r}" if words else "a name for the model"
        PARSER.fail(f"expected {what}")
    name = words[0]
    if not name.isidentifier() or keyword.iskeyword(name):
        PARSER.fail(f"{name!r} is no name for a variable")
    return name


# ---------------------------------------------------------------- the input


def row_shape(value: Any) -> tuple[int | None, ...]:
    """The shape of one row, from a shape or from an array of rows.

    >>> row_shape((8, 8, 1)), row_shape(64), row_shape([[1.0, 2.0]])
    ((8, 8, 1), (64,), (2,))

    Raises:
        UsageError: it is neither.
    """
    sizes = value if isinstance(value, list | tuple) else [value]
    if sizes and all(size is None or _is_size(size) for size in sizes):
        return tuple(None if size is None else int(size) for size in sizes)
    shape = getattr(value, "shape", None)
    if shape is None and isinstance(value, list) and value:
        import numpy as np  # here: %load_ext must not wait for it

        try:
            shape = np.shape(value)
        except ValueError:
            shape = None
    if not shape:
        raise UsageError(
            f"--input takes the shape of one row, as in --input 8,8,1, or an array of rows, "
            f"not {type(value).__name__} {str(value)!r:.60}."
        )
    return tuple(shape[1:]) or (1,)


def _is_size(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and int(value) > 0


# ---------------------------------------------------------------- the model


def build(cell: Cell, steps: list[Step], name: str, shape: tuple[int | None, ...] | None) -> Any:
    """The model that a cell says.

    Raises:
        UsageError: it says none, or two; or a layer does not fit.
    """
    layer_class = names.core("layers").Layer
    layers = [step for step in steps if isinstance(step.value, layer_class)]
    others = [step for step in steps if not isinstance(step.value, layer_class)]
    last = steps[-1] if steps else None
    bound = cell.shell.user_ns.get(name) if cell.mentions(name) else None
    assigned = bound if cell.assigns(name) and is_model(bound) else None

    if last and is_model(last.value) and (others or len(layers) == 1):
        if assigned is not None and assigned is not last.value:
            raise UsageError(
                f"line {last.line}: two models: {last.text} is the last expression, and "
                f"{name} is another one. Leave one of them."
            )
        return _with_input(last.value, name, shape)
    if layers and not others and assigned is None:
        return stack(layers, name, shape)
    if not layers and is_model(bound):
        return _with_input(bound, name, shape)
    raise UsageError(_no_model(name, layers, others, assigned))


def stack(steps: list[Step], name: str, shape: tuple[int | None, ...] | None) -> Any:
    """A Sequential of the layers, one after the other.

    Raises:
        UsageError: a layer does not fit on those before it; says where and why.
    """
    model = names.core("models").Sequential(name=name)
    if shape is not None:
        model.add(names.core("layers").InputLayer(input_shape=shape))
    for step in steps:
        try:
            model.add(step.value)
        except (TypeError, ValueError) as error:
            so_far = chain(model)
            shapes = f"\n  {so_far} → {step.value.name} ✗" if so_far else ""
            raise UsageError(f"line {step.line}, {step.text}: {error}{shapes}") from error
    return model


def _with_input(model: Any, name: str, shape: tuple[int | None, ...] | None) -> Any:
    """A model of code, built if only its input was missing."""
    if shape is None:
        return model
    if not model.built:
        model.build((None, *shape))
        return model
    own = model.input_shape
    if isinstance(own, tuple) and tuple(own[1:]) != shape:
        raise UsageError(f"--input is {shape}, but the model in the cell takes {tuple(own[1:])}.")
    return model


def _no_model(name: str, layers: list[Step], others: list[Step], assigned: Any) -> str:
    """Why a cell has no model, and what to write."""
    for step in others:
        value = step.value
        if isinstance(value, type) and value.__name__ in names.for_cells():
            return f"line {step.line}: {step.text} is a class; write {value.__name__}(...)."
        if hasattr(value, "node") and hasattr(value, "shape"):
            return (
                f"line {step.line}: {step.text} is a tensor, not yet a model. "
                f"End with Model(inputs, outputs)."
            )
        home = type(value).__module__.split(".")[0]
        if home in ("keras", "tf_keras", "tensorflow"):
            kind = type(value).__name__
            return (
                f"line {step.line}: {step.text} comes from {home}. "
                f"%%model offers its own {kind} without an import; delete yours: del {kind}."
            )
    if layers and assigned is not None:
        return (
            f"line {layers[0].line}: {layers[0].text} is a layer that nothing uses, beside the "
            f"model {name}. A cell is a stack of layers or code, not both."
        )
    if layers and others:
        step = others[0]
        kind = type(step.value).__name__
        return f"line {step.line}: {step.text} is a {kind}, not a layer such as Dense(10)."
    return (
        f"The cell has no model. Write one layer a line, such as Dense(10), or end with the "
        f"model, or assign it to {name}."
    )


# ---------------------------------------------------------------- compiling


def _compilation(arguments: Any, namespace: Namespace) -> dict[str, Any]:
    """The arguments of ``compile``, ``lr`` beside them; empty if nothing was asked for."""
    asked = {
        option: getattr(arguments, option)
        for option in ("optimizer", "loss", "metrics", "lr")
        if getattr(arguments, option) is not None
    }
    if not asked:
        return {}
    if "loss" not in asked:
        PARSER.fail(f"--{next(iter(asked))} needs a --loss beside it, such as --loss mse")
    family = {"optimizer": "optimizers", "loss": "losses", "metrics": "metrics"}
    found: dict[str, Any] = {}
    for option, text in asked.items():
        if option == "lr":
            found["lr"] = rate(namespace.evaluate(text, "--lr"), "--lr")
        else:
            known = _known(names.core(family[option]), namespace)
            found[option] = namespace.evaluate(text, f"--{option}", known)
    metrics = found.get("metrics")
    if metrics is not None and not isinstance(metrics, list | dict):
        found["metrics"] = list(metrics) if isinstance(metrics, tuple) else [metrics]
    return found


def _known(family: Any, namespace: Namespace) -> Callable[[str], bool]:
    """Whether a word is to be passed on as a name: ``compile`` knows it, or nobody does.

    ``compile`` has the better answer to a name that does not exist.
    """

    def known(word: str) -> bool:
        if word in ("acc", "accuracy", "ce", "crossentropy"):
            return family.__name__.endswith("metrics")
        try:
            family.get(word)
        except (TypeError, ValueError):
            return word not in namespace
        return True

    return known


def _compile(model: Any, name: str, asked: dict[str, Any]) -> None:
    optimizer = asked.get("optimizer", "adam")
    learning_rate = asked.pop("lr", None)
    if isinstance(optimizer, type):
        optimizer = optimizer()
    try:
        if learning_rate is not None:
            optimizer = names.core("optimizers").get(optimizer)
            optimizer.lr = learning_rate
        model.compile(**{**asked, "optimizer": optimizer})
    except (TypeError, ValueError) as error:
        raise UsageError(f"%%model: {error}") from error
    if "optimizer" not in asked:
        print(f"{name} is compiled with the optimizer adam, the default.")
