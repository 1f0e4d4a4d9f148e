"""``api/tags``, ``api/ps``: the models that are there, and those in memory."""

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import PurePath

import msgspec

from llm_ext.core.device import CPU
from llm_ext.core.model_facts import Capability
from llm_ext.core.model_status import ModelStatus
from llm_ext.core.provider_status import RemoteModel

_DIGEST = re.compile(r"sha256-([0-9a-f]{64})")
"""How Ollama names files by what is in them."""

_FOR_EVER = timedelta(days=106_751)
"""Ollama's longest duration, which its clients show as "forever"."""

_CAPABILITIES: dict[Capability, str] = {
    "completion": "completion",
    "tools": "tools",
    "infill": "insert",
    "vision": "vision",
    "embedding": "embedding",
    "thinking": "thinking",
}
"""Ollama's words; it has none for the others."""

_UNITS = ((10**9, "B", 1), (10**6, "M", 2), (10**3, "K", 0))
"""Units, and how many digits follow the point where the number is not whole."""


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """``api/version``."""

    version: str


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """What kind of model it is; empty where its file could not be read."""

    parent_model: str = ""
    format: str = "gguf"
    family: str
    families: list[str]
    parameter_size: str
    quantization_level: str


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A model of ``api/tags``."""

    name: str
    model: str
    modified_at: datetime
    size: int
    digest: str
    details: Details
    capabilities: list[str]


class Tags(msgspec.Struct, frozen=True, kw_only=True):
    """``api/tags``."""

    models: list[Listed]


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A model of ``api/ps``; sizes are of the memory that it has, in bytes."""

    name: str
    model: str
    size: int
    digest: str
    details: Details
    expires_at: datetime
    size_vram: int
    context_length: int


class Processes(msgspec.Struct, frozen=True, kw_only=True):
    """``api/ps``."""

    models: list[Running]


def tags(statuses: Iterable[ModelStatus | RemoteModel]) -> Tags:
    """Return all models."""
    return Tags(models=[_listed(status) for status in statuses])


def processes(statuses: Iterable[ModelStatus], *, now: datetime) -> Processes:
    """Return the loaded ones; those that stay longest come first."""
    loaded = [s for s in statuses if s.state in ("ready", "busy")]
    running = [_running(status, now=now) for status in loaded]
    return Processes(models=sorted(running, key=lambda r: r.expires_at, reverse=True))


def details(status: ModelStatus) -> Details:
    """Return what kind of model it is."""
    family = status.architecture or ""
    return Details(
        family=family,
        families=[family] if family else [],
        parameter_size=_short(status.parameters or 0),
        quantization_level=status.quantization or "",
    )


def capabilities(status: ModelStatus) -> list[str]:
    """Return what a model can be asked for, in Ollama's words."""
    known = status.capabilities
    return [word for capability, word in _CAPABILITIES.items() if capability in known]


def remote_details(model: RemoteModel) -> Details:
    """Return what is known of the kind of another server's model: who has it."""
    return Details(
        parent_model=model.name,
        format="",
        family=model.provider,
        families=[model.provider],
        parameter_size="",
        quantization_level="",
    )


def digest(status: ModelStatus) -> str:
    """Return what tells one version of a model from another.

    A file of Ollama's has the hash of its bytes in its name. That of others would take
    minutes to compute: theirs is of the name, the size and the time of the file.
    """
    if match := _DIGEST.fullmatch(PurePath(status.path).name):
        return match[1]
    version = f"{status.id}\0{status.size}\0{status.modified.isoformat()}"
    return hashlib.sha256(version.encode()).hexdigest()


def _listed(status: ModelStatus | RemoteModel) -> Listed:
    if isinstance(status, RemoteModel):
        return _listed_remote(status)
    return Listed(
        name=status.id,
        model=status.id,
        modified_at=status.modified,
        size=status.size,
        digest=digest(status),
        details=details(status),
        capabilities=capabilities(status),
    )


def _listed_remote(model: RemoteModel) -> Listed:
    return Listed(
        name=model.id,
        model=model.id,
        modified_at=model.created,
        size=0,
        digest=hashlib.sha256(model.id.encode()).hexdigest(),
        details=remote_details(model),
        capabilities=[],
    )


def _running(status: ModelStatus, *, now: datetime) -> Running:
    devices = {} if status.memory is None else status.memory.devices
    return Running(
        name=status.id,
        model=status.id,
        size=sum(use.total for use in devices.values()),
        digest=digest(status),
        details=details(status),
        expires_at=status.expires_at or now + _FOR_EVER,
        size_vram=sum(use.total for name, use in devices.items() if name != CPU),
        context_length=status.context_length or 0,
    )


def _short(number: int) -> str:
    """Return a number as Ollama writes it, such as "7.6B"."""
    for unit, name, digits in _UNITS:
        if number >= unit:
            whole = number % unit == 0
            return f"{number / unit:.{0 if whole else digits}f}{name}"
    return str(number) if number else ""
