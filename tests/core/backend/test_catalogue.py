"""The backend has every documented function, with its arguments and defaults."""

from __future__ import annotations

import ast
import inspect
import json
from pathlib import Path

import pytest

from nbkeras.core import backend as K

FACTS = Path(__file__).parents[2] / "conformance" / "api.json"
PREFIX = "keras.backend."
DOCUMENTED = {
    name.removeprefix(PREFIX): facts["signatures"]
    for name, facts in json.loads(FACTS.read_text(encoding="utf-8")).items()
    if name.startswith(PREFIX)
}
BEYOND_THE_MANUAL = {"is_tensor", "is_variable", "name_scope", "normalize_data_format"}


def test_facts_are_there():
    assert len(DOCUMENTED) == 149


def test_every_documented_name_is_exported_and_no_stray_one():
    assert set(K.__all__) == DOCUMENTED.keys() | BEYOND_THE_MANUAL


def test_exported_names_are_sorted_and_exist():
    assert K.__all__ == sorted(K.__all__)
    assert all(callable(getattr(K, name)) for name in K.__all__)


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_arguments_and_defaults(name):
    parameters = list(inspect.signature(getattr(K, name)).parameters.values())
    for signature in DOCUMENTED[name]:
        for parameter, (argument, default) in zip(parameters, signature, strict=False):
            assert parameter.name == argument
            if default is None:
                assert parameter.default is inspect.Parameter.empty
            else:
                assert parameter.default == ast.literal_eval(default.strip())
        further = parameters[len(signature) :]
        assert len(parameters) >= len(signature)
        assert all(
            p.default is not inspect.Parameter.empty or p.kind is p.VAR_KEYWORD for p in further
        )


@pytest.mark.parametrize("name", sorted(K.__all__))
def test_has_a_docstring_of_its_own(name):
    text = inspect.getdoc(getattr(K, name))
    assert text
    assert len(text.splitlines()[0]) <= 100
