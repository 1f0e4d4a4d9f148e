"""Judges the model on questions that it has not read.

``python -m tools.demo_model.evaluate [path] [--failures]``
"""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from llama_cpp import Llama, llama_model_get_vocab, llama_vocab_is_eog

from llm_ext.chat.template import ChatTemplate
from tools.console import ROOT

from .corpus import cases
from .example import Case, Chat, Fill
from .template import prompt

MODEL = ROOT / "llm_ext" / "demo" / "guide.gguf"

_CONTEXT = 2048
_MOST = 320
_SHOWN = 300


class Reader:
    """Answers prompts with a GGUF file; the likeliest token each time."""

    def __init__(self, path: Path) -> None:
        self._model = Llama(
            str(path), n_ctx=_CONTEXT, n_batch=_CONTEXT, n_threads=2, verbose=False
        )
        self._template = ChatTemplate(
            self._model.metadata["tokenizer.chat_template"], bos="", eos=""
        )

    def answer(self, asked: Chat | Fill) -> str:
        """Return what the model writes."""
        text = self._text(asked).encode()
        tokens = self._model.tokenize(text, add_bos=False, special=True)
        found: list[int] = []
        for token in self._model.generate(tokens, temp=0.0, repeat_penalty=1.0):
            if self._ends(token) or len(found) == _MOST:
                break
            found.append(token)
        written: bytes = self._model.detokenize(found)
        return written.decode(errors="replace")

    def _text(self, asked: Chat | Fill) -> str:
        """Render with the project's own template; it does not know of tools yet."""
        if isinstance(asked, Fill) or asked.tools:
            return prompt(asked)
        return self._template.render(
            [{"role": turn.role, "content": turn.content} for turn in asked.turns],
            {"add_generation_prompt": True},
        )

    def _ends(self, token: int) -> bool:
        vocabulary = llama_model_get_vocab(self._model.model)
        return bool(llama_vocab_is_eog(vocabulary, token))


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What the model wrote in a case, and whether it is right."""

    case: Case
    answer: str
    right: bool


def judge(reader: Reader, asked: Iterable[Case]) -> list[Verdict]:
    """Ask everything."""
    verdicts = []
    for case in asked:
        answer = reader.answer(case.prompt)
        right = case.right(answer)
        verdicts.append(Verdict(case=case, answer=answer, right=right))
    return verdicts


def table(verdicts: list[Verdict]) -> str:
    """Return the results by task, as Markdown."""
    lines = ["| task | cases | right | percent |", "|---|---:|---:|---:|"]
    for task in dict.fromkeys(verdict.case.task for verdict in verdicts):
        mine = [verdict.right for verdict in verdicts if verdict.case.task == task]
        lines.append(_line(task, mine))
    lines.append(_line("all", [verdict.right for verdict in verdicts]))
    return "\n".join(lines)


def _line(name: str, right: list[bool]) -> str:
    share = sum(right) / len(right) if right else 0
    return f"| {name} | {len(right)} | {sum(right)} | {share:.0%} |"


def failure(verdict: Verdict) -> str:
    """Return what went wrong, for a person to read."""
    case = verdict.case
    if isinstance(case.prompt, Fill):
        asked = f"{case.prompt.prefix}<gap>{case.prompt.suffix}"
    else:
        asked = "\n".join(f"{turn.role}: {turn.content}" for turn in case.prompt.turns)
    return (
        f"--- {case.task} {case.note}\n{asked[-_SHOWN:]}\n"
        f"==> {verdict.answer[:_SHOWN]!r}"
    )


def main() -> None:
    """Print the table, and what went wrong where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, nargs="?", default=MODEL)
    parser.add_argument("--failures", action="store_true", help="print wrong answers")
    options = parser.parse_args()
    verdicts = judge(Reader(options.path), cases())
    if options.failures:
        for verdict in verdicts:
            if not verdict.right:
                print(failure(verdict))
    print(table(verdicts))


if __name__ == "__main__":
    main()
