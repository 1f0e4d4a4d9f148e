"""Every sequence of events in the dialects that stream, to the letter.

Anthropic's and the Responses' are in files of their own.
"""

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timezone

import pytest

from llm_ext.core.events import Event
from llm_ext.pool.timing import Timing
from llm_ext.wire import helpers, ndjson, providers
from llm_ext.wire.anthropic import messages_request
from llm_ext.wire.anthropic.messages_reply import MessagesReply
from llm_ext.wire.ollama import chat_request as ollama_chat, generate_request
from llm_ext.wire.ollama.reply import Reply
from llm_ext.wire.openai import chat_request, completions
from llm_ext.wire.openai.chat_reply import ChatReply
from llm_ext.wire.openai.completion_reply import CompletionReply
from tests.recorded import check
from tests.scenes import SCENES

HI = [{"role": "user", "content": "Hi"}]
NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=timezone.utc)
OPTIONS = {"include_usage": True, "include_progress": True}

Tell = Callable[[Event], Iterable[bytes]]


def body(**fields: object) -> bytes:
    return json.dumps({"model": "m", **fields}).encode()


def openai_chat() -> ChatReply:
    call = chat_request.parse(body(messages=HI, stream=True, stream_options=OPTIONS))
    return ChatReply(call, reply_id="1", model="m", now=1000)


def openai_completion() -> CompletionReply:
    call = completions.parse(body(prompt="Hi", stream=True, stream_options=OPTIONS))
    return CompletionReply(call, reply_id="1", model="m", now=1000)


def ollama(*, chat: bool) -> Reply:
    call = (
        ollama_chat.parse(body(messages=HI))
        if chat
        else generate_request.parse(body(prompt="Hi"))
    )
    return Reply(call, chat=chat, timing=Timing(0), now=lambda: NOW)


def in_lines(reply: Reply) -> Tell:
    return lambda event: map(ndjson.line, reply.stream(event))


def anthropic() -> MessagesReply:
    call = messages_request.parse(body(messages=HI, max_tokens=5))
    return MessagesReply(call, reply_id="1", model="m")


def infill() -> Tell:
    return helpers.InfillReply(model="m").stream


def execute() -> Tell:
    given = {
        "provider": "local",
        "operation": "chat",
        "params": {"model": "m", "messages": HI},
    }
    parsed = providers.parse_execute(json.dumps(given).encode())
    reply = providers.ProviderReply(providers.execute_call(parsed, default=None))
    return lambda event: reply.tell(event, provider="local", model="m")


DIALECTS: dict[str, Callable[[], Tell]] = {
    "openai_chat/{}.sse": lambda: openai_chat().stream,
    "openai_completion/{}.sse": lambda: openai_completion().stream,
    "ollama/scene_chat_{}.ndjson": lambda: in_lines(ollama(chat=True)),
    "ollama/scene_generate_{}.ndjson": lambda: in_lines(ollama(chat=False)),
    "infill/{}.sse": infill,
    "providers/{}.sse": execute,
}
WITHOUT_CALLS = ("openai_completion/{}.sse", "infill/{}.sse")
"""There is no chat in them, so that nobody thinks or calls."""


@pytest.mark.parametrize(
    ("file", "scene"),
    [
        (file, scene)
        for file in DIALECTS
        for scene in SCENES
        if file not in WITHOUT_CALLS or scene not in {"thought", "calls", "broken_call"}
    ],
)
def test_every_sequence_of_events_is_as_recorded(file: str, scene: str) -> None:
    tell = DIALECTS[file]()
    told = b"".join(part for event in SCENES[scene] for part in tell(event))
    check(file.format(scene), told.decode())


@pytest.mark.parametrize(
    "reply", [openai_chat(), openai_completion(), ollama(chat=True), anthropic()]
)
def test_an_answer_without_an_end_is_none(
    reply: ChatReply | CompletionReply | Reply | MessagesReply,
) -> None:
    with pytest.raises(ValueError, match="no end"):
        reply.whole(SCENES["text"][:-1])
