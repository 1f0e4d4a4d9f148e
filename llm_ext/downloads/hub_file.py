"""One file of a repository on the hub."""

import hashlib
import re
from typing import Protocol

import msgspec

_STEP = re.compile(r"[^./\\:\x00-\x1f][^/\\:\x00-\x1f]{0,199}")
"""One step of a path: nothing hidden, no "..", no other disk."""


class Hash(Protocol):
    """What the standard library's hashes can do."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Take more bytes."""

    def hexdigest(self) -> str:
        """Return the hash of what was taken so far."""


class HubFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file, and how to know that what arrived is it.

    Attributes:
        path: In the repository.
        size: Bytes.
        digest: "sha256:" and the hash of the content, for what the hub keeps as a large
            file, or "git:" and the hash that git gives the content.
    """

    path: str
    size: int
    digest: str

    @property
    def name(self) -> str:
        """The path's last step."""
        return self.path.rpartition("/")[2]

    def new_hash(self) -> Hash:
        """Return a hash to be fed with the content."""
        if self.digest.startswith("sha256:"):
            return hashlib.sha256()
        # git hashes a header first; it is compared with what git itself computed.
        header = b"blob %d\0" % self.size
        return hashlib.sha1(header, usedforsecurity=False)

    def is_content(self, content: Hash) -> bool:
        """Whether ``content``, a fed :meth:`new_hash`, is this file's."""
        return self.digest.partition(":")[2] == content.hexdigest()


def is_plain(path: str) -> bool:
    """Whether ``path`` can be below a folder and nowhere else, on every platform."""
    return all(_STEP.fullmatch(step) for step in path.split("/"))
