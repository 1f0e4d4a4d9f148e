"""Model files in the cache that huggingface_hub keeps.

::

    hub/models--owner--name/refs/main            the commit that main is at
                           /snapshots/<commit>/  files, as links into blobs/

Settings and layout: huggingface_hub's own documentation of its environment variables
and of its cache. A file that several revisions have is found once: in main's, else in
the newest that has it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from llm_ext.catalog.found import Found
from llm_ext.catalog.tree import Tree

from .folder import origin

_PREFIX = "models--"


def cache_folder() -> Path:
    """Return where the cache is, by huggingface_hub's environment variables."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if folder := os.environ.get(variable):
            return Path(folder).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(caches).expanduser() / "huggingface" / "hub"


def find(tree: Tree) -> Iterator[Found]:
    """Yield all of them."""
    hub = str(cache_folder())
    for name in tree.listing(hub).folders:
        if name.startswith(_PREFIX):
            repo = name[len(_PREFIX) :].replace("--", "/")
            yield from _in_repository(tree, f"{hub}/{name}", repo)


def _in_repository(tree: Tree, folder: str, repo: str) -> Iterator[Found]:
    snapshots = f"{folder}/snapshots"
    main = tree.text(f"{folder}/refs/main").decode("ascii", "replace")
    taken: set[str] = set()
    for commit in _newest_first(snapshots, tree, main.strip()):
        root = f"{snapshots}/{commit}"
        for path in tree.models(root):
            place = path[len(root) + 1 :]
            if place in taken or tree.stat(path) is None:
                continue
            taken.add(place)
            revision = "main" if commit == main.strip() else commit
            file = place.replace(os.sep, "/")
            yield Found(path, "huggingface", aliases=origin(repo, revision, file))


def _newest_first(snapshots: str, tree: Tree, main: str) -> list[str]:
    def age(commit: str) -> tuple[bool, float]:
        try:
            written = Path(snapshots, commit).stat().st_mtime
        except OSError:
            written = 0
        return commit != main, -written

    return sorted(tree.listing(snapshots).folders, key=age)
