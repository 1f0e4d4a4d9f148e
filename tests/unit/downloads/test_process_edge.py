"""What the server's side of downloads loads and says."""

import subprocess
import sys

import msgspec
import pytest

from llm_ext.downloads.messages import (
    Fetch,
    Fetched,
    Patience,
    Proceed,
    Progress,
    decode_order,
    decode_report,
    encode,
)


def test_the_server_never_loads_the_hubs_library() -> None:
    """It takes half a second, and belongs to the process that runs a download."""
    code = "import llm_ext.downloads.jobs, sys; print(*sys.modules)"
    result = subprocess.run(
        (sys.executable, "-c", code), capture_output=True, text=True, check=True
    )
    loaded = set(result.stdout.split())
    assert "llm_ext.downloads.jobs" in loaded
    assert not loaded & {"huggingface_hub", "httpx", "httpx2", "filelock"}


def test_messages_come_back_as_they_went() -> None:
    """Each direction takes its own alone."""
    fetch = Fetch(reference="hf:o/r", folder="f", models="m", patience=Patience())
    for order in (fetch, Proceed()):
        assert decode_order(encode(order)) == order
    for report in (Progress(stage="verifying", done=7), Fetched(paths=("a", "b"))):
        assert decode_report(encode(report)) == report
        with pytest.raises(msgspec.DecodeError):
            decode_order(encode(report))
