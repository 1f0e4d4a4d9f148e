"""Inference keys at work: which models they open, and how fast."""

import asyncio
import time
from collections.abc import Callable

from llm_ext.core.allowance import Allowance
from llm_ext.core.api_key import ApiKey, KeyTerms, OwnedKey
from llm_ext.core.settings import Limits
from llm_ext.errors import ModelNotAllowedError
from llm_ext.pool.admission import Admission, Backlog
from llm_ext.store.keys import Keys


class Keyring:
    """Owns what keys have used of late. All methods run on the event loop.

    Those that look into the store raise StoreError where it cannot be used.
    """

    def __init__(
        self, keys: Keys, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._admissions: dict[str, Admission] = {}

    async def all(self, user: str) -> list[ApiKey]:
        """Return the user's keys, oldest first."""
        return await asyncio.to_thread(self._keys.all, user)

    async def create(self, user: str, terms: KeyTerms) -> tuple[ApiKey, str]:
        """Make a key and return it with its secret, which is not kept."""
        return await asyncio.to_thread(self._keys.create, user, terms)

    async def revoke(self, user: str, key_id: str) -> None:
        """Delete a key.

        Raises:
            KeyNotFoundError: The user has none with this id.
        """
        await asyncio.to_thread(self._keys.revoke, user, key_id)
        self._admissions.pop(key_id, None)

    async def use(self, secret: str) -> OwnedKey:
        """Return the key that ``secret`` opens with.

        Raises:
            KeyRefusedError: There is none, or it has expired.
        """
        return await asyncio.to_thread(self._keys.use, secret)

    def admit(self, owned: OwnedKey, model: str) -> None:
        """Take note of a request to the model with the id ``model``.

        Raises:
            ModelNotAllowedError: The key is for other models.
            RateLimitedError: The key has been used too much of late.
        """
        check_allowed(owned, model)
        self._admission(owned).admit(model, owned.name, Backlog())

    def charge(self, owned: OwnedKey, tokens: int) -> None:
        """Take the tokens of a request that has ended."""
        admission = self._admissions.get(owned.key.id)
        if admission is not None:  # the key may be revoked by now
            admission.charge(owned.name, tokens)

    def allowances(self, owned: OwnedKey) -> dict[str, Allowance]:
        """Return what the key's own limits leave, by "requests" and "tokens"."""
        return self._admission(owned).allowances(owned.name)

    def _admission(self, owned: OwnedKey) -> Admission:
        key = owned.key
        limits = Limits(
            requests_per_minute=key.requests_per_minute,
            tokens_per_minute=key.tokens_per_minute,
        )
        return self._admissions.setdefault(key.id, Admission(limits, self._clock))


def check_allowed(owned: OwnedKey | None, model: str) -> None:
    """Refuse a model that the key is not for; None is no key at all.

    Raises:
        ModelNotAllowedError: The key is for other models than the one with this id.
    """
    if owned is not None and not allows(owned, model):
        raise ModelNotAllowedError(model, allowed=owned.key.models or ())


def allows(owned: OwnedKey | None, model: str) -> bool:
    """Return whether the model with this id may be used; None is no key at all."""
    if owned is None or owned.key.models is None:
        return True
    return model in owned.key.models
