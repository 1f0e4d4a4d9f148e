"""Gaps in simple code: what stands between a prefix and a suffix."""

from collections.abc import Callable

from tools.demo_model.corpus import snippets, values
from tools.demo_model.corpus.phrasing import Rng, chance, fill
from tools.demo_model.example import Case, Fill

_NAMES = (
    "a", "b", "c", "x", "y", "n", "m", "k", "value", "item", "number", "left", "right",
    "first", "second", "width", "height", "total", "price",
    "tax", "start", "end", "size",
    "amount", "row", "word", "line", "name", "city", "age",
    "score", "user", "p", "q", "z",
    "low", "high", "base", "speed", "time", "mass", "length", "weight", "rate", "point",
)  # fmt: skip
_HELD_OUT_NAMES = (
    "alpha",
    "beta",
    "gamma",
    "cost",
    "offset",
    "factor",
    "depth",
    "area",
)
_PLURALS = (
    "items", "values", "numbers", "rows", "words", "lines", "names", "cities", "users",
    "scores", "points", "prices", "files", "letters", "results", "records", "ages",
)  # fmt: skip
_HELD_OUT_PLURALS = ("tokens", "models", "colors", "days")
_SINGLE = {"cities": "city"}
_FUNCTIONS = ("main", "run", "start", "work", "process", "compute", "load", "test")
_FILES = ("data", "notes", "sales", "values", "table")
_HELD_OUT_FUNCTIONS = ("execute", "begin")
_LEADS = (
    "", "", "", "import numpy as np\n\n\n", "import pandas as pd\n\n", "# Example\n",
    "from pathlib import Path\n\n\n", "import math\n\n\n",
)  # fmt: skip

# Prefix, middle, suffix, with slots: a, b names; s, one name in a list named ps; f, a
# function; c, a column; file, a CSV file.
PATTERNS: tuple[tuple[str, str, str], ...] = (
    ("def add({a}, {b}):\n    return ", "{a} + {b}", "\n"),
    ("def subtract({a}, {b}):\n    return ", "{a} - {b}", "\n"),
    ("def multiply({a}, {b}):\n    return ", "{a} * {b}", "\n"),
    ("def divide({a}, {b}):\n    return ", "{a} / {b}", "\n"),
    ("def square({a}):\n    return ", "{a} * {a}", "\n"),
    ("def double({a}):\n    return ", "{a} * 2", "\n"),
    ("def is_even({a}):\n    return ", "{a} % 2 == 0", "\n"),
    ("def is_odd({a}):\n    return ", "{a} % 2 == 1", "\n"),
    ("def mean({ps}):\n    return ", "sum({ps}) / len({ps})", "\n"),
    ("def largest({ps}):\n    return ", "max({ps})", "\n"),
    ("def smallest({ps}):\n    return ", "min({ps})", "\n"),
    ("def count({ps}):\n    return ", "len({ps})", "\n"),
    ("def total({ps}):\n    return ", "sum({ps})", "\n"),
    ("def greet({a}):\n    return ", 'f"Hello, {{a}}!"', "\n"),
    (
        "def maximum({a}, {b}):\n    if {a} > {b}:\n        return ",
        "{a}",
        "\n    return {b}\n",
    ),
    (
        "def absolute({a}):\n    if {a} < 0:\n        return ",
        "-{a}",
        "\n    return {a}\n",
    ),
    ("def ", "add", "({a}, {b}):\n    return {a} + {b}\n"),
    ("def ", "multiply", "({a}, {b}):\n    return {a} * {b}\n"),
    ("def ", "subtract", "({a}, {b}):\n    return {a} - {b}\n"),
    ("def add(", "{a}, {b}", "):\n    return {a} + {b}\n"),
    ("for {s} in ", "{ps}", ":\n    print({s})\n"),
    ("for {s} in {ps}:\n    print(", "{s}", ")\n"),
    ("for ", "{s}", " in {ps}:\n    print({s})\n"),
    ("for i in range(", "len({ps})", "):\n    print({ps}[i])\n"),
    ("for i, {s} in ", "enumerate({ps})", ":\n    print(i, {s})\n"),
    ("{a} = 0\nfor {s} in {ps}:\n    {a} ", "+= {s}", "\nprint({a})\n"),
    ("{ps} = []\nfor i in range(10):\n    {ps}.", "append(i)", "\nprint({ps})\n"),
    ("squares = [", "{s} * {s}", " for {s} in {ps}]\n"),
    ("while {a} < 10:\n    {a} ", "+= 1", "\nprint({a})\n"),
    ("import numpy as ", "np", "\n\n{a} = np.zeros(3)\n"),
    ("import pandas as ", "pd", '\n\ndf = pd.read_csv("{file}")\n'),
    ("import matplotlib.pyplot as ", "plt", "\n\nplt.plot({a}, {b})\nplt.show()\n"),
    ("import ", "numpy as np", "\n\n{a} = np.arange(10)\n"),
    ("import ", "pandas as pd", "\n\ndf = pd.DataFrame({ps})\n"),
    ("import ", "matplotlib.pyplot as plt", "\n\nplt.plot({a}, {b})\n"),
    ("import ", "math", "\n\n{a} = math.sqrt({b})\n"),
    ("import ", "json", "\n\n{a} = json.loads({b})\n"),
    ("from pathlib import ", "Path", '\n\n{a} = Path("{file}")\n'),
    ('with open("{file}") as ', "file", ":\n    {a} = file.read()\n"),
    ('with open("{file}") as file:\n    {a} = file.', "read()", "\nprint({a})\n"),
    ("# read {file}\nwith ", 'open("{file}")', " as file:\n    {a} = file.read()\n"),
    (
        "import pandas as pd\n\n# read {file}\ndf = pd.",
        'read_csv("{file}")',
        "\ndf.head()\n",
    ),
    ('df = pd.read_csv("{file}")\ndf.', "head()", "\n"),
    ('df.groupby("{c}").', "mean()", "\n"),
    ('df["{c}"].', "mean()", "  # the average\n"),
    ('df["{c}"].', "value_counts()", "  # how often each value occurs\n"),
    ("df.", 'sort_values("{c}")', "  # sorted by {c}\n"),
    ("import numpy as np\n\n{a} = np.", "zeros(10)", "  # ten zeros\n"),
    ("plt.plot({a}, {b})\nplt.", "show()", "\n"),
    ("plt.plot({a}, {b})\nplt.xlabel(", '"{a}"', ")\nplt.show()\n"),
    ("def {f}():\n    pass\n\n\nif __name__ == ", '"__main__"', ":\n    {f}()\n"),
    ('def {f}():\n    pass\n\n\nif __name__ == "__main__":\n    ', "{f}()", "\n"),
    ("def {f}():\n    pass\n\n\nif ", '__name__ == "__main__"', ":\n    {f}()\n"),
    ("try:\n    {a} = {b} / 2\nexcept ", "TypeError", ":\n    {a} = None\n"),
    ("try:\n    import numpy\nexcept ", "ImportError", ":\n    numpy = None\n"),
    (
        (
            "class Point:\n    def __init__(self, {a}, {b}):\n        self.{a} = {a}\n"
            "        self.{b} = "
        ),
        "{b}",
        "\n",
    ),
    ("class Box:\n    def __init__(", "self", ", {a}):\n        self.{a} = {a}\n"),
    ("if {a} > {b}:\n    print({a})\n", "else:", "\n    print({b})\n"),
    ("{a}, {b} = ", "{b}, {a}", "  # swap\n"),
)


def example(rng: Rng) -> Fill:
    """A gap, sometimes with code above it."""
    filled = _filled(rng, rng.choice(PATTERNS), _pools(rng))
    if chance(rng, 0.35) and not filled.prefix.startswith("import"):
        return Fill(
            prefix=rng.choice(_LEADS) + filled.prefix,
            middle=filled.middle,
            suffix=filled.suffix,
        )
    # The end of the text may be missing, as at the end of a cell.
    if filled.suffix == "\n" and chance(rng, 0.5):
        return Fill(prefix=filled.prefix, middle=filled.middle, suffix="")
    return filled


def _pools(rng: Rng) -> tuple[tuple[str, ...], ...]:
    """Names, plurals, functions, columns and files: common ones, or new ones."""
    if chance(rng, 0.25):
        return _NAMES, _PLURALS, _FUNCTIONS, snippets.COLUMNS, _FILES
    names = {values.identifier(rng), values.identifier(rng), rng.choice(_NAMES)}
    many = values.word(rng).removesuffix("s") + "s"
    return (
        tuple(sorted(names)),
        (many if many not in values.HELD_OUT else rng.choice(_PLURALS),),
        (values.identifier(rng),),
        (values.identifier(rng),),
        (values.identifier(rng),),
    )


def _filled(
    rng: Rng, pattern: tuple[str, str, str], pools: tuple[tuple[str, ...], ...]
) -> Fill:
    names, plurals, functions, columns, files = pools
    a, b = rng.sample(names, 2)
    many = rng.choice(plurals)
    slots = {
        "a": a,
        "b": b,
        "ps": many,
        "s": _SINGLE.get(many, many[:-1]),
        "f": rng.choice(functions),
        "c": rng.choice(columns),
        "file": rng.choice((*files, a, b)) + ".csv",
    }
    prefix, middle, suffix = (fill(part, **slots) for part in pattern)
    return Fill(prefix=prefix, middle=middle, suffix=suffix)


def cases(rng: Rng) -> list[Case]:
    """Every pattern with held-out names."""
    pools = (
        _HELD_OUT_NAMES,
        _HELD_OUT_PLURALS,
        _HELD_OUT_FUNCTIONS,
        ("revenue", "duration", "level"),
        (),
    )
    made = []
    for pattern in PATTERNS:
        if "{" not in "".join(pattern):
            continue
        prompt = _filled(rng, pattern, pools)
        made.append(
            Case(
                task="completion",
                prompt=prompt,
                right=_fills(prompt.middle),
                note=prompt.middle,
            )
        )
    return made


def _fills(wanted: str) -> Callable[[str], bool]:
    bare = "".join(wanted.split())
    return lambda middle: "".join(middle.split()) == bare
