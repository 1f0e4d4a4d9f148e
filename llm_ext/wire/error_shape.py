"""How a dialect tells errors."""

from typing import Protocol

from llm_ext.errors import LLMError


class ErrorShape(Protocol):
    """What a dialect says about errors; a module such as ``wire.openai.errors``."""

    def status(self, error: LLMError, /) -> int:
        """Return the HTTP status of ``error``."""

    def reply(self, error: LLMError, /) -> object:
        """Return the body that tells ``error``."""

    def http_reply(self, status_code: int, message: str, /) -> object:
        """Return the body for what the web server refused by itself."""

    def headers(self, error: LLMError, /) -> dict[str, str]:
        """Return headers that tell clients whether to send the request again."""
