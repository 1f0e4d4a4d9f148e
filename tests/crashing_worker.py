"""A worker on a machine for which llama.cpp's repacked weights were compiled wrongly.

``python -m tests.crashing_worker``: it crashes as soon as it computes with them.
"""

import os
import signal
from typing import Any

from llama_cpp import llama_cpp as lib

from llm_ext.worker.__main__ import main

if __name__ == "__main__":
    load = lib.llama_model_load_from_file

    def load_and_break(path: bytes, params: Any) -> Any:  # noqa: ANN401  # llama.cpp's
        """Load; what computes with repacked weights crashes from now on."""
        if params.use_extra_bufts:
            lib.llama_decode = lambda *_args: os.kill(os.getpid(), signal.SIGSEGV)
        return load(path, params)

    lib.llama_model_load_from_file = load_and_break
    main()
