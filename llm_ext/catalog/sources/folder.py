"""Model files in a folder and below it.

A file at ``owner/name/...`` is taken to be of the hub's repository of that name:
downloads are laid out so, here and by LM Studio.
"""

import os
from collections.abc import Iterator
from functools import lru_cache

from llm_ext.catalog.found import Found
from llm_ext.catalog.reference import SCHEME, parse
from llm_ext.catalog.tree import Tree
from llm_ext.core.settings import ModelSource
from llm_ext.errors import InvalidRequestError

_REPO_DEPTH = 3  # owner, name, file


def find(tree: Tree, folder: str, source: ModelSource = "folder") -> Iterator[Found]:
    """Yield the files in ``folder``, which may not exist."""
    for path in tree.models(folder):
        yield Found(path, source, aliases=_origin(path[len(folder) :]))


def _origin(place: str) -> tuple[str, ...]:
    steps = place.replace(os.sep, "/").strip("/").split("/")
    if len(steps) < _REPO_DEPTH:
        return ()
    return origin("/".join(steps[:2]), "main", "/".join(steps[2:]))


@lru_cache(maxsize=4096)  # asked for every file at every look
def origin(repo: str, revision: str, file: str) -> tuple[str, ...]:
    """Return the reference of a file on the hub, or nothing if it cannot be one."""
    try:
        return (str(parse(f"{SCHEME}{repo}@{revision}:{file}")),)
    except InvalidRequestError:
        return ()
