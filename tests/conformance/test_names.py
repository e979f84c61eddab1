"""Every documented name is there, with its arguments and defaults.

``api.json`` holds the facts: what the manual and the later pages call a symbol, and
the signatures they print.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from nbkeras.core import layers, models
from nbkeras.core.engine import spelling
from nbkeras.core.engine.layer import _KEYWORDS

FACTS: dict[str, Any] = json.loads(Path(__file__).with_name("api.json").read_text(encoding="utf-8"))

NOT_YET: tuple[str, ...] = ()
"""What is not built yet: symbols, or all that is below a name. The table can only shrink."""


ELSEWHERE = {"keras.layers.Layer.reset_states": "keras.layers.RNN.reset_states"}
"""Methods that a page shows with a variable, whose class it does not say."""


def find(name: str) -> Any:
    """What a documented name stands for: the longest module in it, then attributes."""
    parts = ELSEWHERE.get(name, name).split(".")[1:]
    for depth in range(len(parts), -1, -1):
        try:
            value: Any = importlib.import_module(".".join(["nbkeras.core", *parts[:depth]]))
        except ModuleNotFoundError:
            continue
        for part in parts[depth:]:
            value = getattr(value, part)
        return value
    raise AttributeError(name)


def is_there(name: str) -> bool:
    try:
        find(name)
    except AttributeError:
        return False
    return True


def waits(name: str) -> bool:
    return any(name == later or name.startswith(f"{later}.") for later in NOT_YET)


DOCUMENTED = sorted(name for name in FACTS if not waits(name))
SIGNATURES = [
    (name, number) for name in DOCUMENTED for number in range(len(FACTS[name]["signatures"]))
]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_documented_name_is_there(name):
    kind = FACTS[name]["kind"]
    owner, _, attribute = name.rpartition(".")
    if kind == "attribute" and not is_there(name):
        assert hasattr(find(owner)(), attribute)
    elif kind in ("function", "method", "class"):
        assert callable(find(name))
    else:
        assert is_there(name)


@pytest.mark.parametrize("later", NOT_YET)
def test_what_is_not_built_yet_is_not_there(later):
    """When it is, its line leaves the table, and its names are tested above."""
    names = [name for name in FACTS if name == later or name.startswith(f"{later}.")]
    assert names
    assert not [name for name in names if is_there(name)]


# ---------------------------------------------------------------- arguments

OLDER = {
    "epsilon": "min_delta",  # of ReduceLROnPlateau
    "max_q_size": "max_queue_size",
    "nb_epoch": "epochs",
    "nb_val_samples": "validation_steps",
    "samples_per_epoch": "steps_per_epoch",
    "val_samples": "steps",
}
"""Arguments of functions and methods that have another name now."""

NAMELESS = {
    (
        "keras.layers.Layer.call",
        "x",
    ): "the first argument; a page calls it so in a class of its own",
    ("keras.models.Model.add_loss", "loss_tensor"): "the first argument, in an example",
    ("keras.utils.Sequence.__getitem__", "idx"): "what stands in brackets",
    ("keras.utils.np_utils.to_categorical", "int_labels"): "the first argument, in an example",
}
"""Arguments that a page gives by position."""

BY_NAME = {
    "keras.applications.inception_resnet_v2.InceptionResNetV2": "the page left input_tensor out",
    "keras.datasets.boston_housing.load_data": "a list of arguments, not a call",
    "keras.datasets.reuters.load_data": "the page lost the call's first lines",
    "keras.initializers.random_normal": "an example",
    "keras.layers.Layer.add_weight": "an example; what it leaves out stands between",
    "keras.preprocessing.image.ImageDataGenerator": "Keras 2.3 put brightness_range between",
    "keras.preprocessing.image.ImageDataGenerator.flow": "Keras 2.3 put sample_weight between",
    "keras.preprocessing.image.load_img": "Keras 2.3 put grayscale and color_mode between",
}
"""Calls that a page shows with names, or whose order a later version changed."""

OTHERWISE = {
    ("keras.Input", "sparse"): "the page prints no default",
    ("keras.models.Sequential.compile", "metrics"): "an older page says [] for none",
    ("keras.models.Sequential.evaluate", "batch_size"): "32, said by None as the manual has it",
    ("keras.models.Sequential.fit", "batch_size"): "32, said by None as the manual has it",
    ("keras.models.Sequential.fit", "callbacks"): "an older page says [] for none",
    ("keras.models.Sequential.fit", "nb_epoch"): "10 in Keras 1; the manual says 1",
    ("keras.models.Sequential.fit_generator", "callbacks"): "an older page says [] for none",
    ("keras.models.Sequential.predict", "batch_size"): "32, said by None as the manual has it",
}
"""Defaults that differ from a page that the manual overrules (spec, INDEX.md), and why."""


def parameters_of(name: str) -> dict[str, inspect.Parameter]:
    found = dict(inspect.signature(find(name)).parameters)
    if FACTS[name]["kind"] == "method":
        found.pop("self", None)
    return found


def older_names(name: str) -> set[str]:
    """What a class's arguments were called in Keras 1, and what every layer takes."""
    value = find(name)
    if not inspect.isclass(value):
        return set(OLDER)
    keywords = _KEYWORDS if issubclass(value, layers.Layer) else set()
    tables = (spelling._tables.get(kind, {}) for kind in value.__mro__)
    parts = [rule for table in tables for rule in table.items()]
    joined = {part for _, rule in parts for part in getattr(rule, "parts", ())}
    return {old for old, _ in parts} | joined | set(OLDER) | keywords


@pytest.mark.parametrize(("name", "number"), SIGNATURES)
def test_documented_arguments_are_taken_with_their_defaults(name, number):
    parameters = parameters_of(name)
    for argument, default in FACTS[name]["signatures"][number]:
        said = argument.lstrip("*")
        known = parameters.get(OLDER.get(said, "")) or parameters.get(said)
        if known is None:
            others = older_names(name) | {n for place, n in NAMELESS if place == name}
            assert said in others, f"{name} has no argument {argument}"
        elif default is not None and (name, argument) not in OTHERWISE:
            wanted = ast.literal_eval(default)
            assert known.default == wanted, argument
            assert isinstance(known.default, bool) == isinstance(wanted, bool), argument


IN_ORDER = [
    name
    for name in DOCUMENTED
    if FACTS[name]["signatures"]
    and name not in BY_NAME
    # The pages of Sequential are older than that of Model, which has the same methods.
    and not name.startswith("keras.models.Sequential.")
]


@pytest.mark.parametrize("name", IN_ORDER)
def test_documented_arguments_may_be_given_by_position(name):
    """The manual's order rules; what it lacks comes behind, or by name only."""
    parameters = list(parameters_of(name))
    signature = [argument.lstrip("*") for argument, _ in FACTS[name]["signatures"][0]]
    renamed = [OLDER[a] if OLDER.get(a) in parameters else a for a in signature]
    if any(a not in parameters for a in renamed):
        pytest.skip("an older page, with names that are no longer used")
    assert parameters[: len(renamed)] == renamed


@pytest.mark.parametrize(
    ("method", "old"),
    [
        ("fit", {"nb_epoch": 1}),
        ("fit_generator", {"nb_epoch": 1}),
        ("fit_generator", {"samples_per_epoch": 1}),
        ("fit_generator", {"nb_val_samples": 1}),
        ("fit_generator", {"max_q_size": 1}),
        ("evaluate_generator", {"val_samples": 1}),
        ("evaluate_generator", {"max_q_size": 1}),
    ],
)
def test_older_arguments_of_methods(method, old):
    model = models.Sequential([layers.Dense(1, input_shape=(1,))])
    with (
        pytest.warns(DeprecationWarning, match=f"{next(iter(old))} is now"),
        pytest.raises(RuntimeError, match="compiled"),
    ):
        getattr(model, method)(iter([]), **old)
