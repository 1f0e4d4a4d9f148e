"""Loads a model and wires its engine."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from llm_ext.chat.template import ChatTemplate
from llm_ext.core.events import LoadStage
from llm_ext.core.load_options import MAX_DEFAULT_CONTEXT, LoadOptions
from llm_ext.core.memory_kind import MemoryKind
from llm_ext.engine.engine import Engine
from llm_ext.engine.memory import KEPT, MAX_SEQ_IDS
from llm_ext.llama.backend import LlamaBackend
from llm_ext.llama.context import Context
from llm_ext.llama.library import Log, check_version
from llm_ext.llama.model import Model, read_ahead

from .jobs import Jobs
from .requests import Preparation

Report = Callable[[LoadStage, float], None]

SMALL_MODEL = 50_000_000
"""Parameters below which one thread is faster than two."""


class LoadedModel:
    """Everything that answers requests for one model."""

    def __init__(
        self, model: Model, context: Context, engine: Engine, jobs: Jobs
    ) -> None:
        self.engine = engine
        self.jobs = jobs
        self.description = model.description
        self.memory_kind = model.memory_kind
        # llama.cpp rounds the cells up.
        self.context_length = min(context.cells, model.trained_context)
        vocab = model.vocab
        template = ChatTemplate(model.chat_template, bos=vocab.bos, eos=vocab.eos)
        self.preparation = Preparation(
            vocab,
            template,
            recommended=model.recommended_sampling,
            context_length=self.context_length,
        )


@contextmanager
def loaded_model(
    path: Path, options: LoadOptions, report: Report
) -> Iterator[LoadedModel]:
    """Load ``path``, telling ``report`` how far it is, and free it in the end.

    Raises:
        ModelUnreadableError: The file cannot be read.
        ModelLoadError: llama.cpp refused, or is of an untested release.
    """
    check_version()
    with ExitStack() as stack:
        log = stack.enter_context(closing(Log()))
        read_ahead(path, lambda fraction: report("reading", fraction))
        model = stack.enter_context(
            closing(
                Model(
                    path,
                    gpu_layers=options.gpu_layers,
                    log=log,
                    progress=lambda fraction: report("loading", fraction),
                )
            )
        )
        report("preparing", 0)
        cells = context_length(options.context_length, model.trained_context)
        threads = options.threads or default_threads(model.parameters)
        context = stack.enter_context(
            closing(
                Context(
                    model,
                    cells=cells,
                    seq_ids=seq_ids(model.memory_kind, slots=options.slots),
                    threads=threads,
                )
            )
        )
        backend = stack.enter_context(closing(LlamaBackend(model, context)))
        jobs = stack.enter_context(closing(Jobs(model, cells=cells, threads=threads)))
        engine = Engine(backend, n_slots=options.slots)
        yield LoadedModel(model, context, engine, jobs)


def context_length(asked: int, trained: int) -> int:
    """Return the tokens to make room for: as asked, and never beyond the training.

    Past the length that a model was trained with it writes nonsense.
    """
    return min(asked or MAX_DEFAULT_CONTEXT, trained)


def seq_ids(kind: MemoryKind, *, slots: int) -> int:
    """Return the sequence ids to ask for.

    Beyond those of the slots they are for kept prefixes. They cost nothing where cells
    are shared; in other memories each has a state or a window of its own.
    """
    return min(slots + KEPT, MAX_SEQ_IDS) if kind == "attention" else slots


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
