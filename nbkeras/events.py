"""The wire between training and everything that watches it.

One way go events: a run says what happened, as frozen dataclasses that turn
into JSON and back. The other way go requests: a view asks for something, the
run answers at the next step boundary. Both are plain data, so a panel, a text
log, a file of JSON lines and a test see the same thing. This module imports
nothing of the project and nothing heavy.

A listener is any object with ``handle(event)``. If it also has
``attach(mailbox)``, a run hands it the mailbox to which it may post requests.
"""

from __future__ import annotations

import dataclasses
import math
import queue
import threading
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

__all__ = [
    "BatchEnded",
    "Connection",
    "EpochEnded",
    "Event",
    "LayerInfo",
    "Listener",
    "Mailbox",
    "Message",
    "ModelBuilt",
    "Parameter",
    "ParameterChanged",
    "Pause",
    "Request",
    "Resume",
    "RunEnded",
    "RunFailed",
    "RunPaused",
    "RunResumed",
    "RunStarted",
    "SetParameter",
    "Step",
    "Stop",
    "WeightInfo",
    "emit",
    "from_json",
    "to_json",
]

Shape = tuple[Any, ...]
"""Sizes of a tensor, ``None`` where unknown; a tuple of such for several tensors."""


# ---------------------------------------------------------------- what a model is


@dataclass(frozen=True)
class WeightInfo:
    """A weight of a layer: its name, shape, dtype and whether training moves it."""

    name: str
    shape: Shape
    dtype: str
    trainable: bool


@dataclass(frozen=True)
class Connection:
    """A tensor that flows into a layer: the layer it comes from, and its shape.

    ``call`` counts the calls of the receiving layer (0 unless it is shared),
    ``tensor`` the outputs of the source layer, ``source_call`` its calls.
    """

    source: str
    shape: Shape
    call: int = 0
    tensor: int = 0
    source_call: int = 0


@dataclass(frozen=True)
class LayerInfo:
    """What a layer table and a graph show of a layer.

    A sub-model, or a wrapper around one, has ``layers``; ``inputs`` names those that
    read its inputs, ``outputs`` tells where its outputs come from, both in their order.
    """

    name: str
    kind: str
    input_shape: Shape | None
    output_shape: Shape | None
    parameters: int
    trainable_parameters: int
    trainable: bool
    bytes: int
    connected_to: tuple[Connection, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    weights: tuple[WeightInfo, ...] = ()
    layers: tuple[LayerInfo, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[Connection, ...] = ()


# ---------------------------------------------------------------- what may be steered


@dataclass(frozen=True)
class Parameter:
    """A number of a run that can be moved while it trains.

    ``name`` is its key (``"lr"``, ``"dropout_1.rate"``), ``label`` what a person
    reads. ``scale`` is ``"log"`` or ``"linear"`` between ``minimum`` and ``maximum``.
    """

    name: str
    label: str
    value: float
    minimum: float
    maximum: float
    scale: Literal["log", "linear"] = "linear"


# ---------------------------------------------------------------- messages


class Message:
    """Base of events and requests; a subclass is registered under its own name."""

    _kinds: ClassVar[dict[str, type[Message]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Message._kinds[cls.__name__] = cls


class Event(Message):
    """Something that happened. ``time`` counts seconds since the run began."""


class Request(Message):
    """Something a view asks of a run."""


@dataclass(frozen=True)
class ModelBuilt(Event):
    """A model exists; all that a layer table and a graph need to draw it."""

    name: str
    kind: str
    layers: tuple[LayerInfo, ...]
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    parameters: int = 0
    trainable_parameters: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class RunStarted(Event):
    """A training begins. ``metrics`` names the logs of a batch, ``loss`` first."""

    run: str
    model: str
    epochs: int
    initial_epoch: int = 0
    steps: int | None = None
    samples: int | None = None
    batch_size: int | None = None
    validation: bool = False
    metrics: tuple[str, ...] = ("loss",)
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True)
class BatchEnded(Event):
    """Batches were trained: ``count`` of them since the last such event.

    ``step`` is how many batches of this epoch are done, ``samples`` how many
    rows; ``logs`` holds the means over the ``count`` batches, ``means`` those
    over the epoch so far.
    """

    run: str
    epoch: int
    step: int
    count: int
    samples: int
    time: float
    logs: Mapping[str, float] = field(default_factory=dict)
    means: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class EpochEnded(Event):
    """An epoch is over; ``logs`` holds its means, and ``val_`` logs if validated."""

    run: str
    epoch: int
    time: float
    logs: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ParameterChanged(Event):
    """A parameter has a new value, in force from the next batch on.

    ``epoch`` and ``step`` (batches of that epoch done before) say when;
    ``source`` is ``"user"`` or ``"callback"``.
    """

    run: str
    parameter: str
    value: float
    previous: float
    epoch: int
    step: int
    time: float
    source: str = "user"


@dataclass(frozen=True)
class RunPaused(Event):
    """A run waits at a step boundary."""

    run: str
    epoch: int
    step: int
    time: float


@dataclass(frozen=True)
class RunResumed(Event):
    """A paused run goes on."""

    run: str
    epoch: int
    step: int
    time: float


@dataclass(frozen=True)
class RunEnded(Event):
    """A run is over and its model usable.

    ``reason``: ``"finished"``, ``"stopped"`` (by a person or a callback) or
    ``"interrupted"``. ``epochs`` is how many whole epochs it trained.
    """

    run: str
    reason: str
    epochs: int
    time: float


@dataclass(frozen=True)
class RunFailed(Event):
    """A run ended with an error: the exception's class name and its message."""

    run: str
    error: str
    message: str
    time: float


@dataclass(frozen=True)
class SetParameter(Request):
    """Give a parameter of the run a new value."""

    parameter: str
    value: float


@dataclass(frozen=True)
class Pause(Request):
    """Wait at the next step boundary."""


@dataclass(frozen=True)
class Resume(Request):
    """Go on after a pause."""


@dataclass(frozen=True)
class Step(Request):
    """Train one batch, then wait again."""


@dataclass(frozen=True)
class Stop(Request):
    """End the run after the step in flight, and keep what it has learned."""

    reason: str = "stopped"


class Listener(Protocol):
    """What hears events.

    One that only shows or writes them says so with an attribute ``may_lag = True``. It
    then hears of epochs that last milliseconds in groups, after they were trained, and
    they are trained faster.
    """

    def handle(self, event: Event) -> None:
        """React to an event. Called on the training thread: return at once."""


def emit(event: Event, listeners: Iterable[Listener]) -> None:
    """Hand an event to every listener, in order."""
    for listener in listeners:
        listener.handle(event)


class Mailbox:
    """Where views leave requests and a run picks them up at a step boundary.

    Any thread may post; the training thread drains. Of several values for one
    parameter that wait together, only the last counts.

    >>> box = Mailbox()
    >>> box.post(SetParameter("lr", 0.1))
    >>> box.post(SetParameter("lr", 0.2))
    >>> box.drain()
    [SetParameter(parameter='lr', value=0.2)]
    """

    def __init__(self) -> None:
        self._requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._filled = threading.Event()

    def post(self, request: Request) -> None:
        """Leave a request."""
        if not isinstance(request, Request):
            raise TypeError(
                f"A mailbox takes requests such as Stop() or SetParameter('lr', 0.01), "
                f"not {type(request).__name__}."
            )
        self._requests.put(request)
        self._filled.set()

    def drain(self) -> list[Request]:
        """Take all requests that wait; empty and cheap when there is none."""
        if not self._filled.is_set():
            return []
        self._filled.clear()
        requests: list[Request] = []
        while True:
            try:
                request = self._requests.get_nowait()
            except queue.Empty:
                return requests
            if isinstance(request, SetParameter):
                requests = [
                    r
                    for r in requests
                    if not (isinstance(r, SetParameter) and r.parameter == request.parameter)
                ]
            requests.append(request)

    def wait(self, timeout: float | None = None) -> bool:
        """Block until a request waits; whether one does."""
        return self._filled.wait(timeout)


# ---------------------------------------------------------------- JSON


def to_json(message: Any) -> Any:
    """A message as JSON-ready data: ``{"type": class name, field: value, ...}``.

    JSON has no NaN or infinity, so they become the strings ``"NaN"``,
    ``"Infinity"`` and ``"-Infinity"``.

    >>> to_json(SetParameter("lr", 0.1))
    {'type': 'SetParameter', 'parameter': 'lr', 'value': 0.1}
    """
    if dataclasses.is_dataclass(message) and not isinstance(message, type):
        data = {f.name: to_json(getattr(message, f.name)) for f in dataclasses.fields(message)}
        return {"type": type(message).__name__, **data} if isinstance(message, Message) else data
    if isinstance(message, Mapping):
        return {str(key): to_json(value) for key, value in message.items()}
    if isinstance(message, list | tuple):
        return [to_json(value) for value in message]
    if isinstance(message, bool | int | str) or message is None:
        return message
    if isinstance(message, float) or hasattr(message, "__float__"):
        number = float(message)
        if math.isfinite(number):
            return number
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    return str(message)


def from_json(data: Mapping[str, Any]) -> Message:
    """The message that :func:`to_json` wrote. Unknown types and fields are refused.

    >>> from_json({"type": "SetParameter", "parameter": "lr", "value": "NaN"})
    SetParameter(parameter='lr', value=nan)

    Raises:
        ValueError: the data is no message; the error says which types there are.
    """
    kind = Message._kinds.get(str(data.get("type"))) if isinstance(data, Mapping) else None
    if kind is None or kind in (Event, Request):
        known = ", ".join(sorted(set(Message._kinds) - {"Event", "Request"}))
        raise ValueError(f"Expected a message with a 'type' of: {known}; got {data!r:.200}.")
    return _build(kind, {key: value for key, value in data.items() if key != "type"})


def _build(kind: Any, data: Mapping[str, Any]) -> Any:
    hints = typing.get_type_hints(kind)
    names = {f.name for f in dataclasses.fields(kind)}
    if not isinstance(data, Mapping) or set(data) - names:
        raise ValueError(f"{kind.__name__} has the fields {sorted(names)}; got {data!r:.200}.")
    try:
        return kind(**{key: _decode(hints[key], value) for key, value in data.items()})
    except TypeError as error:
        raise ValueError(f"{kind.__name__}: {error}; got {data!r:.200}.") from error


def _decode(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(hint, types.UnionType):
        hint = next(arm for arm in hint.__args__ if arm is not type(None))
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is float:
        return float(value)
    if dataclasses.is_dataclass(hint):
        return _build(hint, value)
    if origin is tuple:
        return tuple(_decode(arguments[0], item) for item in value)
    if origin is Mapping and arguments[1] is float:
        return {key: float(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_decode(Any, item) for item in value)
    return value
