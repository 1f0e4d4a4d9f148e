"""What a model's file says of it."""

from typing import Literal

import msgspec

from .memory_kind import MemoryKind

Capability = Literal[
    "chat", "completion", "embedding", "rerank", "tools", "thinking", "vision", "infill"
]


class LayerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One layer, as far as memory depends on it.

    Attributes:
        weights: Bytes of its tensors.
        key_width: Values that a key has over all its heads; 0 without attention.
        value_width: Likewise.
        window: Whether it sees no more than the model's sliding window.
        state: 32-bit values of recurrent state a sequence; 0 without one.
    """

    weights: int
    key_width: int = 0
    value_width: int = 0
    window: bool = False
    state: int = 0


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a GGUF file's metadata and tensor table say.

    Attributes:
        architecture: GGUF's name of it, such as "llama".
        name: What its maker calls it; "" if the file does not say.
        parameters: Weights, counted over all tensors.
        quantization: Such as "Q4_K_M"; by the commonest tensor type where the file
            does not say.
        trained_context: Tokens it was trained with.
        embedding_width: Length of its hidden vectors.
        feed_forward_width: The widest of its feed-forward layers.
        heads: Query heads, the most of any layer.
        vocabulary: Tokens it knows.
        memory_kind: What it keeps of what it read.
        window: Tokens that its sliding-window layers see; 0 without.
        layers: In order.
        other_weights: Bytes of the tensors outside of layers: embeddings and output.
        output_weights: Those of the output layer (of ``other_weights``), which go to
            the GPU with the last layer; the token embeddings' where it shares them.
        capabilities: What it can be asked for.
        chat_template: Whether the file carries one.
        license: Its short name; "" if the file does not say.
    """

    architecture: str
    name: str = ""
    parameters: int
    quantization: str
    trained_context: int
    embedding_width: int
    feed_forward_width: int = 0
    heads: int = 0
    vocabulary: int
    memory_kind: MemoryKind
    window: int = 0
    layers: tuple[LayerFacts, ...] = ()
    other_weights: int = 0
    output_weights: int = 0
    capabilities: tuple[Capability, ...] = ()
    chat_template: bool = False
    license: str = ""

    @property
    def weights(self) -> int:
        """Bytes of all tensors."""
        return self.other_weights + sum(layer.weights for layer in self.layers)
