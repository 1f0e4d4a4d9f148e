"""Short pandas, NumPy and matplotlib snippets in fenced blocks."""

import ast
import re
from collections.abc import Callable

from tools.demo_model.corpus import values
from tools.demo_model.corpus.phrasing import Exchange, Rng, chance, fill, sloppy, spell
from tools.demo_model.corpus.recipes import REQUESTS
from tools.demo_model.example import Case, Chat, Turn

COLUMNS = (
    "age", "price", "city", "name", "year", "score", "country",
    "salary", "date", "sales",
    "height", "weight", "income", "category", "amount",
    "temperature", "speed", "region",
    "product", "quantity", "total", "rating", "cost", "month",
    "group", "team", "points",
    "value", "profit", "distance", "size", "color", "gender",
    "status", "hours", "grade",
)  # fmt: skip
_HELD_OUT_COLUMNS = ("revenue", "duration", "state", "population", "level", "pressure")
_FILES = (
    "data.csv", "sales.csv", "people.csv", "prices.csv", "results.csv", "weather.csv",
    "users.csv", "orders.csv", "scores.csv", "cities.csv", "train.csv", "test.csv",
    "report.csv", "flights.csv", "cars.csv", "houses.csv", "points.csv", "books.csv",
)  # fmt: skip
_HELD_OUT_FILES = ("students.csv", "countries.csv", "experiment.csv")


def exchange(rng: Rng) -> Exchange:
    """A request, and the one snippet that serves it."""
    request = rng.choice(REQUESTS)
    slots = _slots(rng, *_names(rng))
    question = sloppy(rng, spell(rng, rng.choice(request.trained), **slots))
    for name in ("a", "b", "file"):
        # A typo or a changed case in a name would make the copy wrong.
        if f"{{{name}}}" in request.code and slots[name] not in question:
            return exchange(rng)
    return Exchange(question, fenced(fill(request.code, **slots)))


def _names(rng: Rng) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Columns and files to choose from: common ones, or new ones."""
    if chance(rng, 0.3):
        return COLUMNS, _FILES
    columns = (values.identifier(rng), values.identifier(rng), rng.choice(COLUMNS))
    return tuple(sorted(set(columns))), (values.file(rng, ".csv"),)


def _slots(
    rng: Rng, columns: tuple[str, ...], files: tuple[str, ...]
) -> dict[str, str]:
    a, b = rng.sample(columns, 2)
    number = rng.choice((3, 5, 10, 20, 100, rng.randint(2, 99)))
    return {"a": a, "b": b, "n": str(number), "file": rng.choice(files)}


def fenced(code: str) -> str:
    """``code`` as a block of Markdown."""
    return f"```python\n{code}\n```"


def cases(rng: Rng) -> list[Case]:
    """Held-out phrasings, with the training's names and with held-out ones."""
    made = []
    names = ((COLUMNS, _FILES), (_HELD_OUT_COLUMNS, _HELD_OUT_FILES))
    for request in REQUESTS:
        for template in request.held_out:
            for columns, files in names:
                slots = _slots(rng, columns, files)
                turns = (Turn(role="user", content=fill(template, **slots)),)
                needed = tuple(fill(part, **slots) for part in request.needed)
                made.append(
                    Case(
                        task="snippets",
                        prompt=Chat(turns=turns),
                        right=_codes(needed),
                        note=" ".join(needed),
                    )
                )
    return made


def _codes(needed: tuple[str, ...]) -> Callable[[str], bool]:
    """A judge: a fenced block that compiles and contains ``needed``."""

    def right(answer: str) -> bool:
        block = re.search(r"```python\n(.*?)\n```", answer, re.DOTALL)
        if block is None:
            return False
        try:
            ast.parse(block[1])
        except SyntaxError:
            return False
        return all(part in block[1] for part in needed)

    return right
