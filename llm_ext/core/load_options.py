"""How a model is loaded."""

import msgspec


class LoadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is told about resources.

    Attributes:
        context_length: Tokens that fit into the KV cache, which all running requests
            share; 0 takes ``MAX_DEFAULT_CONTEXT``. Never more than the model was
            trained with.
        slots: Requests that are computed at once; more of them wait.
        gpu_layers: Layers put on the GPU; -1 is all. A build of llama.cpp without GPU
            support ignores it.
        threads: CPU threads; 0 takes one for each processor this process may use, and
            a single one for a tiny model.
    """

    context_length: int = 0
    slots: int = 4
    gpu_layers: int = -1
    threads: int = 0


MAX_DEFAULT_CONTEXT = 8192
"""Most context a model gets unasked: many models claim 128k tokens and more, whose
KV cache would need more memory than the weights."""
