"""Words to repeat: what is said must be read, for nobody could know it."""

from tools.demo_model.corpus import values
from tools.demo_model.corpus.phrasing import Exchange, Rng, chance, spell

_ASKED = (
    "[Repeat|Say|Write|Echo][ after me|]: {text}",
    "[Please |]repeat[ after me| this| these words]: {text}",
    "[Can|Could] you [repeat|say|write]: {text}",
    "[Say|Repeat|Write] [the words|this|exactly this]: {text}",
)
_LINKS = ("and", "the", "of", "a", "with", "or", "in", "my", "no", "is")


def exchange(rng: Rng) -> Exchange:
    """One to eight words, and the same again."""
    words = [_word(rng) for _ in range(rng.randint(1, 8))]
    text = " ".join(words)
    return Exchange(spell(rng, rng.choice(_ASKED), text=text), text)


def _word(rng: Rng) -> str:
    if chance(rng, 0.15):
        return str(rng.randint(0, 9999))
    if chance(rng, 0.2):
        return rng.choice(_LINKS)
    return values.proper(rng) if chance(rng, 0.2) else values.word(rng)
