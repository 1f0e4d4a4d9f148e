"""``api/generate``: what clients send."""

import msgspec

from llm_ext.core.messages import ChatMessage
from llm_ext.core.requests import ChatRequest, CompletionRequest
from llm_ext.errors import InvalidRequestError, NotSupportedError
from llm_ext.wire.openai.body import decode

from .call import AnswerBody, Call, refuse_images
from .context import Turn, decode as decode_context


class _Body(AnswerBody, kw_only=True):
    """The fields that are understood; null equals absent, others are ignored."""

    prompt: str | None = None
    suffix: str | None = None
    system: str | None = None
    template: str | None = None
    context: list[int] | None = None
    raw: bool | None = None
    images: list[str] | None = None


_decoder = msgspec.json.Decoder(_Body)


def parse(data: bytes) -> Call:
    """Return the call that a request's body makes.

    Raises:
        InvalidRequestError: It is no JSON, lacks a field, or holds one of a wrong
            type, out of range, or not fitting another; names the field.
        NotSupportedError: There are images, or a template.
    """
    body = decode(_decoder, data)
    refuse_images(body.images, param="images")
    _check_template(body)
    turns = None if body.raw or body.suffix else _turns(body)
    return Call(
        model=body.model,
        request=_request(body, turns) if body.prompt else None,
        stream=body.stream is not False,
        keep_alive=body.kept,
        load=body.load,
        thinks=bool(body.think),
        turns=turns,
    )


def _check_template(body: _Body) -> None:
    if body.raw and (body.system or body.template or body.context):
        raise InvalidRequestError(
            "'raw' takes the prompt as it is: leave out 'system', 'template' and "
            "'context'.",
            param="raw",
        )
    if body.template:
        raise NotSupportedError(
            "'template' is not supported: models are asked by their own templates. "
            "Leave it out, or write the whole prompt and set 'raw'.",
            param="template",
        )


def _turns(body: _Body) -> tuple[Turn, ...]:
    """Return the conversation that the prompt goes on with, and the prompt."""
    turns = decode_context(body.context or ())
    if body.system:
        others = [turn for turn in turns if turn.role != "system"]
        turns = (Turn("system", body.system), *others)
    return (*turns, Turn("user", body.prompt or ""))


def _request(
    body: _Body, turns: tuple[Turn, ...] | None
) -> ChatRequest | CompletionRequest:
    if turns is None:
        return CompletionRequest(
            model=body.model,
            prompts=(body.prompt or "",),
            sampling=body.sampling,
            constraint=body.constraint,
            suffix=body.suffix or None,
        )
    return ChatRequest(
        model=body.model,
        messages=tuple(
            ChatMessage(role=turn.role, content=turn.content) for turn in turns
        ),
        sampling=body.sampling,
        constraint=body.constraint,
        template_options=body.template_options,
    )
