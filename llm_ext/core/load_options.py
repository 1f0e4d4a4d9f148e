"""How a model is loaded."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from llm_ext.errors import InvalidRequestError

KVType = Literal["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"]
"""How keys and values are stored in the KV cache; less precise ones take less room."""

MAX_THREADS = 512
"""Threads that llama.cpp can start; it aborts where it is told of more."""

Natural = Annotated[int, msgspec.Meta(ge=0)]
_Layers = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
GpuLayers = _Layers | Literal["auto", "all"]
FlashAttention = Literal["auto", "on", "off"]

_ALL_LAYERS = -1
"""How other programs write all of them."""


class LoraAdapter(msgspec.Struct, frozen=True, kw_only=True):
    """A low-rank adapter: the GGUF file, and how strongly it is applied."""

    path: str
    scale: float = 1.0


class LoadOptions(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """What a worker is told about resources.

    Attributes:
        context_length: Tokens that fit into the KV cache, which all running requests
            share; 0 takes ``MAX_DEFAULT_CONTEXT``. Never more than the model was
            trained with.
        fit: Whether a shorter context may be taken where memory does not allow the
            asked one.
        slots: Requests that are computed at once; more of them wait.
        gpu_layers: Layers put on the GPU: a number, all, or as many as fit. A build of
            llama.cpp without GPU support ignores it.
        devices: Names of the devices to use, in order; empty takes every GPU there is.
        tensor_split: Shares of the model for each of ``devices``; empty shares it out
            by free memory.
        threads: CPU threads; 0 takes one for each processor this process may use, and
            a single one for a tiny model.
        kv_type: How keys and values are stored.
        flash_attention: Whether the fused attention kernel is used; a quantised KV
            type needs it.
        lora: Adapters that are applied to every request.
        mmap: Whether the file is mapped; without it its bytes are copied.
        chat_template: A chat template in Jinja, or the path of a file that holds one,
            in place of the model's own.
        fallback_chat_template: Likewise, for a model that carries none.
    """

    context_length: Natural = 0
    fit: bool = False
    slots: Annotated[int, msgspec.Meta(ge=1, le=256)] = 4
    gpu_layers: GpuLayers = "auto"
    devices: tuple[str, ...] = ()
    tensor_split: tuple[float, ...] = ()
    threads: Annotated[int, msgspec.Meta(ge=0, le=MAX_THREADS)] = 0
    kv_type: KVType = "f16"
    flash_attention: FlashAttention = "auto"
    lora: tuple[LoraAdapter, ...] = ()
    mmap: bool = True
    chat_template: str = ""
    fallback_chat_template: str = ""

    def but(self, changes: Mapping[str, object]) -> "LoadOptions":
        """Return these options with some fields changed, as a request names them.

        Raises:
            InvalidRequestError: A field is unknown or wrong; says which.
        """
        changed = msgspec.to_builtins(self) | dict(changes)
        if changed["gpu_layers"] == _ALL_LAYERS:
            changed["gpu_layers"] = "all"
        try:
            return msgspec.convert(changed, LoadOptions)
        except msgspec.ValidationError as error:
            raise InvalidRequestError(f"options: {error}", param="options") from error


MAX_DEFAULT_CONTEXT = 8192
"""Most context a model gets unasked: many models claim 128k tokens and more, whose
KV cache would need more memory than the weights."""


def context_length(asked: int, trained: int) -> int:
    """Return the tokens to make room for: as asked, and never beyond the training.

    Past the length that a model was trained with it writes nonsense.
    """
    return min(asked or MAX_DEFAULT_CONTEXT, trained)
