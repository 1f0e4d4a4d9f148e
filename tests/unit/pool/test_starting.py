"""A system that has no more processes, threads or files to give."""

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from llm_ext.errors import ProbeError
from llm_ext.pool.launcher import ChildProcess
from llm_ext.pool.probe import Probe
from llm_ext.store.database import Database
from tests.fakes.worker import FakeWorker


class SilentWorker(FakeWorker):
    """Takes questions of any kind, and answers none."""

    def send(self, frame: bytes) -> None:
        """See Worker."""


def test_questions_fail_where_no_probe_can_be_started(tmp_path: Path) -> None:
    """Also those that were left when one died, and the next ones are asked anew."""
    started: list[SilentWorker] = []

    def launch(
        *, on_frame: Callable[[bytes], None], on_exit: Callable[[int], None]
    ) -> SilentWorker:
        if started:
            raise OSError(11, "Resource temporarily unavailable")
        started.append(SilentWorker(on_frame=on_frame, on_exit=on_exit))
        return started[0]

    async def run() -> None:
        database = Database(tmp_path / "llm.sqlite")
        probe = Probe(database, launch=launch)
        asked = [asyncio.ensure_future(probe.devices()) for _ in range(3)]
        await asyncio.sleep(0)
        started[0].die(-9)
        for one in (*asked, asyncio.ensure_future(probe.devices())):
            with pytest.raises(ProbeError):
                await asyncio.wait_for(one, 5)
        await probe.close()
        database.close()

    asyncio.run(run())


def test_a_process_without_threads_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would read nothing, and its end would not be noticed."""

    def no_thread(thread: threading.Thread) -> None:
        del thread
        raise RuntimeError("can't start new thread")

    async def run() -> None:
        before = {child.pid for child in psutil.Process(os.getpid()).children()}
        monkeypatch.setattr(threading.Thread, "start", no_thread)
        with pytest.raises(OSError, match="new thread"):
            ChildProcess(on_frame=lambda _: None, on_exit=lambda _: None)
        monkeypatch.undo()
        after = {child.pid for child in psutil.Process(os.getpid()).children()}
        assert after <= before

    asyncio.run(run())
