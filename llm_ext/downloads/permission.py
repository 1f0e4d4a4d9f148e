"""Whether something may be downloaded at all."""

import os
from fnmatch import fnmatchcase

from llm_ext.catalog.reference import Reference
from llm_ext.core.settings import Settings
from llm_ext.errors import InvalidRequestError, OfflineError, RepositoryNotAllowedError

_TRUE = {"1", "ON", "YES", "TRUE"}
"""Values that huggingface_hub takes for yes."""


def check(reference: Reference, settings: Settings) -> None:
    """Return if ``reference`` may be downloaded.

    Raises:
        OfflineError: This server must not use the network.
        RepositoryNotAllowedError: The administrator does not allow the repository.
        InvalidRequestError: There is no folder that it could go to.
    """
    if settings.offline or os.environ.get("HF_HUB_OFFLINE", "").upper() in _TRUE:
        raise OfflineError
    repo = reference.repo.lower()  # as the hub does, for which case makes no difference
    allowed = settings.allowed_repositories
    if not any(fnmatchcase(repo, pattern.lower()) for pattern in allowed):
        raise RepositoryNotAllowedError(reference.repo, allowed=allowed)
    if not settings.model_folders:
        raise InvalidRequestError("No model folder is configured to download to.")
