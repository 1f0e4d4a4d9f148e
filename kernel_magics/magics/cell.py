"""``%%llm``: asks the text of the cell, and shows the answer as it comes."""

import json
from argparse import Namespace
from typing import Any

from IPython.core.error import UsageError

from kernel_magics.answer import Answer
from kernel_magics.context.budget import Excerpt, characters, tokens
from kernel_magics.context.interpolate import Interpolated, interpolate
from kernel_magics.context.sources import SOURCES, gathered
from kernel_magics.fences import fenced
from kernel_magics.functions import Toolbox
from kernel_magics.inert import inert
from kernel_magics.schema import Schema, schema_of

from .arguments import listed
from .asking import Asked, exchange_of, sampling, show_answer
from .session import Session

CONTEXT_TITLE = "These are parts of my notebook.\n\n"
QUESTION_TITLE = "\n\n---\n\n"


class CellQuestion:
    """Runs ``%%llm`` cells."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def ask(self, arguments: Namespace, text: str) -> None:
        """Stream the answer to the cell's ``text`` into its output.

        Raises:
            UsageError: An option makes no sense.
            MagicError: No server, no model, or the server refused; says why.
            StoppedError: The user interrupted; the request ended on the server too.
        """
        question = self._question(arguments, text.strip())
        excerpts = self._excerpts(arguments)
        asked = self._asked(arguments, question.text, excerpts)
        if arguments.dry_run:
            self._preview(asked, question, excerpts)
            return
        answer = show_answer(self._session, asked)
        if arguments.output:
            schema = asked.schema is not None
            self._session.values[arguments.output] = answer.value if schema else answer
        if asked.kind == "code":
            self._offer(answer)

    def _question(self, arguments: Namespace, text: str) -> Interpolated:
        options = self._session.options
        if arguments.raw or not options.interpolate:
            return Interpolated(text=text, names=())
        limit = characters(options.context_tokens)
        return interpolate(text, self._session.own_values, limit)

    def _excerpts(self, arguments: Namespace) -> list[Excerpt]:
        names = listed(arguments.context)
        unknown = [name for name in names if name not in SOURCES]
        if unknown:
            known = ", ".join(SOURCES)
            raise UsageError(f"--context knows no '{unknown[0]}'; it knows {known}.")
        limit = arguments.budget
        if limit is None:
            limit = self._session.options.context_tokens
        return gathered(self._session.notebook, names, limit)

    def _asked(
        self, arguments: Namespace, question: str, excerpts: list[Excerpt]
    ) -> Asked:
        options = self._session.options
        schema = self._schema(arguments)
        kind = arguments.format or ("json" if schema else options.format)
        return Asked(
            question=question,
            prompt=with_excerpts(question, excerpts),
            model=self._session.model(arguments.model),
            system=options.system if arguments.system is None else arguments.system,
            options=_request_options(arguments, self._session, kind),
            kind=kind,
            stream=options.stream and not arguments.no_stream,
            stats=options.stats or arguments.stats,
            history=0 if arguments.no_history else options.history,
            schema=schema,
            toolbox=self._toolbox(arguments),
            allowed=arguments.yes,
        )

    def _schema(self, arguments: Namespace) -> Schema | None:
        if arguments.schema is None:
            return None
        return schema_of(self._session.value(arguments.schema))

    def _toolbox(self, arguments: Namespace) -> Toolbox | None:
        names = listed(arguments.tools)
        functions = [self._session.value(name) for name in names]
        for name, function in zip(names, functions, strict=True):
            if not callable(function):
                raise UsageError(f"'{name}' is no function, and cannot be a tool.")
        return Toolbox(functions) if functions else None

    def _preview(
        self, asked: Asked, question: Interpolated, excerpts: list[Excerpt]
    ) -> None:
        """Show what would be sent, and about how long it is."""
        exchange = exchange_of(self._session, asked)
        messages, options = exchange.messages, exchange.options
        tools = json.dumps(options["tools"]) if "tools" in options else ""
        total = sum(tokens(m["content"]) for m in messages) + tokens(tools)
        lines = [f"Would be sent to **{asked.model}**, about {total} tokens:"]
        for message in messages:
            content = message["content"]
            lines.append(f"**{message['role']}**, about {tokens(content)} tokens")
            lines.append(fenced(content))
        if options:
            lines.append("**options**")
            lines.append(fenced(json.dumps(options, indent=2, ensure_ascii=False)))
        if excerpts:
            titles = ", ".join(excerpt.title for excerpt in excerpts)
            lines.append(f"From the notebook: {titles}.")
        if question.names:
            lines.append(f"Replaced: {', '.join(f'`{n}`' for n in question.names)}.")
        text = "\n\n".join(lines)
        self._session.show(inert(text), text)

    def _offer(self, answer: Answer) -> None:
        """Put the code into the next cell, or at the next prompt of a terminal."""
        self._session.shell.set_next_input(answer.code, replace=False)


def with_excerpts(question: str, excerpts: list[Excerpt]) -> str:
    """Return the question below the parts of the notebook that go along with it.

    They come first, so that a server that keeps what it read need not read them again.
    """
    if not excerpts:
        return question
    parts = "\n\n".join(str(excerpt) for excerpt in excerpts)
    return f"{CONTEXT_TITLE}{parts}{QUESTION_TITLE}{question}"


def _request_options(
    arguments: Namespace, session: Session, kind: str
) -> dict[str, Any]:
    """Return OpenAI's fields for a question."""
    chosen = sampling(session, arguments)
    if arguments.stop:
        chosen["stop"] = arguments.stop
    if kind == "json" and arguments.schema is None:
        chosen["response_format"] = {"type": "json_object"}
    return chosen
