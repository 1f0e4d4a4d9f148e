"""On which devices a model's tensors are."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from llm_ext.core.device import CPU

_IN_LAYER = re.compile(r"(?:^|\.)blk\.(\d+)\.")

_WITH_OUTPUT = ("output", "cls")
"""How the names of tensors begin that go with the output layer. What else is in no
layer, the embeddings above all, stays in main memory."""


def placed(tensors: Mapping[str, int], layers: Sequence[str]) -> dict[str, int]:
    """Return the bytes on each device.

    Args:
        tensors: The bytes of each, by GGUF's names.
        layers: The device of each layer, the output layer's last.
    """
    sizes: Counter[str] = Counter()
    last = layers[-1] if layers else CPU
    for name, size in tensors.items():
        found = _IN_LAYER.search(name)
        if found is not None:
            layer = int(found[1])
            sizes[layers[layer] if layer < len(layers) else CPU] += size
        else:
            sizes[last if name.startswith(_WITH_OUTPUT) else CPU] += size
    if last != CPU and "output.weight" not in tensors:
        # The token embeddings serve as the output layer, which wants them beside it.
        sizes[last] += tensors.get("token_embd.weight", 0)
    return dict(sizes)
