"""What the demo model learns, all of it written here: an endless, seeded mix of tasks.

The cases that the model is judged on have phrasings, and where it makes sense values,
of their own. ``python -m tools.demo_model.corpus`` shows both and proves that they are
apart.
"""

from collections.abc import Iterator

from tools.demo_model.corpus import (
    arithmetic,
    capitals,
    completion,
    conversation,
    declining,
    echo,
    errors,
    greeting,
    languages,
    memory,
    product,
    snippets,
    styles,
    tools,
)
from tools.demo_model.corpus.phrasing import plain, source
from tools.demo_model.example import Case, Chat, Example, Fill

_CASES_SEED = 2026
_FIRST_LESSONS = 8000

# Of a hundred examples, how many are of each kind.
_MIX = (
    (conversation.mixed, 38),
    (conversation.sums, 5),
    (conversation.remembered, 12),
    (conversation.styled, 10),
    (completion.example, 19),
    (tools.example, 16),
)


def examples(seed: int) -> Iterator[Example]:
    """The endless corpus of ``seed``."""
    rng = source(seed)
    makers = [make for make, _ in _MIX]
    shares = [share for _, share in _MIX]
    held_out = {key(case.prompt) for case in cases()}
    while True:
        made = rng.choices(makers, shares)[0](rng)
        if held_out.isdisjoint(keys(made)):
            yield made


def first_lessons(seed: int) -> Iterator[Chat]:
    """What a new model reads first: words to repeat, and nothing else.

    Copying that works before there is anything to know is not given up again.
    """
    rng = source(seed)
    for _ in range(_FIRST_LESSONS):
        yield conversation.chat([echo.exchange(rng)])


def cases() -> list[Case]:
    """What the model is judged on."""
    rng = source(_CASES_SEED)
    return [
        *greeting.cases(),
        *declining.cases(rng),
        *arithmetic.cases(rng),
        *languages.cases(),
        *capitals.cases(),
        *memory.cases(rng),
        *styles.cases(),
        *product.cases(),
        *snippets.cases(rng),
        *errors.cases(rng),
        *completion.cases(rng),
        *tools.cases(rng),
    ]


def key(example: Example) -> str:
    """What makes a prompt one of its kind: its last question, however it is typed."""
    return keys(example)[-1]


def keys(example: Example) -> list[str]:
    """The keys of all questions of ``example``."""
    if isinstance(example, Fill):
        return [f"{example.prefix}\0{example.suffix}"]
    return [plain(turn.content) for turn in example.turns if turn.role == "user"]


__all__ = [
    "Case",
    "Chat",
    "Example",
    "Fill",
    "cases",
    "examples",
    "first_lessons",
    "key",
    "keys",
]
