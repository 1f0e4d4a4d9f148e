"""``catalog/resources``."""

from http import HTTPStatus

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import allow_unauthenticated
from tornado import web

from llm_ext.wire.resources import ResourcesReply, chosen

from .base import LLMHandler


class ResourcesHandler(LLMHandler):
    """Models as resources; open to strangers only where the administrator says so."""

    @allow_unauthenticated
    async def get(self) -> None:
        """List them; strangers see what is published."""
        known = await self._may_see_all()
        resources = chosen(
            await self.services.resources(),
            provider=self.get_query_argument("provider", ""),
            capability=self.get_query_argument("capability", ""),
            status=self.get_query_argument("status", ""),
        )
        if not known:
            resources = [found for found in resources if found.status == "published"]
        self.reply(ResourcesReply(resources=resources))

    async def _may_see_all(self) -> bool:
        """Return whether the caller is known and allowed; refuses others.

        Strangers get False where the catalog is public.
        """
        public = self.services.settings.public_catalog
        if self.current_user is None:
            if public:
                return False
            self.get_login_url()
        asked = self.authorizer.is_authorized(
            self, self.current_user, "read", self.auth_resource
        )
        allowed = await ensure_async(asked)
        if not allowed and not public:
            raise web.HTTPError(HTTPStatus.FORBIDDEN)
        return bool(allowed)
