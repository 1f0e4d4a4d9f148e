"""What ``llm`` does, for ``async`` code: each waits in a thread, not in the loop."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from .models import Models

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


_T = TypeVar("_T")


class AsyncLLM:
    """The methods of :class:`LLM` that return no stream; streams are both anyway."""

    def __init__(self, llm: Any) -> None:  # noqa: ANN401  # an LLM, whose file imports this
        self._llm = llm

    async def embed(
        self,
        texts: str | list[str],
        *,
        model: str | None = None,
    ) -> "NDArray[np.float32]":
        """See :meth:`LLM.embed`."""
        return await _in_thread(self._llm.embed, texts, model=model)

    async def models(self) -> Models:
        """See :meth:`LLM.models`."""
        return await _in_thread(self._llm.models)

    async def load(self, name: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401  # those of LLM.load
        """See :meth:`LLM.load`."""
        return await _in_thread(self._llm.load, name, **options)

    async def unload(self, name: str, *, force: bool = False) -> dict[str, Any]:
        """See :meth:`LLM.unload`."""
        return await _in_thread(self._llm.unload, name, force=force)

    async def pull(self, reference: str) -> str:
        """See :meth:`LLM.pull`."""
        return await _in_thread(self._llm.pull, reference)


async def _in_thread(
    function: Callable[..., _T],
    *arguments: Any,  # noqa: ANN401  # the function's
    **options: Any,  # noqa: ANN401  # the same
) -> _T:
    import asyncio  # noqa: PLC0415  # who calls this has loaded it

    return await asyncio.to_thread(partial(function, *arguments, **options))
