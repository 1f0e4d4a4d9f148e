"""The first bytes of a GGUF file.

Format: magic "GGUF", version (uint32), number of tensors (uint64), number of metadata
pairs (uint64), little-endian; from the GGUF specification of the ggml project.
"""

import struct
from pathlib import Path

from llm_ext.errors import ModelUnreadableError

_HEADER = struct.Struct("<4sIQQ")
_VERSIONS = (2, 3)


def check_header(path: Path) -> None:
    """Raise ModelUnreadableError unless ``path`` starts like a GGUF model file."""
    name = path.name
    try:
        with path.open("rb") as file:
            start = file.read(_HEADER.size)
    except OSError as error:
        raise ModelUnreadableError(
            f"The model file {name} cannot be read: {error.strerror}."
        ) from error
    if start[:4] != b"GGUF":
        raise ModelUnreadableError(
            f"{name} is not a GGUF file, whatever its name says. Download it again; "
            f"a web page or a pointer file may have been saved in its place."
        )
    if len(start) < _HEADER.size:
        raise ModelUnreadableError(f"{name} ends within its header; it is incomplete.")
    _, version, tensors, pairs = _HEADER.unpack(start)
    if version not in _VERSIONS:
        raise ModelUnreadableError(
            f"{name} is a GGUF file of version {version}; versions 2 and 3 are known."
        )
    if tensors == 0 or pairs == 0:
        raise ModelUnreadableError(
            f"{name} holds no model: {tensors} tensors, {pairs} metadata entries."
        )
