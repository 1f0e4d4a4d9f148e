"""``kill -9``, of a worker and of the server."""

import os
import signal
from pathlib import Path

import psutil

from tests.conftest import LONG_CONTEXT
from tests.live import LiveServer, chunks, live_server, stream_lines
from tests.waiting import eventually

BODY = {
    "messages": [{"role": "user", "content": "Hi"}],
    "stream": True,
    "max_tokens": 25000,
}


def test_a_killed_worker_ends_its_own_streams_with_the_cause(
    server: LiveServer,
) -> None:
    """Another model's stream goes on; the next request loads the model again."""
    with (
        server.client() as http,
        http.stream(
            "POST", "v1/chat/completions", json={"model": "babble", **BODY}
        ) as a,
        http.stream(
            "POST", "v1/chat/completions", json={"model": "other", **BODY}
        ) as b,
    ):
        lines_a, lines_b = stream_lines(a), stream_lines(b)
        next(chunks(lines_a))
        next(chunks(lines_b))
        os.kill(server.model("babble")["pid"], signal.SIGKILL)

        last = list(chunks(lines_a))[-1]
        assert last["error"]["code"] == "worker_died"
        assert "SIGKILL" in last["error"]["message"]
        after = [next(chunks(lines_b)) for _ in range(100)]
        assert all("error" not in chunk for chunk in after)

        failed = server.model("babble")
        assert failed["state"] == "failed"
        assert failed["error"]["code"] == "worker_died"
        again = {**BODY, "model": "babble", "stream": False, "max_tokens": 5}
        assert http.post("v1/chat/completions", json=again).is_success
    assert server.model("babble")["state"] == "ready"


def test_a_killed_server_leaves_no_worker(tmp_path: Path, models: Path) -> None:
    """Nor does one that is killed while a worker computes: gone within 2 seconds."""
    with live_server(tmp_path, models, LONG_CONTEXT) as running:
        with running.client() as http:
            load = {**BODY, "model": "other", "stream": False, "max_tokens": 1}
            assert http.post("v1/chat/completions", json=load).is_success
            body = {"model": "babble", **BODY}
            with http.stream("POST", "v1/chat/completions", json=body) as reply:
                next(chunks(stream_lines(reply)))
                pids = [running.model(name)["pid"] for name in ("babble", "other")]
                workers = [psutil.Process(pid) for pid in pids]
                running.process.kill()

        def gone() -> bool:
            """No worker is left."""
            return not any(
                worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE
                for worker in workers
            )

        eventually(gone, within=2)


def test_a_server_that_stops_takes_its_workers_and_its_file_along(
    tmp_path: Path, models: Path
) -> None:
    """As on Ctrl-C or when a hub ends it."""
    with live_server(tmp_path, models) as running:
        with running.client() as http:
            body = {**BODY, "model": "hello", "stream": False}
            assert http.post("v1/chat/completions", json=body).is_success
        worker = psutil.Process(running.model("hello")["pid"])
        files = list(running.runtime.glob("llm_ext-*.json"))
        assert [file.stat().st_mode & 0o777 for file in files] == [0o600]
        running.process.terminate()
        running.process.wait(timeout=15)
        assert not worker.is_running()
        assert not list(running.runtime.glob("llm_ext-*.json"))
