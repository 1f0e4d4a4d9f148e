"""Which family a model is of, by its chat template."""

from .families.deepseek import DeepSeek
from .families.gemma import Gemma
from .families.generic import Generic
from .families.granite import Granite
from .families.harmony import Harmony
from .families.hermes import Hermes
from .families.llama import Llama
from .families.mistral import Mistral
from .families.phi import Phi
from .families.qwen_xml import QwenXML
from .family import Family

FAMILIES: tuple[type[Family], ...] = (
    Harmony,
    Gemma,
    Mistral,
    DeepSeek,
    Granite,
    Phi,
    QwenXML,
    Hermes,
    Llama,
    Generic,
)
"""The first that detects a template has it; the last takes all."""


def family_of(template: str) -> Family:
    """Return the family of the model with this chat template."""
    kind = next(family for family in FAMILIES if family.detects(template))
    return kind(template)
