"""Examples as rows of tokens, of which only the model's own words are learnt."""

import itertools
import random
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeGuard

import torch
from torch import Tensor

from .example import Chat, Example
from .model import UNLEARNT
from .template import pieces
from .tokenizer import GuideTokenizer

ROWS = (128, 320)
"""Tokens in a row of several documents; attention costs less in the shorter ones."""
LONG = 2048
"""Tokens in a row of one long chat."""

_BATCH = 3072
_LONG_EVERY = 32
_RECENT = 128
_CONTINUED = 0.2
_EXCHANGE = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """The tokens of one example, and which of them the model is to write."""

    tokens: list[int]
    learn: list[bool]

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.tokens)


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """One step's rows, each (B, T); unused places are documents of their own."""

    tokens: Tensor
    documents: Tensor
    targets: Tensor


def document(example: Example, tokenizer: GuideTokenizer) -> Document:
    """Tokenise an example piece by piece."""
    tokens: list[int] = []
    learn: list[bool] = []
    for piece in pieces(example):
        ids = tokenizer.encode(piece.text)
        tokens += ids
        learn += [piece.learn] * len(ids)
    return Document(tokens=tokens, learn=learn)


def batches(
    examples: Iterator[Example], tokenizer: GuideTokenizer, *, seed: int
) -> Iterator[Batch]:
    """Yield batches without end.

    1. Most rows hold several documents, which do not see each other.
    2. Some chats go on from others, as people's do, so that the model learns to answer
       the last question.
    3. One batch in a while has rows of a single long chat, so that the model has seen
       positions up to ``LONG``.
    """
    chooser = random.Random(seed)  # noqa: S311  # not for secrets
    ongoing = _continued(examples, chooser)  # 2
    fitting = (
        found
        for found in (document(example, tokenizer) for example in ongoing)
        if len(found) <= max(ROWS)
    )
    pools: dict[int, list[Document]] = {length: [] for length in ROWS}
    for step in itertools.count(1):
        if step % _LONG_EVERY == 0:  # 3
            rows = [
                [_long(examples, tokenizer, chooser)] for _ in range(_BATCH // LONG)
            ]
            yield _batch(rows, LONG)
        else:  # 1
            length = _fill(pools, fitting)
            rows = [
                _row(pools[length], length, chooser) for _ in range(_BATCH // length)
            ]
            yield _batch(rows, length)


def _fill(pools: dict[int, list[Document]], fitting: Iterator[Document]) -> int:
    """Read on until there is plenty for rows of one length, and return that."""
    while True:
        found = next(fitting)
        length = min(length for length in pools if len(found) <= length)
        pools[length].append(found)
        if sum(map(len, pools[length])) >= 2 * _BATCH:
            return length


def _row(pool: list[Document], length: int, chooser: random.Random) -> list[Document]:
    """Take documents from the pool: one by chance, then what fills the row best."""
    chosen = pool.pop(chooser.randrange(len(pool)))
    row = [chosen]
    room = length - len(chosen)
    while candidates := [found for found in pool if len(found) <= room]:
        best = max(candidates, key=len)
        pool.remove(best)
        row.append(best)
        room -= len(best)
    return row


def _batch(rows: list[list[Document]], length: int) -> Batch:
    """Lay documents one after the other; the target of a token is the next one."""
    tokens = torch.zeros(len(rows), length, dtype=torch.long)
    documents = torch.zeros_like(tokens)
    targets = torch.full_like(tokens, UNLEARNT)
    for number, row in enumerate(rows):
        start = 0
        for index, found in enumerate(row, start=1):
            end = start + len(found)
            ids = torch.tensor(found.tokens)
            learn = torch.tensor(found.learn)
            tokens[number, start:end] = ids
            documents[number, start:end] = index
            targets[number, start : end - 1] = ids[1:].where(learn[1:], UNLEARNT)
            start = end
    return Batch(tokens=tokens, documents=documents, targets=targets)


def _continued(
    examples: Iterator[Example], chooser: random.Random
) -> Iterator[Example]:
    """Yield the examples, some chats with one to three others before them."""
    recent: deque[Chat] = deque(maxlen=_RECENT)
    for example in examples:
        if _continues(example) and recent and chooser.random() < _CONTINUED:
            before = chooser.choices(recent, k=chooser.randint(1, 3))
            yield _joined([*before, example])
        else:
            yield example
        if _continues(example) and len(example.turns) == _EXCHANGE:
            recent.append(example)


def _long(
    examples: Iterator[Example], tokenizer: GuideTokenizer, chooser: random.Random
) -> Document:
    """Return many short chats as one, half of ``LONG`` tokens or more."""
    limit = chooser.randint(LONG // 2, LONG)
    chats: list[Chat] = []
    size = 0
    while True:
        example = next(examples)
        if not (_continues(example) and len(example.turns) == _EXCHANGE):
            continue
        size += len(document(example, tokenizer))
        if size > limit:
            return document(_joined(chats), tokenizer)
        chats.append(example)


def _continues(example: Example) -> TypeGuard[Chat]:
    """Return whether a chat may follow another: no tools, no system prompt."""
    return (
        isinstance(example, Chat)
        and not example.tools
        and example.turns[0].role == "user"
    )


def _joined(chats: Iterable[Chat]) -> Chat:
    return Chat(turns=tuple(turn for chat in chats for turn in chat.turns))
