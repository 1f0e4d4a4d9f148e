"""What a client does with answers that a well server of ours never gives."""

import asyncio
import base64
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

import numpy as np
import pytest

from kernel_magics import LLM, transport
from kernel_magics.client import Client
from kernel_magics.connection import Connection
from kernel_magics.errors import RefusedError, ServerGoneError, SettingError
from kernel_magics.transport import answers
from tests.kernel.scripted import Request, scripted, text


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\u0085"])
def test_an_answer_may_hold_any_character(character: str) -> None:
    """Also those that Unicode takes for ends of lines, and also for ``async`` code."""

    def answer(request: Request) -> None:
        request.stream(text(f"a{character}b"), "[DONE]")

    with scripted(answer) as server:
        llm = server.llm()
        for ask in ways_to_ask(llm):
            assert str(ask()) == f"a{character}b"
        llm.client.close()


def ways_to_ask(llm: LLM) -> list[Callable[[], object]]:
    """Return the ways in which an answer is waited for."""

    async def ask() -> object:
        return await llm.chat("x")

    return [lambda: llm("x"), lambda: asyncio.run(ask())]


@pytest.mark.parametrize("way", [0, 1])
def test_an_answer_that_ends_early_is_asked_for_once(way: int) -> None:
    """A stream without its end is an error, not a reason to send it again."""
    with scripted(lambda request: request.stream(text("Hel"))) as server:
        llm = server.llm()
        with pytest.raises(ServerGoneError, match="ended early"):
            ways_to_ask(llm)[way]()
        llm.client.close()
        assert [request.method for request in server.requests] == ["POST"]


def page(request: Request) -> None:
    """Answer as a server does that wants a login."""
    request.begin("text/html")
    request.say("<html>Who are you?</html>")


def elsewhere(request: Request) -> None:
    """Answer as one does that sends the reader to a login."""
    request.begin("text/html", HTTPStatus.FOUND)


@pytest.mark.parametrize("way", [0, 1])
@pytest.mark.parametrize("answer", [page, elsewhere])
def test_a_page_in_the_place_of_an_answer_is_told(
    answer: Callable[[Request], None], way: int
) -> None:
    """With the address that it came from; the question is sent once."""
    with scripted(answer) as server:
        llm = server.llm()
        for ask in ways_to_ask(llm)[way], llm.models:
            with pytest.raises(RefusedError, match=server.url):
                ask()
        llm.client.close()
        assert [request.method for request in server.requests] == ["POST", "GET"]


def test_json_that_is_no_object_is_told() -> None:
    """Nothing of ours says so."""
    told = pytest.raises(RefusedError, match="models")
    listing = scripted(lambda request: request.json([]))
    with listing as server, server.client() as client, told:
        client.models()


def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """One that is not there, and one that is none."""
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    for file in "/none.pem", str(broken):
        connection = Connection(
            url="https://x/", token="t", source="test", certificate=file
        )
        with pytest.raises(SettingError, match=file):
            Client(connection)
        assert not answers(connection)


def test_work_may_take_longer_than_a_stream_may_be_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Texts are embedded in one piece; a list that is asked for is there at once."""
    monkeypatch.setattr(transport, "SILENCE_TIMEOUT", 0.1)
    vector = base64.b64encode(np.ones(1, dtype="<f4").tobytes()).decode()

    def answer(request: Request) -> None:
        time.sleep(0.5)
        with suppress(OSError):
            request.json({"data": [{"embedding": vector}]})

    with scripted(answer) as server:
        llm = server.llm()
        assert llm.embed("x").tolist() == [1]
        with pytest.raises(ServerGoneError, match="timed out"):
            llm.models()
        llm.client.close()


def listing(request: Request) -> None:
    """Answer as a server does that has no models."""
    request.json({"default": None, "models": [], "remote": []})


def test_a_server_that_comes_back_elsewhere_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After one error, which says that it has gone."""
    llm = LLM()
    with scripted(listing) as server:
        monkeypatch.setenv("LLM_EXT_URL", server.url)
        assert llm.models() == []
    with scripted(listing) as server:
        monkeypatch.setenv("LLM_EXT_URL", server.url)
        with pytest.raises(ServerGoneError):
            llm.models()
        assert llm.models() == []
        llm.client.close()


@pytest.mark.parametrize("way", [0, 1])
def test_a_token_that_was_renewed_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: int
) -> None:
    """After one error, which says that the old one is none any more."""
    token = tmp_path / "token"
    token.write_text("old")

    def answer(request: Request) -> None:
        if request.handler.headers["Authorization"] == "Bearer new":
            request.stream(text("Hi"), "[DONE]")
        else:
            request.json({"error": {"message": "Who?"}}, HTTPStatus.FORBIDDEN)

    with scripted(answer) as server:
        monkeypatch.setenv("LLM_EXT_URL", server.url)
        monkeypatch.setenv("LLM_EXT_TOKEN_FILE", str(token))
        llm = LLM("m")
        ask = ways_to_ask(llm)[way]
        with pytest.raises(RefusedError, match=r"Who\?"):
            ask()
        token.write_text("new")
        assert str(ask()) == "Hi"
        llm.client.close()
