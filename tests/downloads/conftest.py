"""A hub, and a machine that downloads from it, for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.downloads.place import MODEL, REPO, Place, content
from tests.hub import Hub, running_hub


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """A hub that everything here takes for the Hugging Face hub, without a token."""
    with running_hub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        for name in ("HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE"):
            monkeypatch.delenv(name, raising=False)
        yield running


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Folders, empty so far."""
    return Place(tmp_path)


@pytest.fixture
def model(hub: Hub) -> bytes:
    """A model on the hub."""
    data = content(1)
    hub.add(REPO, {MODEL: data, "README.md": b"# Tiny"})
    return data
