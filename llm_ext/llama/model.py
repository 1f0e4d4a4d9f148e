"""A model file's weights, in memory."""

import contextlib
import ctypes
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
from llama_cpp import llama_cpp as lib

from llm_ext.core.memory_kind import MemoryKind
from llm_ext.core.pooling import Pooling
from llm_ext.core.sampling import SamplingOptions
from llm_ext.errors import InvalidRequestError, ModelLoadError, ModelUnreadableError

from .library import Log
from .vocab import Vocab

Progress = Callable[[float], None]
"""Called with the fraction that is done, 0 to 1."""

_RECOMMENDED: dict[str, tuple[str, type[int] | type[float]]] = {
    "general.sampling.temp": ("temperature", float),
    "general.sampling.top_k": ("top_k", int),
    "general.sampling.top_p": ("top_p", float),
    "general.sampling.min_p": ("min_p", float),
    "general.sampling.penalty_repeat": ("repeat_penalty", float),
}
"""GGUF's metadata keys for recommended sampling, and our fields."""

_POOLINGS: dict[str, Pooling] = {
    str(lib.LLAMA_POOLING_TYPE_NONE): "none",
    str(lib.LLAMA_POOLING_TYPE_MEAN): "mean",
    str(lib.LLAMA_POOLING_TYPE_CLS): "cls",
    str(lib.LLAMA_POOLING_TYPE_LAST): "last",
    str(lib.LLAMA_POOLING_TYPE_RANK): "rank",
}
"""How GGUF's metadata writes them."""

_READ_CHUNK = 8 * 1024 * 1024


def read_ahead(path: Path, progress: Progress) -> None:
    """Read the whole file once, so that it is in the page cache.

    llama.cpp maps the file and calls its own progress function only after the kernel
    has read it: a bar would stand at 0 % and then jump. These bytes can be counted.
    A split file's other parts are left to llama.cpp.

    Raises:
        ModelUnreadableError: The file cannot be read.
    """
    buffer = bytearray(_READ_CHUNK)
    done = 0
    try:
        with path.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            while count := file.readinto(buffer):
                done += count
                progress(min(1.0, done / size))
    except OSError as error:
        raise ModelUnreadableError(
            f"The model file {path.name} cannot be read: {error.strerror}."
        ) from error


class Model:
    """A loaded model. Its contexts must be closed first."""

    def __init__(
        self, path: Path, *, gpu_layers: int, log: Log, progress: Progress
    ) -> None:
        """Load ``path``; ``gpu_layers`` of -1 is all.

        Raises:
            ModelLoadError: llama.cpp refused; says why, in its words.
        """

        def report(fraction: float, _data: ctypes.c_void_p) -> bool:
            progress(fraction)
            return True

        params = lib.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        params.progress_callback = lib.llama_progress_callback(report)
        pointer = lib.llama_model_load_from_file(os.fsencode(path), params)
        if not pointer:
            raise ModelLoadError(_refusal(path, log.errors))
        self.path = path
        self.pointer: int | None = pointer
        self.vocab = Vocab(lib.llama_model_get_vocab(pointer))
        self.trained_context = int(lib.llama_model_n_ctx_train(pointer))

    @property
    def memory_kind(self) -> MemoryKind:
        """What it keeps of what it read."""
        if lib.llama_model_is_hybrid(self.pointer):
            return "hybrid"
        if lib.llama_model_is_recurrent(self.pointer):
            return "recurrent"
        return "window" if lib.llama_model_n_swa(self.pointer) > 0 else "attention"

    @property
    def description(self) -> str:
        """Architecture, size and quantisation, such as "llama 1B Q4_K - Medium"."""
        buffer = ctypes.create_string_buffer(256)
        lib.llama_model_desc(self.pointer, buffer, len(buffer))
        return buffer.value.decode(errors="replace")

    @property
    def parameters(self) -> int:
        """How many weights it has."""
        return int(lib.llama_model_n_params(self.pointer))

    @property
    def recommended_sampling(self) -> SamplingOptions:
        """What the file itself recommends; values that make no sense are left out."""
        options = SamplingOptions()
        for key, (field, kind) in _RECOMMENDED.items():
            text = self.metadata(key)
            if text is None:
                continue
            # The file is somebody else's: a bad value must not make it useless.
            with contextlib.suppress(ValueError, InvalidRequestError):
                options = msgspec.structs.replace(options, **{field: kind(text)})
        return options

    @property
    def pooling(self) -> Pooling | None:
        """How the file says that its vectors are pooled; None if it says nothing."""
        text = self.metadata(f"{self.architecture}.pooling_type")
        return None if text is None else _POOLINGS.get(text)

    @property
    def architecture(self) -> str:
        """GGUF's name of it, such as "llama" or "bert"."""
        return self.metadata("general.architecture") or ""

    def metadata(self, key: str) -> str | None:
        """Return the file's value for ``key`` as text, of at most 63 bytes."""
        buffer = ctypes.create_string_buffer(64)
        size = lib.llama_model_meta_val_str(
            self.pointer, key.encode(), buffer, len(buffer)
        )
        return None if size < 0 else buffer.value.decode(errors="replace")

    @property
    def chat_template(self) -> str | None:
        """The model's own chat template, in Jinja; None if it carries none."""
        template = lib.llama_model_chat_template(self.pointer, None)
        return template.decode(errors="replace") if template else None

    @property
    def rerank_template(self) -> str | None:
        """How a query and a document are put together, where the file says it.

        ``{query}`` and ``{document}`` stand for the two; llama.cpp's own convention.
        """
        template = lib.llama_model_chat_template(self.pointer, b"rerank")
        return template.decode(errors="replace") if template else None

    def close(self) -> None:
        """Free the weights."""
        if self.pointer is not None:
            lib.llama_model_free(self.pointer)
            self.pointer = None


def _refusal(path: Path, errors: list[str]) -> str:
    reasons = [line.partition(": ")[2] or line for line in errors]
    why = reasons[0].strip().rstrip(".") if reasons else "it gave no reason"
    return (
        f"llama.cpp could not load {path.name}: {why}. The file may be damaged, or of "
        f"a kind that this release of llama.cpp does not know."
    )
