"""``v1/models``."""

from typing import Literal

import msgspec

from llm_ext.core.model_status import ModelStatus


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One model; ``created`` is its file's time in Unix seconds."""

    id: str
    created: int
    object: Literal["model"] = "model"
    owned_by: str = "local"


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """All models."""

    data: list[Model]
    object: Literal["list"] = "list"


def model(status: ModelStatus) -> Model:
    """Return one model as OpenAI lists it."""
    return Model(id=status.id, created=int(status.modified.timestamp()))


def model_list(statuses: list[ModelStatus]) -> ModelList:
    """Return all models as OpenAI lists them."""
    return ModelList(data=[model(status) for status in statuses])
