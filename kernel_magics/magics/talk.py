"""``%llm chat | reset | history | fix | explain | prompt``: talk about the notebook."""

from argparse import Namespace
from collections.abc import Generator, Sequence
from contextlib import closing
from typing import Any

from IPython.core.error import UsageError
from IPython.display import display

from kernel_magics.answer import Answer
from kernel_magics.context import cells, failures
from kernel_magics.context.budget import Excerpt, fitting
from kernel_magics.conversation import heading
from kernel_magics.exchange import Exchange, Question
from kernel_magics.fences import fenced
from kernel_magics.inert import inert
from kernel_magics.pieces import Piece, prompt_pieces
from kernel_magics.render.reply import Reply
from kernel_magics.render.tables import table
from kernel_magics.stream import ServerEvent

from .arguments import Parser
from .asking import ANSWER_NAME, Asked, follow, sampling, show_answer
from .cell import with_excerpts
from .command import Command
from .session import Session

FIX = (
    "Say in one or two sentences what went wrong. Then give the whole corrected cell "
    "as one block of Python code."
)
EXPLAIN = "Explain step by step what this code does."
_SHOWN = 500
"""Characters of a turn that ``history`` shows."""


def _chat(session: Session, _arguments: Namespace) -> None:
    from kernel_magics.widgets.chat import ChatPanel  # noqa: PLC0415  # brings ipywidgets

    display(ChatPanel(session.client, model=session.options.model))


def _reset(session: Session, _arguments: Namespace) -> None:
    count = session.conversation.forget()
    session.values.pop(ANSWER_NAME, None)
    turns = "1 question" if count == 1 else f"{count} questions"
    session.show(f"The conversation begins anew; {turns} forgotten.")


def _history(session: Session, _arguments: Namespace) -> None:
    turns = session.conversation.turns
    if not turns:
        session.show("Nothing was asked in this notebook yet, or it was reset.")
        return
    parts = []
    for number, turn in enumerate(turns, 1):
        parts.append(heading(f"{number}. {_beginning(turn.question)}"))
        parts.append(inert(_beginning(turn.answer)))
    session.show("\n\n".join(parts))


def _beginning(text: str) -> str:
    # Without the end of a long text: what is left of its blocks would not fit together.
    left_out = len(text) - _SHOWN
    return text if left_out <= 0 else f"{text[:_SHOWN]}… ({left_out} characters more)"


def _fix(session: Session, arguments: Namespace) -> None:
    failure = session.failures.last
    if failure is None:
        raise UsageError("No cell of this notebook has failed since the magics came.")
    limit = session.options.context_tokens
    answer = _ask(session, arguments, FIX, failures.excerpts(failure, limit))
    if "```" in answer.text:
        session.shell.set_next_input(answer.code, replace=False)


def _explain(session: Session, arguments: Namespace) -> None:
    code = cells.source(session.notebook.cells, arguments.cell)
    if not code:
        where = "before this one" if arguments.cell is None else f"[{arguments.cell}]"
        raise UsageError(f"There is no cell {where} to explain.")
    title = "The cell" if arguments.cell is None else f"Cell [{arguments.cell}]"
    excerpt = Excerpt(title=title, text=fenced(code, "python"))
    _ask(session, arguments, EXPLAIN, [excerpt])


def _ask(
    session: Session, arguments: Namespace, task: str, excerpts: Sequence[Excerpt]
) -> Answer:
    """Ask for something about parts of the notebook; nothing of it is remembered."""
    options = session.options
    fits = fitting(excerpts, options.context_tokens)
    asked = Asked(
        question=task,
        prompt=with_excerpts(task, fits),
        model=session.model(arguments.model),
        system=options.system,
        options=sampling(session, arguments),
        stream=options.stream,
        stats=options.stats,
    )
    return show_answer(session, asked)


def _prompt(session: Session, arguments: Namespace) -> None:
    prompts = session.client.get("prompts")["prompts"]
    if arguments.name is None:
        session.show(_prompt_table(prompts))
        return
    found = [p for p in prompts if arguments.name in (p["name"], p["id"])]
    if not found:
        known = ", ".join(p["name"] for p in prompts) or "none yet"
        raise UsageError(
            f"There is no prompt '{arguments.name}' on this server; there are: {known}."
        )
    given = _variables(arguments.values)
    model = arguments.model or session.options.model or found[0]["model"]
    _execute(session, found[0]["id"], given, session.model(model))


def _execute(
    session: Session, prompt_id: str, variables: dict[str, str], model: str
) -> None:
    """Run a prompt of the server's and show the answer as it comes."""
    options = session.options
    exchange = Exchange(Question(model=model, messages=()))
    reply = Reply(
        session.output(), exchange, stream=options.stream, stats=options.stats
    )
    events = session.client.events(
        "POST",
        f"prompts/{prompt_id}/execute/stream",
        body={"variables": variables, "model": model},
    )
    follow(session, reply, _pieces(exchange, events))


def _pieces(
    exchange: Exchange, events: Generator[ServerEvent, None, None]
) -> Generator[Piece, None, None]:
    """Yield what the events of a prompt bring; the exchange takes it as well."""
    with closing(events):
        for event in events:
            for piece in prompt_pieces(event):
                exchange.take(piece)
                yield piece
    yield from exchange.settle()


def _variables(pairs: Sequence[str]) -> dict[str, str]:
    """Return ``k=v`` as values; IPython has put variables in for ``$name`` already."""
    given = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"'{pair}' should be NAME=VALUE.")
        given[name] = value
    return given


def _prompt_table(prompts: Sequence[dict[str, Any]]) -> str:
    if not prompts:
        return "There are no prompts on this server yet."
    rows = [(f"`{p['name']}`", ", ".join(p["variables"])) for p in prompts]
    return table(("prompt", "variables"), rows)


def commands() -> dict[str, Command]:
    """Return the commands of this file by their names."""
    fix, explain, prompt = Parser("fix"), Parser("explain"), Parser("prompt")
    fix.add_argument("model", nargs="?", metavar="MODEL")
    explain.add_argument("cell", nargs="?", type=int, metavar="CELL")
    explain.add_argument("--model", metavar="MODEL")
    prompt.add_argument("name", nargs="?", metavar="NAME")
    prompt.add_argument("values", nargs="*", metavar="K=V")
    prompt.add_argument("--model", metavar="MODEL")
    return {
        "chat": Command(
            summary="a chat panel below this cell", parser=Parser("chat"), run=_chat
        ),
        "reset": Command(
            summary="forget this notebook's conversation",
            parser=Parser("reset"),
            run=_reset,
        ),
        "history": Command(
            summary="what was asked and answered so far",
            parser=Parser("history"),
            run=_history,
        ),
        "fix": Command(
            summary="explain the last error, and offer a corrected cell",
            parser=fix,
            run=_fix,
            completes="models",
        ),
        "explain": Command(
            summary="explain a cell by its number, or the one before",
            parser=explain,
            run=_explain,
        ),
        "prompt": Command(
            summary="run a prompt that the server keeps; without a name, list them",
            parser=prompt,
            run=_prompt,
            completes="prompts",
        ),
    }
