"""The models that another server lists: pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from llm_ext.core.provider_status import RemoteModel

from .incoming import WrongAnswerError

MAX_MODELS = 2000
MAX_NAME = 256

_CONTEXT = ("max_model_len", "context_length", "context_window", "max_context_length")
"""What servers call the tokens that fit: vLLM, and others."""


def model_list(
    provider: str, wanted: Iterable[str], body: Mapping[str, Any]
) -> dict[str, RemoteModel]:
    """Return the models of a list in OpenAI's shape, by their names there.

    ``wanted`` are those that are offered, also where the list lacks them; without any
    all are.

    Raises:
        WrongAnswerError: It is no such list.
    """
    listed = body.get("data")
    if not isinstance(listed, list):
        raise WrongAnswerError("it has no list of models")
    found = {
        item["id"]: _model(provider, item["id"], item)
        for item in listed
        if isinstance(item, dict) and _is_name(item.get("id"))
    }
    names = tuple(wanted)
    if names:
        found = {name: found.get(name) or _model(provider, name, {}) for name in names}
    return dict(sorted(found.items())[:MAX_MODELS])


def _is_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= MAX_NAME and name.isprintable()


def _model(provider: str, name: str, item: Mapping[str, Any]) -> RemoteModel:
    meta = item.get("meta")
    facts = {**(meta if isinstance(meta, dict) else {}), **item}
    fits = next((facts[field] for field in _CONTEXT if _is_count(facts.get(field))), 0)
    return RemoteModel(
        id=f"{provider}/{name}",
        provider=provider,
        name=name,
        created=_time(item.get("created")),
        context_length=fits or None,
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and value > 0


def _time(value: object) -> datetime:
    """Return a time in Unix seconds; the beginning of them where there is none."""
    try:
        return datetime.fromtimestamp(float(value), timezone.utc)  # type: ignore[arg-type]  # else TypeError
    except (TypeError, ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, timezone.utc)
