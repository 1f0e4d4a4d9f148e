"""What the installed llama.cpp can do."""

import msgspec


class RuntimeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """As llama.cpp itself says.

    Attributes:
        llama_cpp: Version of llama-cpp-python.
        gpu: Whether it was built for GPUs.
        mmap: Whether it can use files in place.
        mlock: Whether it can keep memory from being swapped out.
    """

    llama_cpp: str
    gpu: bool
    mmap: bool
    mlock: bool
