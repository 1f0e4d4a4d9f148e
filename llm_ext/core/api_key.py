"""Keys that open the inference routes and nothing else."""

from datetime import datetime

import msgspec


class KeyTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a key is for.

    Attributes:
        name: What its owner calls it.
        models: Ids of the models that it may use; None is all.
        requests_per_minute: 0 is no limit.
        tokens_per_minute: Prompts and answers; 0 is no limit.
        expires: When it ends; None is never.
    """

    name: str
    models: tuple[str, ...] | None = None
    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    expires: datetime | None = None


class ApiKey(KeyTerms, frozen=True, kw_only=True):
    """A key as it can be shown: never the secret itself.

    Attributes:
        id: By which it is revoked.
        prefix: The beginning of the secret, by which people recognise it.
        created: When it was made.
        last_used: When it was last used, to the minute; None is never.
    """

    id: str
    prefix: str
    created: datetime
    last_used: datetime | None = None


class OwnedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key, and the user on whose behalf it asks."""

    user: str
    key: ApiKey

    @property
    def name(self) -> str:
        """What limits and streams are kept under."""
        return f"key:{self.key.id}"
