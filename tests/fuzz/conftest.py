"""A server that nothing sent to it may harm: small models, and no network."""

from collections.abc import Iterator

import pytest
from gguf import PoolingType

from tests.live import LiveServer, live_server
from tests.models import encoder
from tests.models.builder import Shape, write_model
from tests.models.hello import write_hello


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with models that answer, one to load in odd ways, and one to delete."""
    folder = tmp_path_factory.mktemp("models")
    write_hello(folder / "hello.gguf")
    for name in ("short", "spare", "doomed"):
        write_model(folder / f"{name}.gguf", shape=Shape(context=256))
    encoder.write_tiny(folder / "encoder.gguf", pooling=PoolingType.MEAN)
    encoder.write_tiny(
        folder / "ranker.gguf", pooling=PoolingType.RANK, head=encoder.head_weights()
    )
    with live_server(
        tmp_path_factory.mktemp("server"), folder, "--LLMExt.offline=True"
    ) as running:
        yield running
        assert "Traceback" not in running.log, running.log
