"""Routes about prompts and tokens, as llama-server has them.

``tokenize``, ``detokenize``, ``apply-template``, ``infill``. A body may name a model.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import msgspec

from llm_ext.core.events import (
    ChoiceEnded,
    Event,
    Failed,
    Finished,
    Rerouted,
    TextDelta,
)
from llm_ext.core.requests import ChatRequest, CompletionRequest, ContextFile

from . import progress, sse
from .openai.body import decode
from .openai.chat_request import parse as parse_chat
from .openai.errors import reply as error_reply
from .openai.sampling_body import SamplingBody, most_tokens, sampling_options
from .openai.timings import Timings, timings


class Named(msgspec.Struct, kw_only=True):
    """A body that may name a model; without a name the default one is meant."""

    model: str | None = None


class TokenizeCall(Named, kw_only=True):
    """What ``tokenize`` carries.

    Attributes:
        content: The text.
        add_special: Whether what the model wants around an input is put there.
        parse_special: Whether special tokens in the text are recognised.
        with_pieces: Whether the text of each token is told.
        count: Whether the number of tokens is enough.
    """

    content: str
    add_special: bool = False
    parse_special: bool = True
    with_pieces: bool = False
    count: bool = False


class DetokenizeCall(Named, kw_only=True):
    """What ``detokenize`` carries."""

    tokens: list[int]


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A token, and its text; bytes where it is a part of a character."""

    id: int
    piece: str | list[int]


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What ``tokenize`` answers."""

    model: str
    count: int
    tokens: Sequence[int | Piece] | msgspec.UnsetType = msgspec.UNSET


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What ``detokenize`` answers."""

    model: str
    content: str


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """What ``apply-template`` answers; ``tokens`` is how many the prompt is."""

    model: str
    prompt: str
    tokens: int


class _File(msgspec.Struct):
    text: str
    filename: str = "tmp"


class _InfillBody(SamplingBody, kw_only=True):
    model: str | None = None
    input_prefix: str = ""
    input_suffix: str = ""
    input_extra: list[_File] | None = None
    prompt: str | None = None
    stream: bool | None = None


class InfillCall(msgspec.Struct, frozen=True, kw_only=True):
    """What ``infill`` carries; ``model`` is None for the default one."""

    model: str | None
    request: CompletionRequest
    stream: bool


class InfillAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What ``infill`` answers, or one event of its stream.

    Attributes:
        model: The model's id.
        content: What fills the gap, or a part of it.
        stop: Whether this is the end.
        stop_type: Why it ended.
        tokens_predicted: Tokens of the answer.
        tokens_evaluated: Tokens of the prompt.
        tokens_cached: Those of them that were computed before.
        timings: How fast it was.
    """

    model: str
    content: str
    stop: bool
    stop_type: Literal["eos", "limit"] | None = None
    tokens_predicted: int | None = None
    tokens_evaluated: int | None = None
    tokens_cached: int | None = None
    timings: Timings | msgspec.UnsetType = msgspec.UNSET


_infill = msgspec.json.Decoder(_InfillBody)
_tokenize = msgspec.json.Decoder(TokenizeCall)
_detokenize = msgspec.json.Decoder(DetokenizeCall)
_named = msgspec.json.Decoder(dict[str, Any])


def parse_tokenize(data: bytes) -> TokenizeCall:
    """Return the call; InvalidRequestError where a field is missing or mistyped."""
    return decode(_tokenize, data)


def parse_detokenize(data: bytes) -> DetokenizeCall:
    """Return the call; InvalidRequestError where a field is missing or mistyped."""
    return decode(_detokenize, data)


def parse_template(data: bytes) -> ChatRequest:
    """Return the chat whose prompt is wanted, as ``v1/chat/completions`` reads it.

    The model is "" where none is named.

    Raises:
        InvalidRequestError: A field is missing, of a wrong type or out of range.
    """
    body = decode(_named, data)
    if body.get("model") is None:
        body["model"] = ""
    return parse_chat(msgspec.json.encode(body)).request


def parse_infill(data: bytes) -> InfillCall:
    """Return the call; ``prompt`` is how the filling begins.

    Raises:
        InvalidRequestError: A field is missing, of a wrong type or out of range.
    """
    body = decode(_infill, data)
    return InfillCall(
        model=body.model,
        request=CompletionRequest(
            model=body.model or "",
            prompts=(body.input_prefix + (body.prompt or ""),),
            sampling=sampling_options(
                body,
                max_tokens=most_tokens(body.n_predict, body.max_tokens),
                logprobs=None,
            ),
            suffix=body.input_suffix,
            files=tuple(
                ContextFile(name=file.filename, text=file.text)
                for file in body.input_extra or ()
            ),
        ),
        stream=bool(body.stream),
    )


def pieces(tokens: Sequence[int], texts: Sequence[bytes]) -> list[Piece]:
    """Return tokens with their texts."""
    return [
        Piece(id=token, piece=_text(text))
        for token, text in zip(tokens, texts, strict=True)
    ]


def _text(text: bytes) -> str | list[int]:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return list(text)


class InfillReply:
    """Writes the answer to one call of ``infill``."""

    def __init__(self, *, model: str) -> None:
        self._model = model
        self._reason: Literal["eos", "limit"] = "eos"

    def stream(self, event: Event) -> Iterator[bytes]:
        """Yield the server-sent events that say ``event``."""
        self._note(event)
        match event:
            case TextDelta():
                part = InfillAnswer(model=self._model, content=event.text, stop=False)
                yield sse.event(msgspec.json.encode(part))
            case ChoiceEnded():
                self._reason = "limit" if event.reason == "length" else "eos"
            case Finished():
                yield sse.event(msgspec.json.encode(self._last("", event)))
            case Failed():
                yield sse.event(msgspec.json.encode(error_reply(event.error())))
            case _:
                yield sse.comment(progress.words(event))

    def whole(self, events: Iterable[Event]) -> bytes:
        """Return the answer in one piece, as JSON; ``events`` end with Finished."""
        text = ""
        end: Finished | None = None
        for event in events:
            self._note(event)
            match event:
                case TextDelta():
                    text += event.text
                case ChoiceEnded():
                    self._reason = "limit" if event.reason == "length" else "eos"
                case Finished():
                    end = event
        if end is None:
            raise ValueError("the answer has no end")
        return msgspec.json.encode(self._last(text, end))

    def _note(self, event: Event) -> None:
        if isinstance(event, Rerouted):
            self._model = event.model

    def _last(self, text: str, end: Finished) -> InfillAnswer:
        return InfillAnswer(
            model=self._model,
            content=text,
            stop=True,
            stop_type=self._reason,
            tokens_predicted=end.usage.completion_tokens,
            tokens_evaluated=end.usage.prompt_tokens,
            tokens_cached=end.usage.cached_tokens,
            timings=timings(end),
        )
