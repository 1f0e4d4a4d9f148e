"""``v1/completions``: what clients get, whole or in chunks."""

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from llm_ext.core.events import (
    ChoiceEnded,
    Event,
    Failed,
    Finished,
    Rerouted,
    TextDelta,
)
from llm_ext.wire import progress, sse

from .chat_reply import DONE, Usage, finish_reason, usage
from .completions import CompletionCall
from .errors import reply as error_reply
from .legacy_logprobs import Logprobs, LogprobWriter
from .timings import Timings, timings


class TextChoice(msgspec.Struct, frozen=True, kw_only=True):
    """One of the answers, or what a chunk adds to it."""

    index: int
    text: str
    logprobs: Logprobs | None = None
    finish_reason: Literal["stop", "length", "tool_calls"] | None = None


class TextCompletion(msgspec.Struct, frozen=True, kw_only=True):
    """Answers, or one event of a stream; ``usage`` is null before its last."""

    id: str
    created: int
    model: str
    choices: list[TextChoice]
    usage: Usage | msgspec.UnsetType | None = msgspec.UNSET
    timings: Timings | msgspec.UnsetType = msgspec.UNSET
    system_fingerprint: str | msgspec.UnsetType = msgspec.UNSET
    object: Literal["text_completion"] = "text_completion"


class CompletionReply:
    """Writes the answers to one call."""

    def __init__(
        self,
        call: CompletionCall,
        *,
        reply_id: str,
        model: str,
        now: int,
        fingerprint: str | msgspec.UnsetType = msgspec.UNSET,
    ) -> None:
        self._call = call
        self._id = f"cmpl-{reply_id}"
        self._model = model
        self._created = now
        self._fingerprint = fingerprint
        self._logprobs: dict[int, LogprobWriter] = {}

    def stream(self, event: Event) -> Iterator[bytes]:
        """Yield the server-sent events that say ``event``."""
        self._note(event)
        match event:
            case TextDelta():
                yield self._chunk(
                    TextChoice(
                        index=event.choice,
                        text=event.text,
                        logprobs=self._told(event.choice, [event]),
                    )
                )
            case ChoiceEnded():
                reason = finish_reason(event.reason)
                yield self._chunk(
                    TextChoice(index=event.choice, text="", finish_reason=reason)
                )
            case Finished():
                if self._call.include_usage:
                    yield self._event([], usage(event.usage), timings(event))
                yield DONE
            case Failed():
                yield sse.event(msgspec.json.encode(error_reply(event.error())))
            case _:
                yield progress.told(event, to_program=self._call.include_progress)

    def whole(self, events: Iterable[Event]) -> bytes:
        """Return the answers in one piece, as JSON; ``events`` end with Finished."""
        deltas: dict[int, list[TextDelta]] = {}
        choices: list[TextChoice] = []
        end: Finished | None = None
        for event in events:
            self._note(event)
            match event:
                case TextDelta():
                    deltas.setdefault(event.choice, []).append(event)
                case ChoiceEnded():
                    choices.append(self._choice(event, deltas.get(event.choice, [])))
                case Finished():
                    end = event
        if end is None:
            raise ValueError("the answer has no end")
        return msgspec.json.encode(
            TextCompletion(
                id=self._id,
                created=self._created,
                model=self._model,
                choices=sorted(choices, key=lambda choice: choice.index),
                usage=usage(end.usage),
                timings=timings(end),
                system_fingerprint=self._fingerprint,
            )
        )

    def _note(self, event: Event) -> None:
        if isinstance(event, Rerouted):
            self._model = event.model
            self._fingerprint = msgspec.UNSET

    def _choice(self, end: ChoiceEnded, deltas: list[TextDelta]) -> TextChoice:
        return TextChoice(
            index=end.choice,
            text="".join(delta.text for delta in deltas),
            logprobs=self._told(end.choice, deltas),
            finish_reason=finish_reason(end.reason),
        )

    def _told(self, choice: int, deltas: Iterable[TextDelta]) -> Logprobs | None:
        asked = self._call.request.sampling.logprobs
        if asked is None:
            return None
        if choice not in self._logprobs:
            self._logprobs[choice] = LogprobWriter(alternatives=asked > 0)
        return self._logprobs[choice].write(deltas)

    def _chunk(self, choice: TextChoice) -> bytes:
        counts = None if self._call.include_usage else msgspec.UNSET
        return self._event([choice], counts, msgspec.UNSET)

    def _event(
        self,
        choices: list[TextChoice],
        counts: Usage | msgspec.UnsetType | None,
        told: Timings | msgspec.UnsetType,
    ) -> bytes:
        chunk = TextCompletion(
            id=self._id,
            created=self._created,
            model=self._model,
            choices=choices,
            usage=counts,
            timings=told,
            system_fingerprint=self._fingerprint,
        )
        return sse.event(msgspec.json.encode(chunk))
