"""Models that share a machine: they take turns, go when idle, and can be cancelled."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.live import LiveServer, live_server, stream_lines
from tests.waiting import eventually

CLIENTS = 8
SECONDS = float(os.environ.get("LLM_EXT_TEST_ALTERNATE_SECONDS", "10"))
"""How long two models alternate; CONTRIBUTING.md has the command for a minute."""


@contextmanager
def serving(folder: Path, models: Path, **options: object) -> Iterator[LiveServer]:
    """Start a server with options of the extension."""
    flags = [f"--LLMExt.{name}={value}" for name, value in options.items()]
    with live_server(folder, models, *flags) as running:
        yield running
        assert "Traceback" not in running.log, running.log


def workers(server: LiveServer) -> list[psutil.Process]:
    """Return the worker processes of a server."""
    children = psutil.Process(server.process.pid).children(recursive=True)
    return [child for child in children if "llm_ext.worker" in _command(child)]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _chat(model: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401  # any of OpenAI's
    return {
        "model": model,
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 8,
        **more,
    }


def test_two_models_take_turns_where_only_one_may_be_loaded(
    tmp_path: Path, models: Path
) -> None:
    """Eight clients alternate: no error, both are served, never two residents."""
    with serving(tmp_path, models, max_loaded_models=1) as server:
        served, most = asyncio.run(_alternate(server))
    assert most == 1
    assert min(served.values()) > 0
    assert sum(served.values()) >= CLIENTS


async def _alternate(server: LiveServer) -> tuple[dict[str, int], int]:
    """Let clients ask both models in turn; return the answers, and the most workers."""
    served = {"hello": 0, "babble": 0}
    deadline = time.monotonic() + SECONDS
    most = 0

    async def ask(client: httpx.AsyncClient, number: int) -> None:
        names = list(served)
        turn = number
        while time.monotonic() < deadline:
            model = names[turn % len(names)]
            reply = await client.post("v1/chat/completions", json=_chat(model))
            assert reply.is_success, reply.text
            served[model] += 1
            turn += 1

    async def watch() -> None:
        nonlocal most
        while True:
            count = await asyncio.to_thread(lambda: len(workers(server)))
            most = max(most, count)
            await asyncio.sleep(0.05)

    async with httpx.AsyncClient(
        base_url=f"{server.url}llm/", headers=server.headers, timeout=120
    ) as client:
        watching = asyncio.ensure_future(watch())
        await asyncio.gather(*[ask(client, number) for number in range(CLIENTS)])
        watching.cancel()
    return served, most


def test_an_idle_model_gives_its_memory_back(tmp_path: Path, models: Path) -> None:
    """After the keep-alive, in real time; a request's own comes first."""
    with serving(tmp_path, models, keep_alive="1s") as server, server.client() as http:
        assert http.post("v1/chat/completions", json=_chat("hello")).is_success
        assert server.model("hello")["expires_at"]
        assert len(workers(server)) == 1

        def gone() -> bool:
            """The worker ended, and the model is said to be unloaded."""
            state = server.model("hello")["state"]
            return not workers(server) and state == "unloaded"

        eventually(gone, within=10)
        load = {"keep_alive": -1}
        assert http.post("models/hello/load", json=load).is_success

        def ready() -> bool:
            """It is loaded for ever."""
            model = server.model("hello")
            return model["state"] == "ready" and model["expires_at"] is None

        eventually(ready)


def test_preloaded_and_pinned_models_are_there_from_the_start(
    tmp_path: Path, models: Path
) -> None:
    """A pinned one comes back when its worker dies."""
    options = {"preload": "['babble']", "pinned": "['hello']"}
    with serving(tmp_path, models, **options) as server:

        def loaded() -> bool:
            """Both are ready, though nobody asked."""
            return {server.model(m)["state"] for m in ("hello", "babble")} == {"ready"}

        eventually(loaded)
        first = server.model("hello")["pid"]
        os.kill(first, signal.SIGKILL)

        def back() -> bool:
            """Another process holds it."""
            model = server.model("hello")
            return bool(model["state"] == "ready" and model["pid"] != first)

        eventually(back)


def test_a_load_is_cancelled_by_unloading(tmp_path: Path, models: Path) -> None:
    """Whoever watches is told, and the process is gone."""
    events = {"Accept": "text/event-stream"}
    with serving(tmp_path, models) as server, server.client() as http:
        with http.stream("POST", "models/hello/load", headers=events) as reply:
            lines = stream_lines(reply)
            assert next(lines) == "event: status"
            with server.client() as other:
                force = {"force": True}
                assert other.post("models/hello/unload", json=force).is_success
            rest = "\n".join(lines)
        assert "model_unloaded" in rest or '"ready"' in rest
        assert workers(server) == []
        assert server.model("hello")["state"] == "unloaded"


def test_what_does_not_fit_is_refused_in_words(tmp_path: Path, models: Path) -> None:
    """With both figures, and as an error that is not worth sending again."""
    with serving(tmp_path, models, worker_memory=1000) as server:
        with server.client() as http:
            reply = http.post("v1/chat/completions", json=_chat("hello"))
        assert reply.status_code == 503
        error = reply.json()["error"]
        assert error["code"] == "insufficient_memory"
        assert "at most 0.0 MB can be had" in error["message"]
        assert reply.headers["x-should-retry"] == "false"
