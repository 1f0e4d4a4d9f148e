"""The chat templates of a model: chosen ones, its own, and further ones by name."""

from pathlib import Path

from llm_ext.chat.template import ChatTemplate
from llm_ext.core.load_options import LoadOptions
from llm_ext.errors import InvalidRequestError

from .model import Model


def chat_templates(model: Model, options: LoadOptions) -> dict[str, ChatTemplate]:
    """Return a model's chat templates by name; "" is the default one.

    Raises:
        InvalidRequestError: A file that is to hold one cannot be read.
    """
    vocab = model.vocab
    sources = {"": chat_template(model, options), **model.named_templates}
    return {
        name: ChatTemplate(source, bos=vocab.bos, eos=vocab.eos)
        for name, source in sources.items()
    }


def chat_template(model: Model, options: LoadOptions) -> str | None:
    """Return the chat template to use: the chosen one, the model's own, or another.

    Raises:
        InvalidRequestError: The file that is to hold it cannot be read.
    """
    chosen = options.chat_template
    if chosen:
        return _source(chosen)
    if model.chat_template is not None or not options.fallback_chat_template:
        return model.chat_template
    return _source(options.fallback_chat_template)


def _source(template: str) -> str:
    """Return the template; what has no braces is the path of a file that holds it."""
    if "{" in template:
        return template
    try:
        return Path(template).expanduser().read_text(encoding="utf-8")
    # Also a home that nobody has, and what is no path at all.
    except (OSError, ValueError, RuntimeError) as error:
        raise InvalidRequestError(
            f"The chat template {template!r} cannot be read: {error}. Give Jinja, or "
            f"the path of a file that holds it.",
            param="options",
        ) from error
