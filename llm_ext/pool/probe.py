"""Asks llama.cpp about files and devices, in a process that may die of the answer."""

import asyncio
import contextlib
import logging
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from llm_ext.core.device import CPU, Device, MemoryEstimate
from llm_ext.core.load_options import LoadOptions
from llm_ext.core.memory_formula import usable_gpus
from llm_ext.core.requests import ChatRequest
from llm_ext.core.runtime_facts import RuntimeFacts
from llm_ext.errors import (
    ChatTemplateError,
    InvalidRequestError,
    LLMError,
    ModelCrashesError,
    ProbeError,
    ServerStoppingError,
    StoreError,
    rebuild,
)
from llm_ext.ipc.pack import UnsendableError
from llm_ext.ipc.probe import (
    Answer,
    AskCount,
    AskDevices,
    AskEstimate,
    AskPieces,
    AskPrompt,
    AskText,
    AskTokens,
    Counted,
    DevicesFound,
    Estimated,
    PiecesFound,
    PromptFound,
    Question,
    Refused,
    TextFound,
    TokensFound,
    decode_answer,
    encode,
)
from llm_ext.store.database import Database
from llm_ext.store.estimates import Estimates

from .death import LAST_WORDS, STUCK, cause, was_stuck
from .launcher import ChildProcess, Launcher, Worker
from .memory import main_memory

IDLE = 30.0
"""Seconds without a question after which the process ends."""

TIMEOUT = 120.0
"""Seconds for one answer: a dry run reads megabytes of vocabulary from a slow disk."""

GRACE = 5.0
"""Seconds that the process has to end by itself before it is killed."""

LOG_LINES = 20
"""Lines that the server's log gets of what a process printed before it died."""

_ASSERTION = re.compile(r"\w+\.(?:cpp|c|cu|m|h|hpp):\d+: (.+)")
"""How ggml says where and why it aborts; the path is of the machine that built it."""

_log = logging.getLogger(__name__)

_T = TypeVar("_T")


class Facts(NamedTuple):
    """What there is now: devices, the processor first, and what llama.cpp can do."""

    devices: tuple[Device, ...]
    runtime: RuntimeFacts


class ChatPrompt(NamedTuple):
    """What a chat becomes before a model reads it, and how many tokens that is."""

    text: str
    tokens: int


start_probe = partial(ChildProcess, module="llm_ext.probe")
"""Starts the process. Implements :class:`~llm_ext.pool.launcher.Launcher`."""


class _Asked(NamedTuple):
    question: Question
    frame: bytes
    answered: asyncio.Future[Answer]


class Probe:
    """Owns the process: starts it when something is asked, ends it when idle.

    Questions are answered in order. If the process dies, the question that it was at
    fails, and a new process gets the others.
    """

    def __init__(
        self,
        database: Database,
        *,
        launch: Launcher = start_probe,
        idle: float = IDLE,
        timeout: float = TIMEOUT,
    ) -> None:
        self._estimates = Estimates(database)
        self._launch = launch
        self._idle = idle
        self._timeout = timeout
        self._asked: dict[int, _Asked] = {}
        self._last_id = 0
        self._worker: Worker | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stuck: int | None = None
        self._ended = asyncio.Event()
        self._closed = False
        self._facts: Facts | None = None

    @property
    def pid(self) -> int | None:
        """The process id; None while there is no process."""
        return None if self._worker is None else self._worker.pid

    async def devices(self) -> Facts:
        """Return the devices as they are now, and what llama.cpp can do.

        Main memory is what this server may use of it, which llama.cpp does not know.

        Raises:
            ModelLoadError: llama.cpp cannot be used at all.
            ProbeError: It died, or gave no answer in time.
        """
        answer = await self._ask(AskDevices(id=self._next_id()))
        found = _expected(answer, DevicesFound)
        memory = await asyncio.to_thread(main_memory)
        devices = tuple(
            msgspec.structs.replace(
                device, total=memory.total, free=min(memory.available, memory.total)
            )
            if device.name == CPU
            else device
            for device in found.devices
        )
        self._facts = Facts(devices, found.runtime)
        return self._facts

    async def estimate(self, path: Path, options: LoadOptions) -> MemoryEstimate:
        """Return what llama.cpp says that loading would take.

        Raises:
            InvalidRequestError: The options do not fit what there is here.
            ModelError: llama.cpp refuses the file, or dies of it.
            ProbeError: It gave no answer in time.
        """
        facts = self._facts or await self.devices()
        gpus = usable_gpus(options, facts.devices)
        circumstances = _circumstances(options, gpus, facts.runtime)
        lasting = _is_lasting(options, gpus)
        if lasting:
            with contextlib.suppress(StoreError, OSError):
                known = await asyncio.to_thread(
                    self._estimates.find, path, circumstances
                )
                if known is not None:
                    return known
        question = AskEstimate(id=self._next_id(), path=str(path), options=options)
        estimate = _expected(await self._ask(question), Estimated).estimate
        if lasting:
            with contextlib.suppress(StoreError, OSError):
                await asyncio.to_thread(
                    self._estimates.keep, path, circumstances, estimate
                )
        return estimate

    async def tokenize(
        self,
        path: Path,
        text: str,
        *,
        add_special: bool = True,
        parse_special: bool = True,
    ) -> list[int]:
        """Return the tokens of a text for the model in this file.

        ``add_special`` puts around it what the model wants around an input;
        ``parse_special`` recognises special tokens in it.

        Raises:
            ModelError: llama.cpp refuses the file, or dies of it.
            ProbeError: It gave no answer in time.
        """
        question = AskTokens(
            id=self._next_id(),
            path=str(path),
            text=text,
            add_special=add_special,
            parse_special=parse_special,
        )
        return list(_expected(await self._ask(question), TokensFound).tokens)

    async def count(
        self,
        path: Path,
        text: str,
        *,
        add_special: bool = True,
        parse_special: bool = True,
    ) -> int:
        """Return how many tokens a text is; see :meth:`tokenize`."""
        question = AskCount(
            id=self._next_id(),
            path=str(path),
            text=text,
            add_special=add_special,
            parse_special=parse_special,
        )
        return _expected(await self._ask(question), Counted).count

    async def detokenize(self, path: Path, tokens: list[int]) -> str:
        """Return what the tokens write, special ones by their names.

        Raises:
            InvalidRequestError: The model has no such token.
            ModelError: llama.cpp refuses the file, or dies of it.
            ProbeError: It gave no answer in time.
        """
        question = AskText(id=self._next_id(), path=str(path), tokens=tuple(tokens))
        return _expected(await self._ask(question), TextFound).text

    async def pieces(self, path: Path, tokens: list[int]) -> list[bytes]:
        """Return the bytes of each token; see :meth:`detokenize` for errors."""
        question = AskPieces(id=self._next_id(), path=str(path), tokens=tuple(tokens))
        return list(_expected(await self._ask(question), PiecesFound).pieces)

    async def prompt(
        self, path: Path, options: LoadOptions, request: ChatRequest
    ) -> ChatPrompt:
        """Return what a chat becomes for the model in this file, loaded so.

        Raises:
            ChatTemplateError: The template is missing or refuses the messages.
            InvalidRequestError: The request names a template that the model does not
                have, or there is no last message of the assistant's to continue.
            ModelError: llama.cpp refuses the file, or dies of it.
            ProbeError: It gave no answer in time.
        """
        question = AskPrompt(
            id=self._next_id(), path=str(path), options=options, request=request
        )
        found = _expected(await self._ask(question), PromptFound)
        return ChatPrompt(found.text, found.tokens)

    async def close(self) -> None:
        """End the process and return when it has gone; nothing is asked any more."""
        self._closed = True
        asked, self._asked = self._asked, {}
        for one in asked.values():
            _fail(one, ServerStoppingError())
        self._set_timer(None)
        worker = self._worker
        if worker is None:
            return
        worker.close()
        try:
            await asyncio.wait_for(self._ended.wait(), GRACE)
        except asyncio.TimeoutError:
            worker.kill()
            await self._ended.wait()

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    async def _ask(self, question: Question) -> Answer:
        """Return the answer, or raise the error that it is."""
        if self._closed:
            raise ServerStoppingError
        try:
            frame = encode(question)
        except UnsendableError as error:
            raise InvalidRequestError(
                f"The question cannot be sent to the probe: {error}."
            ) from error
        asked = _Asked(question, frame, asyncio.get_running_loop().create_future())
        self._asked[question.id] = asked
        if self._worker is None:
            self._start()
        else:
            self._worker.send(frame)
            if len(self._asked) == 1:
                self._arm()
        answer = await asked.answered
        if isinstance(answer, Refused):
            raise rebuild(answer.code, answer.message, param=answer.param)
        return answer

    def _start(self) -> None:
        """Start a process, and ask it everything that is not answered yet."""
        self._ended = asyncio.Event()
        self._stuck = None
        try:
            worker = self._launch(
                on_frame=self._on_frame,
                on_exit=partial(self._on_exit, ended=self._ended),
            )
        except OSError as error:
            unasked, self._asked = self._asked, {}
            for one in unasked.values():
                _fail(one, ProbeError(f"its process could not be started ({error})"))
            return
        self._worker = worker
        for asked in self._asked.values():
            worker.send(asked.frame)
        self._arm()

    def _on_frame(self, frame: bytes) -> None:
        answer = decode_answer(frame)
        asked = self._asked.pop(answer.id, None)
        if asked is not None and not asked.answered.done():
            asked.answered.set_result(answer)
        if isinstance(answer, Refused) and answer.code in LAST_WORDS:
            self._let_go()
            if self._asked:
                self._start()
        else:
            self._arm()

    def _on_exit(self, status: int, *, ended: asyncio.Event) -> None:
        ended.set()
        if ended is not self._ended:
            return  # an idle one that was let go; another may run already
        worker, self._worker = self._worker, None
        self._set_timer(None)
        if not self._asked:
            return
        log = "" if worker is None else "\n".join(worker.log[-LOG_LINES:])
        _log.warning("The probe ended (%s). It had printed:\n%s", cause(status), log)
        culprit = next(iter(self._asked)) if self._stuck is None else self._stuck
        asked = self._asked.pop(culprit, None)
        if asked is not None and self._stuck is not None:
            _fail(asked, ProbeError(f"there was no answer in {self._timeout:g} s"))
        elif asked is not None:
            lines = [] if worker is None else worker.log
            _fail(asked, _death(asked.question, status, lines))
        if self._asked:
            self._start()

    def _arm(self) -> None:
        """Wait for the answer to the first question; while there is none, for one."""
        if self._asked:
            self._set_timer(self._timeout, self._on_timeout)
        else:
            self._set_timer(self._idle, self._let_go)

    def _on_timeout(self) -> None:
        self._stuck = next(iter(self._asked))
        if self._worker is not None:
            self._worker.kill()

    def _let_go(self) -> None:
        """Let the process end; what is asked from now on gets another one."""
        self._set_timer(None)
        worker, self._worker = self._worker, None
        self._ended = asyncio.Event()
        if worker is not None:
            worker.close()

    def _set_timer(
        self, seconds: float | None, act: Callable[[], None] | None = None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds is not None and act is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, act)


def _expected(answer: Answer, kind: type[_T]) -> _T:
    if not isinstance(answer, kind):
        raise ProbeError(f"it answered with {type(answer).__name__}")
    return answer


def _fail(asked: _Asked, error: LLMError) -> None:
    if not asked.answered.done():
        asked.answered.set_exception(error)


def _why(status: int, log: Sequence[str]) -> str:
    """Return why the process ended, with llama.cpp's own words where it said some."""
    found = [match for line in log if (match := _ASSERTION.search(line))]
    return f"{cause(status)}; {found[-1][1]}" if found else cause(status)


def _death(question: Question, status: int, log: Sequence[str]) -> LLMError:
    """Return the error for the question of which the process died."""
    if isinstance(question, AskPrompt) and was_stuck(log):
        return ChatTemplateError(STUCK, param="model")
    why = _why(status, log)
    if isinstance(question, AskDevices):
        return ProbeError(why)
    return ModelCrashesError(Path(question.path).name, why)


def _circumstances(
    options: LoadOptions, gpus: list[Device], runtime: RuntimeFacts
) -> bytes:
    """Return all on which an estimate hangs, but the file.

    A folder may be shared among machines of other devices.
    """
    devices = [(gpu.name, gpu.description, gpu.total) for gpu in gpus]
    return msgspec.msgpack.encode((options, devices, runtime))


def _is_lasting(options: LoadOptions, gpus: list[Device]) -> bool:
    """Whether an estimate does not hang on how much memory is free at the moment.

    Adapters are files of their own, of which nobody notes that they changed.
    """
    if options.lora:
        return False
    if not gpus:
        return True
    return options.gpu_layers != "auto" and (
        len(gpus) == 1 or bool(options.tensor_split)
    )
