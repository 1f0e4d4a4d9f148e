"""A llama-cpp-python that cannot be used, in the processes that need it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from llm_ext.core.load_options import LoadOptions
from llm_ext.errors import ModelLoadError
from llm_ext.ipc import codec, probe
from llm_ext.ipc.channel import read_frame, write_frame
from llm_ext.ipc.messages import Load, LoadFailed

PROGRAM = """\
import importlib.metadata, sys
from {module}.__main__ import main

def version(_name):
    if {version!r} is None:
        raise importlib.metadata.PackageNotFoundError
    return {version!r}

importlib.metadata.version = version
sys.modules["llama_cpp"] = None
main()
"""
"""Runs a process in which that release is installed, and cannot be imported."""

CASES = [
    ("0.3.16", "llama-cpp-python 0.3.16 is installed, but"),
    (None, "llama-cpp-python is not installed"),
    ("0.3.36", "llama-cpp-python cannot be used"),
]


@contextmanager
def process(module: str, version: str | None) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Run it; give what it reads from and writes to."""
    program = PROGRAM.format(module=module, version=version)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        yield child.stdin, child.stdout  # type: ignore[misc]  # they are binary


@pytest.mark.parametrize(("version", "says"), CASES)
def test_a_load_says_what_is_wrong_with_it(
    models: Path, version: str | None, says: str
) -> None:
    load = Load(path=str(models / "babble.gguf"), options=LoadOptions())
    with process("llm_ext.worker", version) as (inbox, outbox):
        write_frame(inbox, codec.encode(load))
        last = None
        while (frame := read_frame(outbox)) is not None:
            last = codec.decode_report(frame)
    assert isinstance(last, LoadFailed)
    assert last.code == ModelLoadError.code
    assert says in last.message


@pytest.mark.parametrize(("version", "says"), CASES)
def test_a_probe_says_what_is_wrong_with_it(version: str | None, says: str) -> None:
    with process("llm_ext.probe", version) as (inbox, outbox):
        write_frame(inbox, probe.encode(probe.AskDevices(id=1)))
        frame = read_frame(outbox)
        assert frame is not None
        refused = probe.decode_answer(frame)
    assert isinstance(refused, probe.Refused)
    assert refused.code == ModelLoadError.code
    assert says in refused.message
