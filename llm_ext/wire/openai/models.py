"""``v1/models``."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from llm_ext.core.model_status import ModelStatus
from llm_ext.core.provider_status import RemoteModel


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One model; ``created`` is its file's time in Unix seconds.

    ``owned_by`` is the provider that answers: this machine, or another server.
    """

    id: str
    created: int
    object: Literal["model"] = "model"
    owned_by: str = "local"


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """All models."""

    data: list[Model]
    object: Literal["list"] = "list"


def model(status: ModelStatus | RemoteModel) -> Model:
    """Return one model as OpenAI lists it."""
    if isinstance(status, RemoteModel):
        created = int(status.created.timestamp())
        return Model(id=status.id, created=created, owned_by=status.provider)
    return Model(id=status.id, created=int(status.modified.timestamp()))


def model_list(statuses: Iterable[ModelStatus | RemoteModel]) -> ModelList:
    """Return all models as OpenAI lists them."""
    return ModelList(data=[model(status) for status in statuses])
