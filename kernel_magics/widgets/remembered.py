"""Which conversation belongs to which notebook: a kernel that restarts forgets it."""

import json
import os
from contextlib import suppress
from pathlib import Path

FILE = "llm_ext-conversations.json"
MOST = 500
"""Notebooks that are remembered; the oldest are forgotten first."""


def notebook_name() -> str:
    """Return the notebook that this kernel is for; empty where Jupyter does not say."""
    return os.environ.get("JPY_SESSION_NAME", "")


def recall(notebook: str) -> str:
    """Return the id of the notebook's conversation; empty if it has none."""
    return _read().get(notebook, "") if notebook else ""


def remember(notebook: str, conversation: str) -> None:
    """Keep the id of a notebook's conversation, where there is a place to keep it."""
    if notebook:
        # A chat whose place cannot be kept is still a chat.
        with suppress(OSError):
            _write(notebook, conversation)


def _write(notebook: str, conversation: str) -> None:
    known = _read()
    known.pop(notebook, None)
    known[notebook] = conversation
    newest = dict(list(known.items())[-MOST:])
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{FILE}.{os.getpid()}")
    temporary.write_text(json.dumps(newest, indent=1), encoding="utf-8")
    temporary.replace(path)


def _path() -> Path:
    from jupyter_core.paths import jupyter_data_dir  # noqa: PLC0415  # not at start

    return Path(jupyter_data_dir()) / FILE


def _read() -> dict[str, str]:
    try:
        known = json.loads(_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
