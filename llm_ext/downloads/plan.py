"""What one download fetches, and where all of it goes.

The plan is kept as ``plan.json`` in the download's own folder, beside the partial files
that it explains: a partial file is worth something only while it is known which content
it is the beginning of.
"""

import contextlib
import shutil
from pathlib import Path

import msgspec

from .alone import alone
from .hub_file import HubFile

_NAME = "plan.json"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The files of one commit, and their places.

    Attributes:
        repo: Owner and name.
        commit: The revision's hash: what is fetched is of one moment.
        files: The model's, in order, then its projector.
        models: The model folder.
    """

    repo: str
    commit: str
    files: tuple[HubFile, ...]
    models: str

    def target(self, file: HubFile) -> Path:
        """Return where ``file`` goes: all of a model lie in one folder."""
        beside = self.files[0].path.rpartition("/")[0]
        return Path(self.models) / self.repo / beside / file.name


def partial(folder: Path, file: HubFile) -> Path:
    """Return where what has arrived of ``file`` is kept."""
    return folder / f"{file.path}.part"


def incoming(target: Path) -> Path:
    """Return where ``target`` is copied to first, if it is on another disk."""
    return target.with_name(f"{target.name}.incoming")


def adopt(folder: Path, plan: Plan) -> None:
    """Keep ``plan`` in ``folder``, and of what is there already only what fits it."""
    folder.mkdir(parents=True, exist_ok=True)
    earlier = _kept(folder)
    fitting = {(file.path, file.digest) for file in earlier.files} if earlier else set()
    for file in plan.files:
        if (file.path, file.digest) not in fitting:
            partial(folder, file).unlink(missing_ok=True)
    new = folder / f"{_NAME}.new"
    new.write_bytes(msgspec.json.encode(plan))
    new.replace(folder / _NAME)


def discard(folder: Path) -> None:
    """Remove all of a download that is not complete. Blocks on the disk.

    Raises:
        DownloadElsewhereError: Another server fetches into it.
    """
    if not folder.exists():
        return
    try:
        with alone(folder):
            _remove(folder)
    except OSError:  # where the disk has no room for a lock, nobody holds it
        _remove(folder)


def _remove(folder: Path) -> None:
    plan = _kept(folder)
    if plan is not None:
        for file in plan.files:
            with contextlib.suppress(OSError):
                incoming(plan.target(file)).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _kept(folder: Path) -> Plan | None:
    try:
        return msgspec.json.decode((folder / _NAME).read_bytes(), type=Plan)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
