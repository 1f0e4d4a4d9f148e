"""Loads a model and wires its engine."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

from llm_ext.core.device import MemoryEstimate
from llm_ext.core.events import LoadStage
from llm_ext.core.load_options import LoadOptions, context_length
from llm_ext.core.memory_formula import SHORTEST_CONTEXT
from llm_ext.engine.engine import Engine
from llm_ext.errors import InsufficientMemoryError
from llm_ext.llama.backend import LlamaBackend
from llm_ext.llama.buffers import added
from llm_ext.llama.chat_templates import chat_templates
from llm_ext.llama.context import Context
from llm_ext.llama.embedder import made_for_vectors
from llm_ext.llama.estimate import open_context, open_model, resolved
from llm_ext.llama.library import Log, supports_gpus
from llm_ext.llama.model import Model
from llm_ext.llama.parts import parts
from llm_ext.llama.read_ahead import Reading

from .job_inputs import JobPreparation
from .jobs import Jobs
from .requests import Preparation

Report = Callable[[LoadStage, float], None]

SMALL_MODEL = 50_000_000
"""Parameters below which one thread is faster than two."""

_NO_GPUS = (
    "llama.cpp was built without support for GPUs, so the model runs on the processor. "
    "To use a GPU, install llama-cpp-python for it: see its installation page."
)

_NOT_REPACKED = (
    "llama.cpp crashed with the weights that it had rearranged for this processor, so "
    "they stay as they are in the file. Prompts are read more slowly. Another build of "
    "llama-cpp-python may do without the crash."
)


class LoadedModel:
    """Everything that answers requests for one model."""

    def __init__(
        self,
        model: Model,
        context: Context,
        engine: Engine,
        jobs: Jobs,
        options: LoadOptions,
    ) -> None:
        self.engine = engine
        self.jobs = jobs
        self.description = model.description
        self.memory_kind = model.memory_kind
        # llama.cpp rounds the cells up.
        self.context_length = min(context.cells, model.trained_context)
        self._model = model
        self._context = context
        templates = chat_templates(model, options)
        self.preparation = Preparation(
            model.vocab,
            templates.pop(""),
            named=templates,
            recommended=model.recommended_sampling,
            context_length=self.context_length,
        )
        self.job_preparation = JobPreparation(model, limit=jobs.limit)

    @property
    def memory(self) -> MemoryEstimate:
        """What llama.cpp says that it allocated so far, by the names of devices.

        More once a model that writes text has been asked for vectors: those need
        buffers of their own.
        """
        return MemoryEstimate(
            devices=added(self._model.uses, self._context.uses, self.jobs.uses),
            context_length=self.context_length,
            gpu_layers=self._model.offloaded,
            measured=True,
        )


@contextmanager
def loaded_model(
    path: Path,
    options: LoadOptions,
    report: Report,
    *,
    reading: Reading | None = None,
    repack: bool = True,
    swap: int = 0,
) -> Iterator[LoadedModel]:
    """Load ``path``, telling ``report`` how far it is, and free it in the end.

    ``reading`` is what reads the files ahead already, where somebody began with it;
    ``repack`` lets llama.cpp rearrange weights for the processor; ``swap`` is how many
    bytes may be swapped out of the KV cache.

    Something is computed before it counts as loaded: code that crashes on this machine
    does so while nobody's answer is lost.

    Raises:
        InvalidRequestError: The options do not fit what there is here.
        ModelUnreadableError: A file cannot be read.
        InsufficientMemoryError: A device has no room for its part.
        ModelLoadError: llama.cpp refused.
    """
    with ExitStack() as stack:
        log = stack.enter_context(closing(Log()))
        if options.gpu_layers != 0 and not supports_gpus():
            log.say(_NO_GPUS)
        if not repack:
            log.say(_NOT_REPACKED)
        options = resolved(path, options, log=log)
        reading = reading or Reading(parts(path), partial(report, "reading"))
        reading.wait()
        model = stack.enter_context(
            closing(
                open_model(
                    path,
                    options,
                    log=log,
                    repack=repack,
                    progress=lambda fraction: report("loading", fraction),
                )
            )
        )
        report("preparing", 0)
        cells = context_length(options.context_length, model.trained_context)
        threads = options.threads or default_threads(model.parameters)
        context, jobs = _contexts(model, options, cells=cells, threads=threads)
        stack.enter_context(closing(context))
        stack.enter_context(closing(jobs))
        backend = stack.enter_context(closing(LlamaBackend(model, context, swap=swap)))
        if made_for_vectors(model, context):
            jobs.warm_up()
        else:
            backend.warm_up()
        engine = Engine(backend, n_slots=options.slots)
        yield LoadedModel(model, context, engine, jobs, options)


def _contexts(
    model: Model, options: LoadOptions, *, cells: int, threads: int
) -> tuple[Context, Jobs]:
    """Make the context, and that of a model which is there for its vectors.

    Half as long, and so on, where that may be and must be.
    """
    try:
        with ExitStack() as stack:
            context = open_context(model, options, cells=cells, threads=threads)
            stack.enter_context(closing(context))
            jobs = Jobs(model, cells=min(cells, context.cells), threads=threads)
            stack.enter_context(closing(jobs))
            if made_for_vectors(model, context):
                jobs.prepare()
            stack.pop_all()
            return context, jobs
    except InsufficientMemoryError:
        if not options.fit or cells <= SHORTEST_CONTEXT:
            raise
    half = max(SHORTEST_CONTEXT, cells // 2)
    model.log.say(f"There is no room for that; trying {half} tokens.")
    return _contexts(model, options, cells=half, threads=threads)


def default_threads(parameters: int) -> int:
    """Return the threads for a model of this size.

    One for each processor this process may use; a single one for a model so small
    that threads would wait for each other longer than they compute.
    """
    if parameters < SMALL_MODEL:
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
