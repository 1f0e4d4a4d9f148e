"""Waiting for what another process does: with a deadline, never with a guess."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

_T = TypeVar("_T")

PAUSE = 0.02


def eventually(look: Callable[[], _T | None], *, within: float = 20.0) -> _T:
    """Look until there is something true to see, and return it."""
    deadline = time.monotonic() + within
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            pytest.fail(f"nothing within {within:g} s: {look.__doc__ or look}")
        time.sleep(PAUSE)


async def until(look: Callable[[], object], *, within: float = 20.0) -> None:
    """Return once there is something true to see, which nothing tells of."""
    deadline = time.monotonic() + within
    while not look():
        if time.monotonic() > deadline:
            pytest.fail(f"nothing within {within:g} s: {look.__doc__ or look}")
        await asyncio.sleep(PAUSE)
