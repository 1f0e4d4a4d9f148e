"""The limit on time for chat templates, where nothing in Python could keep it."""

import subprocess
import sys

import pytest

from llm_ext.pool.death import last_words

STUCK = """
from llm_ext.chat.watchdog import time_limit
one, other = [1], [1]
for _ in range(64):
    one, other = [one, one], [other, other]
with time_limit(0.05, lambda: None, grace=0.05):
    one == other
"""
"""Compares for ever, in one operation of Python: no other thread gets its turn."""

ANOTHER = """
import threading
from llm_ext.chat.watchdog import time_limit

def quick():
    with time_limit(60, lambda: None):
        pass

one, other = [1], [1]
for _ in range(64):
    one, other = [one, one], [other, other]
with time_limit(0.3, lambda: None, grace=0.3):
    thread = threading.Thread(target=quick, daemon=True)
    thread.start()
    thread.join(0.2)
    one == other
"""
"""The same, where another thread's limit begins and ends meanwhile, or waits."""

QUICK = """
import time
from llm_ext.chat.watchdog import time_limit
with time_limit(0.05, lambda: None, grace=0.05):
    pass
time.sleep(0.5)
"""


def run(program: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("program", [STUCK, ANOTHER])
def test_a_process_that_is_stuck_ends_and_its_last_words_say_why(program: str) -> None:
    ended = run(program)
    assert ended.returncode == 1
    words = last_words(ended.stderr.splitlines())
    assert words.startswith("A chat template computed for too long")


def test_a_process_that_was_quick_goes_on() -> None:
    ended = run(QUICK)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_other_last_words_are_what_was_printed_last() -> None:
    assert last_words(["Traceback", "ValueError: x", " "]) == "ValueError: x"
    assert last_words([]) == ""
