"""Which layers see no more than a sliding window.

llama.cpp has a rule for each architecture, in ``load_arch_hparams`` of its
``src/models/*.cpp``. An architecture without one sees everything, whatever its file
says.
"""

from typing import NamedTuple

from .metadata import Metadata

_WINDOW = "%s.attention.sliding_window"
_PATTERN = "%s.attention.sliding_window_pattern"


class Window(NamedTuple):
    """Tokens that windowed layers see (0 without any), and which layers these are."""

    size: int
    layers: tuple[bool, ...]


class _Rule(NamedTuple):
    """How an architecture's windows are laid out, where its file does not say.

    Attributes:
        period: Of so many layers one sees everything; 0 where the file has to say.
        full_first: Whether it is the first of them, and not the last.
        default: The window's size where the file does not say.
        fixed: Its size whatever the file says, unless that is 0.
    """

    period: int = 0
    full_first: bool = False
    default: int = 0
    fixed: int = 0


_RULES = {
    "afmoe": _Rule(4),
    "cohere2": _Rule(4),
    "cohere2moe": _Rule(4, full_first=True),
    "dots3note": _Rule(),
    "exaone-moe": _Rule(4, default=128),
    "exaone4": _Rule(4),
    "gemma-embedding": _Rule(6),
    "gemma2": _Rule(2, default=4096),
    "gemma3": _Rule(6),
    "gemma3n": _Rule(5),
    "gemma4": _Rule(),
    "gpt-oss": _Rule(2),
    "granite_swa": _Rule(),
    "laguna": _Rule(4, full_first=True),
    "llama4": _Rule(4, default=8192, fixed=8192),
    "maple": _Rule(),
    "mellum": _Rule(4),
    "mimo2": _Rule(),
    "modern-bert": _Rule(3, full_first=True),
    "muse-glimmer": _Rule(4),
    "olmo2": _Rule(4),
    "plamo3": _Rule(8),
    "smallthinker": _Rule(4, full_first=True, fixed=4096),
    "spark2_5": _Rule(),
    "step35": _Rule(),
}

_EXAONE4_WINDOWED = 64
"""Layers of the only Exaone 4 that has windows."""


def window(metadata: Metadata, layers: int, trunk: int) -> Window:
    """Return the window of a model of so many layers.

    ``trunk`` of them are its own; those behind only guess ahead.
    """
    nowhere = (False,) * layers
    if metadata.architecture == "lfm2":
        return _all_that_attend(metadata, layers)
    rule = _RULES.get(metadata.architecture)
    if rule is None:
        return Window(0, nowhere)
    if metadata.architecture == "exaone4":
        windowed = trunk == _EXAONE4_WINDOWED
        size = metadata.number(_WINDOW, 4096 if windowed else 0)
        return Window(size, _pattern(metadata, rule, layers, trunk, here=windowed))
    size = metadata.number(_WINDOW, rule.default)
    if rule.fixed and size:
        size = rule.fixed
    return Window(size, _pattern(metadata, rule, layers, trunk, here=size > 0))


def _pattern(
    metadata: Metadata, rule: _Rule, layers: int, trunk: int, *, here: bool
) -> tuple[bool, ...]:
    if not here:
        return (False,) * layers
    if metadata.is_array(_PATTERN):
        flags = metadata.per_layer(_PATTERN, layers, [0] * layers)
        return tuple(flag != 0 for flag in flags)
    period = metadata.number(_PATTERN, rule.period) if rule.period else 1
    seen_by = [_windowed(at, period, rule) and at < trunk for at in range(layers)]
    return tuple(seen_by)


def _windowed(layer: int, period: int, rule: _Rule) -> bool:
    if period == 0:
        return True
    place = layer % period
    return place != 0 if rule.full_first else place < period - 1


def _all_that_attend(metadata: Metadata, layers: int) -> Window:
    size = metadata.number(_WINDOW)
    heads = metadata.per_layer(
        "%s.attention.head_count_kv",
        layers,
        metadata.per_layer("%s.attention.head_count", layers, [0] * layers),
    )
    return Window(size, tuple(size > 0 and count > 0 for count in heads))
