"""The options about providers, from what an administrator writes to settings.

What is wrong is told without repeating values: one of them may be a credential.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from traitlets import TraitError

from llm_ext.core.provider_status import LOCAL
from llm_ext.core.settings import ProviderSettings

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_TOKENS = ("token", "token_file", "token_env")


def provider_settings(
    providers: Mapping[str, Mapping[str, Any]],
) -> dict[str, ProviderSettings]:
    """Return providers by their names.

    Raises:
        TraitError: One is wrong; says which, and why.
    """
    return {name: _settings(name, given) for name, given in providers.items()}


def fallbacks(
    given: Mapping[str, str], providers: Mapping[str, ProviderSettings]
) -> dict[str, str]:
    """Return which model answers in the place of which.

    Raises:
        TraitError: One is of no provider.
    """
    for name, target in given.items():
        provider, _, model = target.partition("/")
        if provider not in providers or not model:
            raise TraitError(
                f"fallbacks[{name!r}]: {target!r} is no provider's model. Write "
                f"'<provider>/<model>', with a provider of the option 'providers'."
            )
    return dict(given)


def _settings(name: str, given: Mapping[str, Any]) -> ProviderSettings:
    if not _NAME.fullmatch(name) or name == LOCAL:
        raise TraitError(
            f"providers: {name!r} cannot be a provider's name. It may have small "
            f"letters, digits, '-' and '_', and {LOCAL!r} is this machine."
        )
    try:
        found = msgspec.convert(dict(given), ProviderSettings)
    except msgspec.ValidationError as error:
        raise TraitError(f"providers[{name!r}]: {error}") from None
    if problem := _problem(found):
        raise TraitError(f"providers[{name!r}]: {problem}")
    return found


def _problem(settings: ProviderSettings) -> str:
    """Return what is wrong, or nothing."""
    if sum(bool(getattr(settings, field)) for field in _TOKENS) > 1:
        return "only one of 'token', 'token_file' and 'token_env' can be used."
    try:
        url = urlsplit(settings.url)
        known = url.scheme in ("http", "https") and bool(url.hostname)
        _ = url.port
    except ValueError:
        known = False
    if not known:
        return "'url' must be an address such as 'http://lab:8000/v1'."
    if "@" in url.netloc:
        return "'url' must hold no credential. Put it into 'token_file'."
    if url.query or url.fragment:
        return "'url' must end with its path, such as '/v1'."
    return ""
