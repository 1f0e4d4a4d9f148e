"""``api/show``: what a model's file says of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from llm_ext.catalog.gguf import Header, LongArray, Value
from llm_ext.core.model_status import ModelStatus
from llm_ext.core.provider_status import RemoteModel
from llm_ext.wire.openai.body import decode

from .models import Details, capabilities, details, remote_details
from .names import NamedBody

_PARAMETERS = {
    "general.sampling.temp": "temperature",
    "general.sampling.top_k": "top_k",
    "general.sampling.top_p": "top_p",
    "general.sampling.min_p": "min_p",
    "general.sampling.penalty_repeat": "repeat_penalty",
}
"""GGUF's keys for recommended sampling, and Ollama's words for them."""

_TEMPLATE = "tokenizer.chat_template"
_NAME_WIDTH = 30


class ShowCall(NamedBody, kw_only=True):
    """A call."""

    verbose: bool | None = None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. ``template`` is Jinja: the language of the model's own file."""

    modelfile: str
    parameters: str
    template: str
    license: str
    details: Details
    model_info: dict[str, Any]
    capabilities: list[str]
    modified_at: datetime


_decoder = msgspec.json.Decoder(ShowCall)


def parse(data: bytes) -> ShowCall:
    """Return the call that a request's body makes.

    Raises:
        InvalidRequestError: It is no JSON, or a field is of a wrong type.
    """
    return decode(_decoder, data)


def show(status: ModelStatus, header: Header, *, verbose: bool) -> Shown:
    """Return what is known of a model; ``verbose`` with arrays."""
    metadata = header.metadata
    parameters = _parameters(metadata)
    return Shown(
        modelfile="\n".join(
            [f"FROM {status.id}", *(f"PARAMETER {line}" for line in parameters)]
        ),
        parameters="\n".join(parameters),
        template=_text(metadata, _TEMPLATE),
        license=_text(metadata, "general.license"),
        details=details(status),
        model_info={
            key: _told(value, verbose=verbose)
            for key, value in metadata.items()
            if key != _TEMPLATE
        }
        | {"general.parameter_count": status.parameters or 0},
        capabilities=capabilities(status),
        modified_at=status.modified,
    )


def show_remote(model: RemoteModel) -> Shown:
    """Return what is known of another server's model."""
    info: dict[str, Any] = {"general.name": model.name}
    if model.context_length is not None:
        info["general.context_length"] = model.context_length
    return Shown(
        modelfile=f"FROM {model.id}",
        parameters="",
        template="",
        license="",
        details=remote_details(model),
        model_info=info,
        capabilities=[],
        modified_at=model.created,
    )


def _parameters(metadata: Mapping[str, Value]) -> list[str]:
    return [
        f"{name:<{_NAME_WIDTH}} {_number(value)}"
        for key, name in _PARAMETERS.items()
        if isinstance(value := metadata.get(key), int | float)
    ]


def _number(value: float) -> str:
    """Return a number of 32 bits without the digits that it does not have."""
    return f"{value:.6g}"


def _told(value: Value, *, verbose: bool) -> Any:  # noqa: ANN401  # any JSON
    if isinstance(value, str | int | float):
        return value
    if not verbose:
        return None
    return list(value.elements()) if isinstance(value, LongArray) else list(value)


def _text(metadata: Mapping[str, Value], key: str) -> str:
    value = metadata.get(key)
    return value if isinstance(value, str) else ""
