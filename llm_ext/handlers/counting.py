"""How many tokens a chat is, whether its model is loaded or not."""

from pathlib import Path

from llm_ext.core import bounds
from llm_ext.core.requests import ChatRequest
from llm_ext.keyring import check_allowed

from .base import LLMHandler


async def prompt_tokens(handler: LLMHandler, request: ChatRequest) -> int:
    """Return the tokens of the prompt of ``request``; nothing is loaded for it.

    Raises:
        ModelNotFoundError: The catalog has no such model.
        ModelNotAllowedError: The caller's key is for other models.
        LLMError: The model's file, or its template, cannot be used; says why.
    """
    bounds.check(request)
    model = await handler.router.model(handler.providers.own(request.model))
    check_allowed(handler.key, model.id)
    options = await handler.router.options(model.id)
    prompt = await handler.services.probe.prompt(Path(model.path), options, request)
    return prompt.tokens
