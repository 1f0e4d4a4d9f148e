"""What the catalog says of a file is what llama.cpp finds when it loads it."""

import ctypes
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from gguf import PoolingType
from llama_cpp import llama_cpp as lib

from llm_ext.catalog.facts import model_facts
from llm_ext.catalog.gguf import read
from llm_ext.catalog.scan import BUNDLED
from llm_ext.catalog.tensor_type import TENSOR_TYPES, WITHDRAWN_TYPES
from llm_ext.llama import gguf_file
from llm_ext.llama.library import Log
from llm_ext.llama.model import Model
from tests.models import encoder
from tests.models.builder import write_model
from tests.models.embedding_decoder import write_qwen3_reranker, write_two_way
from tests.models.hello import write_hello
from tests.models.kinds import WINDOW, WRITERS

MIB = 1024 * 1024
CELLS = 65_536
SEQUENCES = 256  # llama.cpp's most
BATCH = 256


def _encoder(path: Path) -> None:
    encoder.write_tiny(path, pooling=PoolingType.MEAN)


def _ranker(path: Path) -> None:
    head = encoder.head_weights()
    encoder.write_tiny(path, pooling=PoolingType.RANK, head=head)


MODELS: dict[str, Callable[[Path], object]] = {
    **{str(kind): write for kind, write in WRITERS.items()},
    "attention": write_model,
    "hello": write_hello,
    "encoder": _encoder,
    "ranker": _ranker,
    "t5 encoder": lambda path: encoder.write_t5(path, decoder=False),
    "t5": lambda path: encoder.write_t5(path, decoder=True),
    "two-way": write_two_way,
    "qwen3 ranker": write_qwen3_reranker,
    "guide": lambda path: path.symlink_to(BUNDLED / "guide.gguf"),
}


@pytest.fixture(scope="module")
def log() -> Iterator[Log]:
    """What llama.cpp says, of which there is one a process."""
    with closing(Log(lambda _text: None)) as log:
        yield log


@pytest.mark.parametrize("name", MODELS)
def test_sizes_and_kinds_are_llamas(tmp_path: Path, log: Log, name: str) -> None:
    """Counted without loading anything."""
    path = tmp_path / "m.gguf"
    MODELS[name](path)
    facts = model_facts([read(path)])
    with closing(
        Model(path, gpu_layers=0, log=log, progress=lambda _part: None)
    ) as model:
        assert facts.memory_kind == model.memory_kind
        assert facts.parameters == model.parameters
        assert facts.trained_context == model.trained_context
        assert facts.architecture == model.architecture
        assert facts.vocabulary == lib.llama_vocab_n_tokens(
            lib.llama_model_get_vocab(model.pointer)
        )
        assert facts.embedding_width == lib.llama_model_n_embd(model.pointer)
        assert facts.heads == lib.llama_model_n_head(model.pointer)
        assert len(facts.layers) == lib.llama_model_n_layer(model.pointer)
        assert facts.weights == lib.llama_model_size(model.pointer)
        assert facts.window == lib.llama_model_n_swa(model.pointer)


@pytest.mark.parametrize("name", ["attention", *WRITERS, "two-way"])
def test_memory_is_what_llama_allocates(tmp_path: Path, log: Log, name: str) -> None:
    """Cells of plain and of windowed layers, and states; as its log says."""
    path = tmp_path / "m.gguf"
    MODELS[name](path)
    layers = model_facts([read(path)]).layers
    seen: dict[str, float] = {"K": 0, "V": 0, "RS": 0}
    with closing(
        Model(path, gpu_layers=0, log=log, progress=lambda _part: None)
    ) as model:
        for what, size in _allocated(model, log):
            seen[what] += size
    window = -(-(WINDOW * SEQUENCES + BATCH) // 256) * 256
    cells = [window if layer.window else CELLS for layer in layers]
    pairs = list(zip(layers, cells, strict=True))
    expected = {
        "K": sum(2 * layer.key_width * count for layer, count in pairs) / MIB,
        "V": sum(2 * layer.value_width * count for layer, count in pairs) / MIB,
        "RS": sum(4 * layer.state * SEQUENCES for layer in layers) / MIB,
    }
    assert sum(expected.values()) > 1
    assert seen == pytest.approx(expected, abs=0.02)


def _allocated(model: Model, log: Log) -> list[tuple[str, float]]:
    lines: list[str] = []
    params = lib.llama_context_default_params()
    params.n_ctx, params.n_seq_max, params.kv_unified = CELLS, SEQUENCES, True
    params.n_batch = params.n_ubatch = BATCH
    params.swa_full = False
    params.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_ENABLED
    with log.heard_by(lines.append):
        pointer = lib.llama_init_from_model(model.pointer, params)
        assert pointer
        lib.llama_free(pointer)
    said = "\n".join(lines)
    sizes = re.findall(r"\b([KV]) \(f16\): +([\d.]+) MiB", said)
    sizes += re.findall(r"\b(RS) buffer size = +([\d.]+) MiB", said)
    return [(what, float(size)) for what, size in sizes]


def test_tensor_types_are_ggmls() -> None:
    """Names, blocks and sizes; new ones would be seen here."""
    ggml = gguf_file._ggml
    ggml.ggml_type_name.restype = ctypes.c_char_p
    ggml.ggml_type_size.restype = ctypes.c_size_t
    ggml.ggml_blck_size.restype = ctypes.c_int64
    for number in range(max(TENSOR_TYPES) + 1):
        size = ggml.ggml_type_size(number)
        if size == 0:
            assert number in WITHDRAWN_TYPES
            continue
        known = TENSOR_TYPES[number]
        assert known.name.lower() == ggml.ggml_type_name(number).decode().lower()
        assert (known.values, known.bytes) == (ggml.ggml_blck_size(number), size)
    known_types = len(TENSOR_TYPES) + len(WITHDRAWN_TYPES)
    assert known_types == lib.GGML_TYPE_COUNT
