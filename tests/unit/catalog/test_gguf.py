"""Reading the beginning of a model file, whoever made it."""

import struct
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from llm_ext.catalog import gguf
from llm_ext.catalog.facts import model_facts
from llm_ext.catalog.gguf import LongArray, read
from llm_ext.errors import ModelUnreadableError
from tests.models.builder import write_model
from tests.models.raw_gguf import (
    ARRAY,
    BOOL,
    F32,
    TENSORS,
    TEXT,
    U8,
    U32,
    RawTensor,
    Typed,
    Value,
    llama,
    raw,
    text,
    write_vocabulary,
)

HEAD = struct.pack("<4sI", b"GGUF", 3)


def head(tensors: int, pairs: int) -> bytes:
    return HEAD + struct.pack("<QQ", tensors, pairs)


def pair(key: str, *numbers: int, layout: str) -> bytes:
    return text(key) + struct.pack(f"<{layout}", *numbers)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A real model."""
    folder = tmp_path_factory.mktemp("tiny")
    return write_model(folder / "tiny.gguf").read_bytes()


def problem(tmp_path: Path, data: bytes) -> str:
    path = tmp_path / "m.gguf"
    path.write_bytes(data)
    with pytest.raises(ModelUnreadableError) as caught:
        read(path)
    return str(caught.value)


def test_all_kinds_of_values_are_read(tmp_path: Path) -> None:
    """Also in version 2, whose layout is the same."""
    values: dict[str, Value] = {
        "text": "grüß",
        "yes": Typed(BOOL, value=True),
        "half": 0.5,
        "numbers": [1, 2, 3],
        "texts": ["a", "b"],
        "none": Typed(TEXT, []),
        "long": Typed(U8, [7] * 2000),
    }
    for version in (2, 3):
        path = tmp_path / f"{version}.gguf"
        path.write_bytes(raw(values, version=version))
        header = read(path)
        long = header.metadata.pop("long")
        assert header.metadata == {
            "text": "grüß",
            "yes": True,
            "half": 0.5,
            "numbers": [1, 2, 3],
            "texts": ["a", "b"],
            "none": [],
        }
        assert isinstance(long, LongArray)
        assert len(long) == 2000
        assert [tensor.name for tensor in header.tensors] == [t.name for t in TENSORS]


def test_a_real_file_is_read_whole(tmp_path: Path, tiny: bytes) -> None:
    """Its tensors fill the file to its end."""
    path = tmp_path / "tiny.gguf"
    path.write_bytes(tiny)
    header = read(path)
    assert header.metadata["general.name"] == "Tiny"
    last = max(header.tensors, key=lambda tensor: tensor.offset)
    data = len(tiny) - last.offset - last.bytes
    assert 0 < data < len(tiny)
    assert tiny[:data].endswith(bytes(1))  # the padding before the first tensor


def test_tokens_of_a_long_vocabulary_can_be_asked_for(tmp_path: Path) -> None:
    """They are not made into strings for that."""
    path = write_vocabulary(tmp_path / "v.gguf", 3000)
    tokens = read(path).metadata["tokenizer.ggml.tokens"]
    assert isinstance(tokens, LongArray)
    assert len(tokens) == 3000
    assert tokens.has_text("token0002999")
    assert not tokens.has_text("token000299")
    assert not tokens.has_text("tok00001 en00001")  # a merge


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"<html>not a model</html>      ", "not a GGUF file"),
        (b"", "ends within its header"),
        (head(1, 1)[:10], "ends within its header"),
        (struct.pack("<4sIQQ", b"GGUF", 1, 1, 1), "version 1"),
        (struct.pack("<4sIQQ", b"GGUF", 77, 1, 1), "version 77"),
        (struct.pack(">4sIQQ", b"GGUF", 3, 1, 1), "big-endian"),
        (head(0, 1) + pair("x", 6, layout="I"), "ends within its header"),
        (head(0, 1) + pair("x", 13, 0, layout="IQ"), "unknown kind 13"),
        (head(0, 1) + pair("", 4, 0, layout="II"), "empty or there twice"),
        (head(0, 2) + pair("x", 4, 0, layout="II") * 2, "empty or there twice"),
    ],
)
def test_a_file_that_is_no_model_says_why(
    tmp_path: Path, data: bytes, why: str
) -> None:
    """In words, with the file's name."""
    said = problem(tmp_path, data)
    assert why in said
    assert said.startswith("m.gguf ")


def test_a_file_that_is_not_there_is_another_matter(tmp_path: Path) -> None:
    """The cause tells: it may be there the next time."""
    with pytest.raises(ModelUnreadableError, match="cannot be read") as caught:
        read(tmp_path / "none.gguf")
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize(
    ("tensor", "why"),
    [
        (RawTensor("t", (32,), kind=99), "type 99, which is not known"),
        (RawTensor("t", (32,), kind=33), "has given up"),
        (RawTensor("t", (33,), kind=12), "cannot be of shape"),
        (RawTensor("t", (2**40, 2**40)), "cannot be of shape"),
        (RawTensor("t", (1, 1, 1, 1, 1)), "5 dimensions"),
        (RawTensor("t" * 64), "damaged"),
        (RawTensor("t", (2**40,)), "incomplete"),
    ],
)
def test_a_tensor_that_cannot_be_says_why(
    tmp_path: Path, tensor: RawTensor, why: str
) -> None:
    """A file cut in its data is told apart from a damaged one."""
    assert why in problem(tmp_path, raw(llama(), [tensor]))


@pytest.mark.parametrize("alignment", [0, 3, 1.0, "32", Typed(BOOL, value=True)])
def test_a_senseless_alignment_is_refused(tmp_path: Path, alignment: Value) -> None:
    """The place of all data hangs on it."""
    values = {**llama(), "general.alignment": alignment}
    assert "alignment" in problem(tmp_path, raw(values))


def test_tensors_of_the_same_name_are_refused(tmp_path: Path) -> None:
    """As llama.cpp does."""
    said = problem(tmp_path, raw(llama(), [RawTensor("t"), RawTensor("t")]))
    assert "same name" in said


MANY = 2**60
BOMBS = {
    "tensors": head(MANY, 0) + bytes(99),
    "pairs": head(0, MANY) + bytes(99),
    "key": head(0, 1) + struct.pack("<Q", MANY) + bytes(99),
    "text": head(0, 1) + pair("x", TEXT, MANY, layout="IQ") + bytes(99),
    "numbers": head(0, 1) + pair("x", ARRAY, U32, MANY, layout="IIQ") + bytes(99),
    "texts": head(0, 1) + pair("x", ARRAY, TEXT, MANY, layout="IIQ") + bytes(99),
    "lengths": head(0, 1)
    + pair("x", ARRAY, TEXT, 2000, 2**64 - 1, layout="IIQQ")
    + bytes(99),
    "nested": head(0, 1) + pair("x", *(ARRAY,) * 50, layout="50I") + bytes(99),
    "empty texts": head(0, 1)
    + pair("x", ARRAY, TEXT, 5 * 1024 * 1024, layout="IIQ")
    + bytes(41 * 1024 * 1024),
    "small arrays": head(0, 3000)
    + b"".join(
        text(f"{n}") + struct.pack("<IIQ", ARRAY, U8, 1000) + bytes(1000)
        for n in range(3000)
    ),
    "long texts": head(0, 50)
    + b"".join(
        text(f"{n}") + struct.pack("<IQ", TEXT, 1_000_000) + b"\xff" * 1_000_000
        for n in range(50)
    ),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_takes_little_time_and_memory(tmp_path: Path, bomb: str) -> None:
    """Whatever sizes a header claims, or really has."""
    path = tmp_path / "m.gguf"
    path.write_bytes(BOMBS[bomb])
    began = time.thread_time()
    with pytest.raises(ModelUnreadableError):
        read(path)
    assert time.thread_time() - began < 5

    tracemalloc.start()
    with pytest.raises(ModelUnreadableError):
        read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * gguf.MAX_HEADER


def test_a_sparse_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    """A terabyte of nothing is not a long vocabulary."""
    path = tmp_path / "m.gguf"
    path.write_bytes(head(0, 1) + pair("x", ARRAY, TEXT, 2**36, layout="IIQ"))
    with path.open("r+b") as file:
        file.truncate(2**40)
    with pytest.raises(ModelUnreadableError, match="damaged"):
        read(path)


def survive(path: Path, data: bytes) -> None:
    """Read data, which may be refused but nothing else."""
    path.write_bytes(data)
    with suppress(ModelUnreadableError):
        facts = model_facts([read(path)])
        assert facts.weights >= 0
        assert len(facts.layers) <= 512


@given(st.data())
@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_changed_bits_do_no_harm(
    tmp_path: Path, tiny: bytes, data: st.DataObject
) -> None:
    """A real file with a few bytes changed is read or refused."""
    changed = bytearray(tiny)
    end = read_end(tiny)
    for at in data.draw(st.lists(st.integers(0, end), min_size=1, max_size=8)):
        changed[at] ^= data.draw(st.integers(1, 255))
    survive(tmp_path / "m.gguf", bytes(changed))


@given(st.data())
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_cut_file_is_refused(
    tmp_path: Path, tiny: bytes, data: st.DataObject
) -> None:
    """Wherever it is cut."""
    end = data.draw(st.one_of(st.integers(0, read_end(tiny)), st.integers(0, 10**6)))
    path = tmp_path / "m.gguf"
    path.write_bytes(tiny[: min(end, len(tiny) - 1)])
    with pytest.raises(ModelUnreadableError):
        read(path)


KEYS = st.sampled_from([*llama(), "general.file_type", "llama.rope.freq_base"])
VALUES = st.one_of(
    st.integers(0, 2**32 - 1),
    st.text(),
    st.floats(width=32).map(lambda number: Typed(F32, number)),
    st.lists(st.integers(0, 600), max_size=5),
    st.lists(st.text(), max_size=3),
    st.integers(0, 255).map(lambda number: Typed(U8, [number] * 1500)),
)


@given(st.dictionaries(KEYS, VALUES))
@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_values_of_any_kind_do_no_harm(
    tmp_path: Path, values: dict[str, int | str | Typed]
) -> None:
    """Metadata that are well-formed and make no sense; NaN among them."""
    survive(tmp_path / "m.gguf", raw({**llama(), **values}))


def test_names_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    """They are shown as far as they can be."""
    data = raw({**llama(), "general.name": "aXb"}).replace(b"aXb", b"a\xffb")
    path = tmp_path / "m.gguf"
    path.write_bytes(data)
    assert model_facts([read(path)]).name == "a\ufffdb"


def read_end(data: bytes) -> int:
    """Return about where the header of a tiny model ends."""
    return data.rfind(b"blk.1.ffn_down.weight") + 60
