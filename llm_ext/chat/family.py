"""The protocol of tool calls: what there must be for each family of models."""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from llm_ext.core.messages import ToolCall
from llm_ext.core.tools import Tool

from .lark import Lark
from .output import Output
from .source import Reading, Source
from .template import Turn

MAX_NAME = 128
"""Characters of a tool's name."""

NAME = re.compile(r"[\w.:/-]+")
"""What names are made of."""


class Family(ABC):
    """How a family of models calls tools, and thinks where it does so in its own way.

    Attributes:
        markers: Texts around calls that are single tokens in the vocabularies of some
            models, and would not be shown.
        thinks: Whether it reads thoughts itself; its answers are read also where no
            tools are offered.
    """

    markers: ClassVar[tuple[str, ...]] = ()
    thinks: ClassVar[bool] = False

    def __init__(self, template: str) -> None:
        """Take the chat template, by which some families write in one way or another.

        It is kept as ``template``.
        """
        self.template = template

    @classmethod
    @abstractmethod
    def detects(cls, template: str) -> bool:
        """Whether models with this chat template are of the family."""

    @abstractmethod
    def read(self, source: Source, output: Output) -> Reading[None]:
        """Read an answer to its end, or to where the output is full.

        Nothing is lost: what is no call is text.
        """

    @abstractmethod
    def write(self, calls: Sequence[ToolCall]) -> str:
        """Return the calls as the model writes them."""

    @abstractmethod
    def grammar(self, tools: Sequence[Tool], lark: Lark, *, many: bool) -> str:
        """Return the expression of one call or ``many``, with valid arguments."""

    def answer(self, answer: str, _lark: Lark) -> str:
        """Return the expression of an answer, from that of its text."""
        return answer

    def shape(self, turns: list[Turn], _tools: Sequence[Tool]) -> list[Turn]:
        """Return the turns as the family's chat templates want them."""
        return turns


def json_call(lark: Lark, tool: Tool, *, key: str = "arguments") -> str:
    """Return the expression of a call that is a JSON object."""
    head = lark.text(f'{{"name": {json.dumps(tool.name)}, "{key}": ')
    return f'{head} {lark.json(parameters(tool))} "}}"'


def parameters(tool: Tool) -> dict[str, object]:
    """Return the schema of the tool's arguments, which are an object at least."""
    return {"type": "object", **tool.parameters}


def written_call(call: ToolCall, *, key: str = "arguments") -> str:
    """Return a call as a JSON object."""
    return f'{{"name": {json.dumps(call.name)}, "{key}": {call.arguments}}}'
