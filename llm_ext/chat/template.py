"""A model's own chat template, rendered in a sandbox."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import jinja2

from llm_ext.errors import ChatTemplateError

from .bounds import MAX_TEXT, Rounds, bounded_making
from .sandbox import ROUNDS, Sandbox
from .surrogates import without_surrogates

Turn: TypeAlias = dict[str, Any]
"""A message as templates know it: role, content, tool_calls and so on."""

_MISSING = (
    "This model's file has no chat template, so it cannot be used for chat. Give it "
    "one with the option 'chat_template' when it is loaded, complete plain text "
    "instead (v1/completions), or use a model that is published as 'chat' or "
    "'instruct'."
)
_NEEDLE = "needle-7f3a"
_CALL_ID = "abc123def"
"""Of nine letters and digits, as Mistral's templates demand."""


class ChatTemplate:
    """Turns messages into the prompt that a model was trained on.

    Attributes:
        source: The template; "" is a model without one.
    """

    def __init__(self, source: str | None, *, bos: str, eos: str) -> None:
        """Compile ``source``; None is a model without a template.

        Errors are kept for :meth:`render`: a model whose template is missing or
        broken can still be loaded.
        """
        self.source = source or ""
        self._special = {"bos_token": bos, "eos_token": eos}
        self._template: jinja2.Template | None = None
        self._problem = _MISSING
        if source is None:
            return
        try:
            self._template = Sandbox().from_string(source)
        # Compiling a hostile one can fail in many ways.
        except Exception as error:  # noqa: BLE001  # see above
            why = without_surrogates(str(error))
            self._problem = f"This model's chat template is broken: {why}."

    def render(self, turns: Sequence[Turn], variables: Mapping[str, Any]) -> str:
        """Return the prompt.

        Args:
            turns: The messages.
            variables: What else the template is given, by any names; most know
                ``tools`` and ``add_generation_prompt``.

        Raises:
            ChatTemplateError: There is no template, it refuses these messages, or it
                computes too much.
        """
        if self._template is None:
            raise ChatTemplateError(self._problem, param="model")
        try:
            with bounded_making():
                return self._output(turns, variables)
        # A template is a program: it can raise anything.
        except Exception as error:
            raise ChatTemplateError(
                f"This model's chat template refuses these messages: "
                f"{without_surrogates(str(error))}.",
                param="messages",
            ) from error

    def _output(self, turns: Sequence[Turn], variables: Mapping[str, Any]) -> str:
        if self._template is None:
            return ""
        parts: list[str] = []
        size = 0
        given = {
            **variables,
            **self._special,
            "messages": list(turns),
            ROUNDS: Rounds(),
        }
        for part in self._template.generate(given):
            size += len(part)
            if size > MAX_TEXT:
                raise ValueError(f"it writes more than {MAX_TEXT} characters")
            parts.append(part)
        return without_surrogates("".join(parts))

    # What a template can do is found out by trying: by its source one can only guess.

    @cached_property
    def knows_system(self) -> bool:
        """Whether it shows a system message."""
        system = {"role": "system", "content": _NEEDLE}
        return self._shows([system, _user("x")])

    @cached_property
    def knows_tools(self) -> bool:
        """Whether it shows the tools that it is given."""
        function = {"name": _NEEDLE, "description": _NEEDLE, "parameters": _PARAMETERS}
        tools = [{"type": "function", "function": function}]
        return self._shows([_user("x")], tools=tools)

    @cached_property
    def knows_calls(self) -> bool:
        """Whether it shows the calls of earlier turns."""
        return self._shows_call({"at": _NEEDLE}) or self.wants_text_arguments

    @cached_property
    def wants_text_arguments(self) -> bool:
        """Whether it shows a call only where its arguments are a text."""
        text = f'{{"at": "{_NEEDLE}"}}'
        return not self._shows_call({"at": _NEEDLE}) and self._shows_call(text)

    @cached_property
    def knows_results(self) -> bool:
        """Whether it shows the results of calls."""
        arguments = "{}" if self.wants_text_arguments else {}
        return self._shows([_user("x"), _assistant(arguments), _result(_NEEDLE)])

    @cached_property
    def wants_parts(self) -> bool:
        """Whether it shows content only where that is a list of parts."""
        parts = [{"type": "text", "text": _NEEDLE}]
        return not self._shows([_user(_NEEDLE)]) and self._shows([_user(parts)])

    def _shows_call(self, arguments: object) -> bool:
        call, said = _assistant(arguments), {"role": "assistant", "content": "said"}
        # Mistral's templates want users and assistants in turn, calls not counted.
        return self._shows([_user("x"), call, _result("y"), said, _user("z")])

    def _shows(self, turns: list[Turn], **variables: Any) -> bool:  # noqa: ANN401  # any JSON
        try:
            given = {"add_generation_prompt": True, **variables}
            return _NEEDLE in self.render(turns, given)
        except ChatTemplateError:
            return False


_PARAMETERS = {"type": "object", "properties": {"at": {"type": "string"}}}


def _user(content: object) -> Turn:
    return {"role": "user", "content": content}


def _assistant(arguments: object) -> Turn:
    function = {"name": "look", "arguments": arguments}
    call = {"id": _CALL_ID, "type": "function", "function": function}
    return {"role": "assistant", "content": "", "tool_calls": [call]}


def _result(content: str) -> Turn:
    return {
        "role": "tool",
        "content": content,
        "name": "look",
        "tool_call_id": _CALL_ID,
    }
