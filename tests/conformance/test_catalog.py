"""The catalogue lists every public class, and no other."""

from __future__ import annotations

import importlib
import inspect

import pytest

from nbkeras.core import registry
from tests.conformance.catalog import CELLS, ELSEWHERE, HIDDEN, LAYERS, PACKAGES

FAMILIES = {
    "layer": "layers",
    "cell": "layers",
    "loss": "losses",
    "metric": "metrics",
    "optimizer": "optimizers",
    "initializer": "initializers",
    "regularizer": "regularizers",
    "constraint": "constraints",
}


def public_classes(package: str) -> set[str]:
    """The classes a package exports, by the names they define; short names of one are not counted.

    Of a class of another package (``keras.layers.InputSpec``) it is the exporting one that counts.
    """
    module = importlib.import_module(f"nbkeras.core.{package}")
    exported = {getattr(module, name) for name in module.__all__}
    return {value.__name__ for value in exported if inspect.isclass(value)}


def listed(package: str) -> set[str]:
    return set(PACKAGES[package]) | {name for home, name in ELSEWHERE if home == package}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_class_has_a_row_and_every_row_a_class(package):
    assert listed(package) == public_classes(package)


@pytest.mark.parametrize(("package", "name"), ELSEWHERE)
def test_no_class_is_listed_twice(package, name):
    assert name not in PACKAGES[package]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_registered_class_is_listed(family):
    registry.ensure(family)
    members = [registry.find(family, name) for name in registry.names(family)]
    classes = {member.__name__ for member in members if inspect.isclass(member)}
    assert classes <= listed(FAMILIES[family]) | set(PACKAGES["models"]) | HIDDEN


@pytest.mark.parametrize("package", [*PACKAGES, "activations", "backend"])
def test_exports_exist(package):
    module = importlib.import_module(f"nbkeras.core.{package}")
    assert len(set(module.__all__)) == len(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)


@pytest.mark.parametrize("package", [p for p in PACKAGES if p != "layers"])
def test_rows_make_what_they_say(package, tmp_path):
    module = importlib.import_module(f"nbkeras.core.{package}")
    for name, make in PACKAGES[package].items():
        made = make(tmp_path) if package == "callbacks" else make()
        assert type(made) is getattr(module, name)


def test_rows_of_layers_make_what_they_say():
    from nbkeras.core import layers, models

    for name, make in {**{n: row.make for n, row in LAYERS.items()}, **CELLS}.items():
        assert type(make()) is getattr(models if hasattr(models, name) else layers, name)
