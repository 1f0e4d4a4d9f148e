"""Calls of tools that are offered and needed, and answers from their results."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tools.demo_model.corpus import (
    arithmetic,
    capitals,
    greeting,
    languages,
    product,
    values,
)
from tools.demo_model.corpus.phrasing import Rng, chance, fill, sloppy, spell
from tools.demo_model.example import Case, Chat, Turn

_CITIES = (
    *(city for city in capitals.CAPITALS.values() if not city.endswith(".")),
    "Hamburg", "Munich", "Lyon", "Milan", "Barcelona", "Porto", "Zurich", "Boston",
    "Chicago", "Toronto", "Osaka", "Mumbai", "Sydney", "Bergen", "Seville", "Turin",
    "New York", "San Francisco", "Los Angeles", "Leeds", "Glasgow", "Austin", "Denver",
)  # fmt: skip
_HELD_OUT_CITIES = ("Marseille", "Bologna", "Valencia", "Stuttgart", "Kyoto", "Basel")
_SKIES = ("sunny", "cloudy", "rainy", "windy", "snowy", "foggy", "clear", "stormy")
_CURRENCIES = ("EUR", "USD", "GBP", "JPY", "CHF", "SEK", "CAD", "AUD", "INR", "PLN")
_PATTERNS = (
    "*.csv", "*.py", "*.ipynb", "*.txt", "*.json", "*.md",
    "data*", "*.png", "test_*.py",
    "*.gguf", "report*", "*.xlsx", "*.log", "notes*", "*.yaml",
)  # fmt: skip
_HELD_OUT_PATTERNS = ("*.html", "model*", "*.toml")
_ENDINGS = (
    "csv", "py", "ipynb", "txt", "json", "md", "png", "jpg", "gguf", "xlsx", "log",
    "yaml", "zip", "pdf", "parquet", "sql", "js", "css", "xml", "h5", "dat", "cfg",
)  # fmt: skip
_LOOKED_UP = (
    "What is the {what} of {thing}?",
    "[What's|Which is] the {what} of {thing}?",
    "[Tell|Give|Show] me the {what} of {thing}.",
    "[Get|Find|Look up|Check] the {what} of {thing}[.|]",
    "I need the {what} of {thing}[.|]",
    "[Which|What] {what} [does {thing} have|has {thing}]?",
)
_NO_TOOL = "None of my tools can do that."
_CITIES_OF_SYLLABLES = (
    ("Bel", "Mar", "San", "Tor", "Lin", "Kar", "Vel", "Or", "Gran", "Ros", "Al", "Dun"),
    ("", "i", "a", "o", "en", "er"),
    ("burg", "ton", "ville", "field", "ford", "ona", "ina", "stadt", "dale", "port"),
)


@dataclass(frozen=True, kw_only=True)
class _Tool:
    """A tool, how people ask for it, and how its result is told."""

    schema: dict[str, Any]
    asked: tuple[str, ...]
    asked_held_out: tuple[str, ...]
    told: str

    @property
    def name(self) -> str:
        """The name to call it by."""
        return str(self.schema["function"]["name"])


def _schema(name: str, description: str, /, **parameters: str) -> dict[str, Any]:
    properties = {key.rstrip("_"): {"type": kind} for key, kind in parameters.items()}
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": description,
            "parameters": {
                "type": "object",
                "properties": properties,
                "required": list(properties),
            },
        },
    }


WEATHER = _Tool(
    schema=_schema("get_weather", "The weather in a city.", city="string"),
    asked=(
        "[What's|What is|How is] the weather[ like|] in {city}[ today| now|]?",
        "Is it [raining|sunny|cold|warm|hot|snowing] in {city}[ now| today|]?",
        "[Tell|Give|Show] me the weather [in|for] {city}.",
        "[Check|Get|Look up] the weather [in|for] {city}[.|]",
        "Weather in {city}[?| please|]",
        "[What is|What's] the temperature in {city}[ now|]?",
        "How [warm|cold|hot] is it in {city}[ today| now|]?",
        "Do I need [an umbrella|a coat] in {city}[ today|]?",
        "I am [going|travelling] to {city}, how is the weather[ there|]?",
    ),
    asked_held_out=(
        "Could you look up how the weather in {city} is?",
        "I would like to know whether it is cold in {city} now.",
        "What weather do they have in {city} today?",
    ),
    told="In {city} it is {sky} at {degrees} degrees.",
)
TIME = _Tool(
    schema=_schema("get_time", "The local time in a city.", city="string"),
    asked=(
        "What time is it in {city}[ now|]?",
        "[What's|What is] the [local |current |]time in {city}?",
        "[Tell|Give|Show] me the [local |current |]time in {city}.",
        "[Check|Get|Look up] the time in {city}[.|]",
        "Time in {city}[?| please|]",
        "How late is it in {city}[ now|]?",
        "Is it [late|night|morning] in {city}[ now|]?",
    ),
    asked_held_out=(
        "Could you look up what time they have in {city}?",
        "I would like to know the local time of {city}.",
        "How late is it now for people in {city}?",
    ),
    told="It is {time} in {city}.",
)
CALCULATOR = _Tool(
    schema=_schema("calculator", "Computes an expression.", expression="string"),
    asked=(
        "What is {expression}?",
        "[Calculate|Compute|Work out|Evaluate|Solve] {expression}[.|]",
        "How much is {expression}?",
        "{expression}[ =|= ?|?|]",
        "Use the calculator[ for|:] {expression}[.|]",
        "What does {expression} [make|give|equal]?",
        "[Tell|Give] me the result of {expression}.",
    ),
    asked_held_out=(
        "Could you work out {expression} for me?",
        "I would like to know how much {expression} is.",
        "Please give me the result for {expression}.",
    ),
    told="{expression} = {result}.",
)
SEARCH = _Tool(
    schema=_schema("search_files", "Finds files by a pattern.", pattern="string"),
    asked=(
        (
            "[Find|Search|Search for|List|Show me] [the |all |all the"
            " |]files [matching|named|like]"
            " {pattern}[.|]"
        ),
        "[Which|What] files match {pattern}?",
        "[Search|Look] for {pattern}[ files|][.|]",
        "Are there [any |]files [named|like|matching] {pattern}?",
        "[Find|Show|List] [all |]{pattern}[ files|][.|]",
        "Where are the {pattern} files?",
        "Do I have [any |]{pattern} files?",
    ),
    asked_held_out=(
        "Could you look for all files like {pattern}?",
        "I would like to know which files match {pattern}.",
    ),
    told="I found {files}.",
)
CURRENCY = _Tool(
    schema=_schema(
        "convert_currency",
        "Converts money.",
        amount="number",
        from_="string",
        to="string",
    ),
    asked=(
        "Convert {amount} {from} [to|into|in] {to}[.|]",
        "How much [is|are] {amount} {from} in {to}?",
        "What [is|are] {amount} {from} in {to}?",
        "{amount} {from} [in|to] {to}[?|]",
        "[Change|Exchange] {amount} {from} [to|into] {to}[.|]",
        "How many {to} [is|are] {amount} {from}?",
        "How many {to} do I get for {amount} {from}?",
    ),
    asked_held_out=(
        "Could you convert {amount} {from} into {to} for me?",
        "I would like to know how many {to} {amount} {from} are.",
    ),
    told="{amount} {from} are {result} {to}.",
)
TOOLS = (WEATHER, TIME, CALCULATOR, SEARCH, CURRENCY)
_OTHERS = (
    _schema("send_email", "Sends an email.", to="string", text="string"),
    _schema("get_news", "The news about a topic.", topic="string"),
    _schema("play_music", "Plays a song.", song="string"),
    _schema("set_timer", "Starts a timer.", minutes="number"),
)


@dataclass(frozen=True, kw_only=True)
class _Use:
    """One use of a tool: its arguments, its result, and the slots of the texts."""

    tool: _Tool
    arguments: dict[str, Any]
    result: dict[str, Any]
    slots: dict[str, Any]

    @property
    def call(self) -> str:
        """The call as the assistant writes it."""
        body = json.dumps({"name": self.tool.name, "arguments": self.arguments})
        return f"<tool_call>\n{body}\n</tool_call>"

    @property
    def told(self) -> str:
        """The sentence that tells the result."""
        return fill(self.tool.told, **self.slots)


def _city(rng: Rng) -> str:
    if chance(rng, 0.25):
        return rng.choice(_CITIES)
    if chance(rng, 0.2):
        return "".join(rng.choice(part) for part in _CITIES_OF_SYLLABLES)
    return values.city(rng)


def _pattern(rng: Rng) -> str:
    if chance(rng, 0.25):
        return rng.choice(_PATTERNS)
    if chance(rng, 0.4):
        return values.word(rng) + "*"
    ending = rng.choice(_ENDINGS) if chance(rng, 0.5) else values.invented(rng)[:4]
    start = values.word(rng) + "_" if chance(rng, 0.15) else ""
    return f"{start}*.{ending}"


def _lookup(rng: Rng) -> "_Use":
    """A tool that nobody has heard of, asked for what its description says."""
    what, of = rng.sample(values.NOUNS, 2)
    thing = values.word(rng) if chance(rng, 0.7) else values.proper(rng)
    name = rng.choice(("get", "find", "read", "fetch", "look_up")) + f"_{what}"
    tool = _Tool(
        schema=_schema(name, f"The {what} of a {of}.", **{of: "string"}),
        asked=_LOOKED_UP,
        asked_held_out=(),
        told="The {what} of {thing} is {value}.",
    )
    value = rng.randint(1, 999) if chance(rng, 0.5) else values.word(rng)
    more = {"what": what, "thing": thing, "value": value}
    return _made(tool, {of: thing}, {what: value}, **more)


def _use(rng: Rng, tool: _Tool, city: str, pattern: str) -> _Use:
    if tool is WEATHER:
        sky, degrees = rng.choice(_SKIES), rng.randint(-10, 38)
        result: dict[str, Any] = {"temperature": degrees, "sky": sky}
        return _made(tool, {"city": city}, result, sky=sky, degrees=degrees)
    if tool is TIME:
        time = f"{rng.randrange(24):02}:{rng.randrange(60):02}"
        return _made(tool, {"city": city}, {"time": time}, time=time)
    if tool is CALCULATOR:
        highest = rng.choice((20, 99, 999))
        a, b, sign = rng.randint(2, highest), rng.randint(2, highest), rng.choice("+-*")
        value = arithmetic.result(a, sign, b)
        arguments: dict[str, Any] = {"expression": f"{a} {sign} {b}"}
        return _made(tool, arguments, {"result": value}, result=value)
    if tool is SEARCH:
        stem = pattern.replace("test_*", "test_a").replace("*", "")
        names = [f"{values.word(rng)}{stem}" for _ in range(2)]
        if not stem.startswith(".") and "." not in stem:
            names = [f"{stem}{number}" for number in rng.sample(range(1, 20), 2)]
        files = " and ".join(names)
        return _made(tool, {"pattern": pattern}, {"files": names}, files=files)
    source, target = rng.sample(_CURRENCIES, 2)
    amount = rng.choice((5, 10, 20, 50, 100, 250, 1000, rng.randint(2, 999)))
    value = rng.randint(2, 2000)
    arguments = {"amount": amount, "from": source, "to": target}
    return _made(CURRENCY, arguments, {"result": value}, result=value)


def _made(
    tool: _Tool,
    arguments: dict[str, Any],
    result: dict[str, Any],
    /,
    **more: object,
) -> _Use:
    slots = {**arguments, **more}
    return _Use(tool=tool, arguments=arguments, result=result, slots=slots)


def _offered(rng: Rng, needed: _Tool) -> tuple[dict[str, Any], ...]:
    """The needed tool among up to two others, in any order."""
    others = [tool.schema for tool in TOOLS if tool is not needed]
    others += [rng.choice(_OTHERS), _lookup(rng).tool.schema]
    offered = [needed.schema, *rng.sample(others, rng.choice((0, 0, 1, 1, 2)))]
    rng.shuffle(offered)
    return tuple(offered)


def example(rng: Rng) -> Chat:
    """A chat with tools: called, answered from, or not needed."""
    if chance(rng, 0.3):
        use = _lookup(rng)
    else:
        use = _use(rng, rng.choice(TOOLS), _city(rng), _pattern(rng))
    offered = _offered(rng, use.tool)
    if use.tool is not CALCULATOR and chance(rng, 0.22):
        return _unfit(rng, use)
    turns: list[Turn] = []
    if chance(rng, 0.35):
        turns += _needless(rng, offered)
        if chance(rng, 0.5):
            return Chat(turns=tuple(turns), tools=offered)
    question = spell(rng, rng.choice(use.tool.asked), **use.slots)
    question = sloppy(rng, question, keep_case=True)
    turns.append(Turn(role="user", content=question))
    turns.append(Turn(role="assistant", content=use.call))
    turns.append(Turn(role="tool", content=json.dumps(use.result)))
    turns.append(Turn(role="assistant", content=use.told))
    if chance(rng, 0.2):
        turns += _needless(rng, offered)
    return Chat(turns=tuple(turns), tools=offered)


def _unfit(rng: Rng, use: _Use) -> Chat:
    """A question for a tool that is not among those offered."""
    others = [tool.schema for tool in TOOLS if tool is not use.tool]
    question = spell(rng, rng.choice(use.tool.asked), **use.slots)
    talk = (
        Turn(role="user", content=sloppy(rng, question, keep_case=True)),
        Turn(role="assistant", content=_NO_TOOL),
    )
    offered = rng.sample([*others, *_OTHERS], rng.choice((1, 1, 2, 3)))
    return Chat(turns=talk, tools=tuple(offered))


def _needless(rng: Rng, offered: tuple[dict[str, Any], ...]) -> list[Turn]:
    """A question that needs no tool."""
    sources = [
        greeting.exchange,
        languages.exchange,
        capitals.exchange,
        product.exchange,
    ]
    if CALCULATOR.schema not in offered:
        sources.append(arithmetic.exchange)
    asked = rng.choice(sources)(rng)
    return [
        Turn(role="user", content=asked.question),
        Turn(role="assistant", content=asked.answer),
    ]


def cases(rng: Rng) -> list[Case]:
    """Calls, answers from results, and questions that need no tool."""
    made = []
    for tool in TOOLS:
        for number in range(6):
            city = _HELD_OUT_CITIES[number]
            pattern = _HELD_OUT_PATTERNS[number % len(_HELD_OUT_PATTERNS)]
            use = _use(rng, tool, city, pattern)
            offered = _offered(rng, tool)
            asked = tool.asked_held_out[number % len(tool.asked_held_out)]
            question = Turn(role="user", content=fill(asked, **use.slots))
            turns: tuple[Turn, ...] = (question,)
            right, note = _calls(use), "calls"
            if number % 3 == 0:
                call = Turn(role="assistant", content=use.call)
                result = Turn(role="tool", content=json.dumps(use.result))
                turns, right, note = (question, call, result), _tells(use), "tells"
            prompt = Chat(turns=turns, tools=offered)
            made.append(Case(task="tools", prompt=prompt, right=right, note=note))
    asked_needless = (
        "Hey there, what is your name?",
        "Thank you, that helps a lot!",
        "Hey, good morning!",
        "Please tell me what you are exactly.",
        "Goodbye, see you tomorrow!",
        "Could you name the capital of Spain for me?",
    )
    for number, text in enumerate(asked_needless):
        turns = (Turn(role="user", content=text),)
        prompt = Chat(turns=turns, tools=_offered(rng, TOOLS[number % len(TOOLS)]))
        made.append(Case(task="tools", prompt=prompt, right=_stays, note="no call"))
    for tool, other in ((WEATHER, CURRENCY), (SEARCH, WEATHER), (CURRENCY, TIME)):
        use = _use(rng, tool, _HELD_OUT_CITIES[0], _HELD_OUT_PATTERNS[0])
        asked = fill(tool.asked_held_out[0], **use.slots)
        turns = (Turn(role="user", content=asked),)
        prompt = Chat(turns=turns, tools=(other.schema,))
        made.append(Case(task="tools", prompt=prompt, right=_stays, note="unfit"))
    return made


def _calls(use: _Use) -> Callable[[str], bool]:
    """A judge: exactly one call, of the right tool, with the right arguments."""

    def right(answer: str) -> bool:
        text = answer.strip()
        if not (text.startswith("<tool_call>") and text.endswith("</tool_call>")):
            return False
        body = text.removeprefix("<tool_call>").removesuffix("</tool_call>")
        try:
            found = json.loads(body)
        except ValueError:
            return False
        return bool(found == {"name": use.tool.name, "arguments": use.arguments})

    return right


def _tells(use: _Use) -> Callable[[str], bool]:
    """A judge: every value of the result occurs, and nothing is called."""
    values: list[str] = []
    for value in use.result.values():
        values += value if isinstance(value, list) else [str(value)]
    return lambda answer: _stays(answer) and all(value in answer for value in values)


def _stays(answer: str) -> bool:
    return bool(answer.strip()) and "<tool_call>" not in answer
