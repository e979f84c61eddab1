"""The one place where a name becomes an object and an object becomes a configuration.

Every family (layers, losses, metrics, ...) keeps its members in an explicit
table here. ``get`` accepts what a user may write, ``serialize`` and
``deserialize`` are the two directions of a configuration, ``Configurable``
derives a configuration from a constructor. Names resolve through the tables
and through custom objects, never through modules or attributes, so nothing in
a file can reach other code.
"""

from __future__ import annotations

import contextlib
import contextvars
import difflib
import functools
import importlib
import inspect
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

__all__ = [
    "DEFAULT_ALLOCATION_LIMIT",
    "ConfigError",
    "Configurable",
    "CustomObjectScope",
    "allocation_limit",
    "allow_unsafe",
    "base",
    "charge",
    "custom_object_scope",
    "deserialize",
    "ensure",
    "find",
    "get",
    "get_custom_objects",
    "lookup",
    "name_of",
    "names",
    "register",
    "serialize",
    "serialize_value",
    "shared_name",
    "sharing",
    "suggestion",
    "unsafe_allowed",
]

T = TypeVar("T")

DEFAULT_ALLOCATION_LIMIT = 2**29
"""Parameters that a bare configuration may ask for (2 GiB in float32)."""

_MAX_DEPTH = 50
"""How deep configurations may nest before they are refused."""


class ConfigError(ValueError):
    """A name or configuration that cannot be turned into an object."""


# ---------------------------------------------------------------- families


@dataclass
class _Family:
    """One family: how it is called, where its members live, and the members."""

    name: str
    plural: str
    example: str
    modules: tuple[str, ...]
    includes: tuple[str, ...] = ()
    functions: bool = True
    base: type | None = None
    members: dict[str, Any] = field(default_factory=dict)


# The modules are written out here: no name from a file ever takes part in an import.
_FAMILIES = {
    f.name: f
    for f in (
        _Family(
            *("layer", "layers", "'Dense'"),
            ("nbkeras.core.layers", "nbkeras.core.applications.inception_resnet_v2"),
            *(("model", "cell"), False),
        ),
        _Family("cell", "cells", "'LSTMCell'", ("nbkeras.core.layers",), ("layer",), False),
        _Family("model", "models", "'Sequential'", ("nbkeras.core.models",), (), False),
        _Family("loss", "losses", "'mse'", ("nbkeras.core.losses",)),
        _Family("metric", "metrics", "'accuracy'", ("nbkeras.core.metrics",)),
        _Family("optimizer", "optimizers", "'sgd'", ("nbkeras.core.optimizers",), (), False),
        _Family("initializer", "initializers", "'zeros'", ("nbkeras.core.initializers",)),
        _Family("regularizer", "regularizers", "'l2'", ("nbkeras.core.regularizers",)),
        _Family("constraint", "constraints", "'non_neg'", ("nbkeras.core.constraints",)),
        _Family("activation", "activations", "'relu'", ("nbkeras.core.activations",)),
    )
}
_PLURALS = {f.plural: f for f in _FAMILIES.values()}
_lock = threading.RLock()
_names: dict[int, tuple[Any, str]] = {}
"""Registered name by identity; the object is kept beside it so that the identity stays its own."""
_factories: set[int] = set()


def _family(name: str) -> _Family:
    try:
        return _FAMILIES.get(name) or _PLURALS[name]
    except KeyError:
        raise ConfigError(
            f"Unknown family {name!r}; expected one of {sorted(_FAMILIES)}."
        ) from None


def register(
    family: str,
    obj: T | None = None,
    *,
    name: str | None = None,
    aliases: Iterable[str] = (),
    factory: bool = False,
) -> Any:
    """Adds a class or function to a family, as a decorator or as a call.

    Args:
        family: `"layer"`, `"loss"`, `"metric"`, `"optimizer"`, `"initializer"`,
            `"regularizer"`, `"constraint"`, `"activation"`, `"model"` or `"cell"`.
        obj: the class or function; left out when used as a decorator.
        name: the name it is saved under; `__name__` by default.
        aliases: further names it answers to.
        factory: `get` calls the function and returns the result (`l2` of the regularizers).

    Raises:
        ConfigError: if another member has one of the names.
    """
    if obj is None:
        return functools.partial(
            register, family, name=name, aliases=tuple(aliases), factory=factory
        )
    table = _family(family)
    own_name: str = name or str(getattr(obj, "__name__", ""))
    with _lock:
        for key in (own_name, *aliases):
            taken = table.members.get(key, obj)
            # A reloaded module brings the same member anew; anything else is a clash.
            if taken is not obj and _origin(taken) != _origin(obj):
                raise ConfigError(f"{key!r} already names {taken!r} among the {table.plural}.")
            table.members[key] = obj
        _names.setdefault(id(obj), (obj, own_name))
        if factory:
            _factories.add(id(obj))
    return obj


def base(family: str) -> Callable[[type], type]:
    """Declares the base class of a family: its instances and subclasses are accepted by `get`."""

    def declare(cls: type) -> type:
        _family(family).base = cls
        return cls

    return declare


def ensure(family: str) -> None:
    """Imports the modules that fill a family's table."""
    for module in _family(family).modules:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise


def names(family: str) -> list[str]:
    """Sorted names that a family answers to, custom objects not included."""
    ensure(family)
    with _lock:
        return sorted(_family(family).members)


def name_of(obj: Any) -> str | None:
    """The name a class or function is registered under, or `None`."""
    entry = _names.get(id(obj))
    return entry[1] if entry is not None and entry[0] is obj else None


def lookup(family: str, name: str) -> Any:
    """The class or function that a name stands for, custom objects first.

    Raises:
        ConfigError: if the name is not known; the message shows the closest one.
    """
    found = find(family, name)
    if found is None:
        raise ConfigError(_unknown(_family(family), name))
    return found


def find(family: str, name: str) -> Any:
    """What `lookup` returns, or `None` where the name is not known."""
    table = _family(family)
    custom = get_custom_objects()
    # tf_keras and Keras 3 write the objects of a user as 'package>Name'.
    for key in (name, name.rpartition(">")[2]):
        if key in custom:
            return custom[key]
    for load in (False, True):
        for part in (table, *(_FAMILIES[f] for f in table.includes)):
            if load:
                ensure(part.name)
            if name in part.members:
                return part.members[name]
    return None


def _origin(obj: Any) -> tuple[str | None, str | None]:
    return getattr(obj, "__module__", None), getattr(obj, "__qualname__", None)


def suggestion(name: str, known: Iterable[str]) -> str:
    """A hint such as "Did you mean 'dense'?", or nothing where no known name is close.

    >>> suggestion("adm", ["adam", "sgd"])
    " Did you mean 'adam'?"
    """
    lowered = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.5)
    return f" Did you mean {lowered[close[0]]!r}?" if close else ""


def _unknown(table: _Family, name: str) -> str:
    known = [*table.members, *(n for f in table.includes for n in _FAMILIES[f].members)]
    known += get_custom_objects()
    hint = suggestion(name, known)
    shown = _shorten(name)
    return (
        f"Unknown {table.name} {shown}.{hint} If it is your own, name it: "
        f"custom_objects={{{shown}: ...}} or `with CustomObjectScope({{{shown}: ...}}):`."
    )


def _shorten(value: Any, limit: int = 120) -> str:
    text = ascii(value) if isinstance(value, str) else repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


# ---------------------------------------------------------------- custom objects

_global_objects: dict[str, Any] = {}
_scoped_objects: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar(
    "nbkeras_custom_objects", default=None
)


def get_custom_objects() -> dict[str, Any]:
    """The custom objects known here; change the dictionary to add some.

    Within a `CustomObjectScope` it is the scope's own, dropped when the scope
    ends; elsewhere it is shared by the whole process.

    Example:
        >>> get_custom_objects()['twice'] = lambda x: 2 * x
        >>> get('activation', 'twice')(3)
        6
        >>> del get_custom_objects()['twice']
    """
    scoped = _scoped_objects.get()
    return _global_objects if scoped is None else scoped


class CustomObjectScope:
    """Makes objects known by name within a `with` block (Keras 2 manual, chapter 20.1).

    What is changed in `get_custom_objects()` within the block is forgotten at its
    end. Other threads do not see the block's objects.

    Args:
        *args: dictionaries from name to class or function.

    Example:
        >>> def shifted(x): return x + 1
        >>> with CustomObjectScope({'shifted': shifted}):
        ...     get('activation', 'shifted')(2)
        3
    """

    def __init__(self, *args: Mapping[str, Any] | None) -> None:
        for objects in args:
            if objects is not None and not isinstance(objects, Mapping):
                raise TypeError(
                    "Expected dictionaries from name to object, as in CustomObjectScope("
                    f"{{'MyLayer': MyLayer}}); got {type(objects).__name__}."
                )
        self.custom_objects = args
        self._tokens: list[contextvars.Token] = []

    def __enter__(self) -> CustomObjectScope:
        merged = dict(get_custom_objects())
        for objects in self.custom_objects:
            merged.update(objects or {})
        self._tokens.append(_scoped_objects.set(merged))
        return self

    def __exit__(self, *exception: object) -> None:
        _scoped_objects.reset(self._tokens.pop())


def custom_object_scope(*args: Mapping[str, Any] | None) -> CustomObjectScope:
    """`CustomObjectScope` under its function name.

    Example:
        >>> with custom_object_scope({'half': lambda x: x / 2}):
        ...     get('activation', 'half')(3)
        1.5
    """
    return CustomObjectScope(*args)


_sharing: contextvars.ContextVar[bool] = contextvars.ContextVar("nbkeras_sharing", default=False)


@contextlib.contextmanager
def sharing() -> Iterator[None]:
    """Lets configurations refer to the functions and classes of a user, named or not.

    Such a configuration has a meaning within the `with` block only: it is for
    copying what is at hand, where a file's configuration needs `custom_objects`.

    Example:
        >>> with sharing():
        ...     get('activation', serialize(lambda x: 2 * x))(3)
        6
    """
    token = _sharing.set(True)
    try:
        with CustomObjectScope():
            yield
    finally:
        _sharing.reset(token)


def shared_name(obj: Any) -> str | None:
    """A name that stands for a function or class within `sharing`; elsewhere `None`."""
    if not _sharing.get():
        return None
    name = f"{getattr(obj, '__name__', type(obj).__name__)}@{id(obj):x}"
    get_custom_objects()[name] = obj
    return name


# ---------------------------------------------------------------- what a configuration may do

_unsafe: contextvars.ContextVar[bool] = contextvars.ContextVar("nbkeras_unsafe", default=False)
_budget: contextvars.ContextVar[list[int] | None] = contextvars.ContextVar(
    "nbkeras_allocation_budget", default=None
)
_depth: contextvars.ContextVar[int] = contextvars.ContextVar("nbkeras_config_depth", default=0)


def unsafe_allowed() -> bool:
    """Whether stored Python code may be run: only within `safe_mode=False`."""
    return _unsafe.get()


@contextlib.contextmanager
def allow_unsafe(allowed: bool = True) -> Iterator[None]:
    """Sets what `unsafe_allowed` says within a `with` block."""
    token = _unsafe.set(allowed)
    try:
        yield
    finally:
        _unsafe.reset(token)


@contextlib.contextmanager
def allocation_limit(parameters: int | None = DEFAULT_ALLOCATION_LIMIT) -> Iterator[None]:
    """Bounds the parameters that layers may create within a `with` block; `None` lifts it.

    Raises:
        ConfigError: from the `add_weight` that exceeds the limit, before it allocates.
    """
    token = _budget.set(None if parameters is None else [parameters, parameters])
    try:
        yield
    finally:
        _budget.reset(token)


def charge(parameters: int, what: str = "A weight") -> None:
    """Counts parameters that are about to be created against the limit in force.

    `Layer.add_weight` calls it before it allocates.
    """
    budget = _budget.get()
    if budget is None:
        return
    if parameters > budget[0]:
        raise ConfigError(
            f"{what} asks for {parameters:,} parameters; together with those before it that is "
            f"more than the {budget[1]:,} that a file or configuration may allocate. If you trust "
            "it, lift the limit: safe_mode=False, or "
            "`with nbkeras.core.registry.allocation_limit(None):`."
        )
    budget[0] -= parameters


# ---------------------------------------------------------------- get


def get(family: str, identifier: Any) -> Any:
    """What a user wrote, as an object of the family.

    Args:
        family: the family's name, such as `"activation"`.
        identifier: `None`; a name (a class is created with its defaults); a
            dictionary with `class_name` and `config`; a class of the family; an
            instance or a function, returned as it is.

    Returns:
        The object, or `None` for `None`.

    Raises:
        ConfigError: a `ValueError` that says what is accepted and what came.

    Example:
        >>> with CustomObjectScope({'square': lambda x: x * x}):
        ...     get('activation', 'square')(3)
        9
        >>> get('activation', None) is None
        True
    """
    if identifier is None:
        return None
    table = _family(family)
    if isinstance(identifier, str):
        return _create(lookup(family, identifier), {})
    if isinstance(identifier, Mapping):
        return deserialize(family, identifier)
    if inspect.isclass(identifier):
        if _is_member(table, identifier):
            return identifier()
    elif _is_member(table, type(identifier)) or (table.functions and callable(identifier)):
        # `he_normal` without brackets is the factory of an initializer, not one itself.
        return _create(identifier, {})
    accepted = f"a name such as {table.example}, a dictionary with 'class_name' and 'config', "
    if table.functions:
        accepted += "a function, "
    base_name = table.base.__name__ if table.base else table.name
    raise ConfigError(
        f"Expected a {table.name}: {accepted}or an instance of {base_name}; "
        f"got {_shorten(identifier)} of type {type(identifier).__name__}."
    )


def _is_member(table: _Family, cls: type) -> bool:
    for part in (table, *(_FAMILIES[f] for f in table.includes)):
        if part.base is not None and issubclass(cls, part.base):
            return True
        if any(inspect.isclass(m) and issubclass(cls, m) for m in part.members.values()):
            return True
    # Any class whose instances can be called may stand for a function.
    return table.functions and any("__call__" in vars(k) for k in cls.__mro__)


def _create(member: Any, config: dict[str, Any]) -> Any:
    """An instance of a class; a function as it is, or its result where it is a factory."""
    if inspect.isclass(member):
        from_config = getattr(member, "from_config", None)
        if from_config is None:
            return member(**config)
        custom = get_custom_objects()
        if custom and "custom_objects" in inspect.signature(from_config).parameters:
            return from_config(config, custom_objects=custom)
        return from_config(config)
    if id(member) in _factories and name_of(member) is not None:
        return member(**config)
    return member


# ---------------------------------------------------------------- serialize


def serialize(obj: Any) -> Any:
    """The configuration of an object: `None`, a name, or `class_name` and `config`.

    A function that is not registered is written by its `__name__`, as Keras 2
    does; loading it again takes `custom_objects`.

    Raises:
        ConfigError: for a lambda or another function without a usable name.

    Example:
        >>> def softer(x): return x / 2
        >>> serialize(softer)
        'softer'
    """
    if obj is None or isinstance(obj, str):
        return obj
    if hasattr(obj, "get_config") and not inspect.isclass(obj):
        cls = type(obj)
        class_name = name_of(cls) or shared_name(cls) or cls.__name__
        return {"class_name": class_name, "config": obj.get_config()}
    registered = name_of(obj)
    if registered is not None:
        return registered
    custom = next((key for key, value in get_custom_objects().items() if value is obj), None)
    if custom is not None:
        return custom
    shared = shared_name(obj)
    if shared is not None:
        return shared
    name: Any = getattr(obj, "__name__", None)
    if name is None or not name.isidentifier():
        raise ConfigError(
            f"{_shorten(obj)} has no name under which it could be saved. Define it with "
            "`def my_function(...):` and load it with custom_objects={'my_function': my_function}."
        )
    return name


def serialize_value(value: Any) -> Any:
    """A constructor's argument in the form a configuration holds: plain data.

    Nested objects become `serialize(obj)`, arrays and variables lists or
    numbers, dtypes their names; tuples stay tuples.
    """
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.dtype) or hasattr(value, "as_numpy_dtype"):
        return value.name
    if isinstance(value, Mapping):
        return {key: serialize_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [serialize_value(item) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    if hasattr(value, "numpy") and hasattr(value, "dtype"):
        return np.asarray(value.numpy()).tolist()
    if hasattr(value, "get_config") or callable(value):
        return serialize(value)
    raise ConfigError(
        f"{_shorten(value)} of type {type(value).__name__} cannot be written to a configuration. "
        "Write get_config() and from_config() for the class that takes it as an argument."
    )


# ---------------------------------------------------------------- deserialize


def deserialize(family: str, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The object that a configuration describes.

    Only `class_name` and `config` are used; the keys `module` and
    `registered_name` that tf_keras and Keras 3 add are read as remarks.

    Args:
        family: the family's name, such as `"layer"`.
        config: a name, or a dictionary with `class_name` and `config`.
        custom_objects: dictionary from name to class or function.

    Raises:
        ConfigError: if the configuration is malformed or names something unknown.
    """
    depth = _depth.get()
    if depth >= _MAX_DEPTH:
        raise ConfigError(f"Expected at most {_MAX_DEPTH} nested configurations.")
    token = _depth.set(depth + 1)
    try:
        scope = CustomObjectScope(custom_objects) if custom_objects else contextlib.nullcontext()
        with scope:
            return _deserialize(_family(family), config)
    finally:
        _depth.reset(token)


def _deserialize(table: _Family, config: Any) -> Any:
    if config is None:
        return None
    if isinstance(config, str):
        return _create(lookup(table.name, config), {})
    name = config.get("class_name") if isinstance(config, Mapping) else None
    if not isinstance(name, str):
        raise ConfigError(
            f"Expected {{'class_name': {table.example}, 'config': {{...}}}} for a {table.name}; "
            f"got {_shorten(config)}."
        )
    inner = config.get("config")
    if name == "function" and isinstance(inner, str):  # Keras 3: the name is in 'config'
        name, inner = inner, None
    member = _member_of_config(table, config, name)
    if not inspect.isclass(member):
        inner = inner if isinstance(inner, Mapping) else {}
        return _create(member, dict(inner))
    if inner is None:
        inner = {}
    if not isinstance(inner, Mapping) and not hasattr(member, "from_config"):
        raise ConfigError(
            f"Expected a dictionary as the config of {name!r}; got {_shorten(inner)}."
        )
    return _create(member, dict(inner) if isinstance(inner, Mapping) else inner)


def _member_of_config(table: _Family, config: Mapping[str, Any], name: str) -> Any:
    registered = config.get("registered_name")
    if isinstance(registered, str) and registered in get_custom_objects():
        name = registered
    member = lookup(table.name, name)
    if not inspect.isclass(member) and not table.functions:
        raise ConfigError(f"{name!r} is a function; expected the class of a {table.name}.")
    return member


# ---------------------------------------------------------------- the constructor contract


class _ConstructorSignature:
    """What help and completion show of a class: its constructor, not the `__new__` below."""

    def __get__(self, instance: Any, owner: type) -> inspect.Signature:
        if instance is not None:
            raise AttributeError("__signature__")
        return _constructor(owner)


class Configurable:
    """Gives a class `get_config` and `from_config` from its constructor's signature.

    Each parameter `p` of the constructor is read back from `self.p` or `self._p`.
    A class that takes further keywords in `**kwargs` also gets back those that its
    parents name and that the caller passed. A class with a `get_config` of its own
    answers for its own parameters: `super().get_config()` then returns those of its
    parents, as in Keras 2.

    Entries that do not come from a signature (a layer's name and dtype) are added
    by a parent that overrides `_base_config`.

    Example:
        >>> class Shift(Configurable):
        ...     def __init__(self, by=1.0):
        ...         self.by = by
        >>> Shift(2.0).get_config()
        {'by': 2.0}
        >>> Shift.from_config({'by': 3.0}).by
        3.0
    """

    _passed: frozenset[str] = frozenset()
    __signature__: Any = _ConstructorSignature()

    if TYPE_CHECKING:
        # Parameters become attributes of the same names; no type checker can know them.
        def __getattr__(self, name: str) -> Any: ...

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        instance = super().__new__(cls)
        if kwargs:
            object.__setattr__(instance, "_passed", frozenset(kwargs))
        return instance

    def _base_config(self) -> dict[str, Any]:
        return {}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain data, so that `from_config` builds an equal one."""
        config = self._base_config()
        for owner, parameter in _parameters(type(self), self._passed):
            found, value = _argument(self, parameter)
            if found:
                config[parameter] = serialize_value(value)
            else:
                warnings.warn(
                    f"{owner.__name__} does not keep its argument {parameter!r}, so a saved "
                    f"configuration lacks it. Write `self.{parameter} = {parameter}` in __init__, "
                    "or a get_config().",
                    stacklevel=3,
                )
        return config

    @classmethod
    def from_config(cls: type[T], config: Mapping[str, Any]) -> T:
        """A new object from what `get_config` returned.

        Raises:
            ConfigError: if the configuration does not fit the constructor.
        """
        if not isinstance(config, Mapping):
            raise ConfigError(
                f"Expected a dictionary as the config of {cls.__name__}; got {_shorten(config)}."
            )
        signature = _constructor(cls)  # type: ignore[arg-type]
        try:
            signature.bind(**config)
        except TypeError as error:
            raise ConfigError(
                f"The config does not fit {cls.__name__}{signature}: {error}."
            ) from None
        return cls(**config)


def _parameters(cls: type, passed: frozenset[str]) -> list[tuple[type, str]]:
    """The constructor parameters that the generic `get_config` answers for, with their class.

    A class with a `get_config` (or `_base_config`) of its own answers for itself, so the
    classes before and after it in the resolution order are looked at separately.
    """
    found: dict[str, type] = {}
    inherit_all, take = False, True
    for owner in cls.__mro__:
        if owner is Configurable:
            break
        own = vars(owner)
        if "get_config" in own or "_base_config" in own:
            inherit_all, take = False, True
            continue
        if "__init__" not in own:
            continue
        parameters = list(inspect.signature(own["__init__"]).parameters.values())[1:]
        for p in parameters:
            if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
                continue
            if take or inherit_all or p.name in passed:
                found.setdefault(p.name, owner)
        take = False
        # Positional arguments passed on in *args are the parents' first parameters.
        inherit_all = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters) and not inherit_all:
            passed = frozenset()
    return [(owner, name) for name, owner in found.items()]


@functools.lru_cache(maxsize=1024)
def _constructor(cls: type) -> inspect.Signature:
    """The signature of `__init__` without `self`; `__new__` would hide it in Python 3.10."""
    signature = inspect.signature(cls.__init__)  # type: ignore[misc]
    return signature.replace(parameters=list(signature.parameters.values())[1:])


def _argument(instance: Any, name: str) -> tuple[bool, Any]:
    """The argument as the instance keeps it: under its name, or with an underscore before it."""
    for key in (name, f"_{name}"):
        own = key in getattr(instance, "__dict__", {})
        # A method of that name is no argument; a property or descriptor may well be.
        if not own and inspect.isroutine(getattr(type(instance), key, None)):
            continue
        try:
            return True, getattr(instance, key)
        except AttributeError:
            continue
    return False, None
