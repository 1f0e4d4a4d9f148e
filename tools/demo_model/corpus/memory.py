"""What the user says about themself, asked for some turns later."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.demo_model.corpus import (
    arithmetic,
    capitals,
    greeting,
    languages,
    people,
    values,
)
from tools.demo_model.corpus.phrasing import Exchange, Rng, chance, fill, sloppy, spell
from tools.demo_model.example import Case, Chat, Turn

COLOURS = (
    "red", "blue", "green", "yellow", "orange", "purple", "pink", "brown", "black",
    "white", "grey", "turquoise", "violet", "gold", "silver", "beige", "olive",
    "crimson", "magenta", "indigo",
)  # fmt: skip
_SHADES = (
    "dark", "light", "pale", "bright", "deep", "soft", "warm", "cold", "golden", "neon",
    "pastel", "dusty",
)  # fmt: skip
_HELD_OUT_COLOURS = (
    "dark green",
    "light blue",
    "golden brown",
    "pale pink",
    "dark red",
)
_CITIES = (
    *(city for city in capitals.CAPITALS.values() if not city.endswith(".")),
    "Hamburg", "Munich", "Lyon", "Milan", "Barcelona", "Porto", "Zurich", "Boston",
    "Chicago", "Toronto", "Osaka", "Mumbai", "Sydney", "Bergen", "Seville", "Turin",
    "Leeds", "Glasgow", "Austin", "Denver", "Kyoto", "Gdansk", "Ghent", "Basel",
)  # fmt: skip
_HELD_OUT_CITIES = ("Marseille", "Bologna", "Valencia", "Stuttgart", "San Marino")
_PETS = ("dog", "cat", "horse", "parrot", "rabbit", "hamster")


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """One kind of fact; ``{v}`` is its value."""

    told: tuple[str, ...]
    told_held_out: tuple[str, ...]
    noted: str
    asked: tuple[str, ...]
    asked_held_out: tuple[str, ...]
    recalled: str
    unknown: str


_NAME = _Kind(
    told=(
        "My name is {v}[.||!]",
        "[Hi|Hello|Hey][,|!] [my name is|I am|I'm] {v}[.||!]",
        "[I am|I'm] {v}[.||!]",
        "[You can|Please|] call me {v}[.|]",
        "I am called {v}[.|]",
        "[Hello|Hi], [I am|I'm] {v}, [nice to meet you|how are you?]",
        "{v} [here|is my name][.||!]",
        "My [first |]name[ is|'s] {v}[, please remember it|, remember that|][.|]",
        "[Remember|Note], my name is {v}[.|]",
    ),
    told_held_out=("Hello Guide, my name is {v}.", "Hey, please call me {v}!"),
    noted="Nice to meet you, {v}!",
    asked=(
        "What['s| is] my name?",
        "[Who am I|Do you know who I am]?",
        "Do you [remember|know|still know|recall] my name?",
        "What am I called?",
        "[Tell|Say] me my name.",
        "What was my name[ again|]?",
        "What name did I [give|tell|say]?",
        "[And|So|Now], what is my name?",
        "How am I called?",
        "My name is[ what|]?",
        "What did I say my name [is|was]?",
        "Which name [is mine|do I have]?",
    ),
    asked_held_out=(
        "Can you still remember my name?",
        "Please say my name again.",
        "Tell me, what was my name?",
    ),
    recalled="Your name is {v}.",
    unknown="You have not told me your name yet.",
)
_NUMBER = _Kind(
    told=(
        "My [|lucky |favourite |favorite |secret ]number is {v}[.|]",
        "[Remember|Note|Keep|Store] the number {v}[.|]",
        "[Please |]remember [this number|my number|the number]: {v}[.|]",
        "The number is {v}[.|]",
        "I [like|choose|pick|took] the number {v}[.|]",
        "{v} is my [|lucky |favourite ]number[.|]",
        "[My number|Number]: {v}",
    ),
    told_held_out=("Please keep in mind the number {v}.", "Hi, my number is {v}, ok?"),
    noted="Noted: your number is {v}.",
    asked=(
        "What['s| is] my [|lucky |favourite |favorite |secret ]number?",
        "[What|Which] number did I [give|tell|say|choose|pick|like][ you|]?",
        "Do you [remember|know|still know|recall] [my|the] number?",
        "What was [my|the] number[ again|]?",
        "[Tell|Give] me [my|the] number[ again|].",
        "[What|Which] is the number[ I told you| that I gave|]?",
        "[Repeat|Say] [my|the] number[.|]",
        "Which number is mine?",
    ),
    asked_held_out=(
        "Can you still remember my number?",
        "Please tell me my number once more.",
        "What number was it that I told you?",
    ),
    recalled="Your number is {v}.",
    unknown="You have not told me your number yet.",
)
_COLOUR = _Kind(
    told=(
        "My [favourite|favorite] [colour|color] is {v}[.|]",
        "[I like|I love|I prefer] the [colour|color] {v}[.|]",
        "My [colour|color] is {v}[.|]",
        "{v} is my [favourite|favorite] [colour|color][.|]",
        "The [colour|color] I like [best|most] is {v}[.|]",
        "[Remember|Note] that my [favourite |favorite |][colour|color] is {v}[.|]",
        "[I like|I love] {v} [best|most][.|]",
    ),
    told_held_out=("Please note that I love the colour {v}.",),
    noted="Noted: your favourite colour is {v}.",
    asked=(
        "What['s| is] my [favourite |favorite |][colour|color]?",
        "[What|Which] [colour|color] do I [like|love|prefer][ best| most|]?",
        (
            "Do you [remember|know|still know|recall] my [favourite |favorite |]"
            "[colour|color]?"
        ),
        "What was my [favourite |favorite |][colour|color][ again|]?",
        "[Tell|Give] me my [favourite |favorite |][colour|color][ again|].",
        "[What|Which] [colour|color] did I [say|tell you|mention|choose]?",
    ),
    asked_held_out=(
        "Can you still remember my favourite colour?",
        "Please tell me which colour I like.",
    ),
    recalled="Your favourite colour is {v}.",
    unknown="You have not told me your favourite colour yet.",
)
_CITY = _Kind(
    told=(
        "I [live|am living] in {v}[.|]",
        "[I am|I'm|I come] from {v}[.|]",
        "My [home|home town|city|town] is {v}[.|]",
        "I [live|work|study] in {v}[, by the way|, remember that|][.|]",
        "[Remember|Note] that I live in {v}[.|]",
    ),
    told_held_out=("Hi, my home is in {v}.",),
    noted="Noted: you live in {v}.",
    asked=(
        "[Where do I live|Where am I from|Where is my home]?",
        "[What|Which] [city|town] do I live in?",
        "In [which|what] [city|town] do I live?",
        "Do you [remember|know|still know] where I live?",
        "[Tell|Say] me where I live.",
        "What['s| is] my [city|town|home town]?",
        "Where did I say I live?",
    ),
    asked_held_out=(
        "Can you still remember where I live?",
        "Please say in which city I live.",
    ),
    recalled="You live in {v}.",
    unknown="You have not told me where you live yet.",
)


def _pet(kind: str) -> _Kind:
    return _Kind(
        told=(
            f"My {kind} is [called|named] {{v}}[.|]",
            f"[I have a|I got a|There is my] {kind} [called|named] {{v}}[.|]",
            f"My {kind}'s name is {{v}}[.|]",
            f"The name of my {kind} is {{v}}[.|]",
        ),
        told_held_out=(f"Hey, I have a {kind} and its name is {{v}}.",),
        noted=f"Noted: your {kind} is called {{v}}.",
        asked=(
            f"What['s| is] my {kind} called?",
            f"What['s| is] the name of my {kind}?",
            f"What['s| is] my {kind}'s name?",
            f"How is my {kind} called?",
            f"Do you [remember|know] the name of my {kind}?",
            f"[Tell|Say] me the name of my {kind}.",
        ),
        asked_held_out=(f"Can you still remember my {kind}'s name?",),
        recalled=f"Your {kind} is called {{v}}.",
        unknown=f"You have not told me the name of your {kind} yet.",
    )


def _thing(kind: str) -> _Kind:
    return _Kind(
        told=(
            f"My [favourite |favorite |]{kind} is {{v}}[.|]",
            f"[Remember|Note] that my {kind} is {{v}}[.|]",
            f"[I tell you|You should know]: my {kind} is {{v}}[.|]",
        ),
        told_held_out=(),
        noted=f"Noted: your {kind} is {{v}}.",
        asked=(
            f"What['s| is] my [favourite |favorite |]{kind}?",
            f"Do you [remember|know|still know|recall] my {kind}?",
            f"What was my {kind}[ again|]?",
            f"[Tell|Give] me my {kind}[ again|].",
            f"[What|Which] {kind} did I [say|tell you|mention]?",
        ),
        asked_held_out=(),
        recalled=f"Your {kind} is {{v}}.",
        unknown=f"You have not told me your {kind} yet.",
    )


_THINGS = (
    "food", "drink", "animal", "sport", "book", "film", "song", "street", "password",
    "job", "school", "team", "subject", "game", "word", "project", "secret", "hobby",
)  # fmt: skip
_THING_KINDS = tuple(_thing(kind) for kind in _THINGS)
_PET_KINDS = tuple(_pet(kind) for kind in _PETS)
_SMALL_TALK = (
    arithmetic.exchange,
    languages.exchange,
    capitals.exchange,
    greeting.exchange,
)


def _kind(rng: Rng) -> _Kind:
    return rng.choice(
        (
            *(_NAME, _NAME, _NAME, _NUMBER, _NUMBER, _COLOUR, _COLOUR, _CITY, _CITY),
            *(rng.choice(_PET_KINDS), rng.choice(_THING_KINDS)),
        )
    )


def _value(rng: Rng, kind: _Kind) -> str:
    if kind is _NUMBER:
        return str(rng.randint(1, rng.choice((99, 999, 999, 99_999))))
    if kind is _COLOUR:
        return _colour(rng)
    if kind is _CITY:
        return rng.choice(_CITIES) if chance(rng, 0.3) else values.city(rng)
    if kind in _THING_KINDS:
        return values.word(rng)
    return people.name(rng)


def _colour(rng: Rng) -> str:
    """One word or two, invented ones among them."""
    colour = rng.choice(COLOURS) if chance(rng, 0.7) else values.invented(rng)
    if chance(rng, 0.5):
        shade = rng.choice(_SHADES) if chance(rng, 0.6) else values.word(rng)
        colour = f"{shade} {colour}"
    return colour if colour not in _HELD_OUT_COLOURS else _colour(rng)


def tell(rng: Rng, kind: _Kind, value: str) -> Exchange:
    """The user tells a fact, and the model notes it."""
    said = spell(rng, rng.choice(kind.told), v=value)
    said = said[0].upper() + said[1:]
    return Exchange(said, fill(kind.noted, v=value))


def _ask(rng: Rng, kind: _Kind, value: str | None) -> Exchange:
    known = kind.unknown if value is None else fill(kind.recalled, v=value)
    return Exchange(sloppy(rng, spell(rng, rng.choice(kind.asked))), known)


def conversation(rng: Rng) -> list[Exchange]:
    """Facts told, some small talk, and the facts asked for; now and then not told."""
    kinds = [_kind(rng)]
    other = _kind(rng)
    if chance(rng, 0.35) and other is not kinds[0]:
        kinds.append(other)
    facts = [(kind, _value(rng, kind)) for kind in kinds]
    talk = [tell(rng, *fact) for fact in facts]
    talk += [
        rng.choice(_SMALL_TALK)(rng) for _ in range(rng.choice((0, 1, 1, 2, 2, 3)))
    ]
    if chance(rng, 0.1):
        missing = rng.choice([k for k in (_NAME, _NUMBER, _COLOUR) if k not in kinds])
        return [*talk, _ask(rng, missing, None)]
    rng.shuffle(facts)
    return talk + [_ask(rng, *fact) for fact in facts]


def cases(rng: Rng) -> list[Case]:
    """Held-out phrasings and values, with one to three turns between."""
    wanted: tuple[tuple[_Kind, Sequence[str]], ...] = (
        (_NAME, people.HELD_OUT_NAMES[:15]),
        (_NUMBER, [str(rng.randint(1, 999)) for _ in range(10)]),
        (_COLOUR, (*_HELD_OUT_COLOURS, "crimson")),
        (_CITY, _HELD_OUT_CITIES),
        (_PET_KINDS[0], people.HELD_OUT_NAMES[15:18]),
        (_PET_KINDS[1], people.HELD_OUT_NAMES[18:20]),
    )
    return [
        _case(rng, kind, value, asked=kind.asked_held_out[n % len(kind.asked_held_out)])
        for kind, values in wanted
        for n, value in enumerate(values)
    ]


def _case(rng: Rng, kind: _Kind, value: str, *, asked: str) -> Case:
    told = fill(rng.choice(kind.told_held_out), v=value)
    talk = [Exchange(told, fill(kind.noted, v=value))]
    talk += [rng.choice(_SMALL_TALK)(rng) for _ in range(rng.randint(1, 3))]
    turns = [
        turn
        for question, answer in talk
        for turn in (
            Turn(role="user", content=question),
            Turn(role="assistant", content=answer),
        )
    ]
    turns.append(Turn(role="user", content=asked))
    return Case(
        task="memory",
        prompt=Chat(turns=tuple(turns)),
        right=_recalls(value),
        note=value,
    )


def _recalls(value: str) -> Callable[[str], bool]:
    return lambda answer: answer.rstrip().rstrip(".!").endswith(f" {value}")
