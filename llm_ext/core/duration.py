"""Durations as people and clients write them.

Format: Go's, which Ollama's clients send: an optional sign, then numbers with units,
such as "1h30m", "300ms" or "-1s". A bare number is seconds.
"""

import math
import re

from llm_ext.errors import InvalidRequestError

_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "\u00b5s": 1e-6,
    "\u03bcs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600,
}
_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)"
_PART = re.compile(rf"({_NUMBER})({'|'.join(_UNITS)})")
_WHOLE = re.compile(rf"[+-]?(?:{_PART.pattern})+")


def seconds(duration: float | str, *, param: str | None = None) -> float:
    """Return a duration in seconds; it may be negative.

    Raises:
        InvalidRequestError: It is no duration; names ``param``.
    """
    if isinstance(duration, str):
        duration = _parsed(duration.strip(), param)
    if math.isnan(duration):
        raise InvalidRequestError("A duration is a number.", param=param)
    return duration


def kept_for(keep_alive: float | str | None) -> float | None:
    """Return the seconds of a ``keep_alive``; None takes what is configured.

    Raises:
        InvalidRequestError: It is no duration.
    """
    return None if keep_alive is None else seconds(keep_alive, param="keep_alive")


def _parsed(text: str, param: str | None) -> float:
    if _WHOLE.fullmatch(text):
        size = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
        return -size if text.startswith("-") else size
    try:
        return float(text)
    except ValueError:
        raise InvalidRequestError(
            f"{text!r} is no duration. Write seconds, or a number with a unit such as "
            f'"90s", "10m" or "1h30m"; a negative one is for ever.',
            param=param,
        ) from None
