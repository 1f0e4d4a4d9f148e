"""How far is the memory formula from what llama.cpp takes?

``python -m benchmarks.memory`` prints, for the 1B model and several ways of loading it,
what the formula says, what a dry run says and how long that takes, what llama.cpp says
after the load, and what the process then has. Each load has a process of its own.
"""

import argparse
import json
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import msgspec
import psutil

from llm_ext.catalog.facts import model_facts
from llm_ext.catalog.gguf import read
from llm_ext.core.load_options import LoadOptions
from llm_ext.core.memory_formula import estimate
from llm_ext.llama.devices import devices
from llm_ext.llama.estimate import measure
from llm_ext.llama.library import Log
from llm_ext.worker.build import loaded_model

from .models import llama_1b

MIB = 1024 * 1024

OPTIONS = (
    LoadOptions(context_length=512),
    LoadOptions(),
    LoadOptions(context_length=32768),
    LoadOptions(context_length=8192, kv_type="q8_0"),
    LoadOptions(context_length=8192, kv_type="q4_0"),
    LoadOptions(context_length=4096, flash_attention="off"),
    LoadOptions(context_length=8192, slots=32),
    LoadOptions(context_length=8192, mmap=False),
)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes over all devices, and what the process that loaded the model had more."""

    formula: int
    dry: int
    dry_seconds: float
    reported: int
    resident: int


def measured(path: Path, options: LoadOptions) -> Row:
    """Return the figures of one way of loading, in this process."""
    formula = estimate(model_facts([read(path)]), options, devices())
    with closing(Log(lambda _text: None)) as log:
        started = time.perf_counter()
        dry = measure(path, options, log=log)
        took = time.perf_counter() - started
    before = psutil.Process().memory_info().rss
    with loaded_model(path, options, lambda _stage, _done: None) as loaded:
        resident = psutil.Process().memory_info().rss - before
        return Row(
            formula=formula.total,
            dry=dry.total,
            dry_seconds=took,
            reported=loaded.memory.total,
            resident=resident,
        )


def elsewhere(path: Path, options: LoadOptions) -> Row:
    """Return the figures, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.memory", "--one", str(path)]
    command.append(msgspec.json.encode(options).decode())
    printed = subprocess.check_output(command, text=True, stderr=subprocess.DEVNULL)
    return msgspec.json.decode(printed, type=Row)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, help="another file than the 1B model")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        path, written = arguments.one
        row = measured(Path(path), msgspec.json.decode(written, type=LoadOptions))
        print(msgspec.json.encode(row).decode())
        return
    path = arguments.model or llama_1b()
    print(f"{path.name}; MiB over all devices\n")
    print("   formula    dry run       took   reported   resident   options")
    for options in OPTIONS:
        row = elsewhere(path, options)
        changed = msgspec.to_builtins(options)
        plain = msgspec.to_builtins(LoadOptions())
        words = {name: value for name, value in changed.items() if value != plain[name]}
        print(
            f"{row.formula / MIB:10.0f} {row.dry / MIB:10.0f} {row.dry_seconds:8.2f} s "
            f"{row.reported / MIB:10.0f} {row.resident / MIB:10.0f}   "
            f"{json.dumps(words)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
