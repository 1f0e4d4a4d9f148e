"""Chat calls that the server itself makes: for conversations and for prompts.

They are written as the body of OpenAI's request and read by its parser, so that every
option means the same everywhere.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from llm_ext.core.conversation import Attachment, Draft
from llm_ext.errors import InvalidRequestError

from .openai.chat_request import ChatCall, parse

_OURS = ("messages", "stream", "stream_options", "n")
"""What the server decides itself."""

_STREAM = {"include_usage": True, "include_progress": True}


def chat_call(
    model: str,
    messages: Sequence[Mapping[str, Any]],
    options: Mapping[str, Any],
) -> ChatCall:
    """Return the call that asks ``model`` to go on after ``messages``.

    Args:
        model: The model's id.
        messages: OpenAI's messages.
        options: Other fields of OpenAI's request.

    Raises:
        InvalidRequestError: An option or a message is wrong; names the field.
    """
    for name in _OURS:
        if name in options:
            raise InvalidRequestError(
                f"'{name}' cannot be chosen here: the server sets it.", param=name
            )
    return parse(
        msgspec.json.encode(
            {
                **options,
                "model": model,
                "messages": list(messages),
                "stream": True,
                "stream_options": _STREAM,
            }
        )
    )


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse chat options that no call could have.

    Raises:
        InvalidRequestError: One is wrong; names it.
    """
    chat_call("", [{"role": "user", "content": ""}], options)


def written(system: str, path: Sequence[Draft]) -> list[dict[str, Any]]:
    """Return the turns of a conversation as OpenAI's messages."""
    first = [{"role": "system", "content": system}] if system else []
    return [*first, *map(_message, path)]


def _message(turn: Draft) -> dict[str, Any]:
    message: dict[str, Any] = {"role": turn.role, "content": _content(turn)}
    if turn.reasoning:
        message["reasoning_content"] = turn.reasoning
    if turn.tool_calls:
        message["tool_calls"] = turn.tool_calls
    if turn.tool_call_id is not None:
        message["tool_call_id"] = turn.tool_call_id
    return message


def _content(turn: Draft) -> str | list[dict[str, Any]]:
    """Return what is said, after what it came with."""
    images = [a for a in turn.attachments if a.kind == "image"]
    texts = [_fenced(a) for a in turn.attachments if a.kind != "image"]
    text = "\n\n".join([*texts, turn.content])
    if not images:
        return text
    return [
        *({"type": "image_url", "image_url": {"url": a.content}} for a in images),
        {"type": "text", "text": text},
    ]


def _fenced(attachment: Attachment) -> str:
    """Return an attachment between marks that do not occur in it."""
    mark = "```"
    while mark in attachment.content:
        mark += "`"
    what = f"{attachment.kind} {attachment.name}".strip()
    return f"{what}:\n{mark}\n{attachment.content}\n{mark}"
