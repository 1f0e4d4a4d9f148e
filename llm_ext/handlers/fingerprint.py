"""What an answer depends on, beside the request, its seed and the model's file."""

import hashlib
from functools import cache
from importlib.metadata import version

import msgspec

from llm_ext._version import __version__
from llm_ext.core.provider_status import LOCAL
from llm_ext.pool.stream import EventStream


def fingerprint(stream: EventStream) -> str | msgspec.UnsetType:
    """Return what changes when the same seed may give another answer.

    OpenAI's clients compare it. Of other servers nothing is known.
    """
    return _ours() if stream.provider == LOCAL else msgspec.UNSET


@cache
def _ours() -> str:
    versions = f"{__version__}/{version('llama-cpp-python')}"
    return "fp_" + hashlib.sha256(versions.encode()).hexdigest()[:10]
