"""LM Studio's models: ``publisher/repository/file.gguf`` in a folder of the user's."""

from collections.abc import Iterator
from pathlib import Path

from llm_ext.catalog.found import Found
from llm_ext.catalog.tree import Tree

from .folder import find as find_in_folder

_FOLDERS = (".lmstudio/models", ".cache/lm-studio/models")
"""Now, and in earlier releases; below the home folder."""


def find(tree: Tree) -> Iterator[Found]:
    """Yield all of them."""
    for folder in _FOLDERS:
        yield from find_in_folder(tree, str(Path.home() / folder), "lmstudio")
