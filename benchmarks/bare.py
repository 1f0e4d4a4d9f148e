"""The limit: a loop that decodes one token after another, and does nothing else.

``python -m benchmarks.bare MODEL --threads N --tokens N`` prints tokens per second.
"""

import argparse
import time
from contextlib import closing
from pathlib import Path

from llm_ext.core.sampling import SamplingParams
from llm_ext.engine.backend import BatchElement
from llm_ext.llama.backend import LlamaBackend
from llm_ext.llama.context import Context
from tests.models.opened import opened

from .servers import CELLS


def speed(path: Path, *, threads: int, tokens: int) -> float:
    """Return tokens per second of greedy decoding."""
    with (
        opened(path, gpu_layers=-1) as model,
        closing(Context(model, cells=CELLS, seq_ids=1, threads=threads)) as context,
        closing(LlamaBackend(model, context)) as backend,
        closing(backend.sampler(SamplingParams(temperature=0), [])) as sampler,
    ):
        token, began = 1, 0.0
        for position in range(tokens + 1):
            backend.decode([BatchElement(token, position, 0, wants_logits=True)])
            token = sampler.sample(0).token
            began = began or time.perf_counter()
        return tokens / (time.perf_counter() - began)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--tokens", type=int, required=True)
    options = parser.parse_args()
    print(speed(options.model, threads=options.threads, tokens=options.tokens))


if __name__ == "__main__":
    main()
