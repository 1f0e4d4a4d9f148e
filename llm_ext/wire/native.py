"""The project's own routes: models and their states."""

import msgspec

from llm_ext.core.events import Event, Failed
from llm_ext.core.model_status import ModelStatus
from llm_ext.errors import InvalidRequestError

from . import progress, sse
from .openai.errors import reply


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """``health/live`` and ``health/ready``."""

    version: str
    status: str = "ok"
    api_version: str = "v1"


class ModelsReply(msgspec.Struct, frozen=True, kw_only=True):
    """``models``; ``default`` is the id to use where a person names none."""

    default: str | None
    models: list[ModelStatus]


class UnloadCall(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``models/{id}/unload`` may carry."""

    force: bool = False


def parse_unload(data: bytes) -> UnloadCall:
    """Return the call; an empty body is one without options.

    Raises:
        InvalidRequestError: It is no JSON, or holds an unknown or mistyped field.
    """
    try:
        return msgspec.json.decode(data or b"{}", type=UnloadCall)
    except msgspec.DecodeError as error:
        raise InvalidRequestError(f"The request's body is wrong: {error}.") from error


def load_event(event: Event) -> bytes:
    """Return a load's event as a server-sent event, ``status`` or ``error``."""
    if isinstance(event, Failed):
        return sse.event(msgspec.json.encode(reply(event.error())), name="error")
    return sse.event(msgspec.json.encode(progress.status(event)), name="status")
