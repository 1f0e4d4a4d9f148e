"""The widgets without a page: what they say when something goes wrong."""

import json
import threading
import time
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from kernel_magics import ChatPanel, ModelManager
from kernel_magics.client import Client
from kernel_magics.connection import Connection
from kernel_magics.widgets import remembered
from tests.kernel.scripted import Request, scripted, text
from tests.waiting import eventually

CONVERSATION = {
    "id": "c1",
    "title": "Talk",
    "model": "m",
    "system": "",
    "options": {},
    "messages": [],
    "branches": {},
}
NOTEBOOK = "/home/me/book.ipynb"


@pytest.fixture(autouse=True)
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A notebook whose conversation can be remembered; return where."""
    monkeypatch.setenv("JPY_SESSION_NAME", NOTEBOOK)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    return tmp_path


def nobody() -> Client:
    """Return a client of a server that does not answer."""
    return Client(Connection(url="http://127.0.0.1:1/llm/", token="t", source="test"))


def chatting(*reply: object) -> Any:  # noqa: ANN401  # a function for scripted
    """Return how a server answers that keeps a conversation."""

    def answer(request: Request) -> None:
        match request.method, request.path:
            case "GET", "models":
                request.json({"default": "m", "models": [], "remote": []})
            case "GET", "conversations/c1":
                request.json(CONVERSATION)
            case "POST", "conversations":
                request.json({"id": "c1"})
            case "POST", "conversations/c1/reply":
                request.stream(*reply)
            case _:
                request.json({"error": {"message": "none"}}, HTTPStatus.NOT_FOUND)

    return answer


def test_a_conversation_is_shown_in_which_nothing_is_written() -> None:
    """There is nothing to read then, and nothing wrong."""

    def answer(request: Request) -> None:
        if (request.method, request.path) == ("GET", "conversations/c1/reply"):
            request.begin("text/html", HTTPStatus.NO_CONTENT)
        else:
            chatting()(request)

    with scripted(answer) as server, server.client() as client:
        panel = ChatPanel(client, conversation="c1")
        panel.session.wait(10)
        assert (panel.title, panel.busy, panel.error) == ("Talk", False, "")


def ask(panel: ChatPanel, question: str) -> None:
    """Ask as the page does, and wait for the end of the answer."""
    panel._take(panel, {"do": "ask", "text": question}, None)
    panel.session.wait(10)


@pytest.mark.parametrize("reply", ["{half", {"choices": "none"}, text("a\u2028b")])
def test_whatever_comes_a_panel_is_not_busy_for_ever(reply: object) -> None:
    """What cannot be read is told."""
    with scripted(chatting(reply, "[DONE]")) as server, server.client() as client:
        panel = ChatPanel(client)
        ask(panel, "x")
        assert not panel.busy
        assert bool(panel.error) == (reply != text("a\u2028b"))


def test_a_question_may_hold_any_character() -> None:
    """Also those that Unicode takes for ends of lines: the server sends it back."""
    opening = {"message": {"id": "1", "role": "user", "content": "a\u2028b"}}
    with (
        scripted(chatting(json.dumps(opening, ensure_ascii=False), "[DONE]")) as server,
        server.client() as client,
    ):
        panel = ChatPanel(client)
        ask(panel, "a\u2028b")
        assert (panel.busy, panel.error) == (False, "")


def test_a_chat_goes_on_where_nothing_can_be_remembered(
    notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A data folder that cannot be written keeps nobody from asking."""
    (notebook / "file").write_text("")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(notebook / "file" / "below"))
    with scripted(chatting(text("Hi"), "[DONE]")) as server, server.client() as client:
        panel = ChatPanel(client)
        ask(panel, "x")
        assert (panel.busy, panel.error, panel.conversation) == (False, "", "c1")


def test_a_panel_without_a_server_says_so() -> None:
    """When it is made, and when it is asked; a remembered conversation stays that."""
    with nobody() as client:
        assert "does not answer" in ChatPanel(client).error
        remembered.remember(NOTEBOOK, "c1")
        panel = ChatPanel(client)
        assert "does not answer" in panel.error
        ask(panel, "x")
        assert "does not answer" in panel.error
    assert remembered.recall(NOTEBOOK) == "c1"


def test_a_conversation_that_cannot_be_shown_now_keeps_its_place() -> None:
    """The next question goes there; one that was deleted makes room for a new one."""
    status, code = HTTPStatus.SERVICE_UNAVAILABLE, "busy"
    served = chatting(text("Hi"), "[DONE]")

    def answer(request: Request) -> None:
        if request.path == "conversations/old":
            request.json({"error": {"message": "not now", "code": code}}, status)
        elif request.path == "conversations/old/reply":
            request.stream(text("Hi"), "[DONE]")
        else:
            served(request)

    with scripted(answer) as server, server.client() as client:
        panel = ChatPanel(client, conversation="old")
        assert (panel.error, panel.conversation) == ("not now", "old")
        ask(panel, "x")
        assert remembered.recall(NOTEBOOK) == "old"

        status, code = HTTPStatus.NOT_FOUND, "conversation_not_found"
        panel = ChatPanel(client, conversation="old")
        assert (panel.error, panel.conversation) == ("", "")
        ask(panel, "x")
        assert remembered.recall(NOTEBOOK) == "c1"


def test_an_error_goes_with_the_next_thing_that_works() -> None:
    """There is one error, whatever it came from."""
    with scripted(chatting()) as server, server.client() as client:
        panel = ChatPanel(client)
        panel._take(panel, {"do": "export", "format": "jsonl"}, None)
        assert panel.error == "none"
        panel._take(panel, {"do": "refresh"}, None)
        assert panel.error == ""


class Feed:
    """Serves models, and events without an end; ``watchers`` read these now."""

    def __init__(self, *events: str) -> None:
        self.watchers = 0
        self._events = events

    def __call__(self, request: Request) -> None:
        if request.path != "events":
            request.json({"default": None, "models": []})
            return
        request.begin("text/event-stream")
        self.watchers += 1
        with suppress(OSError):
            for event in self._events:
                request.say(event)
            while True:
                request.say(": still here\n\n")
                time.sleep(0.05)
        self.watchers -= 1


def test_a_manager_that_is_closed_watches_no_more() -> None:
    """Neither a connection nor a thread is left of it."""
    feed, before = Feed(), threading.active_count()
    with scripted(feed) as server, server.client() as client:
        managers = [ModelManager(client) for _ in range(3)]
        eventually(lambda: feed.watchers == len(managers))
        for manager in managers:
            manager.close()
        eventually(lambda: not feed.watchers, within=1)
        assert client.models()["models"] == []
    eventually(lambda: threading.active_count() == before, within=1)


def test_a_manager_tells_what_it_cannot_read() -> None:
    """And goes on watching."""
    feed = Feed("event: model\ndata: {half\n\n")
    with scripted(feed) as server, server.client() as client:
        manager = ModelManager(client)
        eventually(lambda: "JSONDecodeError" in manager.error)
        eventually(lambda: feed.watchers)
        manager.close()
        eventually(lambda: not feed.watchers, within=1)
