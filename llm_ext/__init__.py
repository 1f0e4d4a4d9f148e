"""A Jupyter server extension that hosts llama.cpp models.

Importing this package loads nothing: a worker process that imports one of its parts
never pays for the web server. Jupyter finds the extension through
:func:`_jupyter_server_extension_points`.
"""

from typing import Any

__all__ = ["__version__"]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from llm_ext.extension import LLMExt  # noqa: PLC0415  # see the module docstring

    return [{"module": "llm_ext", "app": LLMExt}]


def __getattr__(name: str) -> str:
    if name == "__version__":
        from llm_ext._version import __version__  # noqa: PLC0415  # reads metadata

        return __version__
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
