"""``conversations`` inside a Jupyter server."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse

Fetch = Callable[..., Awaitable[HTTPResponse]]
Call = Callable[..., Awaitable[tuple[int, Any]]]


@pytest.fixture
def call(jp_fetch: Fetch) -> Call:
    """Call a route with JSON; returns the status, and the JSON that came."""

    async def send(
        method: str, route: str, body: object = None, **headers: str
    ) -> tuple[int, Any]:
        path, _, query = route.partition("?")
        reply = await jp_fetch(
            "llm",
            *path.split("/"),
            method=method,
            params=dict(part.split("=") for part in query.split("&") if part),
            body=None if body is None else json.dumps(body),
            headers={name.replace("_", "-"): text for name, text in headers.items()},
            allow_nonstandard_methods=True,
            raise_error=False,
        )
        return reply.code, json.loads(reply.body) if reply.body else None

    return send


def said(*texts: str) -> list[dict[str, str]]:
    roles = ("user", "assistant")
    return [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]


async def test_a_conversation_is_begun_changed_and_deleted(call: Call) -> None:
    """Its fields are those of the contract; its revision grows."""
    status, made = await call(
        "POST",
        "conversations",
        {"model": "hello", "system": "Be brief.", "messages": said("Hi", "Hello!")},
    )
    assert status == 201
    assert set(made) == {
        *("id", "title", "model", "system", "options", "created", "updated"),
        *("message_count", "revision", "messages", "branches"),
    }
    assert (made["title"], made["message_count"], made["options"]) == ("Hi", 2, {})
    assert set(made["messages"][0]) == {"id", "parent", "role", "content", "created"}
    assert made["messages"][0]["parent"] is None
    where = f"conversations/{made['id']}"
    assert await call("GET", where) == (200, made)

    status, changed = await call("PATCH", where, {"title": "T", "model": None})
    assert (status, changed["title"], changed["model"]) == (200, "T", None)
    assert changed["system"] == "Be brief."
    assert changed["revision"] == made["revision"] + 1
    assert "messages" not in changed

    assert await call("DELETE", where) == (204, None)
    status, refused = await call("GET", where)
    assert (status, refused["error"]["code"]) == (404, "conversation_not_found")


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
async def test_thoughts_are_kept_by_either_name(call: Call, name: str) -> None:
    """Chats have the other one, and what they return is what people store."""
    thought = {"role": "assistant", "content": "A", name: "Hm."}
    _, made = await call("POST", "conversations", {"messages": [thought]})
    assert made["messages"][0]["reasoning"] == "Hm."


async def test_conversations_are_listed_and_found(call: Call) -> None:
    """The newest first, in pages, without their messages."""
    for number in range(3):
        await call("POST", "conversations", {"messages": said(f"Question {number}")})
    _, page = await call("GET", "conversations?limit=2")
    titles = [c["title"] for c in page["conversations"]]
    assert titles == ["Question 2", "Question 1"]
    assert "messages" not in page["conversations"][0]
    before = page["conversations"][-1]["updated"]
    _, page = await call("GET", f"conversations?limit=2&before={before}")
    assert [c["title"] for c in page["conversations"]] == ["Question 0"]
    _, page = await call("GET", "conversations?search=question 1")
    assert [c["title"] for c in page["conversations"]] == ["Question 1"]
    for wrong in ("limit=0", "limit=x", "limit=1000", "before=yesterday"):
        status, refused = await call("GET", f"conversations?{wrong}")
        assert (status, refused["error"]["code"]) == (400, "invalid_request"), wrong


async def test_messages_are_added_beside_others_and_deleted(call: Call) -> None:
    """As an edited question and a new answer are."""
    _, made = await call("POST", "conversations", {"messages": said("Q", "A1")})
    where, (question, first) = f"conversations/{made['id']}", made["messages"]
    status, added = await call(
        "POST",
        f"{where}/messages",
        {"messages": said("", "A2")[1:], "parent": question["id"]},
    )
    assert status == 201
    (second,) = added["messages"]
    assert second["parent"] == question["id"]
    _, opened = await call("GET", where)
    assert [m["content"] for m in opened["messages"]] == ["Q", "A2"]
    assert opened["branches"] == {second["id"]: [first["id"], second["id"]]}
    await call("PATCH", where, {"head": first["id"]})
    _, opened = await call("GET", where)
    assert [m["content"] for m in opened["messages"]] == ["Q", "A1"]
    await call("POST", f"{where}/messages", {"messages": said("R"), "parent": None})
    _, opened = await call("GET", where)
    assert [m["content"] for m in opened["messages"]] == ["R"]
    assert (await call("DELETE", f"{where}/messages/{opened['messages'][0]['id']}"))[
        0
    ] == 204
    _, opened = await call("GET", where)
    assert opened["messages"][0] == question
    status, refused = await call("DELETE", f"{where}/messages/{second['id']}x")
    assert (status, refused["error"]["code"]) == (404, "message_not_found")


async def test_a_change_can_name_the_revision_that_it_knows(call: Call) -> None:
    """Two browsers do not overwrite each other unseen."""
    _, made = await call("POST", "conversations", {"title": "a"})
    where = f"conversations/{made['id']}"
    assert (await call("PATCH", where, {"title": "b"}, If_Match='"1"'))[0] == 200
    for method, route, body in (
        ("PATCH", where, {"title": "c"}),
        ("POST", f"{where}/messages", {"messages": said("Q")}),
        ("DELETE", where, None),
    ):
        status, refused = await call(method, route, body, If_Match="1")
        assert (status, refused["error"]["code"]) == (412, "conversation_changed")
    status, refused = await call("PATCH", where, {}, If_Match="W/x")
    assert (status, refused["error"]["param"]) == (400, "If-Match")
    assert (await call("DELETE", where, If_Match="2"))[0] == 204


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": [{"role": "friend", "content": ""}]}, "messages[0].role"),
        ({"messages": [{"content": ""}]}, "messages[0]"),
        ({"title": 5}, "title"),
        ({"options": {"temperature": "hot"}}, "temperature"),
        ({"options": {"n": 3}}, "n"),
        ({"options": {"top_p": 3}}, "top_p"),
    ],
)
async def test_a_wrong_field_is_named(call: Call, body: object, param: str) -> None:
    """And nothing is stored."""
    status, refused = await call("POST", "conversations", body)
    assert (status, refused["error"]["param"]) == (400, param)
    assert await call("GET", "conversations") == (200, {"conversations": []})


FORMATS = {
    "markdown": ("text/markdown", ".md"),
    "notebook": ("application/x-ipynb+json", ".ipynb"),
    "jsonl": ("application/jsonl", ".jsonl"),
}


@pytest.mark.parametrize("name", FORMATS)
async def test_a_conversation_is_exported_and_imported(
    jp_fetch: Fetch, call: Call, name: str
) -> None:
    """As a file with a name, recognised by its type."""
    body = {
        "title": "A/B: test?",
        "model": "hello",
        "system": "S",
        "options": {"seed": 3},
        "messages": said("Hi\n## User\n", "<!-- message {} -->"),
    }
    _, made = await call("POST", "conversations", body)
    file = await jp_fetch(
        *("llm", "conversations", made["id"], "export"), params={"format": name}
    )
    media_type, suffix = FORMATS[name]
    assert file.headers["Content-Type"].startswith(media_type)
    disposition = file.headers["Content-Disposition"]
    assert disposition == f"attachment; filename*=utf-8''A-B-test{suffix}"
    reply = await jp_fetch(
        *("llm", "conversations", "import"),
        method="POST",
        body=file.body,
        headers={"Content-Type": file.headers["Content-Type"]},
    )
    assert reply.code == 201
    copy = json.loads(reply.body)
    assert copy["id"] != made["id"]
    for field in ("title", "model", "system", "options"):
        assert copy[field] == made[field]
    own = [{**m, "id": 0, "parent": 0} for m in copy["messages"]]
    assert own == [{**m, "id": 0, "parent": 0} for m in made["messages"]]


async def test_what_cannot_be_imported_is_refused(call: Call) -> None:
    """In words, whatever it is."""
    for content_type, words in (
        ("text/markdown", "holds no message"),
        ("application/json", "notebook cannot be imported"),
        ("application/jsonl", "message 1 is wrong"),
        ("image/png", "is no format"),
    ):
        status, refused = await call(
            "POST", "conversations/import", ["nothing"], Content_Type=content_type
        )
        assert status == 400
        assert words in refused["error"]["message"]
    long_ago = {"role": "user", "created": "0001-01-01T00:00:00+14:00"}
    status, refused = await call(
        "POST", "conversations/import", long_ago, Content_Type="application/jsonl"
    )
    assert status == 400
    assert "0001-01-01" in refused["error"]["message"]
    _, made = await call("POST", "conversations")
    status, refused = await call(
        "GET", f"conversations/{made['id']}/export?format=docx"
    )
    assert (status, refused["error"]["param"]) == (400, "format")
