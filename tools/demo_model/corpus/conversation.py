"""Chats of several turns that mix the tasks."""

from collections.abc import Callable, Iterable, Sequence

from tools.demo_model.corpus import (
    arithmetic,
    capitals,
    declining,
    echo,
    errors,
    greeting,
    languages,
    memory,
    product,
    snippets,
    styles,
)
from tools.demo_model.corpus.phrasing import Exchange, Rng, chance, spell
from tools.demo_model.example import Chat, Turn

Source = Callable[[Rng], Exchange]

# Of a hundred exchanges, how many each task has.
_SHARES: tuple[tuple[Source, int], ...] = (
    (greeting.exchange, 14),
    (declining.exchange, 11),
    (arithmetic.exchange, 24),
    (languages.exchange, 9),
    (capitals.exchange, 9),
    (styles.exchange, 2),
    (echo.exchange, 6),
    (product.exchange, 13),
    (snippets.exchange, 19),
    (errors.exchange, 6),
)
SOURCES = tuple(source for source, _ in _SHARES)
_WEIGHTS = tuple(share for _, share in _SHARES)
_SYSTEM = (
    "You are [a helpful assistant|Guide|an assistant|a friendly assistant][.|]",
    "You are [a helpful assistant|Guide] [in a notebook|inside Jupyter][.|]",
    "[Be|You are] [helpful|kind|friendly] and [short|brief|honest][.|]",
)


def mixed(rng: Rng) -> Chat:
    """One to four exchanges of any tasks."""
    length = rng.choice((1, 1, 2, 2, 3, 4))
    talk = [source(rng) for source in rng.choices(SOURCES, _WEIGHTS, k=length)]
    system = spell(rng, rng.choice(_SYSTEM)) if chance(rng, 0.12) else None
    return chat(talk, system=system)


def sums(rng: Rng) -> Chat:
    """Two to five sums in a row."""
    return chat([arithmetic.exchange(rng) for _ in range(rng.randint(2, 5))])


def remembered(rng: Rng) -> Chat:
    """Something told and asked for later."""
    return chat(memory.conversation(rng))


def styled(rng: Rng) -> Chat:
    """A system prompt and answers in its style."""
    system, talk = styles.conversation(rng)
    return chat(talk, system=system)


def chat(talk: Iterable[Exchange], system: str | None = None) -> Chat:
    """``talk`` as a chat."""
    turns = [] if system is None else [Turn(role="system", content=system)]
    return Chat(turns=(*turns, *_turns(tuple(talk))))


def _turns(talk: Sequence[Exchange]) -> list[Turn]:
    turns = []
    for question, answer in talk:
        turns.append(Turn(role="user", content=question))
        turns.append(Turn(role="assistant", content=answer))
    return turns
