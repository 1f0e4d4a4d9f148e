"""The commonest Python errors, explained in two sentences."""

from collections.abc import Callable

from tools.demo_model.corpus.phrasing import Exchange, Rng, chance, fill, sloppy, spell
from tools.demo_model.example import Case, Chat, Turn

_NAMES = ("x", "df", "np", "pd", "data", "total", "value", "result", "plt", "name", "y")
_KEYS = ("age", "price", "city", "name", "date", "id", "total", "year", "score")
_MODULES = ("pandas", "numpy", "matplotlib", "scipy", "sklearn", "requests", "torch")

# Error, messages that Python prints with it, the explanation, words that must occur.
_Error = tuple[str, tuple[str, ...], str, tuple[str, ...]]

ERRORS: tuple[_Error, ...] = (
    (
        "NameError",
        ("name '{x}' is not defined",),
        (
            "A NameError means that Python does not know this name."
            " Define it first, import "
            "it, or check its spelling."
        ),
        ("name", "define"),
    ),
    (
        "TypeError",
        (
            "unsupported operand type(s) for +: 'int' and 'str'",
            'can only concatenate str (not "int") to str',
            "'int' object is not callable",
            "'NoneType' object is not subscriptable",
        ),
        (
            "A TypeError means that a value has the wrong type, such as"
            " text plus a number. "
            "Check the types and convert them, for example with `int()` or `str()`."
        ),
        ("wrong type", "convert"),
    ),
    (
        "IndexError",
        ("list index out of range", "index 5 is out of bounds for axis 0 with size 5"),
        (
            "An IndexError means that an index is beyond the end of a"
            " list. Check the length "
            "with `len()`; the first index is 0."
        ),
        ("index", "len()"),
    ),
    (
        "KeyError",
        ("'{key}'",),
        (
            "A KeyError means that a dictionary or DataFrame has no such"
            " key. Check the "
            "spelling, or look at the keys or at `df.columns`."
        ),
        ("key", "spelling"),
    ),
    (
        "ValueError",
        (
            "invalid literal for int() with base 10: 'abc'",
            "could not convert string to float: 'abc'",
            "too many values to unpack (expected 2)",
        ),
        (
            "A ValueError means that a value has the right type but"
            " cannot be used, such as "
            "`int('abc')`. Check the value before you use it."
        ),
        ("right type", "check the value"),
    ),
    (
        "AttributeError",
        (
            "'list' object has no attribute 'shape'",
            "'NoneType' object has no attribute 'append'",
            "'DataFrame' object has no attribute '{key}'",
        ),
        (
            "An AttributeError means that an object has no such"
            " attribute or method. Check "
            "its type and the spelling."
        ),
        ("attribute", "spelling"),
    ),
    (
        "ImportError",
        ("cannot import name '{x}'",),
        (
            "An ImportError means that a module or a name in it cannot"
            " be imported. Check the "
            "spelling, or install it with `%pip install`."
        ),
        ("import", "%pip install"),
    ),
    (
        "ModuleNotFoundError",
        ("No module named '{module}'",),
        (
            "A ModuleNotFoundError means that the module is not"
            " installed. Install it with "
            "`%pip install`, or check the spelling."
        ),
        ("not installed", "%pip install"),
    ),
    (
        "SyntaxError",
        (
            "invalid syntax",
            "expected ':'",
            "'(' was never closed",
            "unterminated string literal",
        ),
        (
            "A SyntaxError means that Python cannot read the line. Look"
            " for a missing colon, "
            "bracket or quote there or just before."
        ),
        ("missing", "colon"),
    ),
    (
        "IndentationError",
        (
            "expected an indented block",
            "unexpected indent",
            "unindent does not match any outer indentation level",
        ),
        (
            "An IndentationError means that a line is indented wrongly."
            " Use four spaces for "
            "each level, and do not mix tabs and spaces."
        ),
        ("indent", "spaces"),
    ),
    (
        "ZeroDivisionError",
        ("division by zero", "integer division or modulo by zero"),
        (
            "A ZeroDivisionError means that you divide by zero. Check"
            " that the divisor is not "
            "0 before you divide."
        ),
        ("zero", "divi"),
    ),
)

_TRAINED = (
    "What [is|means|does] [a|an|this|the] {error}[ mean|]?",
    "What does [{error}|a {error}|this {error}] mean?",
    "What is [{error}|a {error}][ in Python|]?",
    "[Explain|Describe] [{error}|a {error}|the {error}|this {error}][ to me|][.|]",
    "Why do I [get|have|see] [a|an|this|the] {error}?",
    "How [do I|can I|to] fix [a|an|this|the|my] {error}?",
    (
        "[I get|I got|I have|My code gives|Python says]"
        " [a|an|this|the|] {error}[.|, why?|, what"
        " now?|, what should I do?]"
    ),
    "{error}[?|]",
    "[Help|What now], {error}[!|?]",
    "When does [a|an|] {error} [occur|happen]?",
    "What causes [a|an|the|] {error}?",
    "[What can I|What do I|What should I] do [about|against|with] [a|an|the] {error}?",
)
_TRAINED_MESSAGE = (
    "{error}: {message}",
    "What [is|means|does] {error}: {message}[ mean|]?",
    "What does this mean: {error}: {message}",
    "[I get|I got|My code gives|Python says] {error}: {message}",
    "[Explain|Fix] {error}: {message}",
    "Why [do I get|does it say] {error}: {message}?",
    "How do I fix {error}: {message}?",
)
_HELD_OUT = (
    "Please explain what causes a {error} in my code.",
    "Could you tell me why there is a {error}?",
    "My cell shows a {error}, how do I fix it?",
)
_HELD_OUT_MESSAGE = "My cell shows this error, please explain: {error}: {message}"


def exchange(rng: Rng) -> Exchange:
    """A question about an error, with or without its message."""
    error, messages, explanation, _ = rng.choice(ERRORS)
    if chance(rng, 0.65):
        question = spell(rng, rng.choice(_TRAINED).replace("{error}", error))
        return Exchange(sloppy(rng, question), explanation)
    template = spell(rng, rng.choice(_TRAINED_MESSAGE))
    question = fill(template, error=error, message=_message(rng, messages))
    return Exchange(sloppy(rng, question, keep_case=True), explanation)


def _message(rng: Rng, messages: tuple[str, ...]) -> str:
    return fill(
        rng.choice(messages),
        x=rng.choice(_NAMES),
        key=rng.choice(_KEYS),
        module=rng.choice(_MODULES),
    )


def cases(rng: Rng) -> list[Case]:
    """Held-out phrasings of all errors."""
    made = []
    for error, messages, _, needed in ERRORS:
        message = _message(rng, messages)
        for template in (*_HELD_OUT, _HELD_OUT_MESSAGE):
            question = fill(template, error=error, message=message)
            turns = (Turn(role="user", content=question),)
            made.append(
                Case(
                    task="errors",
                    prompt=Chat(turns=turns),
                    right=_explains(needed),
                    note=error,
                )
            )
    return made


def _explains(needed: tuple[str, ...]) -> Callable[[str], bool]:
    return lambda answer: all(word in answer.lower() for word in needed)
