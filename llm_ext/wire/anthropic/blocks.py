"""``v1/messages``: what an answer is made of, and how blocks grow in a stream."""

from typing import Annotated, TypeAlias

import msgspec

SIGNATURE = "local"
"""Clients send thoughts back only where they are signed; nobody checks it here."""


NOTHING = msgspec.Raw(b"{}")
"""The input of a call that has just begun, or that needs none."""


class _Typed(msgspec.Struct, frozen=True, tag_field="type", kw_only=True):
    pass


class TextBlock(_Typed, frozen=True, tag="text"):
    """What the answer says."""

    text: str = ""


class ThinkingBlock(_Typed, frozen=True, tag="thinking"):
    """What was thought before it."""

    thinking: str = ""
    signature: str = ""


class ToolUseBlock(_Typed, frozen=True, tag="tool_use"):
    """A call of a tool; the input is as the model wrote it."""

    id: str
    name: str
    input: Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "object"})]


Block: TypeAlias = TextBlock | ThinkingBlock | ToolUseBlock


class TextAddition(_Typed, frozen=True, tag="text_delta"):
    """More of a text."""

    text: str


class ThinkingAddition(_Typed, frozen=True, tag="thinking_delta"):
    """More of a thought."""

    thinking: str


class SignatureAddition(_Typed, frozen=True, tag="signature_delta"):
    """The end of a thought."""

    signature: str


class InputAddition(_Typed, frozen=True, tag="input_json_delta"):
    """More of a call's input; all parts together are a JSON object."""

    partial_json: str


Addition: TypeAlias = (
    TextAddition | ThinkingAddition | SignatureAddition | InputAddition
)


def addition(block: Block, text: str) -> Addition:
    """Return more of a block that has begun."""
    match block:
        case TextBlock():
            return TextAddition(text=text)
        case ThinkingBlock():
            return ThinkingAddition(thinking=text)
        case ToolUseBlock():
            return InputAddition(partial_json=text)


def complete(block: Block, text: str) -> Block:
    """Return a block that has come to ``text``."""
    match block:
        case TextBlock():
            return TextBlock(text=text)
        case ThinkingBlock():
            return ThinkingBlock(thinking=text, signature=SIGNATURE)
        case ToolUseBlock():
            given = msgspec.Raw(text.encode()) if text else NOTHING
            return msgspec.structs.replace(block, input=given)
