"""``v1/completions``."""

from jupyter_server.auth.decorator import authorized
from tornado import web

from llm_ext.wire.openai.completion_reply import CompletionReply
from llm_ext.wire.openai.completions import FIELDS, parse

from .base import LLMHandler
from .completing import complete


class CompletionsHandler(LLMHandler):
    """``v1/completions``."""

    auth_resource = "llm_ext:inference"
    accepts_keys = True

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Go on with texts as they are, whole or as a stream."""
        call = parse(self.request.body)
        self.tell_ignored(FIELDS)
        await complete(self, call, lambda identity: CompletionReply(call, **identity))
