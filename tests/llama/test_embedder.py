"""Vectors and scores of tiny models, each by itself and recomputed with NumPy.

Rounding differs between decodes of different sizes: llama.cpp rounds to 16 bits inside
attention and GELU, and a difference in the last bit of 32 can turn that. So vectors of
different decodes are compared by their directions, and those of decodes of one size
number by number.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import given, strategies as st
from llama_cpp import llama_cpp as lib

from llm_ext.core.context_sizes import POOLED_SEQ_IDS
from llm_ext.core.pooling import Pooling
from llm_ext.engine.backend import BatchElement
from llm_ext.errors import (
    EngineError,
    InputLengthError,
    InsufficientMemoryError,
    InvalidRequestError,
    ModelLoadError,
    NotSupportedError,
)
from llm_ext.llama import embedder as embedder_module
from llm_ext.llama.batch import Batch
from llm_ext.llama.context import Context
from llm_ext.llama.embedder import Embedder, grouped
from llm_ext.llama.gguf_file import has_tensor
from llm_ext.llama.model import Model
from llm_ext.llama.pooled_context import only_encodes
from llm_ext.llama.vectors import Vector, normalised
from tests.models import builder
from tests.models.embedding_decoder import (
    qwen3_head,
    write_qwen3_reranker,
    write_two_way,
)
from tests.models.encoder import head_weights, write_t5, write_tiny
from tests.models.kinds import WRITERS
from tests.models.opened import all_opened

Zoo = dict[str, Model]
Job = tuple[list[Vector], list[int]]

CELLS = 1024
SMALL = 37
"""A micro-batch that longer inputs do not fit, and that is no multiple of anything."""

TURNED = 3e-5
"""Most that rounding turns a vector: 1 minus the cosine. Measured: 4e-6 for the row of
one token behind four layers, 3e-7 for a vector."""

EQUAL = 2e-6
"""Most that a number differs between NumPy and llama.cpp, relative to the largest.
Measured: 3e-7."""

SCORE = 3e-3
"""Most that rounding moves a score, of scores that spread over 1 and more. Measured:
1e-3."""

FORWARD = ["llama", "window", "recurrent", "hybrid"]
BOTH_WAYS = ["bert", "t5encoder", "two-way"]


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zoo]:
    """Models that read forward, models that read both ways, rerankers, and others."""
    folder = tmp_path_factory.mktemp("embedders")
    none, cls = gguf.PoolingType.NONE, gguf.PoolingType.CLS
    rank = gguf.PoolingType.RANK
    three = head_weights(classes=3)
    files: dict[str, Path] = {
        "llama": builder.write_model(folder / "llama.gguf"),
        "bert": write_tiny(folder / "bert.gguf"),
        "bert-cls": write_tiny(folder / "bert-cls.gguf", pooling=cls),
        "bert-none": write_tiny(folder / "bert-none.gguf", pooling=none),
        "t5encoder": write_t5(folder / "t5encoder.gguf", decoder=False),
        "llama-embed": builder.write_model(
            folder / "llama-embed.gguf", architecture="llama-embed"
        ),
        "t5": write_t5(folder / "t5.gguf", decoder=True),
        "two-way": write_two_way(folder / "two-way.gguf"),
        "reranker": write_tiny(folder / "reranker.gguf", head=head_weights()),
        "headless": write_tiny(folder / "headless.gguf", pooling=rank),
        "classes": write_tiny(folder / "classes.gguf", head=three, labels="abc"),
        "qwen3": write_qwen3_reranker(folder / "qwen3.gguf"),
        "qwen3-mean": write_qwen3_reranker(
            folder / "qwen3-mean.gguf", classifier_pooling=gguf.PoolingType.MEAN
        ),
    }
    for kind, write in WRITERS.items():
        files[kind] = write(folder / f"{kind}.gguf")
    with all_opened(files) as loaded:
        yield loaded


def texts(*lengths: int) -> list[list[int]]:
    """Return random tokens, the same at every call."""
    rng = np.random.default_rng(0)
    return [rng.integers(5, 60, length).tolist() for length in lengths]


def embedder(
    model: Model,
    pooling: Pooling | None = None,
    *,
    cells: int = CELLS,
    micro_batch: int = 512,
) -> Embedder:
    return Embedder(
        model, cells=cells, threads=1, pooling=pooling, micro_batch=micro_batch
    )


def computed(mine: Embedder, inputs: Sequence[Sequence[int]]) -> Job:
    """Return the results, and behind each decode how many there were."""
    results: list[Vector] = []
    told: list[int] = []
    for completed in mine.decodes(inputs):
        results += completed
        told.append(len(results))
    return results, told


def embed(
    model: Model,
    inputs: Sequence[Sequence[int]],
    pooling: Pooling | None = None,
    *,
    micro_batch: int = 512,
) -> Job:
    with closing(embedder(model, pooling, micro_batch=micro_batch)) as mine:
        return computed(mine, inputs)


def rank(
    model: Model, pairs: Sequence[Sequence[int]], *, micro_batch: int = 512
) -> tuple[list[float], int]:
    """Return the scores, and how many decodes they took."""
    results, told = embed(model, pairs, "rank", micro_batch=micro_batch)
    return [float(row[0]) for row in results], len(told)


def rows_of(model: Model, tokens: Sequence[int]) -> Vector:
    """Return the row of each token, as llama.cpp gives them where it does not pool."""
    params = lib.llama_context_default_params()
    params.n_ctx = params.n_batch = params.n_ubatch = CELLS
    params.embeddings = True
    params.pooling_type = lib.LLAMA_POOLING_TYPE_NONE
    context = lib.llama_init_from_model(model.pointer, params)
    with closing(Batch(CELLS)) as batch:
        batch.fill(
            [
                BatchElement(token, position, seq_id=0, wants_logits=True)
                for position, token in enumerate(tokens)
            ]
        )
        process = lib.llama_encode if only_encodes(model) else lib.llama_decode
        assert process(context, batch.struct) == 0
        shape = (len(tokens), lib.llama_model_n_embd_out(model.pointer))
        found = lib.llama_get_embeddings(context)
        rows: Vector = np.ctypeslib.as_array(found, shape).copy()
    lib.llama_free(context)
    return rows


def turned(first: Vector, second: Vector) -> float:
    """Return 1 minus the cosine; of matrices, that of the rows that differ most."""
    products = normalised(first).astype(float) * normalised(second)
    return float(1 - products.sum(axis=-1).min())


def off(first: Vector, second: Vector) -> float:
    """Return the largest difference, relative to the largest number."""
    return float(np.abs(first - second).max() / np.abs(second).max())


def pooled(rows: Vector, pooling: Pooling) -> Vector:
    """Pool as the word says."""
    ways: dict[Pooling, Callable[[Vector], Vector]] = {
        "mean": lambda rows: rows.mean(axis=0),
        "cls": lambda rows: rows[0],
        "last": lambda rows: rows[-1],
    }
    return ways[pooling](rows)


VECTORS: list[Pooling] = ["mean", "cls", "last"]


@pytest.mark.parametrize("pooling", VECTORS)
@pytest.mark.parametrize("name", FORWARD + BOTH_WAYS)
def test_a_vector_is_the_same_alone_and_among_others(
    zoo: Zoo, name: str, pooling: Pooling
) -> None:
    inputs = texts(1, 3, 7, 20, 40, 100, 200, 300, 513)
    together, _ = embed(zoo[name], inputs, pooling)
    for tokens, vector in zip(inputs, together, strict=True):
        (alone,), _ = embed(zoo[name], [tokens], pooling)
        assert alone.shape == vector.shape
        assert turned(alone, vector) < TURNED
    assert turned(*together[:2]) > 0.01


@pytest.mark.parametrize("pooling", VECTORS)
@pytest.mark.parametrize("name", FORWARD + BOTH_WAYS)
def test_a_pooling_is_what_it_says(zoo: Zoo, name: str, pooling: Pooling) -> None:
    """Recomputed from the rows that are not pooled."""
    inputs = texts(1, 2, 9, 30)
    for tokens in inputs:
        (vector,), _ = embed(zoo[name], [tokens], pooling)
        rows = rows_of(zoo[name], tokens)
        assert off(vector, pooled(rows, pooling)) < EQUAL


@pytest.mark.parametrize(("names", "sees"), [(FORWARD, False), (BOTH_WAYS, True)])
def test_a_model_reads_forward_or_both_ways(
    zoo: Zoo, names: list[str], *, sees: bool
) -> None:
    """The first token's row hangs on the last token, or it does not."""
    for name in names:
        (one, other), _ = embed(zoo[name], [[9, 10, 11], [9, 10, 12]], "cls")
        assert (turned(one, other) > 1e-4) is sees, name


@pytest.mark.parametrize(
    ("name", "asked", "pooling"),
    [
        ("bert", None, "mean"),
        ("t5encoder", None, "mean"),
        ("two-way", None, "mean"),
        ("llama-embed", None, "mean"),
        ("llama", None, "last"),
        ("recurrent", None, "last"),
        ("bert-cls", None, "cls"),
        ("bert-none", None, "mean"),
        ("bert-cls", "mean", "mean"),
        ("qwen3", None, "rank"),
        ("qwen3", "last", "last"),
    ],
)
def test_the_pooling_is_as_asked_or_as_the_file_says_or_as_usual(
    zoo: Zoo, name: str, asked: Pooling | None, pooling: Pooling
) -> None:
    """As usual also where the file says that there is none: a text has one vector."""
    assert embedder(zoo[name], asked).pooling == pooling


@pytest.mark.parametrize("name", ["bert", "llama"])
def test_more_inputs_than_sequence_ids_take_few_decodes(zoo: Zoo, name: str) -> None:
    inputs = texts(*[3] * (3 * POOLED_SEQ_IDS + 5))
    vectors, told = embed(zoo[name], inputs, "mean")
    assert told == [*(POOLED_SEQ_IDS * n for n in (1, 2, 3)), len(inputs)]
    (alone,), _ = embed(zoo[name], inputs[-1:], "mean")
    assert turned(alone, vectors[-1]) < TURNED


@pytest.mark.parametrize("name", ["recurrent", "hybrid"])
def test_a_model_with_a_state_computes_one_input_at_a_time(zoo: Zoo, name: str) -> None:
    """More would need a state each, and save no time."""
    assert embed(zoo[name], texts(3, 4, 5))[1] == [1, 2, 3]


@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=40),
    room=st.integers(1, 30),
    most=st.integers(1, 8),
)
def test_inputs_share_a_decode_as_far_as_they_fit(
    lengths: list[int], room: int, most: int
) -> None:
    groups: list[range] = []
    while not groups or groups[-1].stop < len(lengths):
        start = groups[-1].stop if groups else 0
        groups.append(grouped(lengths, start, room=room, most=most))
    assert [number for group in groups for number in group] == [*range(len(lengths))]
    for group, after in zip(groups, [*groups[1:], None], strict=True):
        tokens = sum(lengths[number] for number in group)
        assert len(group) <= most
        assert tokens <= room or len(group) == 1
        if after is not None:
            assert len(group) == most or tokens + lengths[after[0]] > room


@pytest.mark.parametrize("pooling", VECTORS)
@pytest.mark.parametrize("name", FORWARD)
def test_a_model_that_reads_forward_reads_a_long_input_in_parts(
    zoo: Zoo, name: str, pooling: Pooling
) -> None:
    long, short = texts(5 * SMALL + 3, 4)
    whole, _ = embed(zoo[name], [short, long, short], pooling)
    parts, told = embed(zoo[name], [short, long, short], pooling, micro_batch=SMALL)
    assert told == [1, 1, 1, 1, 1, 1, 2, 3]
    for one, other in zip(parts, whole, strict=True):
        assert one.shape == other.shape
        assert turned(one, other) < TURNED


@pytest.mark.parametrize("name", [*BOTH_WAYS, "llama-embed"])
def test_a_model_that_reads_both_ways_reads_a_long_input_at_once(
    zoo: Zoo, name: str
) -> None:
    """Also a model that looks back only, but forgets what was computed before."""
    long, short = texts(5 * SMALL + 3, 4)
    whole, _ = embed(zoo[name], [short, long, short], "mean")
    mine, told = embed(zoo[name], [short, long, short], "mean", micro_batch=SMALL)
    assert told == [1, 2, 3]
    for one, other in zip(mine, whole, strict=True):
        assert turned(one, other) < TURNED


@pytest.mark.parametrize(("cells", "limit"), [(64, 64), (4096, 1024)])
@pytest.mark.parametrize("name", ["bert", "two-way", "qwen3"])
def test_an_input_is_as_long_as_there_is_room_and_the_model_reads(
    zoo: Zoo, name: str, cells: int, limit: int
) -> None:
    """One token more would end the process: BERT has so many places and no more."""
    fits, too_long = texts(limit, limit + 1)
    with closing(embedder(zoo[name], "mean", cells=cells)) as mine:
        assert mine.limit == limit
        assert np.isfinite(computed(mine, [fits])[0]).all()
        with pytest.raises(InputLengthError) as refusal:
            mine.decodes([fits, too_long])
    message = str(refusal.value)
    assert f"Input 1 (counted from 0) has {limit + 1} tokens" in message
    assert f"at most {limit} here" in message
    assert "Shorten it" in message
    assert ("longer context" in message) is (limit < 1024)
    assert refusal.value.param == "input"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [([], "is empty"), ([5, -1], "does not know"), ([5, 10**6], "does not know")],
)
def test_an_input_that_is_none_is_refused_before_anything_is_computed(
    zoo: Zoo, wrong: list[int], why: str
) -> None:
    with (
        closing(embedder(zoo["bert"])) as mine,
        pytest.raises(InvalidRequestError, match=rf"Input 2 .*{why}"),
    ):
        mine.decodes([[5], [6], wrong])


def test_no_inputs_give_no_vectors(zoo: Zoo) -> None:
    assert embed(zoo["bert"], []) == ([], [])


@pytest.mark.parametrize("name", ["bert", "llama"])
def test_nothing_is_left_of_a_job_that_was_given_up(zoo: Zoo, name: str) -> None:
    """Between inputs, and between the parts of one."""
    inputs = texts(*[30] * 4, 100)
    with closing(embedder(zoo[name], micro_batch=40)) as mine:
        expected, _ = computed(mine, inputs)
        for most in range(5):
            assert len(list(itertools.islice(mine.decodes(inputs), most))) == most
            again, _ = computed(mine, inputs)
            assert np.array_equal(again, expected)


def test_the_context_is_made_when_it_is_needed_and_again_after_a_close(
    zoo: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = embedder(zoo["bert"])
    (first,), _ = computed(mine, [[5, 6, 7]])
    mine.close()
    mine.close()
    (second,), _ = computed(mine, [[5, 6, 7]])
    assert np.array_equal(first, second)
    mine.close()
    monkeypatch.setattr(lib, "llama_init_from_model", lambda _model, _params: None)
    with pytest.raises(ModelLoadError, match=r"context of 1024 tokens.*lack of memory"):
        mine.open()


def test_a_context_without_room_is_refused_for_that(
    zoo: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a shorter one can be tried."""
    model = zoo["bert"]

    def refuses(_model: int, _params: object) -> None:
        said = b"alloc_tensor_range: failed to allocate CPU buffer of size 9\n"
        model.log._receive(4, said, None)  # type: ignore[arg-type]  # nobody's data

    mine = embedder(model)
    monkeypatch.setattr(lib, "llama_init_from_model", refuses)
    with pytest.raises(InsufficientMemoryError, match="CPU has not enough memory"):
        mine.open()


def test_a_context_that_refuses_the_adapters_is_freed(
    zoo: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(_self: Model, _context: int) -> None:
        raise ModelLoadError("it refused")

    mine = embedder(zoo["bert"])
    freed: list[int] = []
    monkeypatch.setattr(Model, "adapt", refuses)
    with monkeypatch.context() as patch:
        patch.setattr(lib, "llama_free", freed.append)
        with pytest.raises(ModelLoadError, match="it refused"):
            mine.open()
    (pointer,) = freed
    lib.llama_free(pointer)


def test_a_failed_decode_is_told_and_the_next_one_works(
    zoo: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(embedder(zoo["llama"])) as mine:
        (expected,), _ = computed(mine, [[5, 6, 7]])
        with monkeypatch.context() as patch:
            patch.setattr(mine._context, "_process", lambda _context, _batch: -3)
            with pytest.raises(EngineError, match="code -3"):
                computed(mine, [[5, 6, 7]])
        assert np.array_equal(computed(mine, [[5, 6, 7]])[0][0], expected)


def test_a_model_that_does_not_embed_says_so(zoo: Zoo) -> None:
    with pytest.raises(NotSupportedError, match="an encoder and a decoder"):
        embedder(zoo["t5"])
    with pytest.raises(NotSupportedError, match="it does not embed"):
        embedder(zoo["qwen3"]).check_embeds()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("llama", "no head that scores"),
        ("bert", "no head that scores"),
        ("headless", "no head that scores"),
        ("classes", "sorts texts into 3 classes"),
    ],
)
def test_a_model_that_does_not_rank_says_so(
    zoo: Zoo, name: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that says it does; llama.cpp would give numbers without meaning."""

    def made(*_: object, **__: object) -> Context:
        pytest.fail("a context was made for it")

    monkeypatch.setattr(embedder_module, "Context", made)
    with pytest.raises(NotSupportedError, match=why):
        embedder(zoo[name], "rank")


def test_a_cross_encoder_scores_by_its_head(zoo: Zoo) -> None:
    """The dense layer, tanh, and the last layer, on the first token's row."""
    pairs = texts(*range(5, 45))
    rows, _ = embed(zoo["reranker"], pairs, "cls")
    head = head_weights()
    inner = np.tanh(np.stack(rows) @ head["cls.weight"].T + head["cls.bias"])
    outer = inner @ head["cls.output.weight"].T + head["cls.output.bias"]
    expected = outer[:, 0]

    scores, decodes = rank(zoo["reranker"], pairs)
    assert decodes == 2
    assert np.abs(np.array(scores) - expected).max() < EQUAL * np.abs(expected).max()
    assert np.array_equal(np.argsort(scores), np.argsort(expected))
    for pair, score in zip(pairs, scores, strict=True):
        (alone,), _ = rank(zoo["reranker"], [pair])
        assert abs(alone - score) < SCORE
    assert np.ptp(scores) > 100 * SCORE


def test_a_reranker_that_answers_scores_the_probability_of_yes(zoo: Zoo) -> None:
    """The softmax of its two outputs, on the last token's row."""
    pairs = texts(*range(5, 45))
    rows, _ = embed(zoo["qwen3"], pairs, "last")
    logits = np.stack(rows) @ qwen3_head().T
    expected = 1 / (1 + np.exp(logits[:, 1] - logits[:, 0]))

    scores, _ = rank(zoo["qwen3"], pairs)
    assert np.abs(np.array(scores) - expected).max() < EQUAL
    assert np.ptp(scores) > 100 * SCORE


def test_a_long_pair_is_read_in_parts_unless_the_score_hangs_on_all_rows(
    zoo: Zoo,
) -> None:
    pair = texts(3 * SMALL + 1)
    for name, decodes in (("qwen3", 4), ("qwen3-mean", 1), ("reranker", 1)):
        (whole,), _ = rank(zoo[name], pair)
        (score,), taken = rank(zoo[name], pair, micro_batch=SMALL)
        assert taken == decodes, name
        assert abs(score - whole) < SCORE, name


def test_a_file_that_cannot_be_read_holds_no_tensor(tmp_path: Path, zoo: Zoo) -> None:
    (tmp_path / "page.gguf").write_text("<html>")
    assert not has_tensor(tmp_path / "page.gguf", ["cls.weight"])
    assert not has_tensor(tmp_path / "nothing.gguf", ["cls.weight"])
    assert has_tensor(zoo["reranker"].path, ["none.weight", "cls.weight"])
