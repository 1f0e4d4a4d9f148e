"""A model file's weights, in memory."""

import contextlib
import ctypes
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
from llama_cpp import llama_cpp as lib

from llm_ext.core.device import CPU, MemoryUse
from llm_ext.core.load_options import LoraAdapter
from llm_ext.core.memory_kind import MemoryKind
from llm_ext.core.pooling import Pooling
from llm_ext.core.sampling import SamplingOptions
from llm_ext.errors import InvalidRequestError, LLMError

from .buffers import Buffers, Uses, added
from .devices import device_list, gpu_names
from .gguf_file import tensor_sizes
from .library import Log
from .lora import Adapters, file_size
from .parts import parts
from .placed import placed
from .read_ahead import Progress
from .refusal import load_refusal
from .vocab import Vocab

Mode = Literal["full", "dry", "vocabulary"]
"""A dry load does everything but to allocate and read weights, so that llama.cpp says
how much memory it would take; a vocabulary can only be tokenised with."""

_RECOMMENDED: dict[str, tuple[str, type[int] | type[float]]] = {
    "general.sampling.temp": ("temperature", float),
    "general.sampling.top_k": ("top_k", int),
    "general.sampling.top_p": ("top_p", float),
    "general.sampling.min_p": ("min_p", float),
    "general.sampling.penalty_repeat": ("repeat_penalty", float),
}
"""GGUF's metadata keys for recommended sampling, and our fields."""

_NAMED_TEMPLATE = "tokenizer.chat_template."
"""GGUF's metadata keys of further chat templates begin so."""

_POOLINGS: dict[str, Pooling] = {
    str(lib.LLAMA_POOLING_TYPE_MEAN): "mean",
    str(lib.LLAMA_POOLING_TYPE_CLS): "cls",
    str(lib.LLAMA_POOLING_TYPE_LAST): "last",
    str(lib.LLAMA_POOLING_TYPE_RANK): "rank",
}
"""How GGUF's metadata writes them. It can also say that rows are not pooled."""


class Model:
    """A loaded model. Its contexts must be closed first.

    Attributes:
        path: The file; the first one of a split model.
        log: What llama.cpp said, and will say.
        gpus: Names of the GPUs that llama.cpp was given, in order.
        offloaded: Layers on GPUs, the output layer among them.
        uses: Bytes of weights, adapters included, by the names of devices.
    """

    def __init__(
        self,
        path: Path,
        *,
        gpu_layers: int,
        log: Log,
        progress: Progress,
        devices: Sequence[str] = (),
        tensor_split: Sequence[float] = (),
        lora: Sequence[LoraAdapter] = (),
        mmap: bool = True,
        repack: bool = True,
        mode: Mode = "full",
    ) -> None:
        """Load ``path``; ``gpu_layers`` of -1 is all.

        ``repack`` lets llama.cpp rearrange weights for the processor.
        See :class:`~llm_ext.core.load_options.LoadOptions` for the options.

        Raises:
            InvalidRequestError: There is no such device, or the shares do not fit.
            InsufficientMemoryError: A device has no room for its part.
            ModelLoadError: llama.cpp refused; says why, in its words.
        """

        def report(fraction: float, _data: ctypes.c_void_p) -> bool:
            progress(fraction)
            return True

        # Given a GPU but no layers for it, llama.cpp would compute long prompts on it.
        gpus = gpu_names(devices if gpu_layers else [CPU])
        params = lib.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        params.progress_callback = lib.llama_progress_callback(report)
        params.vocab_only = mode == "vocabulary"
        params.no_alloc = mode == "dry"
        params.use_extra_bufts = repack
        if mode == "dry" or not mmap:
            params.load_mode = lib.LLAMA_LOAD_MODE_NONE
        # llama.cpp goes on to read these arrays for as long as the model lives.
        self._devices = device_list(gpus)
        params.devices = ctypes.cast(self._devices, ctypes.c_void_p)
        if tensor_split and gpu_layers:
            self._shares = _shares(tensor_split, gpus)
            params.tensor_split = self._shares
        buffers = Buffers(gpus)
        log.forget_errors()
        with log.heard_by(buffers.read):
            pointer = lib.llama_model_load_from_file(os.fsencode(path), params)
        if not pointer:
            raise load_refusal(path, log.errors)
        self.path = path
        self.log = log
        self.pointer: int | None = pointer
        self.vocab = Vocab(lib.llama_model_get_vocab(pointer))
        self.trained_context = int(lib.llama_model_n_ctx_train(pointer))
        self._layers = tuple(buffers.layers)
        self.gpus = gpus
        self.offloaded = sum(name in gpus for name in self._layers)
        self._adapters: Adapters | None = None
        try:
            if mode == "full":
                self._adapters = Adapters(pointer, lora, log=log, buffers=buffers)
            self.uses = self._measured(buffers, lora, mode)
        except LLMError:
            self.close()
            raise

    def adapt(self, context: int) -> None:
        """Apply the adapters, if there are any, to a new context.

        Raises:
            ModelLoadError: llama.cpp refused.
        """
        if self._adapters is not None:
            self._adapters.apply(context)

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
        words = buffer.value.decode(errors="replace")
        # llama.cpp has names only for the sizes of models that it knows.
        return words.replace(" ?B", f" {_rounded(self.parameters)}", 1)

    @property
    def parameters(self) -> int:
        """How many weights it has."""
        return int(lib.llama_model_n_params(self.pointer))

    @property
    def attention(self) -> float:
        """What attention takes for one element and each cell that it sees, about.

        In multiplications, as a share of those of the element with all weights: two
        for each component in each layer, with the keys and with the values.
        """
        components = int(lib.llama_model_n_embd(self.pointer))
        layers = int(lib.llama_model_n_layer(self.pointer))
        return 2 * components * layers / self.parameters

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
        """How the file says that its vectors are pooled; None if it does not."""
        text = self.metadata(f"{self.architecture}.pooling_type")
        return None if text is None else _POOLINGS.get(text)

    @property
    def vector_width(self) -> int:
        """Components of its vectors."""
        return int(lib.llama_model_n_embd_out(self.pointer))

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
    def named_templates(self) -> dict[str, str]:
        """Its further chat templates, by name, such as "tool_use"."""
        names = []
        for index in range(lib.llama_model_meta_count(self.pointer)):
            buffer = ctypes.create_string_buffer(256)
            lib.llama_model_meta_key_by_index(self.pointer, index, buffer, len(buffer))
            key = buffer.value.decode(errors="replace")
            if key.startswith(_NAMED_TEMPLATE):
                names.append(key.removeprefix(_NAMED_TEMPLATE))
        found = {}
        for name in names:
            source = lib.llama_model_chat_template(self.pointer, name.encode())
            if source:
                found[name] = source.decode(errors="replace")
        return found

    @property
    def rerank_template(self) -> str | None:
        """How a query and a document are put together, where the file says it.

        ``{query}`` and ``{document}`` stand for the two; llama.cpp's own convention.
        """
        template = lib.llama_model_chat_template(self.pointer, b"rerank")
        return template.decode(errors="replace") if template else None

    def close(self) -> None:
        """Free the weights."""
        if self._adapters is not None:
            self._adapters.close()
            self._adapters = None
        if self.pointer is not None:
            lib.llama_model_free(self.pointer)
            self.pointer = None

    def _measured(
        self, buffers: Buffers, lora: Sequence[LoraAdapter], mode: Mode
    ) -> Uses:
        if mode == "vocabulary":
            return {}
        if mode == "full" and not buffers.maps:
            return buffers.uses()
        tensors = placed(tensor_sizes(parts(self.path)), self._layers)
        if mode == "full":
            return buffers.uses(tensors)
        uses = {device: MemoryUse(weights=size) for device, size in tensors.items()}
        files = MemoryUse(weights=sum(file_size(one) for one in lora))
        return added(uses, {self._layers[-1]: files} if lora else {})


def _shares(
    shares: Sequence[float], gpus: Sequence[str]
) -> ctypes.Array[ctypes.c_float]:
    """Return them as llama.cpp wants them: one for each device it could ever have.

    Raises:
        InvalidRequestError: They are not one for each device, or make no sense.
    """
    if len(shares) != len(gpus):
        raise InvalidRequestError(
            f"'tensor_split' has {len(shares)} shares, but the model would be put on "
            f"{len(gpus)} GPUs ({', '.join(gpus) or 'there are none'}). Give one for "
            f"each.",
            param="tensor_split",
        )
    if min(shares) < 0 or not 0 < sum(shares) < float("inf"):
        raise InvalidRequestError(
            "'tensor_split' must be shares of 0 or more, of which one is not 0.",
            param="tensor_split",
        )
    room: type[ctypes.Array[ctypes.c_float]]
    room = ctypes.c_float * int(lib.llama_max_devices())
    return room(*shares)


def _rounded(count: int) -> str:
    """Return a number of weights as models' names say it: 3.14M, 70B."""
    for unit, size in (("B", 10**9), ("M", 10**6)):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return str(count)
