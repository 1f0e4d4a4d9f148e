"""An answer that is read as it comes, and once."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import aclosing, closing
from dataclasses import dataclass
from typing import Any

import pytest

from kernel_magics import LLM
from kernel_magics.assistant.stream import Stream
from kernel_magics.errors import SchemaError, StreamUsedError
from tests.kernel.scripted import Request, Scripted, scripted, text


@pytest.fixture
def server() -> Iterator[Scripted]:
    """Says "Hello" in two parts, to every question."""
    with scripted(lambda r: r.stream(text("Hel"), text("lo"), "[DONE]")) as serving:
        yield serving


@pytest.fixture
def llm(server: Scripted) -> Iterator[LLM]:
    """The models of that server."""
    made = server.llm()
    yield made
    made.client.close()


def left_loop(stream: Stream) -> None:
    for _ in stream:
        break


def left_pieces(stream: Stream) -> None:
    with closing(stream.pieces()) as pieces:
        next(pieces)


def left_async(stream: Stream) -> None:
    async def read() -> None:
        async with aclosing(aiter(stream)) as texts:
            async for _ in texts:
                break

    asyncio.run(read())


@pytest.mark.parametrize("leave", [left_loop, left_pieces, left_async])
def test_the_answer_of_a_loop_that_was_left_is_what_it_brought(
    llm: LLM, server: Scripted, leave: Callable[[Stream], None]
) -> None:
    """Nothing is asked again, and nothing is put together of two answers."""
    stream = llm.chat("x")
    leave(stream)
    assert (stream.answer.text, stream.answer.finish_reason) == ("Hel", "stopped")
    assert asyncio.run(stream._awaited()) is stream.answer
    assert len(server.requests) == 1


def all_texts(stream: Stream) -> None:
    list(stream)


def all_pieces(stream: Stream) -> None:
    list(stream.pieces())


def whole(stream: Stream) -> None:
    assert stream.answer is stream.answer


@pytest.mark.parametrize("use", [all_texts, all_pieces, whole])
def test_a_stream_is_read_once(
    llm: LLM, server: Scripted, use: Callable[[Stream], None]
) -> None:
    """The answer stays; a second loop is an error, and asks nothing."""
    stream = llm.chat("x")
    use(stream)
    assert stream.answer.text == "Hello"
    with pytest.raises(StreamUsedError):
        list(stream)
    with pytest.raises(StreamUsedError):
        left_async(stream)
    assert len(server.requests) == 1


def test_an_answer_that_was_shown_is_shown_again(
    llm: LLM, server: Scripted, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without being asked for anew; also one whose loop was left."""
    stream, left = llm.chat("x"), llm.chat("x")
    stream._ipython_display_()
    left_loop(left)
    capsys.readouterr()
    for shown, said in (stream, "Hello"), (left, "Hel"):
        shown._ipython_display_()
        assert said in capsys.readouterr().out
    assert len(server.requests) == 2


def test_a_stream_that_failed_is_not_read_again(llm: LLM, server: Scripted) -> None:
    """What is no answer stays none."""

    @dataclass
    class Flag:
        up: bool

    options: dict[str, Any] = {"schema": Flag}
    stream = llm.chat("x", **options)
    with pytest.raises(SchemaError):
        _ = stream.answer
    with pytest.raises(StreamUsedError):
        _ = stream.answer
    assert len(server.requests) == 1


def test_nothing_waits_in_the_loop() -> None:
    """Not for the default model: the server tells it once the loop has gone on."""
    gone_on = threading.Event()

    def answer(request: Request) -> None:
        if request.path == "models":
            in_time = gone_on.wait(5)
            request.json({"default": f"m {in_time}", "models": []})
        else:
            request.stream(text(request.body["model"]), "[DONE]")

    async def ask(llm: LLM) -> str:
        whole = asyncio.ensure_future(llm.chat("x")._awaited())
        await asyncio.sleep(0)
        gone_on.set()
        return (await whole).text

    with scripted(answer) as server:
        llm = server.llm("")
        assert asyncio.run(ask(llm)) == "m True"
        llm.client.close()


def test_a_coroutine_runs_in_the_loop_that_awaits_the_answer() -> None:
    """It may need what lives there, and nowhere else."""

    def answer(request: Request) -> None:
        results = [
            m["content"] for m in request.body["messages"] if m["role"] == "tool"
        ]
        made = {"id": "1", "function": {"name": "wait", "arguments": "{}"}}
        call = {"choices": [{"delta": {"tool_calls": [made]}}]}
        request.stream(text(results[0]) if results else call, "[DONE]")

    async def ask(llm: LLM) -> str:
        loop = asyncio.get_running_loop()

        async def wait() -> str:
            """Wait for something of this loop's."""
            soon = loop.create_future()
            loop.call_soon(soon.set_result, "done")
            return str(await asyncio.wait_for(soon, 5))

        return (await llm.chat("x", tools=[wait], confirm=False)).text

    with scripted(answer) as server:
        llm = server.llm()
        assert asyncio.run(ask(llm)) == "done"
        llm.client.close()
