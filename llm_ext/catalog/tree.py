"""Folders on a disk, looked into again only when something changed."""

import logging
import os
import stat
import time
from collections.abc import Callable
from typing import NamedTuple

MODEL_SUFFIX = ".gguf"

RACY = 2.0
"""Seconds for which a changed folder may change again under the same time: that is how
coarsely some file systems note it."""

RELIST = 30.0
"""Seconds after which a folder is listed again in any case: what other machines do on a
network file system may not show in its time for so long."""

MAX_FOLDERS = 20_000
"""Folders below one that are looked into."""

_log = logging.getLogger(__name__)


class Stat(NamedTuple):
    """What tells whether a file is the same, and unchanged. Times in nanoseconds."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int


class Listing(NamedTuple):
    """What lies in a folder, by name, in order.

    Hidden files and folders are left out, and those whose names are no text.
    """

    files: tuple[str, ...]
    models: tuple[str, ...]
    folders: tuple[str, ...]


_NOTHING = Listing((), (), ())


class _Known(NamedTuple):
    """A listing, and until when it is good if the folder's time stays."""

    modified: int
    good_until: float
    listing: Listing


class Tree:
    """Remembers what it saw. One thread uses it at a time."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._folders: dict[str, _Known] = {}
        self._texts: dict[str, tuple[Stat, bytes]] = {}
        self._warned: set[tuple[str, str]] = set()

    def stat(self, path: str) -> Stat | None:
        """Return what the regular file ``path`` is now; None without one."""
        try:
            seen = os.stat(path)  # noqa: PTH116 - Path costs as much again as the call
        except (OSError, ValueError):
            return None
        if not stat.S_ISREG(seen.st_mode):
            return None  # a pipe of this name would be read for ever
        return Stat(
            seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns
        )

    def listing(self, folder: str) -> Listing:
        """Return what lies in ``folder``; nothing if it cannot be looked into."""
        return self._look(folder)[1]

    def models(self, root: str) -> list[str]:
        """Return the model files in ``root`` and below, sorted; links are followed.

        A folder that is met twice, over a link, is looked into once.
        """
        found: list[str] = []
        met: set[tuple[int, int]] = set()
        waiting = [root]
        while waiting and len(met) < MAX_FOLDERS:
            folder = waiting.pop()
            identity, listing = self._look(folder)
            if identity in met:
                continue
            met.add(identity)
            found += [f"{folder}/{name}" for name in listing.models]
            waiting += [f"{folder}/{name}" for name in listing.folders]
        if waiting:
            self._warn(
                "%s has more than %d folders: models in the others are not found",
                root,
                MAX_FOLDERS,
            )
        return sorted(found)

    def text(self, path: str, *, most: int = 1024 * 1024) -> bytes:
        """Return a small file's content; empty if it cannot be read or is larger."""
        seen = self.stat(path)
        if seen is None or seen.size > most:
            return b""
        known = self._texts.get(path)
        if known is None or known[0] != seen:
            try:
                with open(path, "rb") as file:  # noqa: PTH123 - as above
                    known = seen, file.read(most)
            except OSError:
                return b""
            self._texts[path] = known
        return known[1]

    def _look(self, folder: str) -> tuple[tuple[int, int], Listing]:
        try:
            seen = os.stat(folder)  # noqa: PTH116 - as above
            identity = seen.st_dev, seen.st_ino
            now = self._clock()
            known = self._folders.get(folder)
            if (
                known is None
                or known.modified != seen.st_mtime_ns
                or not now < known.good_until <= now + RELIST
            ):
                racy = seen.st_mtime_ns / 1e9 > now - RACY
                until = now if racy else now + RELIST
                known = _Known(seen.st_mtime_ns, until, self._list(folder))
                self._folders[folder] = known
        except (OSError, ValueError):
            self._folders.pop(folder, None)
            return (0, 0), _NOTHING
        return identity, known.listing

    def _list(self, folder: str) -> Listing:
        files: list[str] = []
        folders: list[str] = []
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if not _is_text(entry.path):
                    self._warn(
                        "%r: files and folders whose names are not UTF-8 are left out",
                        folder,
                    )
                    continue
                (folders if _is_folder(entry) else files).append(entry.name)
        files.sort()
        models = tuple(name for name in files if name.lower().endswith(MODEL_SUFFIX))
        return Listing(tuple(files), models, tuple(sorted(folders)))

    def _warn(self, message: str, folder: str, *more: object) -> None:
        """Log a warning of ``folder``, once."""
        if (message, folder) not in self._warned:
            self._warned.add((message, folder))
            _log.warning(message, folder, *more)


def _is_text(path: str) -> bool:
    """Whether ``path`` can be said in JSON and kept in the database."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link that leads to itself
