"""A context for which there is no memory: refused in words, or made shorter.

Each load runs in a process of its own, whose memory the system limits.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.models import encoder, wordpiece
from tests.models.builder import Shape, write_model

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux limits a process's memory like that"
)

# A cell takes 8 KiB: 32 MiB are 4,096 of them.
SHAPE = Shape(embedding=256, layers=8, heads=8, kv_heads=8, context=2**20)

_LOAD = """
import json, resource, sys
from pathlib import Path
import psutil
from llm_ext.core.load_options import LoadOptions
from llm_ext.errors import LLMError
from llm_ext.worker.build import loaded_model

path, options, room = sys.argv[1:]
limit = psutil.Process().memory_info().vms + int(room)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    options = LoadOptions(slots=1).but(json.loads(options))
    with loaded_model(Path(path), options, lambda *_: None) as loaded:
        print(json.dumps({"context_length": loaded.context_length}))
except LLMError as error:
    print(json.dumps({"code": error.code, "message": str(error)}))
"""

ROOM = 384 * 1024 * 1024


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose cache can be large."""
    folder = tmp_path_factory.mktemp("short-memory")
    return write_model(folder / "m.gguf", shape=SHAPE)


@pytest.fixture(scope="module")
def two_way(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of which only the context that makes vectors can be large."""
    shape, vocabulary = encoder.Shape(context=2**15), wordpiece.tiny()
    return encoder.write_bert(
        tmp_path_factory.mktemp("short-memory") / "bert.gguf",
        shape=shape,
        vocabulary=vocabulary,
        weights=encoder.random_weights(shape, len(vocabulary.tokens)),
    )


def load(path: Path, **options: object) -> dict[str, object]:
    """Load with 384 MiB, and return what came of it."""
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, str(path), json.dumps(options), str(ROOM)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    came: dict[str, object] = json.loads(done.stdout)
    return came


def test_what_fits_is_loaded(model: Path) -> None:
    assert load(model, context_length=4096) == {"context_length": 4096}


def test_what_does_not_fit_is_refused_in_words(model: Path) -> None:
    """A million tokens would take 8 GiB."""
    came = load(model, context_length=2**20)
    assert came["code"] == "insufficient_memory"
    assert "a context of 1048576 tokens" in str(came["message"])
    assert "CPU has not enough memory left" in str(came["message"])


def test_a_shorter_context_is_taken_where_that_was_allowed(model: Path) -> None:
    came = load(model, context_length=2**20, fit=True)
    length = came["context_length"]
    assert isinstance(length, int)
    assert 4096 <= length <= 2**20 // 8


def test_what_does_not_fit_for_vectors_is_refused_in_words(two_way: Path) -> None:
    """All tokens see all others, so they are computed at once."""
    came = load(two_way, context_length=2**15)
    assert came["code"] == "insufficient_memory"
    assert "a context of 32768 tokens" in str(came["message"])


def test_shorter_texts_are_embedded_where_that_was_allowed(two_way: Path) -> None:
    came = load(two_way, context_length=2**15, fit=True)
    length = came["context_length"]
    assert isinstance(length, int)
    assert 512 <= length <= 2**14
