"""``%llm bench``: how fast a model is here, as a person at this notebook sees it."""

import time
from argparse import Namespace
from contextlib import closing
from dataclasses import dataclass

from kernel_magics.errors import NoAnswerError, StoppedError
from kernel_magics.pieces import End, Text
from kernel_magics.render.bundles import markdown_bundle
from kernel_magics.render.output import cleared_by_errors
from kernel_magics.render.tables import table

from .arguments import Parser
from .command import Command
from .session import Session

_WORDS = "The quick brown fox jumps over the lazy dog while it rains. "


@dataclass(frozen=True, kw_only=True)
class Run:
    """One measured answer; times in seconds from its question."""

    first: float
    total: float
    prompt_tokens: int
    completion_tokens: int

    @property
    def prompt_rate(self) -> float:
        """Prompt tokens a second, up to the first text."""
        return self.prompt_tokens / max(self.first, 1e-6)

    @property
    def answer_rate(self) -> float:
        """Answer tokens a second, after the first text."""
        return (self.completion_tokens - 1) / max(self.total - self.first, 1e-6)


def _bench(session: Session, arguments: Namespace) -> None:
    model = session.model(arguments.model)
    try:
        with cleared_by_errors(session.output()) as shown:
            began = time.monotonic()
            for status in session.client.load(model):
                shown.progress(f"{model}: {status.text}", status.fraction)
            loaded = time.monotonic() - began
            runs = []
            for number in range(arguments.runs):
                shown.progress(f"{model}: measuring", number / arguments.runs)
                runs.append(_run(session, model, number, arguments))
    except KeyboardInterrupt:
        raise StoppedError("nothing was measured to its end.") from None
    shown.finish(markdown_bundle(_report(model, loaded, runs)))


def _run(session: Session, model: str, number: int, arguments: Namespace) -> Run:
    # Each run begins with another word: what was read before would be kept.
    text = f"Run {number} {time.time_ns()}. " + _WORDS * arguments.prompt
    messages = [{"role": "user", "content": f"{text}\nTell a long story about it."}]
    began = time.monotonic()
    first: float | None = None
    end: End | None = None
    pieces = session.client.chat(model, messages, max_tokens=arguments.tokens)
    with closing(pieces):
        for piece in pieces:
            if isinstance(piece, Text) and first is None:
                first = time.monotonic() - began
            if isinstance(piece, End):
                end = piece
    total = time.monotonic() - began
    if first is None or end is None:
        raise NoAnswerError(f"{model} wrote nothing, so nothing can be measured.")
    return Run(
        first=first,
        total=total,
        prompt_tokens=end.prompt_tokens,
        completion_tokens=end.completion_tokens,
    )


def _report(model: str, loaded: float, runs: list[Run]) -> str:
    rows = [
        (
            str(number),
            str(run.prompt_tokens),
            f"{run.first:.2f} s",
            f"{run.prompt_rate:.0f}",
            str(run.completion_tokens),
            f"{run.answer_rate:.1f}",
        )
        for number, run in enumerate(runs, 1)
    ]
    heads = (
        "run",
        "prompt tokens",
        "first word after",
        "prompt tokens/s",
        "answer tokens",
        "answer tokens/s",
    )
    return f"**{model}**: ready after {loaded:.2f} s.\n\n{table(heads, rows)}"


def commands() -> dict[str, Command]:
    """Return the command of this file by its name."""
    parser = Parser("bench")
    parser.add_argument("model", nargs="?", metavar="MODEL")
    parser.add_argument("--runs", type=int, default=3, metavar="N")
    parser.add_argument("--tokens", type=int, default=64, metavar="N")
    parser.add_argument("--prompt", type=int, default=20, metavar="SENTENCES")
    return {
        "bench": Command(
            summary="measure a model: load, first word, tokens a second",
            parser=parser,
            run=_bench,
            completes="models",
        )
    }
