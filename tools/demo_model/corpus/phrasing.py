"""Many ways to say one thing: templates with alternatives, slots and human sloppiness.

In a template, ``[a|b|]`` stands for one of its alternatives (the last one is empty
here), and ``{name}`` for a slot.
"""

import random
import re
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias, TypeVar

Rng: TypeAlias = random.Random
T = TypeVar("T")

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_BEFORE = (
    "please ",
    "hey, ",
    "hi, ",
    "ok, ",
    "can you tell me: ",
    "quick question: ",
    "one question: ",
    "so, ",
    "tell me please: ",
    "I would like to know: ",
    "excuse me, ",
    "hi Guide, ",
    "now tell me: ",
    "and ",
    "well, ",
    "next question: ",
    "could you tell me: ",
    "please tell me: ",
    "I need to know: ",
    "I want to know: ",
    "may I ask: ",
)
_ORDERS = (
    "add", "calculate", "compute", "count", "create", "draw", "explain", "fill",
    "filter", "find", "give", "group", "join", "list", "load", "make", "merge",
    "multiply", "name", "plot", "read", "say", "search", "show", "sort", "subtract",
    "take", "tell", "write",
)  # fmt: skip
_ASKING = (
    "can you ", "would you ", "could you please ", "I want you to ", "please ",
    "hey, can you ", "now please ", "I need you to ",
)  # fmt: skip
_AFTER = (" please", ", please", " thanks", ", Guide", " now", " for me", " again")
_TYPO_LENGTH = 5
_PRAISE = ("", "", "", "Thanks. ", "Great. ", "Nice. ", "Ok. ", "Good. ", "Hm. ")


class Exchange(NamedTuple):
    """A question and the answer to it."""

    question: str
    answer: str


def source(seed: int) -> Rng:
    """The one place that makes a random source: the same seed, the same corpus."""
    return random.Random(seed)  # noqa: S311  # a corpus needs repeatability, no secrecy


def chance(rng: Rng, share: float) -> bool:
    """True in ``share`` of all calls."""
    return rng.random() < share


def spell(rng: Rng, template: str, **slots: object) -> str:
    """One spelling of ``template``, its slots filled."""
    text = _CHOICE.sub(lambda found: rng.choice(found[1].split("|")), template)
    return fill(text, **slots)


def fill(template: str, **slots: object) -> str:
    """``template`` with its slots filled; other braces stay."""
    for name, value in slots.items():
        template = template.replace("{" + name + "}", str(value))
    return template


def count(templates: Sequence[str]) -> int:
    """How many spellings ``templates`` have, before slots and sloppiness."""
    total = 0
    for template in templates:
        spellings = 1
        for found in _CHOICE.finditer(template):
            spellings *= found[1].count("|") + 1
        total += spellings
    return total


def plain(text: str) -> str:
    """``text`` without case, punctuation and extra spaces: the key of a phrasing."""
    return " ".join(re.sub(r"[^\w+*/=-]", " ", text.casefold()).split())


def sloppy(rng: Rng, text: str, *, keep_case: bool = False, polite: bool = True) -> str:
    """``text`` as people type it: politeness, typos, casing, lost punctuation.

    Args:
        rng: The source of chance.
        text: A clean question.
        keep_case: Whether capitals carry meaning and stay.
        polite: Whether words may be put before and after.
    """
    order = text.split(" ", 1)[0].lower() in _ORDERS
    if polite and order and chance(rng, 0.4):
        text = rng.choice(_ASKING) + text[0].lower() + text[1:]
    elif polite and chance(rng, 0.25):
        text = _joined(rng.choice(_BEFORE), text, keep_case=keep_case)
    if polite and chance(rng, 0.1):
        text = _appended(text, rng.choice(_AFTER))
    if polite and chance(rng, 0.12):
        text = rng.choice(_PRAISE) + text
    if chance(rng, 0.25):
        text = text.rstrip("?.!")
    if not keep_case and chance(rng, 0.25):
        text = text.lower()
    if not keep_case and chance(rng, 0.04):
        text = _mistyped(rng, text)
    return text if chance(rng, 0.5) else text[:1].upper() + text[1:]


def _joined(before: str, text: str, *, keep_case: bool) -> str:
    first = text.split(" ", 1)[0]
    lower = first.istitle() and not keep_case and len(first) > 1
    return before + (text[0].lower() + text[1:] if lower else text)


def _appended(text: str, after: str) -> str:
    end = text[-1] if text[-1] in "?.!" else ""
    return text.rstrip("?.!") + after + end


def _mistyped(rng: Rng, text: str) -> str:
    """``text`` with two neighbouring letters of a longer word swapped."""
    words = text.split(" ")
    long = [
        place
        for place, word in enumerate(words)
        if len(word) >= _TYPO_LENGTH and word.isalpha()
    ]
    if not long:
        return text
    place = rng.choice(long)
    word = words[place]
    at = rng.randrange(1, len(word) - 2)
    words[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)
