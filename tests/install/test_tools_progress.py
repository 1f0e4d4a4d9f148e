"""A compilation's progress is read from its output, and told in good measure."""

import pytest

from tools.progress import Meter, fraction


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("  [123/456] Building CXX object ggml/src/ggml.cpp.o", 123 / 456),
        ("[456/456] Linking CXX shared library bin/libllama.so", 1),
        ("[ 12%] Building C object ggml.c.o", 0.12),
        ("[100%] Built target llama", 1),
        ("  [2/2] Linking C executable cmTC_1a2b3", None),
        ("-- Detecting CXX compiler ABI info - done", None),
        ("  Building wheel for llama-cpp-python (pyproject.toml): started", None),
        ("see [12/345] in the text", None),
    ],
)
def test_a_line_tells_how_far_the_build_is(line: str, expected: float | None) -> None:
    assert fraction(line) == expected


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def build(meter: Meter, clock: Clock, *, steps: int, seconds: float) -> list[str]:
    """Feed a simulated ninja log; return what was shown."""
    shown = []
    for step in range(1, steps + 1):
        clock.now += seconds
        text = meter.feed(f"  [{step}/{steps}] Building CXX object file{step}.cpp.o\n")
        if text is not None:
            shown.append(text)
    return shown


def test_a_log_gets_a_line_every_ten_percent() -> None:
    clock = Clock()
    shown = build(Meter(live=False, clock=clock), clock, steps=200, seconds=1.2)
    assert shown == [
        "10%, 0.4 min",
        "20%, 0.8 min",
        "30%, 1.2 min",
        "40%, 1.6 min",
        "50%, 2.0 min",
        "60%, 2.4 min",
        "70%, 2.8 min",
        "80%, 3.2 min",
        "90%, 3.6 min",
        "100%, 4.0 min",
    ]


def test_a_slow_build_gets_a_line_every_half_minute() -> None:
    clock = Clock()
    shown = build(Meter(live=False, clock=clock), clock, steps=100, seconds=15)
    assert shown[:3] == ["2%, 0.5 min", "4%, 1.0 min", "6%, 1.5 min"]


def test_a_terminal_shows_every_step() -> None:
    clock = Clock()
    shown = build(Meter(live=True, clock=clock), clock, steps=20, seconds=0.01)
    assert len(shown) == 20


def test_progress_never_goes_back() -> None:
    """A second, smaller round of ninja does not start from zero."""
    meter = Meter(live=True, clock=Clock())
    meter.feed("[90/100] first")
    assert meter.feed("[1/20] second") is None
