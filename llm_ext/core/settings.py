"""What the administrator or user configured, as one frozen value."""

from pathlib import Path

import msgspec

from .load_options import LoadOptions


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """See :mod:`llm_ext.config` for the meaning and default of each field."""

    model_folders: tuple[Path, ...]
    default_model: str = ""
    load: LoadOptions = LoadOptions()
    max_waiting: int = 64
    load_stall_timeout: float = 300.0
