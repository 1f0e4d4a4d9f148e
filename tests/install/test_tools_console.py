"""The person sees one line a step, and one clear error."""

import io
import os
import sys
from pathlib import Path

import pytest

from tests.waiting import eventually
from tools import console
from tools.console import Problem, Step, duration, run


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_step_is_one_line_with_its_time() -> None:
    times = iter([0.0, 2.5])
    stream = io.StringIO()
    with Step("Making tea", stream=stream, clock=lambda: next(times)):
        pass
    assert stream.getvalue() == "Making tea ... 2.5 s\n"


def test_notes_are_lines_where_there_is_no_terminal() -> None:
    times = iter([0.0, 90.0])
    stream = io.StringIO()
    with Step("Making tea", stream=stream, clock=lambda: next(times)) as step:
        step.note("10%")
        step.note("20%")
    lines = ["Making tea ... ", "  10%", "  20%", "  done in 1 min 30 s", ""]
    assert stream.getvalue().split("\n") == lines


def test_notes_replace_each_other_on_a_terminal() -> None:
    times = iter([0.0, 1.0])
    stream = Terminal()
    with Step("Making tea", stream=stream, clock=lambda: next(times)) as step:
        step.note("10%")
        step.note("x" * 200)
    assert stream.getvalue().count("\n") == 1
    assert all(len(part) < 100 for part in stream.getvalue().split("\r"))


def test_a_step_that_fails_says_so() -> None:
    times = iter([0.0, 1.0])
    stream = io.StringIO()
    with (
        pytest.raises(KeyboardInterrupt),
        Step("Making tea", stream=stream, clock=lambda: next(times)),
    ):
        raise KeyboardInterrupt
    assert stream.getvalue() == "Making tea ... stopped after 1.0 s\n"


def test_durations_read_well() -> None:
    assert [duration(seconds) for seconds in (0.04, 59.9, 61)] == [
        "0.0 s",
        "59.9 s",
        "1 min 1 s",
    ]


def test_a_failed_command_shows_its_last_lines_and_names_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "ROOT", tmp_path)
    monkeypatch.setattr(console, "LOGS", tmp_path / "logs")
    script = "for n in range(100): print('line', n)\nraise SystemExit(3)"
    with pytest.raises(Problem) as problem:
        run([sys.executable, "-c", script], log="tea", environ=os.environ)
    message = str(problem.value)
    assert "line 99" in message
    assert "line 70" in message
    assert "line 69" not in message
    assert "logs/tea.log" in message
    assert "line 0\n" in (tmp_path / "logs" / "tea.log").read_text()


def test_a_silent_command_is_heard_of_every_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a long compilation is seen to be alive."""
    monkeypatch.setattr(console, "ROOT", tmp_path)
    monkeypatch.setattr(console, "LOGS", tmp_path / "logs")
    heard: list[str] = []
    script = "import time; print('begin', flush=True); time.sleep(1.5); print('end')"
    command = [sys.executable, "-c", script]
    run(command, log="tea", environ=os.environ, watch=heard.append)
    assert heard[0] == "begin\n"
    assert "" in heard
    assert heard[-1] == "end\n"


def test_breaking_off_ends_all_that_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A compiler that pip started does not go on."""
    monkeypatch.setattr(console, "ROOT", tmp_path)
    monkeypatch.setattr(console, "LOGS", tmp_path / "logs")

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    def stop(line: str) -> None:
        raise KeyboardInterrupt(line)

    script = f"exec 3> {pipe}; sleep 600 & exec 3>&-; echo; wait"
    try:
        with pytest.raises(KeyboardInterrupt):
            run(["sh", "-c", script], log="tea", environ=os.environ, watch=stop)
        eventually(lambda: not is_held(reader), within=10)
    finally:
        os.close(reader)


def is_held(reader: int) -> bool:
    """Return whether somebody has a pipe open for writing."""
    try:
        return os.read(reader, 1) != b""
    except BlockingIOError:
        return True
