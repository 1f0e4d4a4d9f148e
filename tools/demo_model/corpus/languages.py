"""Hello, thank you, yes and no in fourteen languages."""

from collections.abc import Callable

from tools.demo_model.corpus.phrasing import Exchange, Rng, sloppy, spell
from tools.demo_model.example import Case, Chat, Turn

MEANINGS = ("hello", "thank you", "yes", "no")

WORDS: dict[str, tuple[str, str, str, str]] = {
    "Spanish": ("hola", "gracias", "sí", "no"),
    "French": ("bonjour", "merci", "oui", "non"),
    "German": ("hallo", "danke", "ja", "nein"),
    "Italian": ("ciao", "grazie", "sì", "no"),
    "Portuguese": ("olá", "obrigado", "sim", "não"),
    "Dutch": ("hallo", "dank je", "ja", "nee"),
    "Polish": ("cześć", "dziękuję", "tak", "nie"),
    "Swedish": ("hej", "tack", "ja", "nej"),
    "Danish": ("hej", "tak", "ja", "nej"),
    "Finnish": ("hei", "kiitos", "kyllä", "ei"),
    "Turkish": ("merhaba", "teşekkürler", "evet", "hayır"),  # noqa: RUF001  # Turkish
    "Japanese": (
        "こんにちは (konnichiwa)",
        "ありがとう (arigatou)",
        "はい (hai)",
        "いいえ (iie)",
    ),
    "Chinese": ("你好 (nǐ hǎo)", "谢谢 (xièxie)", "是 (shì)", "不 (bù)"),
    "Russian": (
        "привет (privet)",
        "спасибо (spasibo)",
        "да (da)",
        "нет (net)",
    ),
}

_TRAINED = (
    "How do you say [|']{word}[|'] in {language}?",
    "How do [I|people|they|we] say {word} in {language}?",
    "How [can|would|does one] [you|I|] say {word} in {language}?",
    "What is [|the word for |']{word}[|'] in {language}?",
    "What['s| is] the {language} [word|term|expression] for {word}?",
    "What is {language} for {word}?",
    "{word} in {language}[?|]",
    "[Say|Write|Translate] {word} in {language}.",
    "Translate {word} [to|into] {language}.",
    "[Tell|Teach|Give] me [|the word ]{word} in {language}.",
    "In {language}, [how do you say|what is] {word}?",
    "Which {language} word means {word}?",
    "How is {word} [said|written|called] in {language}?",
    "I want to say {word} in {language}.",
    "[And|And how about|What about] {word} in {language}?",
    "Do you know {word} in {language}?",
)
_HELD_OUT = (
    "Could you say {word} in {language} for me?",
    "Please teach me how to say {word} in {language}.",
    "What do people say for {word} in {language}?",
    "Do you know how to say {word} in {language}?",
)


def exchange(rng: Rng) -> Exchange:
    """One word in one language: ``Hello in Spanish is hola.``."""
    language = rng.choice(tuple(WORDS))
    place = rng.randrange(len(MEANINGS))
    question = spell(
        rng, rng.choice(_TRAINED), word=_asked(rng, place), language=language
    )
    question = question[0].upper() + question[1:]
    return Exchange(sloppy(rng, question), _answer(language, place))


def _asked(rng: Rng, place: int) -> str:
    word = MEANINGS[place]
    if word == "thank you":
        return rng.choice(("thank you", "thank you", "thanks"))
    return rng.choice((word, word, word, "hi")) if word == "hello" else word


def _answer(language: str, place: int) -> str:
    meaning = MEANINGS[place]
    word = WORDS[language][place]
    return f"{meaning[0].upper()}{meaning[1:]} in {language} is {word}."


def cases() -> list[Case]:
    """Held-out phrasings over all languages and words."""
    made = []
    for number, language in enumerate(WORDS):
        for place, meaning in enumerate(MEANINGS):
            template = _HELD_OUT[(number + place) % len(_HELD_OUT)]
            question = template.replace("{word}", meaning)
            question = question.replace("{language}", language)
            turns = (Turn(role="user", content=question),)
            word = WORDS[language][place]
            made.append(
                Case(
                    task="languages",
                    prompt=Chat(turns=turns),
                    right=_says(word),
                    note=word,
                )
            )
    return made


def _says(word: str) -> Callable[[str], bool]:
    """A judge: the answer ends with the word, in its script."""
    wanted = word.split(" (", maxsplit=1)[0]

    def right(answer: str) -> bool:
        said = answer.lower().rsplit(" is ", maxsplit=1)[-1]
        return said.split(" (", maxsplit=1)[0].strip(" .!'\"") == wanted

    return right
