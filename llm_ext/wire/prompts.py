"""``prompts``: what clients send and get."""

from typing import Any

import msgspec

from llm_ext.core.events import (
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    Rerouted,
    TextDelta,
)
from llm_ext.core.prompt import Prompt, PromptText, fill
from llm_ext.core.whole_answer import WholeAnswer
from llm_ext.errors import InvalidRequestError

from . import progress, sse
from .chat_call import chat_call, check_options
from .openai.body import decode
from .openai.chat_reply import Usage, finish_reason, usage
from .openai.chat_request import ChatCall
from .openai.errors import reply as error_reply
from .openai.timings import Timings, timings


class PromptsReply(msgspec.Struct, frozen=True, kw_only=True):
    """A list of prompts."""

    prompts: list[Prompt]


class ExecuteCall(msgspec.Struct, frozen=True, kw_only=True):
    """How a prompt is to be answered.

    Attributes:
        variables: Values by name.
        model: The model that answers; None takes the prompt's.
        options: Chat options, beside the prompt's and before them.
    """

    variables: dict[str, Any]
    model: str | None
    options: dict[str, Any]


class PromptAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer."""

    text: str
    model: str
    usage: Usage
    finish_reason: str
    timings: Timings | msgspec.UnsetType = msgspec.UNSET


class _Started(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    version: int
    model: str


class _Content(msgspec.Struct, frozen=True, kw_only=True):
    text: str


class _Done(msgspec.Struct, frozen=True, kw_only=True):
    usage: Usage
    finish_reason: str
    timings: Timings | msgspec.UnsetType = msgspec.UNSET


class _Execute(msgspec.Struct):
    variables: dict[str, Any] | None = None
    model: str | None = None


_text_decoder = msgspec.json.Decoder(PromptText)
_execute_decoder = msgspec.json.Decoder(_Execute)
_object_decoder = msgspec.json.Decoder(dict[str, Any])
_OWN = {"variables", "model"}


def parse_text(data: bytes) -> PromptText:
    """Return the prompt that a body holds.

    Raises:
        InvalidRequestError: A field is missing or wrong; names it.
    """
    text = decode(_text_decoder, data)
    if not text.name.strip():
        raise InvalidRequestError("A prompt needs a name.", param="name")
    _check(text.options)
    return text


def parse_execute(data: bytes) -> ExecuteCall:
    """Return how a prompt is to be answered; InvalidRequestError names the field."""
    body = decode(_execute_decoder, data or b"{}")
    given = decode(_object_decoder, data or b"{}")
    options = {name: value for name, value in given.items() if name not in _OWN}
    _check(options)
    return ExecuteCall(
        variables=body.variables or {}, model=body.model, options=options
    )


def _check(options: dict[str, Any]) -> None:
    if options.get("tools"):
        raise InvalidRequestError(
            "'tools' have no place in a prompt: its answer is a text.", param="tools"
        )
    check_options(options)


def prompt_call(prompt: Prompt, call: ExecuteCall, *, model: str) -> ChatCall:
    """Return the chat that a filled prompt is.

    Raises:
        InvalidRequestError: A variable has no value, or an option is wrong.
    """
    text = fill(prompt.template, call.variables)
    messages = [{"role": "user", "content": text}]
    return chat_call(model, messages, {**prompt.options, **call.options})


class PromptReply:
    """Makes the answer to an executed prompt from its events, whole or in events."""

    def __init__(self, prompt: Prompt, *, model: str) -> None:
        self._prompt = prompt
        self._model = model
        self._whole = WholeAnswer()

    def opening(self) -> list[bytes]:
        """Return the first event: what is executed, and by which model."""
        prompt = self._prompt
        started = _Started(
            id=prompt.id, name=prompt.name, version=prompt.version, model=self._model
        )
        return [_event("start", started)]

    def tell(self, event: Event) -> list[bytes]:
        """Return what readers see of an event."""
        match event:
            case TextDelta():
                return [_event("content", _Content(text=event.text))]
            case ReasoningDelta():
                return [_event("reasoning", _Content(text=event.text))]
            case Finished():
                done = _Done(
                    usage=usage(event.usage),
                    finish_reason=finish_reason(event.reason),
                    timings=timings(event),
                )
                return [_event("done", done)]
            case Failed():
                return [_event("error", error_reply(event.error()))]
        try:
            return [_event("status", progress.status(event))]
        except ValueError:
            return []  # an end of a choice, or a call of a tool

    def add(self, event: Event) -> PromptAnswer | None:
        """Go on with an event; return the whole answer with the last one.

        Raises:
            LLMError: The event says that the request failed.
        """
        match event:
            case Failed():
                raise event.error()
            case Rerouted():
                self._model = event.model
            case TextDelta():
                self._whole.add(event)
            case Finished():
                return PromptAnswer(
                    text=self._whole.content,
                    model=self._model,
                    usage=usage(event.usage),
                    finish_reason=finish_reason(event.reason),
                    timings=timings(event),
                )
        return None


def _event(name: str, data: object) -> bytes:
    return sse.event(msgspec.json.encode(data), name=name)
