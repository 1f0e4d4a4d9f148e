"""Small sums: plus and minus up to twenty, times up to ten."""

import re
from collections.abc import Callable

from tools.demo_model.corpus.phrasing import Exchange, Rng, chance, sloppy, spell
from tools.demo_model.example import Case, Chat, Turn

WORDS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen",
    "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip

_HIGHEST = {"+": 20, "-": 20, "*": 10}

_TRAINED = {
    "+": (
        "What['s| is] {a} [+|plus] {b}?",
        "What['s| is] {a}+{b}?",
        "{a} [+|plus] {b}[ =|=| = ?|?|]",
        "{a}+{b}[ =|=|=?|?|]",
        "[How much|What] [is|makes] {a} [+|plus|and] {b}?",
        "[Calculate|Compute|Work out|Solve|Add up] {a} [+|plus] {b}[.|]",
        "Add {a} [and|to] {b}.",
        "What is the sum of {a} and {b}?",
        "[What do you get|What comes out] if you add {a} [and|to] {b}?",
        "[The sum of|Sum of] {a} and {b}[?|]",
        "{a} plus {b} [is|equals|makes][ what|]?",
        "[Do you know|Tell me] [what|how much] {a} [+|plus] {b} is.",
        "What does {a} [+|plus] {b} [make|give|equal]?",
    ),
    "-": (
        "What['s| is] {a} [-|minus] {b}?",
        "What['s| is] {a}-{b}?",
        "{a} [-|minus] {b}[ =|=| = ?|?|]",
        "{a}-{b}[ =|=|=?|?|]",
        "How much is {a} [-|minus|less] {b}?",
        "[Calculate|Compute|Work out|Solve] {a} [-|minus] {b}[.|]",
        "[Subtract|Take] {b} from {a}.",
        "What is the difference [of|between] {a} and {b}?",
        "[What do you get|What is left] if you [take|subtract] {b} from {a}?",
        "{a} minus {b} [is|equals|makes][ what|]?",
        "[Do you know|Tell me] [what|how much] {a} [-|minus] {b} is.",
        "What does {a} [-|minus] {b} [make|give|equal]?",
    ),
    "*": (
        "What['s| is] {a} [*|times|x|multiplied by] {b}?",
        "What['s| is] {a}[*|x]{b}?",
        "{a} [*|times|x] {b}[ =|=| = ?|?|]",
        "{a}[*|x]{b}[ =|=|=?|?|]",
        "How much is {a} [*|times|x] {b}?",
        "[Calculate|Compute|Work out|Solve] {a} [*|times|x] {b}[.|]",
        "Multiply {a} [by|with|and] {b}.",
        "What is the product of {a} and {b}?",
        "What do you get if you multiply {a} [by|and] {b}?",
        "[The product of|Product of] {a} and {b}[?|]",
        "{a} times {b} [is|equals|makes][ what|]?",
        "[Do you know|Tell me] [what|how much] {a} [*|times|x] {b} is.",
        "What does {a} [*|times] {b} [make|give|equal]?",
    ),
}
_HELD_OUT = {
    "+": (
        "Please compute for me: {a} + {b}",
        "Can you add {a} and {b} for me?",
        "How much do {a} and {b} make?",
        "I need the sum of {a} and {b}.",
        "Could you work out what {a} plus {b} is?",
    ),
    "-": (
        "Please compute for me: {a} - {b}",
        "Can you subtract {b} from {a} for me?",
        "How much is left if I take {b} from {a}?",
        "Let me know what {a} minus {b} gives.",
        "Could you work out what {a} minus {b} is?",
    ),
    "*": (
        "Please compute for me: {a} * {b}",
        "Can you multiply {a} by {b} for me?",
        "I need the product of {a} and {b}.",
        "Could you work out what {a} times {b} is?",
        "What comes out for {a} times {b}?",
    ),
}


def result(a: int, sign: str, b: int) -> int:
    """The result of ``a sign b``."""
    return {"+": a + b, "-": a - b, "*": a * b}[sign]


def exchange(rng: Rng) -> Exchange:
    """A sum and its result: ``2 + 2 = 4.``."""
    a, sign, b = draw(rng)
    in_words = chance(rng, 0.25)
    template = rng.choice(_TRAINED[sign])
    question = _asked(rng, template, a, b, in_words=in_words)
    return Exchange(sloppy(rng, question), answer(a, sign, b))


def answer(a: int, sign: str, b: int) -> str:
    """The one form of an answer."""
    return f"{a} {sign} {b} = {result(a, sign, b)}."


def draw(rng: Rng) -> tuple[int, str, int]:
    """Operands and sign; differences below zero are rarer."""
    sign = rng.choice("++--*")
    a, b = (rng.randint(0, _HIGHEST[sign]) for _ in "ab")
    if sign == "-" and a < b and chance(rng, 0.5):
        a, b = b, a
    return a, sign, b


def _asked(rng: Rng, template: str, a: int, b: int, *, in_words: bool) -> str:
    if in_words:
        text = spell(rng, template, a=WORDS[a], b=WORDS[b])
        return text[0].upper() + text[1:]
    return spell(rng, template, a=a, b=b)


def cases(rng: Rng) -> list[Case]:
    """Held-out phrasings, in digits and in words."""
    made = []
    for sign, templates in _HELD_OUT.items():
        for number, template in enumerate(templates * 3):
            a, b = (rng.randint(1, _HIGHEST[sign]) for _ in "ab")
            a, b = max(a, b), min(a, b)
            question = _asked(rng, template, a, b, in_words=number % 3 == 0)
            turns = (Turn(role="user", content=question),)
            right = only(result(a, sign, b), a, b)
            made.append(
                Case(
                    task="arithmetic",
                    prompt=Chat(turns=turns),
                    right=right,
                    note=answer(a, sign, b),
                )
            )
    return made


def only(wanted: int, *allowed: int) -> Callable[[str], bool]:
    """A judge: the last number is ``wanted``, and the others are the operands."""

    def right(text: str) -> bool:
        found = [int(number) for number in re.findall(r"(?<!\d)-?\d+", text)]
        others = {abs(number) for number in found[:-1]}
        return bool(found) and found[-1] == wanted and others <= set(allowed)

    return right
