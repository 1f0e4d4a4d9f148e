"""The probe as a real process: what it answers, what kills it, and how it ends."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import msgspec
import psutil
import pytest

from llm_ext.core.device import CPU
from llm_ext.core.load_options import LoadOptions
from llm_ext.core.messages import ChatMessage
from llm_ext.core.requests import ChatRequest
from llm_ext.core.sampling import SamplingOptions
from llm_ext.core.tools import Tool
from llm_ext.errors import (
    ChatTemplateError,
    InvalidRequestError,
    LLMError,
    ModelCrashesError,
    ModelLoadError,
    ModelUnreadableError,
    ProbeError,
    ServerStoppingError,
)
from llm_ext.pool.launcher import ChildProcess
from llm_ext.pool.probe import Probe
from llm_ext.store.database import Database
from tests.models.builder import Shape, write_model
from tests.models.tokenizer import train
from tests.waiting import PAUSE, eventually

TEXT = "The server loads the file. Ünïcode, too."


def probing(
    test: Callable[[Probe], Awaitable[None]],
    tmp_path: Path,
    *,
    idle: float = 30.0,
    timeout: float = 60.0,
) -> None:
    """Run a test with a probe of its own."""

    async def run() -> None:
        database = Database(tmp_path / "llm.sqlite")
        probe = Probe(database, idle=idle, timeout=timeout)
        try:
            await test(probe)
        finally:
            await probe.close()
            database.close()

    asyncio.run(run())


def without_layers(folder: Path) -> Path:
    """Return a model without layers, for which llama.cpp aborts."""
    return write_model(folder / "crashing.gguf", shape=Shape(layers=0))


async def died(pid: int) -> None:
    while psutil.pid_exists(pid):  # noqa: ASYNC110  # nothing tells when another ends
        await asyncio.sleep(PAUSE)


def test_devices_are_told_as_they_are_now(tmp_path: Path) -> None:
    async def test(probe: Probe) -> None:
        facts = await probe.devices()
        first = facts.devices[0]
        assert (first.name, first.kind) == (CPU, "cpu")
        assert 0 < first.free < first.total
        assert first.total <= psutil.virtual_memory().total
        assert facts.runtime.llama_cpp.startswith("0.3.")
        assert facts.runtime.mmap
        gpus = [device for device in facts.devices if device.kind != "cpu"]
        assert facts.runtime.gpu or not gpus

    probing(test, tmp_path)


def test_a_model_is_estimated_without_being_loaded(
    models: Path, tmp_path: Path
) -> None:
    path = models / "babble.gguf"

    async def test(probe: Probe) -> None:
        short = await probe.estimate(path, LoadOptions(context_length=512))
        assert short.measured
        assert short.context_length == 512
        assert short.on(CPU) > path.stat().st_size // 2
        long = await probe.estimate(path, LoadOptions(context_length=30000))
        assert long.on(CPU) > short.on(CPU)

    probing(test, tmp_path)


def test_what_was_measured_is_remembered_until_the_file_changes(
    tmp_path: Path,
) -> None:
    """Over the end of the server too; a model of the same name is measured anew."""
    path = write_model(tmp_path / "m.gguf")
    options = LoadOptions(gpu_layers=0)

    async def first(probe: Probe) -> None:
        await probe.devices()
        known = await probe.estimate(path, options)
        assert probe.pid is not None
        os.kill(probe.pid, signal.SIGSTOP)  # it can answer nothing now
        assert await probe.estimate(path, options) == known
        os.kill(probe.pid, signal.SIGCONT)

    async def second(probe: Probe) -> None:
        await probe.devices()
        assert probe.pid is not None
        os.kill(probe.pid, signal.SIGSTOP)
        known = await probe.estimate(path, options)
        os.kill(probe.pid, signal.SIGCONT)
        other = await probe.estimate(path, LoadOptions(gpu_layers=0, slots=9))
        assert other != known
        write_model(path, shape=Shape(layers=5))
        changed = await probe.estimate(path, options)
        assert changed.on(CPU) > known.on(CPU)

    probing(first, tmp_path)
    probing(second, tmp_path)


def test_texts_are_tokenised_with_the_vocabulary_alone(
    models: Path, tmp_path: Path
) -> None:
    path = models / "babble.gguf"

    async def test(probe: Probe) -> None:
        expected = train().encode(TEXT)
        tokens = await probe.tokenize(path, TEXT)
        assert tokens == expected
        assert await probe.count(path, TEXT) == len(expected)
        assert await probe.detokenize(path, tokens) == TEXT
        assert await probe.tokenize(path, "<|im_end|>") == [2]
        plain = await probe.tokenize(path, "<|im_end|>", parse_special=False)
        assert len(plain) > 1
        assert await probe.detokenize(path, [2]) == "<|im_end|>"
        assert await probe.count(path, "") == 0

    probing(test, tmp_path)


def test_a_chat_becomes_the_prompt_that_a_worker_would_read(tmp_path: Path) -> None:
    """By the model's own template, the one for tools, or the one that is chosen."""
    templates = [
        {"name": "default", "template": "own {{ messages[0].content }}"},
        {"name": "tool_use", "template": "tools {{ messages[0].content }}"},
    ]
    path = write_model(tmp_path / "m.gguf", chat_template=templates)
    chosen = LoadOptions(chat_template="chosen {{ messages[0].content }}")
    said = ChatMessage(role="user", content="file")
    plain = ChatRequest(model="m", messages=(said,), sampling=SamplingOptions())
    tool = msgspec.structs.replace(plain, tools=(Tool(name="look"),))
    none = msgspec.structs.replace(plain, template_name="nobody")

    async def test(probe: Probe) -> None:
        own = await probe.prompt(path, LoadOptions(), plain)
        assert own == ("own file", len(train().encode("own file")))
        with_tool = await probe.prompt(path, LoadOptions(), tool)
        assert with_tool.text.startswith("tools ")
        assert (await probe.prompt(path, chosen, plain)).text == "chosen file"
        with pytest.raises(InvalidRequestError, match="nobody"):
            await probe.prompt(path, LoadOptions(), none)
        strict = LoadOptions(chat_template="{{ raise_exception('no') }}")
        with pytest.raises(ChatTemplateError, match="no"):
            await probe.prompt(path, strict, plain)

    probing(test, tmp_path)


def test_a_changed_file_has_its_new_vocabulary(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.gguf", tokenizer=train("notebooks"))

    async def test(probe: Probe) -> None:
        assert await probe.count(path, "notebooks") == 1
        write_model(path, tokenizer=train("kernels"))
        assert await probe.count(path, "notebooks") > 1
        assert await probe.count(path, "kernels") == 1

    probing(test, tmp_path)


def test_what_is_wrong_is_said_in_words(models: Path, tmp_path: Path) -> None:
    """The process lives on."""
    path = models / "babble.gguf"
    wrong: list[tuple[Callable[[Probe], Awaitable[object]], type[LLMError], str]] = [
        (
            lambda probe: probe.detokenize(path, [1, 99999]),
            InvalidRequestError,
            "'tokens' has 99999; this model's tokens are 0 to",
        ),
        (
            lambda probe: probe.estimate(path, LoadOptions(devices=("TPU0",))),
            InvalidRequestError,
            "no device 'TPU0'",
        ),
        (
            lambda probe: probe.estimate(models / "broken.gguf", LoadOptions()),
            ModelLoadError,
            "could not load broken.gguf",
        ),
        (
            lambda probe: probe.estimate(models / "unknown.gguf", LoadOptions()),
            ModelLoadError,
            "unknown model architecture: 'abacus'",
        ),
        (
            lambda probe: probe.count(models / "broken.gguf", TEXT),
            ModelLoadError,
            "could not load broken.gguf",
        ),
        (
            lambda probe: probe.count(models / "missing.gguf", TEXT),
            ModelUnreadableError,
            "No such file",
        ),
    ]

    async def test(probe: Probe) -> None:
        await probe.devices()
        pid = probe.pid
        for ask, kind, words in wrong:
            with pytest.raises(kind, match=words):
                await ask(probe)
        assert probe.pid == pid

    probing(test, tmp_path)


def test_a_file_that_makes_llama_cpp_abort_ends_nothing_but_the_probe(
    models: Path, tmp_path: Path
) -> None:
    """Its question fails; those that wait behind it are answered by a new process."""
    hostile = without_layers(tmp_path)

    async def test(probe: Probe) -> None:
        await probe.devices()
        first = probe.pid
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        crashing = asyncio.ensure_future(probe.estimate(hostile, LoadOptions()))
        while not probe._asked:  # noqa: ASYNC110  # it looks into the store first
            await asyncio.sleep(PAUSE)
        counting = asyncio.ensure_future(probe.count(models / "babble.gguf", TEXT))
        await asyncio.sleep(0)
        os.kill(first, signal.SIGCONT)
        expected = r"crashing\.gguf: llama\.cpp aborted \(SIGABRT\); GGML_ASSERT\("
        with pytest.raises(ModelCrashesError, match=expected):
            await crashing
        assert await counting == len(train().encode(TEXT))
        assert probe.pid not in {first, None}

    probing(test, tmp_path)


CALLS = (
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}"
    "{{ f(60) }}"
)
COMPARES = (
    "{% set n = namespace(a=[1], b=[1]) %}{% for _ in range(64) %}"
    "{% set n.a = [n.a, n.a] %}{% set n.b = [n.b, n.b] %}{% endfor %}{{ n.a == n.b }}"
)
"""One has no end, and neither has the other, in one operation of Python."""


@pytest.mark.parametrize(
    ("template", "why"),
    [
        (CALLS, "was not done after 5 seconds"),
        (COMPARES, "could not be stopped in another way"),
    ],
    ids=["calls", "compares"],
)
def test_a_template_without_an_end_holds_others_up_for_seconds_alone(
    models: Path, tmp_path: Path, template: str, why: str
) -> None:
    """It ends with its process; what waited behind it is answered by a new one."""
    endless = LoadOptions(chat_template=template)
    said = ChatMessage(role="user", content="Hi")
    chat = ChatRequest(model="m", messages=(said,), sampling=SamplingOptions())

    async def test(probe: Probe) -> None:
        refused, other = await asyncio.gather(
            probe.prompt(models / "babble.gguf", endless, chat),
            probe.count(models / "babble.gguf", TEXT),
            return_exceptions=True,
        )
        assert isinstance(refused, ChatTemplateError)
        assert why in str(refused)
        assert other == len(train().encode(TEXT))

    probing(test, tmp_path)


def test_a_process_that_was_killed_is_replaced(models: Path, tmp_path: Path) -> None:
    async def test(probe: Probe) -> None:
        await probe.devices()
        pid = probe.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await died(pid)
        assert await probe.count(models / "babble.gguf", "") == 0
        assert probe.pid not in {pid, None}

    probing(test, tmp_path)


def test_an_answer_that_does_not_come_is_not_waited_for(
    models: Path, tmp_path: Path
) -> None:
    """The stuck process is ended; the question behind goes to a new one."""

    async def test(probe: Probe) -> None:
        await probe.devices()
        pid = probe.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        stuck, other = await asyncio.gather(
            probe.count(models / "babble.gguf", TEXT),
            probe.count(models / "babble.gguf", ""),
            return_exceptions=True,
        )
        assert isinstance(stuck, ProbeError)
        assert "no answer in 3 s" in str(stuck)
        assert other == 0
        await died(pid)

    probing(test, tmp_path, timeout=3.0)


def test_an_idle_process_ends_and_the_next_question_starts_another(
    tmp_path: Path,
) -> None:
    async def test(probe: Probe) -> None:
        await probe.devices()
        pid = probe.pid
        assert pid is not None
        await died(pid)
        assert probe.pid is None
        assert (await probe.devices()).devices
        assert probe.pid not in {pid, None}

    probing(test, tmp_path, idle=0.1)


def test_once_closed_it_is_gone_and_asks_no_more(tmp_path: Path) -> None:
    async def test(probe: Probe) -> None:
        asking = asyncio.ensure_future(probe.devices())
        await asyncio.sleep(0)
        pid = probe.pid
        assert pid is not None
        await probe.close()
        with pytest.raises(ServerStoppingError):
            await asking
        with pytest.raises(ServerStoppingError):
            await probe.devices()
        await died(pid)

    probing(test, tmp_path)


def test_a_caller_who_gives_up_disturbs_nobody(models: Path, tmp_path: Path) -> None:
    async def test(probe: Probe) -> None:
        asking = asyncio.ensure_future(
            probe.estimate(models / "hello.gguf", LoadOptions())
        )
        await asyncio.sleep(0)
        asking.cancel()
        assert await probe.count(models / "babble.gguf", "") == 0

    probing(test, tmp_path)


def test_a_broken_installation_is_told_in_words(tmp_path: Path) -> None:
    """A process that cannot even start is no reason to start it for ever."""

    async def run() -> None:
        database = Database(tmp_path / "llm.sqlite")
        probe = Probe(database, launch=partial(ChildProcess, module="llm_ext.nothing"))
        with pytest.raises(ProbeError, match="exit status 1"):
            await probe.devices()
        await probe.close()

    asyncio.run(run())


_SERVER = """
import asyncio
from llm_ext.pool.probe import start_probe

async def run():
    child = start_probe(on_frame=print, on_exit=print)
    print(child.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(run())
"""


def test_it_ends_with_the_server_even_when_that_is_killed() -> None:
    """Its pipe closes, whatever it is computing."""
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    with server.stdout as told:
        pid = int(told.readline())
        server.kill()
        server.wait()

    def gone() -> bool:
        """Return whether the probe has ended."""
        return not psutil.pid_exists(pid)

    eventually(gone)


def test_a_question_that_cannot_be_sent_harms_no_other(tmp_path: Path) -> None:
    """Neither those that wait, nor those that come later."""
    path = write_model(tmp_path / "model.gguf")

    async def test(probe: Probe) -> None:
        waiting = asyncio.ensure_future(probe.count(path, TEXT))
        await asyncio.sleep(0)
        with pytest.raises(InvalidRequestError, match="cannot be sent"):
            await probe.detokenize(path, [10**25])
        count = await waiting
        assert count > 0
        assert probe.pid is not None
        os.kill(probe.pid, signal.SIGKILL)
        await died(probe.pid)
        assert await probe.count(path, TEXT) == count

    probing(test, tmp_path)
