"""Which layers keep a recurrent state, and how large it is.

From llama.cpp's ``llama_hparams::n_embd_r`` and ``n_embd_s``, the rules for each
architecture in its ``src/models/*.cpp``, and ``create_memory``.
"""

from typing import NamedTuple

from .architectures import HYBRID, RECURRENT
from .metadata import Metadata

_RECURRENT_LAYERS = "%s.attention.recurrent_layers"
_INTERVALS = {
    "minimax-01": 8,
    "qwen35": 4,
    "qwen35moe": 4,
    "qwen3next": 4,
    "qwen4exp": 4,
}
"""Of so many layers the last one attends, where the file does not say which."""


class Role(NamedTuple):
    """What a layer keeps of what it read: keys and values, a state, both or neither."""

    attends: bool
    recurs: bool


def roles(
    metadata: Metadata, trunk: int, kv_heads: list[int], widths: list[int]
) -> list[Role]:
    """Return what each layer keeps.

    ``trunk`` of the layers are the model's own: those behind only guess ahead, which
    is not done here, and they keep nothing. ``kv_heads`` and ``widths`` (of the
    feed-forward blocks) are of each layer.
    """
    architecture = metadata.architecture
    own = [at < trunk for at in range(len(kv_heads))]
    if architecture in RECURRENT:
        return [Role(attends=False, recurs=here) for here in own]
    if architecture not in HYBRID:
        return [Role(attends=here, recurs=False) for here in own]
    if architecture == "falcon-h1":
        return [Role(attends=here, recurs=here) for here in own]
    if architecture == "deepseek4":
        return [Role(attends=here, recurs=False) for here in own]
    recurs = _recurrent(metadata, kv_heads)
    plain = [True] * len(own)
    if architecture.startswith("nemotron_h"):
        plain = [width == 0 for width in widths]  # the others are feed-forward alone
    return [
        Role(attends=here and bare and not state, recurs=here and bare and state)
        for here, bare, state in zip(own, plain, recurs, strict=True)
    ]


def state_size(metadata: Metadata) -> int:
    """Return the 32-bit values of a layer's state, for one sequence."""
    width = metadata.number("%s.embedding_length")
    heads = metadata.per_layer("%s.attention.head_count", 1, [0])[0]
    kernel = metadata.number("%s.ssm.conv_kernel")
    if wkv := metadata.number("%s.wkv.head_size"):
        return width * (metadata.number("%s.token_shift_count", 2) + wkv)
    if cache := metadata.number("%s.shortconv.l_cache"):
        return width * (cache - 1)
    if kda := metadata.number("%s.kda.head_dim"):
        kept = kernel - 1 if kernel else 3
        return 3 * kept * heads * kda + kda * kda * heads
    if metadata.architecture == "minimax-01":
        head = metadata.number("%s.attention.key_length", width // max(heads, 1))
        return head * head * heads
    inner = metadata.number("%s.ssm.inner_size")
    state = metadata.number("%s.ssm.state_size")
    groups = metadata.number("%s.ssm.group_count")
    return max(kernel - 1, 0) * (inner + 2 * groups * state) + state * inner


def _recurrent(metadata: Metadata, kv_heads: list[int]) -> list[bool]:
    interval = _INTERVALS.get(metadata.architecture)
    if interval is None:
        return [heads == 0 for heads in kv_heads]
    interval = max(metadata.number("%s.full_attention_interval", interval), 1)
    default = [int((at + 1) % interval != 0) for at in range(len(kv_heads))]
    flags = metadata.per_layer(_RECURRENT_LAYERS, len(kv_heads), default)
    return [flag != 0 for flag in flags]
