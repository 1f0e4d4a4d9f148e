"""What a client does with answers that a well server of ours never gives."""

import asyncio

import pytest

from tests.kernel.scripted import Request, scripted, text


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\u0085"])
def test_an_answer_may_hold_any_character(character: str) -> None:
    """Also those that Unicode takes for ends of lines, and also for ``async`` code."""

    def answer(request: Request) -> None:
        request.stream(text(f"a{character}b"), "[DONE]")

    with scripted(answer) as server:
        llm = server.llm()
        assert llm("x").text == f"a{character}b"

        async def ask() -> str:
            return (await llm.chat("x")).text

        assert asyncio.run(ask()) == f"a{character}b"
        llm.client.close()
