"""A call's arguments, as earlier turns hold them."""

import json
from typing import Any

from llm_ext.core.bounds import is_deeper

from .json_values import MAX_DEPTH


class Arguments(dict[str, Any]):
    """A call's arguments: an object, which templates that print it see as JSON."""

    def __str__(self) -> str:
        return json.dumps(self, ensure_ascii=False)


def arguments_of(text: str) -> Arguments:
    """Return arguments as an object, which clients are free to send something else as.

    What is no JSON, or nested deeper than calls are read, is one argument: the text.
    """
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return Arguments(arguments=text)
    if is_deeper(value, MAX_DEPTH):
        return Arguments(arguments=text)
    return Arguments(value if isinstance(value, dict) else {"arguments": value})
