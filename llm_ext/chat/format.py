"""A model's chat format: messages to a prompt, and what it writes back to messages."""

import json
import re
import secrets
from collections.abc import Collection, Mapping
from typing import NamedTuple

from llm_ext.core.constraint import (
    AnyJSON,
    Choice,
    Constraint,
    Grammar,
    JSONSchema,
    Regex,
)
from llm_ext.core.requests import ChatRequest
from llm_ext.core.tools import Tool
from llm_ext.errors import ChatTemplateError, InvalidRequestError

from .lark import Lark
from .reader import AnswerReader
from .reasoning import is_open, reasoning_style
from .registry import family_of
from .shaping import shaped_turns, template_tools
from .template import ChatTemplate, Turn

TOOL_TEMPLATE = "tool_use"
"""The name of a model's chat template for tools, where it has one of its own."""


class Prompt(NamedTuple):
    """A rendered prompt, and whether it ends within a thought of the model's."""

    text: str
    opened: bool


class ChatFormat:
    """How one model is talked to, by its chat template."""

    def __init__(self, template: ChatTemplate) -> None:
        self._template = template
        self._family = family_of(template.source)
        thinks = not self._family.thinks
        self._style = reasoning_style(template.source) if thinks else None

    @property
    def markers(self) -> tuple[str, ...]:
        """Texts by which answers are read; some vocabularies have tokens for them."""
        return tuple(dict.fromkeys((*self._family.markers, *self._thought_markers)))

    def shown_markers(self, request: ChatRequest) -> tuple[str, ...]:
        """Return those of the markers that an answer to ``request`` is read by."""
        if callable_tools(request) or self._family.thinks:
            return self.markers
        return self._thought_markers

    def prompt(self, request: ChatRequest) -> Prompt:
        """Return the prompt of ``request``.

        Raises:
            ChatTemplateError: The template is missing or refuses the messages.
            InvalidRequestError: There is no last message of the assistant's to
                continue.
        """
        if request.continue_final:
            return self._continued(request)
        text = self._render(request, opening=request.generation_prompt)
        return Prompt(text, self._style is not None and is_open(text, self._style))

    def constraint(
        self, request: ChatRequest, prompt: Prompt, special: Mapping[str, int]
    ) -> Constraint | None:
        """Return what an answer must be, thoughts included.

        Args:
            request: The request.
            prompt: Its prompt.
            special: Markers that are single tokens, with their ids.

        Raises:
            InvalidRequestError: A call is demanded of a tool that is not offered, or
                an answer is to be two things at once.
        """
        wanted = request.constraint
        tools = callable_tools(request)
        if request.tool_choice.mode == "required":
            if wanted is not None:
                raise InvalidRequestError(
                    "An answer cannot be a tool call and in a format of its own: leave "
                    "out 'response_format', or what 'tool_choice' demands.",
                    param="tool_choice",
                )
            tools = _demanded(request)
        elif wanted is None:
            return None
        elif not tools and self._style is None and not self._family.thinks:
            return wanted
        lark = Lark(special)
        answer = None if wanted is None else _expression(wanted, lark)
        if wanted is not None and answer is None:
            return self._unwritten(wanted, prompt)
        options = [] if answer is None else [self._family.answer(answer, lark)]
        if tools:
            many = request.tool_choice.parallel and request.tool_choice.name is None
            options.append(self._family.grammar(tools, lark, many=many))
        return lark.grammar(self._after_thought(lark.either(options), lark, prompt))

    def reader(self, request: ChatRequest, prompt: Prompt, choice: int) -> AnswerReader:
        """Return what reads answer number ``choice``."""
        tools = callable_tools(request)
        return AnswerReader(
            self._family if tools or self._family.thinks else None,
            tools=tools,
            many=request.tool_choice.parallel,
            style=self._style,
            opened=prompt.opened,
            thoughts=request.reasoning,
            choice=choice,
        )

    @property
    def _thought_markers(self) -> tuple[str, ...]:
        return () if self._style is None else self._style.markers

    def _render(self, request: ChatRequest, *, opening: bool, mark: str = "") -> str:
        tools = callable_tools(request)
        turns = shaped_turns(
            request.messages, tools, template=self._template, family=self._family
        )
        if mark:
            turns[-1] = _marked(turns[-1], mark)
        variables = dict(request.template_options)
        # One that does not show OpenAI's shape may stumble over it.
        if tools and self._template.knows_tools:
            variables["tools"] = template_tools(tools)
        variables["add_generation_prompt"] = opening
        return self._template.render(turns, variables)

    def _continued(self, request: ChatRequest) -> Prompt:
        """Return the prompt that ends with the last message's text."""
        last = request.messages[-1]
        if last.role != "assistant":
            raise InvalidRequestError(
                "Only a last message of the assistant's can be continued.",
                param="continue_final_message",
            )
        mark = f"mark-{secrets.token_hex(8)}"
        text, found, _ = self._render(request, opening=False, mark=mark).partition(mark)
        if not found:
            raise ChatTemplateError(
                "This model's chat template does not show the assistant's last "
                "message as it is, so it cannot be continued.",
                param="continue_final_message",
            )
        thinking = bool(last.reasoning) and not last.content
        return Prompt(text, self._style is not None and thinking)

    def _unwritten(self, wanted: Constraint, prompt: Prompt) -> Constraint:
        """Return a grammar in GBNF as it is: nothing can be put around it."""
        if not prompt.opened:
            return wanted
        raise InvalidRequestError(
            "This model thinks before it answers, and a grammar in GBNF has no place "
            "for that. Turn thinking off (chat_template_kwargs: enable_thinking), or "
            "write the grammar in Lark.",
            param=wanted.param,
        )

    def _after_thought(self, answer: str, lark: Lark, prompt: Prompt) -> str:
        """Return the expression of an answer, and of a thought where one can come."""
        if self._style is None:
            return answer
        opening, closing = map(str.rstrip, self._style)
        rest = lark.sequence(lark.until(closing), r"/\s{0,4}/")
        if prompt.opened:
            return lark.sequence(rest, answer)
        if prompt.text.rstrip().endswith(closing):
            return answer
        thought = lark.sequence(lark.text(opening), rest)
        return lark.rule(f"{thought}? {answer}")


def callable_tools(request: ChatRequest) -> tuple[Tool, ...]:
    """Return the tools that the model is told of: none where it may call none."""
    return () if request.tool_choice.mode == "none" else request.tools


def template_name(request: ChatRequest, known: Collection[str]) -> str:
    """Return which of a model's templates a request is for; "" is the default one.

    Raises:
        InvalidRequestError: It names one that is not ``known``.
    """
    name = request.template_name
    if name is None:
        wanted = TOOL_TEMPLATE in known and callable_tools(request)
        return TOOL_TEMPLATE if wanted else ""
    if name in ("", "default"):
        return ""
    if name not in known:
        names = ", ".join(["default", *filter(None, known)])
        raise InvalidRequestError(
            f"This model has no chat template {name!r}; it has {names}.",
            param="chat_template",
        )
    return name


def _demanded(request: ChatRequest) -> tuple[Tool, ...]:
    """Return the tools of which one must be called."""
    name = request.tool_choice.name
    found = tuple(tool for tool in request.tools if name in (None, tool.name))
    if found:
        return found
    wanted = "'tool_choice' demands a call" if name is None else f"there is no {name!r}"
    raise InvalidRequestError(
        f"No tool can be called: {wanted}, but 'tools' does not offer one.",
        param="tool_choice",
    )


def _marked(turn: Turn, mark: str) -> Turn:
    """Return the turn with a mark after what was said, or thought, last."""
    if turn.get("reasoning_content") and not turn["content"]:
        return {**turn, "reasoning_content": turn["reasoning_content"] + mark}
    if isinstance(turn["content"], list):
        return {**turn, "content": [*turn["content"], {"type": "text", "text": mark}]}
    return {**turn, "content": f"{turn['content'] or ''}{mark}"}


def _expression(wanted: Constraint, lark: Lark) -> str | None:
    """Return a constraint in Lark; None where it cannot be written so."""
    match wanted:
        case JSONSchema():
            return _schema(wanted, lark)
        case AnyJSON():
            return lark.json({"type": "object"})
        case Regex():
            return lark.rule(_slashed(wanted.pattern))
        case Choice():
            return lark.either(map(lark.text, wanted.options))
        case Grammar(syntax="lark"):
            return lark.rule(f"%lark {{\n{wanted.text}\n}}")
        case Grammar():
            return None


def _schema(wanted: JSONSchema, lark: Lark) -> str:
    try:
        schema = json.loads(wanted.schema)
    except ValueError as error:
        why = f"The JSON schema cannot be used: {error}."
        raise InvalidRequestError(why, param=wanted.param) from error
    return lark.json({"allOf": [schema]} if isinstance(schema, bool) else schema)


def _slashed(pattern: str) -> str:
    """Return a regular expression as Lark writes it."""

    def escaped(match: "re.Match[str]") -> str:
        return {"/": r"\/", "\n": r"\n"}.get(match[0], match[0])

    return f"/{re.sub(_ESCAPED, escaped, pattern)}/"


_ESCAPED = re.compile(r"\\.|/|\n", re.DOTALL)
