"""OpenAI's routes, and reranking, which it does not have."""

from contextlib import closing

from jupyter_server.auth.decorator import authorized
from tornado import web

from llm_ext.core.events import Scores, Vectors
from llm_ext.errors import ModelNotFoundError
from llm_ext.keyring import allows
from llm_ext.wire.openai import embeddings, models, rerank
from llm_ext.wire.openai.chat_reply import ChatReply
from llm_ext.wire.openai.chat_request import FIELDS, parse

from .answering import one_answer
from .base import LLMHandler
from .completing import complete


class ModelListHandler(LLMHandler):
    """``v1/models``."""

    accepts_keys = True

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List the models."""
        found = await self.providers.everywhere()
        allowed = [model for model in found if allows(self.key, model.id)]
        self.reply(models.model_list(allowed))


class ModelHandler(LLMHandler):
    """``v1/models/{id}``."""

    accepts_keys = True

    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        """Show one model."""
        found = await self.providers.model(name)
        if not allows(self.key, found.id):
            raise ModelNotFoundError(name)
        self.reply(models.model(found))


class ChatCompletionsHandler(LLMHandler):
    """``v1/chat/completions``."""

    auth_resource = "llm_ext:inference"
    accepts_keys = True

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Answer a chat, whole or as a stream."""
        call = parse(self.request.body)
        self.tell_ignored(FIELDS)
        await complete(self, call, lambda identity: ChatReply(call, **identity))


class EmbeddingsHandler(LLMHandler):
    """``v1/embeddings``."""

    auth_resource = "llm_ext:inference"
    accepts_keys = True

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Turn texts into vectors."""
        call = embeddings.parse(self.request.body)
        self.tell_ignored(embeddings.FIELDS)
        stream = await self.generate(call.request, keep_alive=call.keep_alive)
        with closing(stream):
            answer = await one_answer(stream, Vectors)
        if answer is not None:
            self.finish(embeddings.reply(call, *answer, model=stream.model))


class RerankHandler(LLMHandler):
    """``v1/rerank``."""

    auth_resource = "llm_ext:inference"
    accepts_keys = True

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Order documents by how well they fit a query."""
        call = rerank.parse(self.request.body)
        self.tell_ignored(rerank.FIELDS)
        stream = await self.generate(call.request, keep_alive=call.keep_alive)
        with closing(stream):
            answer = await one_answer(stream, Scores)
        if answer is not None:
            self.finish(rerank.reply(call, *answer, model=stream.model))
