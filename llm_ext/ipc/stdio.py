"""The pipes of a child process, kept apart from what it prints."""

import os
import sys
from pathlib import Path
from typing import BinaryIO


def private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take stdin and stdout away, so that what native code prints goes to stderr."""
    inbox = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    outbox = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return inbox, outbox
