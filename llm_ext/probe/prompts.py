"""Chats to prompts, without a loaded model."""

from llm_ext.chat.format import ChatFormat, template_name
from llm_ext.chat.watchdog import Overrun, render_limit
from llm_ext.core.load_options import LoadOptions
from llm_ext.core.requests import ChatRequest
from llm_ext.llama.chat_templates import chat_templates
from llm_ext.llama.model import Model


def prompt(
    model: Model, options: LoadOptions, request: ChatRequest, overrun: Overrun
) -> str:
    """Return what ``request`` becomes by the template that a worker would use.

    ``overrun`` is called, from another thread, if the template takes too long.

    Raises:
        ChatTemplateError: The template is missing or refuses the messages.
        InvalidRequestError: The request names a template that the model does not
            have, or there is no last message of the assistant's to continue.
    """
    templates = chat_templates(model, options)
    chosen = templates[template_name(request, templates)]
    with render_limit(overrun):
        return ChatFormat(chosen).prompt(request).text
