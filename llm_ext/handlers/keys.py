"""``keys``: inference keys of the caller."""

from datetime import datetime, timezone
from http import HTTPStatus

import msgspec
from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized
from tornado import web

from llm_ext.core.api_key import KeyTerms
from llm_ext.keyring import Keyring
from llm_ext.wire import keys as wire

from .base import LLMHandler


class _KeyHandler(LLMHandler):
    auth_resource = "llm_ext:keys"

    @property
    def keyring(self) -> Keyring:
        """All keys."""
        return self.services.keyring


class KeysHandler(_KeyHandler):
    """``keys``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List the caller's keys, without their secrets."""
        self.reply(wire.KeysReply(keys=await self.keyring.all(self.user)))

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Make a key. The answer is the only place where its secret is ever shown."""
        terms = wire.parse_create(self.request.body, datetime.now(timezone.utc))
        await self._check_may_infer()
        made, secret = await self.keyring.create(self.user, await self._by_id(terms))
        self.set_header("Cache-Control", "no-store")
        self.reply(wire.reply(made, secret), HTTPStatus.CREATED)

    async def _check_may_infer(self) -> None:
        """Refuse to hand on a right that the caller has not."""
        resource = "llm_ext:inference"
        asked = self.authorizer.is_authorized(
            self, self.current_user, "execute", resource
        )
        if not await ensure_async(asked):
            raise web.HTTPError(
                HTTPStatus.FORBIDDEN,
                f"User is not authorized to execute on resource: {resource}.",
            )

    async def _by_id(self, terms: KeyTerms) -> KeyTerms:
        """Return the terms with models by their ids; ModelNotFoundError if unknown."""
        if terms.models is None:
            return terms
        ids = [(await self.providers.model(name)).id for name in terms.models]
        return msgspec.structs.replace(terms, models=tuple(dict.fromkeys(ids)))


class KeyHandler(_KeyHandler):
    """``keys/{id}``."""

    @web.authenticated
    @authorized
    async def delete(self, key_id: str) -> None:
        """Revoke a key."""
        await self.keyring.revoke(self.user, key_id)
        self.set_status(HTTPStatus.NO_CONTENT)
        self.finish()
