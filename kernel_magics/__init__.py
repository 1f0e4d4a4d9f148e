"""Language models in notebook cells and programs.

``%load_ext kernel_magics``, then ``%llm``; or ``from kernel_magics import llm``, then
``llm("question")``. Importing this package loads nothing; what is asked of it is
loaded then.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .answer import Answer
    from .assistant import LLM, llm
    from .widgets.chat import ChatPanel
    from .widgets.manager import ModelManager

__all__ = ["LLM", "Answer", "ChatPanel", "ModelManager", "llm"]

_HOMES = {
    "Answer": "answer",
    "ChatPanel": "widgets.chat",
    "LLM": "assistant",
    "ModelManager": "widgets.manager",
    "llm": "assistant",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  # any public name
    """Load a public name where it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415  # see the module docstring

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List what can be imported from here."""
    return sorted(__all__)


def load_ipython_extension(shell: "InteractiveShell") -> None:
    """Register ``%llm`` and ``%%llm``."""
    from kernel_magics.extension import register  # noqa: PLC0415  # see above

    register(shell)
