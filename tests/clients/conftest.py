"""A server that other projects' clients are pointed at."""

from collections.abc import Iterator

import pytest
from gguf import PoolingType

from tests.live import LiveServer, live_server
from tests.models import encoder
from tests.models.builder import Shape, write_model


@pytest.fixture(scope="session")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with Guide, a model that embeds, and one that answers at random."""
    folder = tmp_path_factory.mktemp("clients")
    models = folder / "models"
    models.mkdir()
    encoder.write_tiny(models / "encoder.gguf", pooling=PoolingType.MEAN)
    write_model(models / "babble.gguf", shape=Shape(context=8192))
    with live_server(folder, models) as running:
        yield running
        assert "Traceback" not in running.log, running.log


@pytest.fixture(scope="session")
def base_url(hosted: LiveServer) -> str:
    """What OpenAI's clients call their base URL."""
    return f"{hosted.url}llm/v1"
