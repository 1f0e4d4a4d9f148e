"""How to use jupyter-llm-ext, with correct commands."""

from collections.abc import Callable

from tools.demo_model.corpus import values
from tools.demo_model.corpus.commands import COMMANDS
from tools.demo_model.corpus.phrasing import Exchange, Rng, chance, fill, sloppy, spell
from tools.demo_model.corpus.serving import SERVING
from tools.demo_model.example import Case, Chat, Turn

_MODELS = (
    "llama-3-2-1b", "qwen2-5-7b", "phi-3-mini", "gemma-2-2b", "mistral-7b", "guide",
    "smollm2", "tinyllama", "qwen3-4b", "deepseek-r1", "granite-8b", "olmo-7b",
    "codellama", "falcon-7b", "starcoder2",
)  # fmt: skip
_HELD_OUT_MODELS = ("llama-3-1-8b", "gemma-3-4b", "phi-4")

INTENTS = (*COMMANDS, *SERVING)


def exchange(rng: Rng) -> Exchange:
    """A question about the product."""
    trained, _, answer, _ = rng.choice(INTENTS)
    model = rng.choice(_MODELS) if chance(rng, 0.3) else values.model(rng)
    if model in _HELD_OUT_MODELS:
        return exchange(rng)
    question = sloppy(rng, spell(rng, rng.choice(trained), model=model))
    if "{model}" in answer and model not in question:
        # A typo or a changed case in a name would make the copy wrong.
        return exchange(rng)
    return Exchange(question, fill(answer, model=model))


def cases() -> list[Case]:
    """Held-out phrasings of all intents, with held-out names of models."""
    made = []
    for _, held_out, _, needed in INTENTS:
        for number, template in enumerate(held_out):
            model = _HELD_OUT_MODELS[number % len(_HELD_OUT_MODELS)]
            turns = (Turn(role="user", content=fill(template, model=model)),)
            parts = tuple(fill(part, model=model) for part in needed)
            made.append(
                Case(
                    task="product",
                    prompt=Chat(turns=turns),
                    right=_contains(parts),
                    note=" ".join(parts),
                )
            )
    return made


def _contains(parts: tuple[str, ...]) -> Callable[[str], bool]:
    return lambda answer: all(part in answer for part in parts)
