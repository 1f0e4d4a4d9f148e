"""Durations, as Go and Ollama's clients write them."""

import math

import pytest

from llm_ext.core.duration import kept_for, seconds
from llm_ext.errors import InvalidRequestError


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (5, 5.0),
        (-1, -1.0),
        ("0", 0.0),
        ("300", 300.0),
        ("10m", 600.0),
        ("1h30m", 5400.0),
        ("1.5h", 5400.0),
        ("300ms", 0.3),
        ("20us", 2e-5),
        ("20\u00b5s", 2e-5),
        ("20\u03bcs", 2e-5),
        ("-1s", -1.0),
        ("2h45m30.5s", 9930.5),
    ],
)
def test_durations(written: float | str, expected: float) -> None:
    """Numbers are seconds, and units add up."""
    assert seconds(written) == pytest.approx(expected)


@pytest.mark.parametrize("written", ["", "m", "5x", "1h 30m", "ten", math.nan, "nan"])
def test_what_is_no_duration(written: float | str) -> None:
    """Anything else is an error that names the field."""
    with pytest.raises(InvalidRequestError) as caught:
        seconds(written, param="keep_alive")
    assert caught.value.param == "keep_alive"


def test_a_keep_alive_may_be_left_to_the_configuration() -> None:
    assert kept_for(None) is None
    assert kept_for("1h") == 3600
    with pytest.raises(InvalidRequestError) as caught:
        kept_for("soon")
    assert caught.value.param == "keep_alive"
