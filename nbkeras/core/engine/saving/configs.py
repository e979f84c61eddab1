"""Configurations of models as dictionaries, JSON and YAML, also as others spell them.

What comes in is untrusted. Text is parsed by readers that make plain data only,
sizes are bounded, and `registry` turns names into objects.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ... import registry
from ...registry import ConfigError
from .layout import BACKEND, KERAS_VERSION

__all__ = [
    "build_model",
    "model_from_config",
    "model_from_json",
    "model_from_yaml",
    "parse_json",
    "to_json",
    "to_yaml",
]

_MAX_NODES = 5_000_000
"""Values in a YAML document, counting what its aliases repeat."""


# ---------------------------------------------------------------- out


def model_config(model: Any) -> dict[str, Any]:
    """Class and configuration of a model.

    Raises:
        NotImplementedError: if it is a subclass that computes in Python.
    """
    return {"class_name": _class_name(model), "config": model.get_config()}


def _class_name(model: Any) -> str:
    return registry.name_of(type(model)) or type(model).__name__


def _described(model: Any) -> dict[str, Any]:
    return {**model_config(model), "keras_version": KERAS_VERSION, "backend": BACKEND}


def to_json(model: Any, **kwargs: Any) -> str:
    """A model's structure as JSON, without its weights.

    Args:
        model: the model.
        **kwargs: for `json.dumps`, such as `indent=2`.
    """
    from .hdf5_writer import _plain

    return json.dumps(_described(model), default=_plain, **kwargs)


def to_yaml(model: Any, **kwargs: Any) -> str:
    """A model's structure as YAML, without its weights.

    Args:
        model: the model.
        **kwargs: for `yaml.dump`.
    """
    # By way of JSON: lists for tuples, no Python types, no anchors.
    return _yaml().safe_dump(json.loads(to_json(model)), **{"sort_keys": False, **kwargs})


def _yaml() -> Any:
    try:
        import yaml
    except ImportError:
        raise ImportError("YAML needs PyYAML: pip install pyyaml. Or use to_json().") from None
    return yaml


# ---------------------------------------------------------------- in


def model_from_config(
    config: Mapping[str, Any],
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
) -> Any:
    """A new model, with new weights, from a configuration with class name.

    Args:
        config: a dictionary with `class_name` and `config`, as `to_json` writes it.
        custom_objects: dictionary from name to class or function.
        safe_mode: refuse stored Python code and configurations that would allocate
            more than `registry.DEFAULT_ALLOCATION_LIMIT` parameters.

    Raises:
        ConfigError: if the configuration is malformed, unsafe or names something unknown.
    """
    if isinstance(config, list):
        raise TypeError(
            "Expected a dictionary with 'class_name' and 'config'; got a list. A list of layers is "
            "the configuration of a Sequential: Sequential.from_config(config)."
        )
    with _limits(safe_mode, registry.DEFAULT_ALLOCATION_LIMIT):
        return build_model(config, custom_objects)


def model_from_json(
    json_string: str | bytes,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
) -> Any:
    """A new model, with new weights, from what `model.to_json()` returned.

    Args:
        json_string: the text.
        custom_objects: dictionary from name to class or function.
        safe_mode: see `model_from_config`.

    Source: Keras 2 manual, chapter 3.3.6.2.
    """
    return model_from_config(parse_json(json_string), custom_objects, safe_mode)


def model_from_yaml(
    yaml_string: str | bytes,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
) -> Any:
    """A new model, with new weights, from what `model.to_yaml()` returned.

    Args:
        yaml_string: the text; tags that name Python objects are refused.
        custom_objects: dictionary from name to class or function.
        safe_mode: see `model_from_config`.

    Source: Keras 2 manual, chapter 3.3.6.2.
    """
    return model_from_config(parse_yaml(yaml_string), custom_objects, safe_mode)


@contextlib.contextmanager
def _limits(safe_mode: bool, parameters: int) -> Iterator[None]:
    with (
        registry.allow_unsafe(registry.unsafe_allowed() or not safe_mode),
        registry.allocation_limit(parameters if safe_mode else None),
    ):
        yield


def build_model(config: Any, custom_objects: Mapping[str, Any] | None) -> Any:
    """A model from an untrusted configuration; every way to be malformed is a `ConfigError`."""
    if not isinstance(config, Mapping):
        raise ConfigError(
            "Expected a dictionary with 'class_name' and 'config', as model.to_json() writes it; "
            f"got {type(config).__name__}."
        )
    with registry.CustomObjectScope(custom_objects):
        try:
            return registry.deserialize("layer", modern(config))
        except ConfigError:
            raise
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            what = f"{type(error).__name__}: {error}"
            raise ConfigError(f"The configuration does not make a model: {what}") from error
        except RecursionError:
            raise ConfigError("The configuration is nested too deeply.") from None


def parse_json(text: str | bytes) -> Any:
    """Plain data from JSON."""
    if not isinstance(text, (str, bytes, bytearray)):
        raise TypeError(f"Expected JSON as text, from model.to_json(); got {type(text).__name__}.")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"Expected JSON, as model.to_json() writes it: {error}.") from None


def parse_yaml(text: str | bytes) -> Any:
    """Plain data from YAML: no Python objects, no aliases that multiply."""
    yaml = _yaml()
    loader = _safe_loader(yaml)(text)
    try:
        node = loader.get_single_node()
        _check_nodes(yaml, node)
        return None if node is None else loader.construct_document(node)
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(
            f"Expected YAML of plain data, as model.to_yaml() writes it: {error}"
        ) from None
    finally:
        loader.dispose()


def _safe_loader(yaml: Any) -> type:
    class Loader(yaml.SafeLoader):
        """PyYAML's safe loader, which also reads the tuples that Keras 2 wrote."""

    def sequence(loader: Any, node: Any) -> list[Any]:
        return loader.construct_sequence(node, deep=True)

    def text(loader: Any, node: Any) -> str:
        return loader.construct_scalar(node)

    Loader.add_constructor("tag:yaml.org,2002:python/tuple", sequence)
    Loader.add_constructor("tag:yaml.org,2002:python/unicode", text)
    return Loader


def _check_nodes(yaml: Any, root: Any) -> None:
    """Refuses cycles, and documents that aliases blow up."""
    sizes: dict[int, int | None] = {}

    def size(node: Any) -> int:
        if not isinstance(node, yaml.CollectionNode):
            return 1
        if id(node) in sizes:
            known = sizes[id(node)]
            if known is None:
                raise ConfigError("The YAML document contains itself.")
            return known
        sizes[id(node)] = None
        children = (
            [part for pair in node.value for part in pair]
            if isinstance(node, yaml.MappingNode)
            else node.value
        )
        total = 1
        for child in children:
            total += size(child)
            if total > _MAX_NODES:
                raise ConfigError(
                    f"The YAML document has more than {_MAX_NODES:,} values once its aliases are "
                    "written out."
                )
        sizes[id(node)] = total
        return total

    if root is not None:
        size(root)


# ---------------------------------------------------------------- other spellings

_CLASSES = {
    "Functional": "Model",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "GRUV1": "GRU",
    "GRUV2": "GRU",
    "LSTMV1": "LSTM",
    "LSTMV2": "LSTM",
}
"""What tf_keras calls a class that has another name here."""

_HARMLESS: dict[str, tuple[Any, ...]] = {
    "adjustment": (None,),
    "autocast": (True,),
    "fused": (None, False, True),
    "groups": (1,),
    "implementation": (0, 1, 2),
    "keepdims": (False,),
    "optional": (False,),
    "ragged": (False,),
    "renorm": (False,),
    "seed": (None,),
    "sparse": (False,),
    "synchronized": (False,),
    "time_major": (False,),
    "virtual_batch_size": (None,),
    "zero_output_for_mask": (False,),
}
"""Arguments that tf_keras adds, with the values for which a layer without them is the same."""

_KERNEL = ("kernel_initializer", "kernel_regularizer", "kernel_constraint")
_UNUSED = {"SeparableConv1D": _KERNEL, "SeparableConv2D": _KERNEL}
"""Arguments of a base class that tf_keras writes for layers that have no use for them."""


def modern(config: Any) -> Any:
    """A configuration as others wrote it, in the words of this library; the input is unchanged."""
    if isinstance(config, list):
        return [modern(item) for item in config]
    if not isinstance(config, Mapping):
        return config
    name, inner = config.get("class_name"), config.get("config")
    if not isinstance(name, str) or "config" not in config:
        return {key: modern(value) for key, value in config.items()}
    result = {key: modern(value) for key, value in config.items() if key != "config"}
    if name not in registry.get_custom_objects():
        result["class_name"] = name = _CLASSES.get(name, name)
    if name == "Sequential" and isinstance(inner, list):  # until Keras 2.2.2
        inner = {"layers": inner}
    result["config"] = _modern_arguments(name, modern(inner))
    return result


def _modern_arguments(class_name: str, arguments: Any) -> Any:
    if not isinstance(arguments, dict):
        return arguments
    dtype = arguments.get("dtype")
    if isinstance(dtype, Mapping) and isinstance(dtype.get("config"), Mapping):
        arguments["dtype"] = dtype["config"].get("name")  # a policy of mixed precision
    axis = arguments.get("axis")
    if class_name == "BatchNormalization" and isinstance(axis, list) and len(axis) == 1:
        arguments["axis"] = axis[0]
    for key, value in arguments.items():
        if key.endswith(("_regularizer", "_constraint")):
            arguments[key] = _present_object(value)
    for key in _UNUSED.get(class_name, ()):
        arguments.pop(key, None)
    accepted = _accepted(class_name)
    if accepted is not None:
        for key, harmless in _HARMLESS.items():
            if key in arguments and key not in accepted and arguments[key] in harmless:
                del arguments[key]
    return arguments


_OBJECTS = {
    "WeightRegularizer": ("L1L2", {}),
    "ActivityRegularizer": ("L1L2", {}),
    "L1L2Regularizer": ("L1L2", {}),
    "MaxNorm": ("MaxNorm", {"m": "max_value"}),
    "NonNeg": ("NonNeg", {}),
    "UnitNorm": ("UnitNorm", {}),
}
"""What Keras 1 called regularizers and constraints, and their arguments, beside today's names."""


def _present_object(value: Any) -> Any:
    """A regularizer or constraint that Keras 1 wrote, with its name among its arguments."""
    if not isinstance(value, Mapping) or "class_name" in value or value.get("name") not in _OBJECTS:
        return value
    name, renamed = _OBJECTS[value["name"]]
    inner = {renamed.get(key, key): item for key, item in value.items() if key != "name"}
    return {"class_name": name, "config": inner}


def _accepted(class_name: str) -> frozenset[str] | None:
    """The arguments that one of our layers names; `None` if it is no layer of ours."""
    if class_name in registry.get_custom_objects():
        return None
    cls = registry.find("layer", class_name)
    return _parameters(cls) if inspect.isclass(cls) else None  # type: ignore[arg-type]


@functools.cache
def _parameters(cls: Any) -> frozenset[str]:
    return frozenset(
        parameter
        for owner in cls.__mro__
        if "__init__" in vars(owner) and owner is not object
        for parameter in inspect.signature(vars(owner)["__init__"]).parameters
    )
