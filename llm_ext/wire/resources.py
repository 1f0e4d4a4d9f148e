"""``catalog/resources``: models as resources of a catalog service."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from llm_ext.core.device import MemoryEstimate
from llm_ext.core.model_facts import Capability
from llm_ext.core.model_status import ModelStatus

PROVIDER = "local"
"""Where completions of these models come from: this server."""

ResourceStatus = Literal["published", "draft"]


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """Who may use a model, and who may read of it."""

    read: Literal["anyone", "authenticated"]
    use: Literal["authenticated"] = "authenticated"


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """What runs a model."""

    engine: Literal["llama.cpp"] = "llama.cpp"
    format: Literal["gguf"] = "gguf"
    architecture: str | None = None
    quantization: str | None = None
    parameters: int | None = None


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """One model.

    Attributes:
        key: What it is registered under; the same on every machine.
        id: What requests call it.
        status: A draft is not offered: withheld, or not to be loaded.
        context_window: Tokens that it was trained with; None where it was not read.
        memory: Bytes that it needs, by device and in all; None where it is unknown.
    """

    key: str
    id: str
    name: str
    type: Literal["model"] = "model"
    provider: str = PROVIDER
    status: ResourceStatus
    access: Access
    capabilities: tuple[Capability, ...] = ()
    context_window: int | None = None
    memory: MemoryEstimate | None = None
    memory_bytes: int | None = None
    runtime: Runtime
    size: int
    updated: datetime


class ResourcesReply(msgspec.Struct, frozen=True, kw_only=True):
    """``catalog/resources``."""

    resources: list[Resource]


def resource(
    model: ModelStatus,
    *,
    published: bool,
    public: bool,
    memory: MemoryEstimate | None,
) -> Resource:
    """Return a model as a resource."""
    offered = published and model.error is None
    return Resource(
        key=f"integrations/{PROVIDER}/models/{model.id}",
        id=model.id,
        name=model.name,
        status="published" if offered else "draft",
        access=Access(read="anyone" if public and offered else "authenticated"),
        capabilities=model.capabilities,
        context_window=model.trained_context,
        memory=memory,
        memory_bytes=None if memory is None else memory.total,
        runtime=Runtime(
            architecture=model.architecture,
            quantization=model.quantization,
            parameters=model.parameters,
        ),
        size=model.size,
        updated=model.modified,
    )


def chosen(
    resources: Iterable[Resource], *, provider: str, capability: str, status: str
) -> list[Resource]:
    """Return those that fit; "" fits all."""
    return [
        found
        for found in resources
        if provider in {"", found.provider}
        and (not capability or capability in found.capabilities)
        and status in {"", found.status}
    ]
