"""What administrators are told."""

import asyncio
import io
import json
import logging
from datetime import datetime, timezone
from typing import Any

import pytest
from jupyter_events import EventLogger

from llm_ext.core.changes import (
    Change,
    DownloadChanged,
    DownloadRemoved,
    ModelChanged,
    ModelRemoved,
    WorkerChanged,
)
from llm_ext.core.download_status import DownloadState, DownloadStatus
from llm_ext.core.model_status import ModelState, ModelStatus, Problem
from llm_ext.core.worker_status import WorkerStatus
from llm_ext.errors import InsufficientMemoryError, WorkerDiedError
from llm_ext.event_log import EventLog
from llm_ext.feed import KEPT, Feed

NOW = datetime(2024, 1, 1, tzinfo=timezone.utc)


def model(state: ModelState, **fields: Any) -> ModelChanged:  # noqa: ANN401  # ModelStatus's
    status = ModelStatus(
        id="m", name="m", path="/m.gguf", size=1, modified=NOW, state=state, **fields
    )
    return ModelChanged(model=status)


def download(state: DownloadState, **fields: Any) -> DownloadChanged:  # noqa: ANN401  # DownloadStatus's
    status = DownloadStatus(
        id="d1", reference="hf:a/b", state=state, created=NOW, **fields
    )
    return DownloadChanged(download=status)


def told(*changes: Change, logger: EventLogger | None = None) -> list[dict[str, Any]]:
    """Return the events that a handler of Jupyter's event log gets."""
    lines = io.StringIO()

    async def main() -> None:
        events = logger or EventLogger(handlers=[])
        events.register_handler(logging.StreamHandler(lines))
        feed = Feed()
        feed.publish(ModelRemoved(id="before"))
        log = EventLog(events, feed)
        log.start()
        for change in changes:
            await asyncio.sleep(0)
            feed.publish(change)
        await log.stop()

    asyncio.run(main())
    found = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert found[0]["model"] == "before"
    return [_plain(event) for event in found[1:]]


def _plain(event: dict[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in event.items() if not key.startswith("_")}
    plain.pop("taskName", None)  # the formatter's own, since Python 3.12
    name = event["__schema__"].split(":")[-2]
    return {"event": name, **plain}


def test_a_model_s_states_are_told_but_not_its_progress() -> None:
    """Nor requests that come and go, nor that a file was found."""
    assert told(
        model("unloaded"),
        model("loading"),
        model("loading"),
        model("ready", worker="w1"),
        model("busy", worker="w1"),
        model("ready", worker="w1"),
        model("unloading"),
        model("unloaded"),
        ModelRemoved(id="m"),
    ) == [
        {"event": "model-state", "model": "m", "state": "loading"},
        {"event": "model-state", "model": "m", "state": "ready", "worker": "w1"},
        {"event": "model-state", "model": "m", "state": "unloading"},
        {"event": "model-state", "model": "m", "state": "unloaded"},
        {"event": "model-state", "model": "m", "state": "removed"},
    ]


def test_failures_say_why() -> None:
    """With the error's own code and words."""
    problem = Problem(code=InsufficientMemoryError.code, message="Too large.")
    (event,) = told(model("failed", error=problem))
    assert event["code"] == "insufficient_memory"
    assert event["reason"] == "Too large."


def test_a_worker_that_died_is_told_one_that_was_told_to_end_is_not() -> None:
    """Nor one that never ran for lack of memory."""

    def worker(code: str | None) -> WorkerChanged:
        error = Problem(code=code, message="Why.") if code else None
        status = WorkerStatus(
            id="w1", model="m", state="failed", since=NOW, error=error
        )
        return WorkerChanged(worker=status)

    codes = (None, InsufficientMemoryError.code, WorkerDiedError.code)
    assert told(*map(worker, codes)) == [
        {"event": "worker-death", "worker": "w1", "model": "m", "reason": "Why."}
    ]


def test_a_download_s_states_are_told_but_not_its_progress() -> None:
    """One that is forgotten and asked for again begins anew."""
    states = [
        (event["state"], event.get("total"), event.get("model"))
        for event in told(
            download("waiting"),
            download("downloading", total=10, done=1),
            download("downloading", total=10, done=2),
            download("done", total=10, done=10, model="b"),
            DownloadRemoved(id="d1"),
            download("done", total=10, done=10, model="b"),
        )
    ]
    assert states == [
        ("waiting", None, None),
        ("downloading", 10, None),
        ("done", 10, "b"),
        ("done", 10, "b"),
    ]


def test_a_handler_that_fails_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The administrator's own code may be wrong; the next event is told."""

    def modify(schema_id: str, data: dict[str, Any]) -> dict[str, Any]:
        del schema_id
        if data["state"] == "loading":
            raise RuntimeError("the modifier's own")
        return data

    logger = EventLogger(handlers=[])
    schema = "urn:jupyter-llm-ext:events:model-state:v1"
    logger.add_modifier(schema_id=schema, modifier=modify)
    (event,) = told(model("loading"), model("ready"), logger=logger)
    assert event["state"] == "ready"
    assert "the modifier's own" in caplog.text


def test_more_changes_at_once_than_are_kept_end_nothing() -> None:
    """What is forgotten is not told; what comes later is."""
    burst = [ModelRemoved(id=str(number)) for number in range(KEPT + 1)]

    async def main() -> list[str]:
        lines = io.StringIO()
        events = EventLogger(handlers=[logging.StreamHandler(lines)])
        feed = Feed()
        log = EventLog(events, feed)
        log.start()
        for change in burst:
            feed.publish(change)
        await asyncio.sleep(0)
        feed.publish(model("ready"))
        await log.stop()
        return [json.loads(line)["model"] for line in lines.getvalue().splitlines()]

    assert asyncio.run(main()) == ["m"]
