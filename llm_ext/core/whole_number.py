"""Whole numbers in headers, queries and names."""

import re

_DIGITS = re.compile(r"-?[0-9]{1,19}")
_MOST = 2**63 - 1


def whole_number(text: str) -> int | None:
    """Return the number that ``text`` is in digits; None if it is none of 64 bits."""
    number = int(text) if _DIGITS.fullmatch(text) else None
    return None if number is None or abs(number) > _MOST else number
