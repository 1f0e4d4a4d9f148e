"""Answers in conversations, with real models: they outlive whoever reads them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Literal

import httpx
import pytest

from tests.live import LiveServer, chunks, stream_lines
from tests.models.hello import ANSWER
from tests.waiting import eventually

LONG: dict[str, Any] = {"model": "babble", "max_tokens": 20_000}
"""Options of an answer that no test waits for."""


@pytest.fixture
def http(server: LiveServer) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def begin(http: httpx.Client, **fields: Any) -> str:  # noqa: ANN401  # any JSON
    reply = http.post("conversations", json=fields)
    assert reply.status_code == 201, reply.text
    return f"conversations/{reply.json()['id']}"


def opened(http: httpx.Client, where: str) -> dict[str, Any]:
    found: dict[str, Any] = http.get(where).json()
    return found


def texts(http: httpx.Client, where: str) -> list[str]:
    return [message["content"] for message in opened(http, where)["messages"]]


@contextmanager
def asking(
    http: httpx.Client,
    where: str,
    method: Literal["GET", "POST"] = "POST",
    **body: Any,  # noqa: ANN401  # any JSON
) -> Iterator[Iterator[str]]:
    with http.stream(method, f"{where}/reply", json=body or None) as reply:
        if reply.is_error:
            reply.read()
        assert reply.status_code == 200, reply.text
        yield stream_lines(reply)


def ask(http: httpx.Client, where: str, **body: Any) -> list[str]:  # noqa: ANN401  # any JSON
    with asking(http, where, **body) as lines:
        return list(lines)


def text_of(lines: list[str]) -> str:
    return "".join(
        choice["delta"].get("content") or ""
        for chunk in chunks(iter(lines))
        for choice in chunk.get("choices", ())
    )


def first_event(lines: list[str]) -> dict[str, Any]:
    assert lines[0] == "event: message"
    event: dict[str, Any] = json.loads(lines[1].removeprefix("data: "))
    return event


def stop(http: httpx.Client, where: str) -> None:
    assert http.post(f"{where}/stop").status_code == 204


def test_a_question_and_its_answer_are_stored(http: httpx.Client) -> None:
    """The first event has the stored question; the answer has the told id."""
    where = begin(http, model="hello")
    lines = ask(http, where, content="Hi", max_tokens=50)
    opening = first_event(lines)
    assert text_of(lines) == ANSWER
    assert lines[-1] == "data: [DONE]"

    conversation = opened(http, where)
    question, answer = conversation["messages"]
    assert opening == {
        "message": question,
        "parent": question["id"],
        "answer": answer["id"],
    }
    assert (question["role"], question["content"]) == ("user", "Hi")
    assert (answer["content"], answer["parent"]) == (ANSWER, question["id"])
    assert (answer["model"], answer["finish_reason"]) == ("hello", "stop")
    assert answer["usage"]["completion_tokens"] > 30
    assert answer["timings"]["predicted_per_second"] > 0
    assert conversation["title"] == "Hi"


def test_progress_is_told_in_events(http: httpx.Client) -> None:
    """The load of a cold model among them, after the question."""
    http.post("models/hello/unload", json={"force": True})
    where = begin(http, model="hello")
    lines = ask(http, where, content="Hi")
    names = [line for line in lines if line.startswith("event: ")]
    assert names[0] == "event: message"
    assert set(names[1:]) == {"event: status"}
    states = [chunk.get("status") for chunk in chunks(iter(lines))]
    assert states.index("loading") < states.index("ready")


def test_the_whole_path_is_read_with_attachments(http: httpx.Client) -> None:
    """Each turn makes the prompt longer; so do the system text and what is attached."""
    where = begin(http, model="babble", options={"max_tokens": 3})

    def prompt_tokens(**body: Any) -> int:  # noqa: ANN401  # any JSON
        ask(http, where, **body)
        usage = opened(http, where)["messages"][-1]["usage"]
        return int(usage["prompt_tokens"])

    first = prompt_tokens(content="Hi")
    second = prompt_tokens(content="Hi")
    assert second > first
    attached = [{"kind": "cell", "name": "In [1]", "content": "print(1)\n" * 20}]
    third = prompt_tokens(content="Hi", attachments=attached)
    assert third - second > 2 * (second - first)
    again = prompt_tokens(parent=None, content="Hi")
    assert again == first
    http.patch(where, json={"system": "You are brief. " * 10})
    assert prompt_tokens(parent=None, content="Hi") > first + 20
    assert opened(http, where)["messages"][0]["content"] == "Hi"
    assert len(opened(http, where)["branches"]) == 1


def test_an_answer_is_drawn_again_beside_the_first(http: httpx.Client) -> None:
    """The question is not stored twice."""
    where = begin(http, model="hello")
    ask(http, where, content="Hi", max_tokens=3)
    question, first = opened(http, where)["messages"]
    lines = ask(http, where, parent=question["id"])
    assert first_event(lines)["message"] is None
    assert first_event(lines)["parent"] == question["id"]
    conversation = opened(http, where)
    _, second = conversation["messages"]
    assert (first["content"], second["content"]) == ("Hello! I", ANSWER)
    assert conversation["branches"] == {second["id"]: [first["id"], second["id"]]}


def test_an_answer_that_was_cut_is_gone_on_with(http: httpx.Client) -> None:
    """The stream and the stored message have all of it; the cut one stays beside it."""
    where = begin(http, model="hello")
    ask(http, where, content="Hi", max_tokens=3)
    question, cut = opened(http, where)["messages"]
    lines = ask(http, where, **{"continue": True, "parent": cut["id"]})
    assert text_of(lines) == ANSWER
    conversation = opened(http, where)
    assert [m["content"] for m in conversation["messages"]] == ["Hi", ANSWER]
    assert conversation["messages"][1]["parent"] == question["id"]
    assert len(conversation["branches"]) == 1


def test_an_answer_goes_on_when_its_reader_goes(
    server: LiveServer, http: httpx.Client
) -> None:
    """Whoever comes next gets all of it, then what comes; two at once get the same."""
    where = begin(http)
    with asking(http, where, content="Hi", **LONG) as lines:
        seen = [next(lines) for _ in range(20)]
    with asking(http, where, "GET") as again, server.client() as other:
        replayed = [next(again) for _ in range(len(seen) + 20)]
        assert replayed[: len(seen)] == seen
        with asking(other, where, "GET") as third:
            assert [next(third) for _ in range(len(seen))] == seen
        stop(other, where)
        rest = [*replayed, *again]
    assert rest[-1] == "data: [DONE]"
    question, answer = opened(http, where)["messages"]
    assert question["content"] == "Hi"
    assert answer["content"] == text_of(rest)
    assert answer["finish_reason"] == "cancelled"
    assert answer["usage"]["completion_tokens"] > 0


def test_stopping_frees_the_model(server: LiveServer, http: httpx.Client) -> None:
    """The engine stops too; nothing runs, and there is nothing to attach to."""
    where = begin(http)
    with asking(http, where, content="Hi", **LONG) as lines:
        next(line for line in lines if '"content":"' in line)
    stop(http, where)

    def idle() -> bool:
        """The model is idle."""
        return bool(server.model("babble")["state"] == "ready")

    eventually(idle)
    assert http.get(f"{where}/reply").status_code == 204
    stop(http, where)


def test_one_answer_at_a_time(http: httpx.Client) -> None:
    """A second question is refused, and not stored; deleting ends the first."""
    where = begin(http)
    with asking(http, where, content="Hi", **LONG) as lines:
        next(lines)
        refused = http.post(f"{where}/reply", json={"content": "And?", **LONG})
        assert refused.status_code == 409
        assert refused.json()["error"]["code"] == "conversation_busy"
        assert texts(http, where) == ["Hi"]
        assert http.delete(where).status_code == 204
        assert list(lines)[-1] == "data: [DONE]"
    assert http.get(f"{where}/reply").status_code == 404


def test_what_cannot_be_asked_is_not_stored(http: httpx.Client) -> None:
    """It is refused with a status, before the stream."""
    where = begin(http)
    for body, status, param in (
        ({}, 400, "content"),
        ({"content": "Hi", "model": "nowhere"}, 404, "model"),
        ({"content": "Hi", "temperature": "hot"}, 400, "temperature"),
        ({"content": "Hi", "parent": "nothing"}, 404, None),
        ({"content": "Hi", "messages": []}, 400, "messages"),
        ({"continue": True}, 400, "parent"),
    ):
        refused = http.post(f"{where}/reply", json=body)
        assert refused.status_code == status, refused.text
        assert refused.json()["error"]["param"] == param
    assert texts(http, where) == []


def test_an_answer_that_failed_says_so_to_who_comes_later(
    http: httpx.Client,
) -> None:
    """The question is stored; a page that is loaded again sees what went wrong."""
    where = begin(http, model="short")
    lines = ask(http, where, content="words " * 200)
    (error,) = [chunk["error"] for chunk in chunks(iter(lines)) if "error" in chunk]
    assert error["code"] == "context_length_exceeded"
    with asking(http, where, "GET") as again:
        assert list(again) == lines
    assert [m["role"] for m in opened(http, where)["messages"]] == ["user"]


def test_what_a_model_said_before_it_was_unloaded_stays(http: httpx.Client) -> None:
    """Its words are stored, marked as an error."""
    where = begin(http)
    with asking(http, where, content="Hi", **LONG) as lines:
        next(line for line in lines if '"content":"' in line)
        http.post("models/babble/unload", json={"force": True})
        rest = list(lines)
    assert any('"code":"model_unloaded"' in line for line in rest)
    _, answer = opened(http, where)["messages"]
    assert answer["content"]
    assert answer["finish_reason"] == "error"


def beginning(reply: httpx.Response) -> list[str]:
    return list(islice(stream_lines(reply), 10))


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("v1/chat/completions", {"messages": [{"role": "user", "content": "Hi"}]}),
        ("v1/completions", {"prompt": "Hi"}),
    ],
)
def test_a_stream_with_an_id_can_be_come_back_to(
    server: LiveServer, http: httpx.Client, path: str, asked: dict[str, object]
) -> None:
    """The same request attaches to it, so does its id alone; another is refused."""
    body = {**LONG, **asked, "stream": True}
    named = {"X-Stream-Id": f"page:{path.replace('/', '.')}"}
    stream = f"streams/{named['X-Stream-Id']}"
    with http.stream("POST", path, json=body, headers=named) as reply:
        seen = beginning(reply)
    with http.stream("GET", stream) as reply:
        assert beginning(reply) == seen
    refused = http.post(path, json={**body, "seed": 1}, headers=named)
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "stream_taken"
    with http.stream("POST", path, json=body, headers=named) as reply:
        lines = stream_lines(reply)
        again = [next(lines) for _ in range(10)]
        assert http.delete(stream).status_code == 204
        rest = list(lines)
    assert again == seen
    assert rest[-1] == "data: [DONE]"

    def idle() -> bool:
        """The engine stopped too."""
        return bool(server.model("babble")["state"] == "ready")

    eventually(idle)
    with http.stream("GET", stream) as reply:
        assert list(stream_lines(reply)) == [*again, *rest]
    unknown = http.get("streams/page-2")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (
        404,
        "stream_not_found",
    )
    wrong = http.post(path, json=body, headers={"X-Stream-Id": "a b"})
    assert wrong.status_code == 400
