"""The files of a split model, by their names."""

import re
from pathlib import Path

_PART = re.compile(r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf")
"""What llama.cpp's own tool calls them (``llama_split_path``), counted from 1."""


def parts(path: Path) -> list[Path]:
    """Return all files of the model whose first, or only, file is ``path``."""
    found = _PART.fullmatch(path.name)
    if found is None:
        return [path]
    number, count = int(found["number"]), int(found["count"])
    if not 1 <= number <= count:
        return [path]
    names = (
        f"{found['stem']}-{part:05}-of-{count:05}.gguf" for part in range(1, count + 1)
    )
    return [path.with_name(name) for name in names]
