"""Models that llama.cpp has loaded, for tests and measurements below the worker."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from llm_ext.llama.library import Log
from llm_ext.llama.model import Model


@contextmanager
def opened(path: Path, *, gpu_layers: int = 0) -> Iterator[Model]:
    """Load a model, quietly, and free it afterwards; -1 is all layers."""
    with all_opened({"it": path}, gpu_layers=gpu_layers) as models:
        yield models["it"]


@contextmanager
def all_opened(
    paths: Mapping[str, Path], *, gpu_layers: int = 0
) -> Iterator[dict[str, Model]]:
    """Load several, by their names."""
    with ExitStack() as stack:
        log = stack.enter_context(closing(Log(lambda _text: None)))

        def load(path: Path) -> Model:
            model = Model(
                path, gpu_layers=gpu_layers, log=log, progress=lambda _part: None
            )
            return stack.enter_context(closing(model))

        yield {name: load(path) for name, path in paths.items()}
