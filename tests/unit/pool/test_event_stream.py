"""The events of a request on their way to whoever asked."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from llm_ext.core.events import Finished, TextDelta, Usage
from llm_ext.pool.stream import EventStream

END = Finished(reason="stop", usage=Usage(prompt_tokens=1, completion_tokens=2))


def play(scenario: Callable[[EventStream], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        await scenario(EventStream("m", None, cold=False, on_close=lambda: None))

    asyncio.run(main())


def test_what_has_come_already_can_be_taken_at_once() -> None:
    """In order, and the end is still the end."""

    async def scenario(stream: EventStream) -> None:
        assert stream.there() == []
        for event in (TextDelta("a"), TextDelta("b"), END):
            stream.push(event)
        assert await stream.next() == TextDelta("a")
        assert stream.there() == [TextDelta("b"), END]
        assert await stream.next() is None

    play(scenario)


def test_nothing_is_there_once_nobody_listens() -> None:
    """Whoever waits is told so."""

    async def scenario(stream: EventStream) -> None:
        waiting = asyncio.ensure_future(stream.next())
        await asyncio.sleep(0)
        stream.push(TextDelta("a"))
        assert await waiting == TextDelta("a")
        stream.push(TextDelta("b"))
        stream.close()
        assert stream.there() == []
        assert await stream.next() is None

    play(scenario)
