"""Functions of the notebook, as a model sees them and as they are called."""

import asyncio
import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import pytest

from kernel_magics.consent import REFUSED, Consent, everything
from kernel_magics.errors import ToolError
from kernel_magics.functions import Tool, Toolbox, written
from kernel_magics.pieces import ToolCall
from tests.waiting import eventually


@dataclass
class Place:
    city: str


def weather(place: Place, unit: Literal["C", "F"] = "C", *, days: int = 1) -> str:
    """Say what the weather is.

    Args:
        place: Where.
        unit: Of the temperature.
        days: How many.
    """
    return f"{days} {place.city} {unit}"


async def slow(n: int) -> int:
    await asyncio.sleep(0)
    return n + 1


def fails() -> None:
    raise ValueError("no luck")


def call(name: str, **arguments: Any) -> ToolCall:  # noqa: ANN401  # any JSON
    return ToolCall(id="1", name=name, arguments=json.dumps(arguments))


def test_a_function_is_described_by_its_signature_and_docstring() -> None:
    """Optional parameters are not required, and nothing else may be given."""
    function = Tool(weather).definition["function"]
    parameters = function["parameters"]

    assert function["name"] == "weather"
    assert function["description"].startswith("Say what the weather is.")
    assert set(parameters["properties"]) == {"place", "unit", "days"}
    assert parameters["required"] == ["place"]
    assert parameters["additionalProperties"] is False
    assert parameters["$defs"]["Place"]["required"] == ["city"]
    json.dumps(parameters)


def test_arguments_arrive_as_what_the_hints_say() -> None:
    """Defaults stay the function's own."""
    box = Toolbox([weather])
    assert box.call(call("weather", place={"city": "Oslo"})) == "1 Oslo C"
    both = call("weather", place={"city": "Oslo"}, unit="F", days=3)
    assert box.call(both) == "3 Oslo F"


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (call("fails"), "Error: ValueError: no luck"),
        (call("weather", place=3), "Error: ValidationError: Expected `object`"),
        (call("weather", plaec={}), "Error: ValidationError:"),
        (call("nobody"), "Error: there is no function 'nobody'; there are weather"),
        (ToolCall(id="1", name="weather", arguments="{"), "Error: DecodeError:"),
    ],
)
def test_what_goes_wrong_is_told_to_the_model(made: ToolCall, told: str) -> None:
    """It may do better the next time; the cell does not fail."""
    assert Toolbox([weather, fails]).call(made).startswith(told)


def test_a_coroutine_is_run_to_its_end() -> None:
    """Also while a loop runs in this thread, as in a kernel."""

    async def within() -> str:
        return Toolbox([slow]).call(call("slow", n=1))

    assert asyncio.run(within()) == "2"


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_coroutine_that_cancels_itself_is_told_to_the_model() -> None:
    """As any other error of a function's."""

    async def given_up() -> None:
        raise asyncio.CancelledError

    told = Toolbox([given_up]).call(call("given_up"))
    assert told.startswith("Error: CancelledError")


def test_an_interrupt_ends_a_coroutine() -> None:
    """It is cancelled in its thread, which ends."""
    running, ended = threading.Event(), threading.Event()

    async def long() -> None:
        running.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    def interrupt() -> None:
        running.wait(10)
        os.kill(os.getpid(), signal.SIGINT)

    threads = set(threading.enumerate())
    watch = threading.Thread(target=interrupt)
    watch.start()
    with pytest.raises(KeyboardInterrupt):
        Toolbox([long]).call(call("long"))
    assert ended.wait(10)
    eventually(lambda: set(threading.enumerate()) <= threads)


def test_functions_of_one_name_are_refused() -> None:
    """One would be called in the place of the other."""
    with pytest.raises(ToolError, match="two functions are called close"):
        Toolbox([Door().close, Door().close])


def test_a_table_is_told_in_short() -> None:
    """A result is cut to what a model can read."""

    def data() -> pd.DataFrame:
        return pd.DataFrame({"a": range(100_000)})

    told = Toolbox([data]).call(call("data"))
    assert len(told) < 5000
    assert "100000 x 1" in told


@pytest.mark.parametrize(
    "function",
    [lambda x: x, lambda x, /: x, eval("lambda: 0")],  # noqa: S307  # a function without a name
)
def test_a_function_that_cannot_be_called_by_name_is_refused(
    function: Callable[..., Any],
) -> None:
    """A lambda has no name, and some parameters none either."""
    with pytest.raises(ToolError):
        Toolbox([function])


def positional(x: int, /) -> int:
    return x


def strange(x: pd.DataFrame) -> None:
    del x


@pytest.mark.parametrize("function", [positional, strange])
def test_a_function_that_cannot_be_described_is_refused(
    function: Callable[..., Any],
) -> None:
    """It says which one, and why."""
    with pytest.raises(ToolError, match=function.__name__):
        Toolbox([function])


def test_a_call_is_written_as_in_python() -> None:
    """That is what the user is asked about."""
    assert written(call("f", a=1, b="x")) == "f(a=1, b='x')"
    assert written(ToolCall(id="", name="f", arguments="{")) == "f({)"


def test_nothing_in_a_call_moves_the_cursor_of_who_is_asked() -> None:
    """Else a model could overwrite the question with another one."""
    sneaky = "\r\x1b[2KRun f()"
    for made in (
        ToolCall(id="", name=f"g{sneaky}", arguments=f"{sneaky}"),
        call("g", a=sneaky),
    ):
        assert written(made).isprintable()


@pytest.mark.parametrize(
    ("reply", "refusal"), [("y", ""), ("Yes", ""), ("n", REFUSED), ("", REFUSED)]
)
def test_every_call_is_asked_for(reply: str, refusal: str) -> None:
    """The question shows the call; nothing but yes is a yes."""
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return reply

    consent = Consent(ask)
    box = Toolbox([fails])
    assert consent(box, call("fails", a=1)) == refusal
    assert consent(box, call("fails", a=1)) == refusal
    assert len(asked) == 2
    assert "fails(a=1)" in asked[0]


def test_always_holds_for_one_function() -> None:
    """Another one is asked for again."""
    replies = iter(["always", "no"])
    consent = Consent(lambda _question: next(replies))
    assert not consent(Toolbox([slow]), call("slow"))
    assert not consent(Toolbox([slow, fails]), call("slow", n=2))
    assert consent(Toolbox([slow, fails]), call("fails")) == REFUSED


class Door:
    def close(self) -> None:
        pass


def test_always_does_not_hold_for_another_function_of_the_same_name() -> None:
    """Such as one that was defined anew, or another object's method."""
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return "a"

    def defined() -> Callable[[], None]:
        def close() -> None:
            pass

        return close

    door, consent = Door(), Consent(ask)
    for function in (defined(), defined(), door.close, door.close, Door().close):
        assert not consent(Toolbox([function]), call("close"))
    assert len(asked) == 4


def test_the_kernels_own_input_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it came after the magics."""
    consent = Consent()
    monkeypatch.setattr("builtins.input", lambda _question: "y")
    assert not consent(Toolbox([fails]), call("fails"))


def test_where_nobody_can_be_asked_nothing_is_allowed() -> None:
    """As in a notebook that is run as a whole; unless it was allowed beforehand."""

    def nobody(_question: str) -> str:
        raise NotImplementedError

    refusal = Consent(nobody)(Toolbox([fails]), call("fails"))
    assert refusal.startswith("Nobody can be asked here")
    assert "--yes" in refusal
    assert not everything(call("f"))
