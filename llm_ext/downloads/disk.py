"""Room on the disk, and files put into their places."""

import errno
import os
import shutil
from pathlib import Path

from llm_ext.errors import DiskFullError, DiskWriteError, DownloadError

from .plan import incoming

MARGIN = 1 << 30
"""Bytes that stay free, or a share of what is fetched if that is less."""

_SHARE = 0.05
_COPIED = 1 << 22
"""Bytes that are copied at a time."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""No room left, the user's quota used up, or more than this disk's files can hold."""


def check_room(folder: Path, need: int) -> None:
    """Return if ``need`` bytes, and a margin, fit on the disk of ``folder``.

    Raises:
        DiskFullError: They do not; says both figures.
    """
    if not need:
        return
    wanted = need + min(MARGIN, int(need * _SHARE))
    free = shutil.disk_usage(_existing(folder)).free
    if free < wanted:
        raise DiskFullError(folder, need=wanted, free=free)


def is_same_disk(one: Path, other: Path) -> bool:
    """Whether a file can be moved from ``one`` folder to the ``other`` in no time."""
    return _existing(one).stat().st_dev == _existing(other).stat().st_dev


def move(part: Path, target: Path) -> None:
    """Put a complete file at ``target``, all at once, in the place of what was there.

    Takes as long as a copy does, where the two are on different disks.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    try:
        part.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(part, incoming(target))
        incoming(target).replace(target)
        part.unlink()


def failure(error: OSError, folder: Path) -> DownloadError:
    """Return ``error`` of the disk in words; ``folder`` if it names no file."""
    place = error.filename or folder
    if error.errno in _FULL:
        return DiskFullError(Path(place).parent if error.filename else folder)
    return DiskWriteError(place, error.strerror or str(error))


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as reading, target.open("wb") as writing:
        shutil.copyfileobj(reading, writing, _COPIED)
        writing.flush()
        os.fsync(writing.fileno())


def _existing(folder: Path) -> Path:
    """Return ``folder``, or the nearest one above it that exists."""
    return next(path for path in (folder, *folder.parents) if path.exists())
