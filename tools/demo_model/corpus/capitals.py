"""The capitals of fifty countries."""

from collections.abc import Callable

from tools.demo_model.corpus.phrasing import Exchange, Rng, chance, sloppy, spell
from tools.demo_model.example import Case, Chat, Turn

CAPITALS = {
    "France": "Paris",
    "Germany": "Berlin",
    "Spain": "Madrid",
    "Italy": "Rome",
    "Portugal": "Lisbon",
    "the Netherlands": "Amsterdam",
    "Belgium": "Brussels",
    "Switzerland": "Bern",
    "Austria": "Vienna",
    "Poland": "Warsaw",
    "Sweden": "Stockholm",
    "Norway": "Oslo",
    "Denmark": "Copenhagen",
    "Finland": "Helsinki",
    "Iceland": "Reykjavik",
    "Ireland": "Dublin",
    "the United Kingdom": "London",
    "Greece": "Athens",
    "Turkey": "Ankara",
    "Russia": "Moscow",
    "Ukraine": "Kyiv",
    "the Czech Republic": "Prague",
    "Hungary": "Budapest",
    "Romania": "Bucharest",
    "Bulgaria": "Sofia",
    "Croatia": "Zagreb",
    "Serbia": "Belgrade",
    "Estonia": "Tallinn",
    "Latvia": "Riga",
    "Lithuania": "Vilnius",
    "the United States": "Washington, D.C.",
    "Canada": "Ottawa",
    "Mexico": "Mexico City",
    "Brazil": "Brasília",
    "Argentina": "Buenos Aires",
    "Chile": "Santiago",
    "Peru": "Lima",
    "Colombia": "Bogotá",
    "Cuba": "Havana",
    "Japan": "Tokyo",
    "China": "Beijing",
    "India": "New Delhi",
    "South Korea": "Seoul",
    "Thailand": "Bangkok",
    "Vietnam": "Hanoi",
    "Indonesia": "Jakarta",
    "Australia": "Canberra",
    "New Zealand": "Wellington",
    "Egypt": "Cairo",
    "Morocco": "Rabat",
    "Kenya": "Nairobi",
    "Nigeria": "Abuja",
}
_ALSO = {
    "the United Kingdom": ("the UK", "Britain", "England"),
    "the United States": ("the USA", "the US", "America"),
    "the Netherlands": ("the Netherlands", "Holland"),
    "the Czech Republic": ("the Czech Republic", "Czechia"),
}

_TRAINED = (
    "What['s| is] the capital[ city|] of {country}?",
    "[Which|What] [city|town] is the capital of {country}?",
    "[The |]capital of {country}[?|]",
    "[Tell|Give] me the capital[ city|] of {country}.",
    "Name the capital[ city|] of {country}.",
    "What is {country}'s capital[ city|]?",
    "{country}'s capital[?| is?|]",
    "[And|And what is|What about] the capital of {country}?",
    "Do you know the capital[ city|] of {country}?",
    "[What|Which] [is|city is] the capital in {country}?",
    "Which capital [does {country} have|has {country}]?",
    "What capital [does {country} have|has {country}]?",
    "The capital of {country} is[ what| which city|]?",
    "What is the name of the capital of {country}?",
)
_BACK = (
    "{city} is the capital of [which|what] country?",
    "[Which|What] country has the capital {city}?",
    "Of which country is {city} the capital?",
    "[Which|What] country is {city} the capital of?",
)
_HELD_OUT = (
    "How is the capital of {country} called?",
    "Could you name the capital of {country} for me?",
    "Let me know which city is the capital of {country}.",
    "What is the capital city that {country} has?",
)


def exchange(rng: Rng) -> Exchange:
    """One country: ``The capital of France is Paris.``."""
    country, city = rng.choice(tuple(CAPITALS.items()))
    if chance(rng, 0.1):
        question = spell(rng, rng.choice(_BACK), city=city)
        return Exchange(sloppy(rng, question), f"{city} is the capital of {country}.")
    asked = rng.choice((country, country, *_ALSO.get(country, (country,))))
    question = spell(rng, rng.choice(_TRAINED), country=asked)
    question = question[0].upper() + question[1:]
    return Exchange(sloppy(rng, question), sentence(country))


def sentence(country: str) -> str:
    """The one form of an answer."""
    city = CAPITALS[country]
    return f"The capital of {country} is {city}" + ("" if city.endswith(".") else ".")


def cases() -> list[Case]:
    """Held-out phrasings over all countries."""
    made = []
    for number, (country, city) in enumerate(CAPITALS.items()):
        question = _HELD_OUT[number % len(_HELD_OUT)].replace("{country}", country)
        turns = (Turn(role="user", content=question),)
        made.append(
            Case(
                task="capitals", prompt=Chat(turns=turns), right=names(city), note=city
            )
        )
    return made


def names(city: str) -> Callable[[str], bool]:
    """A judge: the answer names ``city`` and no other capital."""

    def right(answer: str) -> bool:
        others = [other for other in CAPITALS.values() if other not in city]
        return city.rstrip(".") in answer and not any(o in answer for o in others)

    return right
