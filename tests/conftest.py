"""Models and servers that tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from gguf import PoolingType
from hypothesis import settings

from tests.live import LiveServer, live_server
from tests.models import encoder
from tests.models.builder import Shape, write_model
from tests.models.hello import write_hello

pytest_plugins = ["pytest_jupyter.jupyter_server"]

# How long an example takes says something of the machine, not of the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def jp_asyncio_loop() -> None:
    """Do without pytest-jupyter's loop for every test; tests/server has it again.

    It cannot be closed while a browser is driven.
    """


@pytest.fixture
def jp_server_cleanup() -> None:
    """Do without a server to clean up for every test; tests/server has it again."""


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models.

    ``hello`` recites one sentence. ``babble`` and ``other`` answer with as many random
    tokens as asked, up to 30,000. ``short`` has a context of 64 tokens. ``plain`` has
    no chat template, ``strict`` one that refuses. ``sober`` recommends a temperature
    of 0, and a ``top_p`` that makes no sense. ``broken`` is no model; ``cut`` and
    ``unknown`` are models that llama.cpp refuses. ``encoder`` embeds, ``ranker`` ranks.
    """
    folder = tmp_path_factory.mktemp("models")
    long = Shape(context=32768)
    write_hello(folder / "hello.gguf")
    write_model(folder / "babble.gguf", shape=long)
    write_model(folder / "other.gguf", shape=long)
    write_model(folder / "short.gguf", shape=Shape(context=64))
    write_model(folder / "plain.gguf", chat_template=None)
    write_model(
        folder / "strict.gguf",
        chat_template="{{ raise_exception('no system messages, please') }}",
    )
    write_model(
        folder / "sober.gguf", shape=long, recommended={"temp": 0, "top_p": 7, "x": 1}
    )
    write_model(folder / "unknown.gguf", architecture="abacus")
    encoder.write_tiny(folder / "encoder.gguf", pooling=PoolingType.MEAN)
    encoder.write_tiny(
        folder / "ranker.gguf",
        pooling=PoolingType.RANK,
        head=encoder.head_weights(),
    )
    whole = write_model(folder / "cut.gguf").read_bytes()
    (folder / "cut.gguf").write_bytes(whole[: len(whole) // 2])
    (folder / "broken.gguf").write_bytes(b"<html>404 Not Found</html>" * 10)
    return folder


LONG_CONTEXT = "--LLMExt.context_length=30000"
TOKEN_BY_TOKEN = "--LLMExt.stream_interval=0"
"""Streams tell of each token by itself, however long it takes."""


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, models: Path
) -> Iterator[LiveServer]:
    """A real server with the models, for the tests of one file."""
    with live_server(
        tmp_path_factory.mktemp("server"), models, LONG_CONTEXT, TOKEN_BY_TOKEN
    ) as running:
        yield running
        assert "Traceback" not in running.log, running.log
