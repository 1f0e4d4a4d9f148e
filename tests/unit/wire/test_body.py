"""Reading a request's body."""

import time
import tracemalloc
from typing import Any

import msgspec
import pytest

from llm_ext.errors import InvalidRequestError
from llm_ext.wire.openai.body import check_integers, decode

MANY = b'{"a": [' + b"7," * 500_000 + b'0], "b": 1234567890123456789}'


class _Named(msgspec.Struct):
    own: list[dict[str, Any]] = msgspec.field(name="theirs")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (2**64, None),
        ([1, [2, -(2**63) - 1]], "[1][1]"),
        ({"a": {"b": [0, {"c": 2**64}]}}, "a.b[1].c"),
        ({"a": [[], {}, ["x"]], "b": (1, 2**70)}, "b[1]"),
        (_Named(own=[{}, {"x": 10**25}]), "theirs[1].x"),
    ],
)
def test_an_integer_that_is_too_long_is_named(body: object, field: str | None) -> None:
    """Wherever it stands, by the name that it has in the body."""
    with pytest.raises(InvalidRequestError, match="64 bits") as caught:
        check_integers(body)
    assert caught.value.param == field


def test_integers_of_64_bits_are_taken() -> None:
    """True and false are no numbers."""
    check_integers({"a": [True, -(2**63), 2**64 - 1], "b": None, "c": 1.5})


def test_looking_for_long_integers_takes_little_memory() -> None:
    """One long number makes all others be looked at, but none be copied."""
    body = msgspec.json.decode(MANY)
    tracemalloc.start()
    try:
        check_integers(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000


def test_looking_for_long_integers_takes_little_time() -> None:
    """The server does nothing else meanwhile."""
    decoder = msgspec.json.Decoder(dict[str, Any])

    def seconds(read: Any) -> float:  # noqa: ANN401  # either way of reading
        begun = time.process_time()
        read(decoder, MANY)
        return time.process_time() - begun

    plain = min(seconds(lambda d, data: d.decode(data)) for _ in range(3))
    assert min(seconds(decode) for _ in range(3)) < 15 * plain
