"""The event stream of a real server: files that come and go."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.live import live_server, stream_lines
from tests.models.hello import write_hello


def _next(lines: Iterator[str], name: str, model: str) -> dict[str, Any]:
    """Return the data of the next event of that name about a model."""
    for line in lines:
        if line == f"event: {name}":
            data: dict[str, Any] = json.loads(next(lines).removeprefix("data: "))
            if data.get("model", data)["id"] == model:
                return data
    raise AssertionError("the stream ended")


def test_a_new_file_shows_without_anybody_asking(tmp_path: Path) -> None:
    """Within two seconds, on a stream that is open already; so does its end."""
    models = tmp_path / "models"
    models.mkdir()
    write_hello(models / "hello.gguf")
    with (
        live_server(tmp_path / "server", models) as server,
        server.client() as http,
        http.stream("GET", "events") as reply,
    ):
        lines = stream_lines(reply)
        assert next(line for line in lines if line == "event: snapshot")
        began = time.monotonic()
        write_hello(models / "late.gguf")
        model = _next(lines, "model", "late")["model"]
        while model["error"]:  # it was seen half written
            model = _next(lines, "model", "late")["model"]
        assert time.monotonic() - began < 4  # two, on a machine that does nothing else
        assert "chat" in model["capabilities"]
        (models / "late.gguf").unlink()
        _next(lines, "model_removed", "late")
