"""The project's own routes: models and their states."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from llm_ext.core.duration import kept_for
from llm_ext.core.events import Event, Failed
from llm_ext.core.model_status import ModelStatus
from llm_ext.core.provider_status import RemoteModel
from llm_ext.core.whole_number import whole_number
from llm_ext.core.worker_status import WorkerStatus
from llm_ext.errors import InvalidRequestError

from . import progress, sse
from .openai.body import decode
from .openai.errors import reply

_T = TypeVar("_T")

_BOOLEANS = {"true": True, "false": False}


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """``health/live`` and ``health/ready``."""

    version: str
    status: str = "ok"
    api_version: str = "v1"


class ModelsReply(msgspec.Struct, frozen=True, kw_only=True):
    """``models``.

    Attributes:
        default: The id to use where a person names none.
        models: Those of this machine.
        remote: Those of providers: they can be asked, and nothing else.
    """

    default: str | None
    models: list[ModelStatus]
    remote: list[RemoteModel] = []


class _Call(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class LoadCall(_Call, frozen=True, kw_only=True):
    """What ``models/{id}/load`` may carry; see ``Router.load``."""

    options: dict[str, Any] | None = None
    keep_alive: float | str | None = None
    pinned: bool | None = None

    @property
    def seconds(self) -> float | None:
        """The keep-alive in seconds.

        Raises:
            InvalidRequestError: It is no duration.
        """
        return kept_for(self.keep_alive)


class UnloadCall(_Call, frozen=True, kw_only=True):
    """What ``models/{id}/unload`` may carry."""

    force: bool = False


class PinCall(_Call, frozen=True, kw_only=True):
    """What ``models/{id}/pin`` carries."""

    pinned: bool


class PreflightCall(_Call, frozen=True, kw_only=True):
    """What ``preflight`` carries."""

    model: str
    options: dict[str, Any] = {}


class WorkerCall(_Call, frozen=True, kw_only=True):
    """What ``workers`` carries; an ephemeral one ends with the caller's connection.

    ``device`` is the one device to compute on: short for ``devices`` of the options.
    """

    model: str
    device: str | None = None
    options: dict[str, Any] | None = None
    ephemeral: bool = False

    @property
    def load_options(self) -> dict[str, Any] | None:
        """The options with the device among them; None if nothing is asked for."""
        if self.device is None:
            return self.options
        return {**(self.options or {}), "devices": [self.device]}


class WorkersReply(msgspec.Struct, frozen=True, kw_only=True):
    """``workers``."""

    workers: list[WorkerStatus]


def parse(data: bytes, kind: type[_T]) -> _T:
    """Return the call; an empty body is one without fields.

    Raises:
        InvalidRequestError: It is no JSON, or holds an unknown or mistyped field.
    """
    return decode(msgspec.json.Decoder(kind), data or b"{}")


def preflight_query(arguments: Mapping[str, str]) -> PreflightCall:
    """Return the call that a query says: the model, and options beside it.

    Raises:
        InvalidRequestError: No model is named.
    """
    options: dict[str, Any] = dict(arguments)
    model = options.pop("model", "")
    if not model:
        raise InvalidRequestError(
            "Say which model: preflight?model=<id>.", param="model"
        )
    for name, text in options.items():
        number = whole_number(text)
        if number is not None:
            options[name] = number
        elif text in _BOOLEANS:
            options[name] = _BOOLEANS[text]
    return PreflightCall(model=model, options=options)


def worker_event(worker: WorkerStatus) -> bytes:
    """Return a worker's state as a server-sent event."""
    return sse.event(msgspec.json.encode(worker), name="worker")


def load_event(event: Event) -> bytes:
    """Return a load's event as a server-sent event, ``status`` or ``error``."""
    if isinstance(event, Failed):
        return sse.event(msgspec.json.encode(reply(event.error())), name="error")
    return sse.event(msgspec.json.encode(progress.status(event)), name="status")
