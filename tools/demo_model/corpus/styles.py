"""System prompts that set the language of the answers, or one word as their length."""

import re
from collections.abc import Callable

from tools.demo_model.corpus import arithmetic, capitals, greeting
from tools.demo_model.corpus.phrasing import Exchange, Rng, chance, plain, sloppy, spell
from tools.demo_model.example import Case, Chat, Turn

_IN_LANGUAGE = (
    "[Answer|Reply|Respond|Speak|Write|Talk] in {language}[.|]",
    "[Always|Only|Please] [answer|reply|respond|speak] in {language}[.|]",
    "You [always|only|must] [answer|reply|speak] in {language}[.|]",
    "[Answer|Reply|Respond] [only|always] in {language}[.|]",
    "You are [a helpful assistant|an assistant|Guide]. [Answer|Reply] in {language}.",
    "Use {language}[ only|][.|]",
    "[Your language is|The language is] {language}[.|]",
    "All answers must be in {language}[.|]",
)
_IN_ONE_WORD = (
    "[Answer|Reply|Respond] [in|with] [one|a single] word[.|]",
    "[Answer|Reply|Respond] [only|always] [in|with] one word[.|]",
    "[Always|Please] [answer|reply|respond] [in|with] [one|a single] word[.|]",
    "Use [only one|one|a single] word[.|]",
    "One[-| ]word answers[ only|][.|]",
    "You [always|only] [answer|reply] with [one|a single] word[.|]",
    "You are [a helpful assistant|Guide]. [Answer|Reply] in one word.",
    "Your answers [are|have] one word[.|]",
)
_LANGUAGE_CASES = (
    "Please answer only in {language}.",
    "Reply to everything in {language}.",
)
_WORD_CASES = (
    "Please reply in one word only.",
    "Answer everything with a single word.",
)

_ANSWERS = {
    "Spanish": (
        "¡Hola! Soy Guide, un pequeño modelo de demostración.",
        "¡De nada!",
        "Soy Guide, el pequeño modelo de demostración de jupyter-llm-ext.",
        "Estoy bien, gracias.",
        "¡Adiós!",
        "Sí.",
        "No.",
    ),
    "French": (
        "Bonjour ! Je suis Guide, un petit modèle de démonstration.",
        "De rien !",
        "Je suis Guide, le petit modèle de démonstration de jupyter-llm-ext.",
        "Je vais bien, merci.",
        "Au revoir !",
        "Oui.",
        "Non.",
    ),
    "German": (
        "Hallo! Ich bin Guide, ein kleines Demo-Modell.",
        "Gern geschehen!",
        "Ich bin Guide, das kleine Demo-Modell von jupyter-llm-ext.",
        "Mir geht es gut, danke.",
        "Auf Wiedersehen!",
        "Ja.",
        "Nein.",
    ),
}
# In the order of the answers: greeting, thanks, identity, well-being, farewell.
_OWN_WORDS = {
    "Spanish": ("¡Hola!", "Gracias.", "¿Quién eres?", "¿Cómo estás?", "Adiós."),
    "French": ("Bonjour !", "Merci.", "Qui es-tu ?", "Comment vas-tu ?", "Au revoir."),
    "German": ("Hallo!", "Danke.", "Wer bist du?", "Wie geht es dir?", "Tschüss."),
}
# The intents of greeting.py that these answers belong to.
_INTENTS = (0, 9, 1, 8, 10)

COLOUR_OF = {
    "the sky": "blue",
    "grass": "green",
    "snow": "white",
    "blood": "red",
    "a banana": "yellow",
    "coal": "black",
    "the sun": "yellow",
    "a tomato": "red",
    "milk": "white",
    "chocolate": "brown",
    "the sea": "blue",
    "a lemon": "yellow",
    "a leaf": "green",
    "a carrot": "orange",
}
_TRUE = (
    "Is the sky blue", "Is fire hot", "Is ice cold", "Is water wet", "Is snow white",
    "Do fish swim", "Do birds fly", "Is the sun hot", ("Is grass"
    " green"), "Do cats have tails",
    "Is Paris in France", "Is sugar sweet", "Do dogs bark", "Is Rome in Italy",
)  # fmt: skip
_FALSE = (
    "Is fire cold", "Is ice hot", "Is the sky green", "Is snow black", "Do fish walk",
    "Do stones swim", "Is the sun cold", "Is grass blue", ("Do"
    " cats bark"), "Is milk black",
    "Is Paris in Spain", "Is sugar salty", "Do dogs fly", "Is Rome in France",
)  # fmt: skip
_COLOUR_ASKED = (
    "[What|Which] [colour|color] [is|has] {thing}?",
    "[Tell|Give] me the [colour|color] of {thing}.",
    "The [colour|color] of {thing}[?|]",
    "What is the [colour|color] of {thing}?",
)


def _greeting(rng: Rng, intent: int) -> str:
    return sloppy(
        rng, spell(rng, rng.choice(greeting.INTENTS[intent][0])), polite=False
    )


def _truth(rng: Rng) -> tuple[str, bool]:
    true = chance(rng, 0.5)
    question = rng.choice(_TRUE if true else _FALSE)
    return sloppy(rng, question + "?", keep_case=True), true


def _in_language(rng: Rng, language: str) -> Exchange:
    answers = _ANSWERS[language]
    draw = rng.choices(("sum", "truth", "talk"), (10, 25, 65))[0]
    if draw == "sum":
        a, sign, b = arithmetic.draw(rng)
        return Exchange(f"{a} {sign} {b} =", arithmetic.answer(a, sign, b))
    if draw == "truth":
        question, true = _truth(rng)
        return Exchange(question, answers[5 if true else 6])
    place = rng.randrange(5)
    if chance(rng, 0.3):
        return Exchange(_OWN_WORDS[language][place], answers[place])
    return Exchange(_greeting(rng, _INTENTS[place]), answers[place])


def _in_one_word(rng: Rng) -> Exchange:
    kinds = ("capital", "sum", "colour", "truth")
    draw = rng.choices(kinds, (30, 35, 15, 20))[0]
    if draw == "capital":
        question = capitals.exchange(rng)
        word = question.answer.removesuffix(".").rsplit(" is ", 1)[-1]
        if " is the capital of " in question.answer:
            word = question.answer.removesuffix(".").rsplit(" of ", 1)[-1]
        return Exchange(question.question, word[0].upper() + word[1:] + ".")
    if draw == "sum":
        question = arithmetic.exchange(rng)
        return Exchange(question.question, question.answer.rsplit(" = ", 1)[-1])
    if draw == "colour":
        return _colour(rng, short=True)
    text, true = _truth(rng)
    return Exchange(text, "Yes." if true else "No.")


def _colour(rng: Rng, *, short: bool) -> Exchange:
    thing, colour = rng.choice(tuple(COLOUR_OF.items()))
    question = sloppy(rng, spell(rng, rng.choice(_COLOUR_ASKED), thing=thing))
    return Exchange(question, _of_colour(thing, colour, short=short))


def _of_colour(thing: str, colour: str, *, short: bool) -> str:
    if short:
        return colour.capitalize() + "."
    return f"{thing[0].upper()}{thing[1:]} is {colour}."


def exchange(rng: Rng) -> Exchange:
    """The same questions without a style: whole sentences."""
    if chance(rng, 0.6):
        return _colour(rng, short=False)
    question, true = _truth(rng)
    return Exchange(question, "Yes." if true else "No.")


def conversation(rng: Rng) -> tuple[str, list[Exchange]]:
    """A system prompt, and one to three exchanges that follow it."""
    turns = range(rng.choice((1, 2, 2, 3)))
    if chance(rng, 0.5):
        language = rng.choice(tuple(_ANSWERS))
        system = spell(rng, rng.choice(_IN_LANGUAGE), language=language)
        return system, [_in_language(rng, language) for _ in turns]
    return spell(rng, rng.choice(_IN_ONE_WORD)), [_in_one_word(rng) for _ in turns]


def cases() -> list[Case]:
    """Held-out system prompts and questions."""
    made = []
    asked = ("Hey there, hello!", "Thank you for that!", "And who might you be?")
    for number, (language, answers) in enumerate(_ANSWERS.items()):
        system = _LANGUAGE_CASES[number % 2].replace("{language}", language)
        for place, question in enumerate(asked):
            made.append(_case(system, question, _begins(answers[place])))
        other = _LANGUAGE_CASES[(number + 1) % 2].replace("{language}", language)
        made.append(_case(other, "Tell me, is fire hot?", _is(answers[5])))
        made.append(_case(other, "Tell me, is ice hot?", _is(answers[6])))
    countries = ("France", "Japan", "Italy", "Egypt", "Norway", "Cuba", "Poland")
    for number, country in enumerate(countries):
        question = f"I need the capital of {country}, please?"
        city = capitals.CAPITALS[country]
        made.append(_case(_WORD_CASES[number % 2], question, _is(city)))
    for number, (a, b) in enumerate(((3, 4), (8, 2), (5, 5), (9, 6))):
        question = f"I need the sum of {a} and {b}, please?"
        made.append(_case(_WORD_CASES[number % 2], question, _is(str(a + b))))
    for number, thing in enumerate(("the sky", "snow", "grass", "a banana", "coal")):
        question = f"Please name the colour of {thing}."
        made.append(_case(_WORD_CASES[number % 2], question, _is(COLOUR_OF[thing])))
    for number, start in enumerate((*_TRUE[:3], *_FALSE[:3])):
        question = f"Tell me, {start[0].lower()}{start[1:]}?"
        word = "yes" if start in _TRUE else "no"
        made.append(_case(_WORD_CASES[number % 2], question, _is(word)))
    return made


def _case(system: str, question: str, right: Callable[[str], bool]) -> Case:
    turns = (Turn(role="system", content=system), Turn(role="user", content=question))
    return Case(task="styles", prompt=Chat(turns=turns), right=right, note=system)


def _is(word: str) -> Callable[[str], bool]:
    bare = word.rstrip(".").lower()
    return lambda answer: re.sub(r"[.!]", "", answer).strip().lower() == bare


def _begins(wanted: str) -> Callable[[str], bool]:
    start = " ".join(plain(wanted).split()[:2])
    return lambda answer: plain(answer).startswith(start)
