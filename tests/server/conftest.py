"""The extension in a Jupyter server inside the test's own process."""

from pathlib import Path
from typing import Any

import pytest
from pytest_jupyter.jupyter_core import jp_asyncio_loop
from pytest_jupyter.jupyter_server import jp_server_cleanup

__all__ = ["jp_asyncio_loop", "jp_server_cleanup", "jp_server_config"]


@pytest.fixture
def jp_server_config(models: Path) -> dict[str, Any]:
    """Only our extension, and no route open to strangers by default."""
    return {
        "ServerApp": {
            "jpserver_extensions": {"llm_ext": True},
            "allow_unauthenticated_access": False,
            "terminals_enabled": False,  # their routes have no such mark
            "reraise_server_extension_failures": True,
        },
        "LLMExt": {"model_folders": [str(models)], "max_waiting": 2, "slots": 1},
    }
