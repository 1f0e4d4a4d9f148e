"""Routes about prompts and tokens; nothing but ``infill`` needs a loaded model."""

from pathlib import Path

import msgspec
from jupyter_server.auth.decorator import authorized
from tornado import web

from llm_ext.core import bounds
from llm_ext.core.model_status import ModelStatus
from llm_ext.errors import InvalidRequestError
from llm_ext.keyring import check_allowed
from llm_ext.wire import helpers as wire

from .answering import answer
from .base import LLMHandler


class _HelperHandler(LLMHandler):
    auth_resource = "llm_ext:inference"
    accepts_keys = True

    async def meant(self, name: str | None) -> ModelStatus:
        """Return the model that is named, or the default one.

        Raises:
            ModelNotFoundError: There is none of that name.
            InvalidRequestError: None is named, and there is no default.
            ModelNotAllowedError: The caller's key is for other models.
        """
        wanted = self.providers.own(name or await self._default())
        model = await self.router.model(wanted)
        check_allowed(self.key, model.id)
        return model

    async def _default(self) -> str:
        default = await self.router.default()
        if default is None:
            raise InvalidRequestError(
                "Say which model is meant: there is no default one.", param="model"
            )
        return default


class TokenizeHandler(_HelperHandler):
    """``tokenize``."""

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Return the tokens of a text, or how many they are."""
        call = wire.parse_tokenize(self.request.body)
        model = await self.meant(call.model)
        path, probe = Path(model.path), self.services.probe
        special = {
            "add_special": call.add_special,
            "parse_special": call.parse_special,
        }
        if call.count:
            count = await probe.count(path, call.content, **special)
            self.reply(wire.Tokens(model=model.id, count=count))
            return
        tokens = await probe.tokenize(path, call.content, **special)
        told: list[int] | list[wire.Piece] = tokens
        if call.with_pieces:
            told = wire.pieces(tokens, await probe.pieces(path, tokens))
        self.reply(wire.Tokens(model=model.id, count=len(tokens), tokens=told))


class DetokenizeHandler(_HelperHandler):
    """``detokenize``."""

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Return the text of tokens."""
        call = wire.parse_detokenize(self.request.body)
        model = await self.meant(call.model)
        text = await self.services.probe.detokenize(Path(model.path), call.tokens)
        self.reply(wire.Content(model=model.id, content=text))


class TemplateHandler(_HelperHandler):
    """``apply-template``."""

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Return the prompt that a chat becomes."""
        request = wire.parse_template(self.request.body)
        bounds.check(request)
        model = await self.meant(request.model)
        options = await self.router.options(model.id)
        prompt = await self.services.probe.prompt(Path(model.path), options, request)
        self.reply(
            wire.Prompt(model=model.id, prompt=prompt.text, tokens=prompt.tokens)
        )


class InfillHandler(_HelperHandler):
    """``infill``."""

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Fill the gap between two texts."""
        call = wire.parse_infill(self.request.body)
        model = call.model or await self._default()
        stream = await self.generate(msgspec.structs.replace(call.request, model=model))
        reply = wire.InfillReply(model=stream.model)
        await answer(self, stream, reply, streaming=call.stream)
