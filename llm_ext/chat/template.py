"""A model's own chat template, rendered in a sandbox."""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any, NoReturn

import jinja2
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from llm_ext.core.messages import ChatMessage
from llm_ext.errors import ChatTemplateError


class ChatTemplate:
    """Turns messages into the prompt that a model was trained on.

    Templates come with model files and are untrusted: they run in Jinja's immutable
    sandbox. What they may call beside Jinja's own is what templates in the field do:
    ``raise_exception``, ``strftime_now`` and ``tojson`` without HTML escapes (as in
    the transformers library, which defined the format).
    """

    def __init__(self, source: str | None, *, bos: str, eos: str) -> None:
        """Compile ``source``; None is a model without a template.

        Errors are kept for :meth:`render`: a model whose template is missing or
        broken can still be loaded.
        """
        self._special = {"bos_token": bos, "eos_token": eos}
        self._template: jinja2.Template | None = None
        self._problem = (
            "This model's file has no chat template, so it cannot be used for chat. "
            "Use a model that is published as 'chat' or 'instruct'."
        )
        if source is None:
            return
        try:
            self._template = _environment().from_string(source)
        except jinja2.TemplateError as error:
            self._problem = f"This model's chat template is broken: {error}."

    def render(self, messages: Sequence[ChatMessage]) -> str:
        """Return the prompt, open for the assistant's next turn.

        Raises:
            ChatTemplateError: There is no template, or it refuses these messages.
        """
        if self._template is None:
            raise ChatTemplateError(self._problem, param="model")
        turns = [{"role": turn.role, "content": turn.content} for turn in messages]
        try:
            return self._template.render(
                messages=turns, add_generation_prompt=True, **self._special
            )
        # A template is a program: it can raise anything.
        except Exception as error:
            raise ChatTemplateError(
                f"This model's chat template refuses these messages: {error}.",
                param="messages",
            ) from error


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = _strftime_now
    return environment


def _tojson(value: Any, indent: int | None = None) -> str:  # noqa: ANN401  # any JSON
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _raise_exception(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)


def _strftime_now(form: str) -> str:
    return dt.datetime.now().astimezone().strftime(form)
