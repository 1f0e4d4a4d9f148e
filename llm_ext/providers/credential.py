"""What a provider wants to see of whoever asks: read when it is needed, told nobody."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from llm_ext.core.settings import ProviderSettings
from llm_ext.errors import ProviderAccessError

_TOKEN = re.compile(r"[\x21-\x7e]*")
"""What a header can carry."""


def token(
    provider: str,
    settings: ProviderSettings,
    environment: Mapping[str, str] = os.environ,
) -> str:
    """Return the bearer token; "" where none is wanted. It reads a file, so it blocks.

    Raises:
        ProviderAccessError: It is not where it is said to be, or cannot be sent.
    """
    found = settings.token
    if settings.token_file:
        try:
            found = Path(settings.token_file).expanduser().read_text("utf-8")
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise ProviderAccessError(
                provider, f"the file of its credential cannot be read ({why})"
            ) from None
    elif settings.token_env:
        found = environment.get(settings.token_env, "")
        if not found:
            why = f"the variable {settings.token_env} that holds its credential is not"
            raise ProviderAccessError(provider, f"{why} set")
    found = found.strip()
    if not _TOKEN.fullmatch(found):
        raise ProviderAccessError(
            provider, "its credential holds spaces, or characters that cannot be sent"
        )
    return found
