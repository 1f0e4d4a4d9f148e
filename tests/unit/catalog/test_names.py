"""What models answer to, and that nothing is guessed."""

from datetime import datetime, timezone
from pathlib import Path

import pytest

from llm_ext.catalog.entry import ModelEntry
from llm_ext.catalog.ids import Ids, long_id
from llm_ext.catalog.names import Names
from llm_ext.core.model_facts import ModelFacts
from llm_ext.errors import (
    AmbiguousModelError,
    InvalidRequestError,
    ModelNotFoundError,
)

REPO = "hf:Qwen/Qwen3-4B-GGUF"


def entry(
    own_id: str, path: str, *aliases: str, name: str = "", quant: str = "F16"
) -> ModelEntry:
    return ModelEntry(
        id=own_id,
        name=name or Path(path).stem,
        path=Path(path),
        size=1,
        modified=datetime.now(timezone.utc),
        aliases=aliases,
        facts=ModelFacts(
            architecture="llama",
            parameters=1,
            quantization=quant,
            trained_context=1,
            embedding_width=1,
            vocabulary=1,
            memory_kind="attention",
        ),
    )


MODELS = (
    entry("my-model-q4-0", "/m/My.Model-Q4_0.gguf"),
    entry("twin", "/m/a/twin.gguf"),
    entry("twin-123456", "/m/b/twin.gguf"),
    entry(
        "llama3-2-3b",
        "/o/sha256-ab",
        "llama3.2:3b",
        "llama3.2:latest",
        "llama3.2",
        name="llama3.2:3b",
    ),
    entry("qwen3-4b-q4-k-m", "/q/Qwen3-4B-Q4_K_M.gguf", f"{REPO}:Qwen3-4B-Q4_K_M.gguf"),
    entry("qwen3-4b-q8-0", "/q/s/Qwen3-4B-Q8_0.gguf", f"{REPO}:s/Qwen3-4B-Q8_0.gguf"),
    entry("old", "/q/old.gguf", f"{REPO}@v1:old.gguf"),
    entry("plain", "/q/plain.gguf", "hf:Org/Plain:plain.gguf", quant="Q5_K_M"),
    entry("smollm2", "/s/smollm2.gguf"),
)
ALIASES = {
    "gpt-4o-mini": "My.Model-Q4_0.gguf",
    "big": f"{REPO}:Q8_0",
    "twin": "plain",
    "both": "TWIN.gguf",
    "loop": "loop",
    "gone": "nowhere",
}
NAMES = Names(MODELS, ALIASES)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("my-model-q4-0", "my-model-q4-0"),
        ("My.Model-Q4_0", "my-model-q4-0"),
        ("My.Model-Q4_0.gguf", "my-model-q4-0"),
        (" MY MODEL q4_0 ", "my-model-q4-0"),
        ("twin", "twin"),
        ("twin-123456", "twin-123456"),
        (long_id("twin", "/m/a/twin.gguf"), "twin"),
        ("llama3.2:3b", "llama3-2-3b"),
        ("llama3.2", "llama3-2-3b"),
        ("llama3.2:latest", "llama3-2-3b"),
        ("gpt-4o-mini", "my-model-q4-0"),
        ("GPT-4o-mini", "my-model-q4-0"),
        ("big", "qwen3-4b-q8-0"),
        (f"{REPO}:q4_k_m", "qwen3-4b-q4-k-m"),
        (f"{REPO.lower()}:Q8_0", "qwen3-4b-q8-0"),
        (f"{REPO}:Qwen3-4B-Q8_0.gguf", "qwen3-4b-q8-0"),
        (f"{REPO}:s/Qwen3-4B-Q8_0.gguf", "qwen3-4b-q8-0"),
        (f"{REPO}@v1", "old"),
        ("hf.co/Qwen/Qwen3-4B-GGUF:Q4_K_M", "qwen3-4b-q4-k-m"),
        (
            "https://huggingface.co/Qwen/Qwen3-4B-GGUF/blob/main/Qwen3-4B-Q4_K_M.gguf",
            "qwen3-4b-q4-k-m",
        ),
        ("qwen3:4b", "qwen3-4b-q4-k-m"),
        ("hf:org/plain", "plain"),
        ("hf:org/plain:Q5_K_M", "plain"),
        ("smollm2", "smollm2"),
    ],
)
def test_a_model_is_found_by_all_its_names(name: str, expected: str) -> None:
    assert NAMES.find(name).id == expected


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("Twin.gguf", ["twin", "twin-123456"]),
        ("both", ["twin", "twin-123456"]),
        (REPO, ["qwen3-4b-q4-k-m", "qwen3-4b-q8-0"]),
    ],
)
def test_what_several_models_answer_to_is_refused(name: str, ids: list[str]) -> None:
    """With their ids."""
    with pytest.raises(AmbiguousModelError) as caught:
        NAMES.find(name)
    assert all(repr(one) in str(caught.value) for one in ids)
    assert caught.value.param == "model"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("my-model", "my-model-q4-0"),
        ("gpt-4o", "gpt-4o-mini"),
        ("twim", "twin"),
        ("loop", ""),
        ("gone", ""),
        ("", ""),
        ("???", ""),
        (f"{REPO}:Q2_K", ""),
        (f"{REPO}@v2", ""),
        ("hf:Org/Plain:other.gguf", ""),
        ("qwen3:8b", ""),
        ("llama3.2:1b", "llama3-2-3b"),
        ("sha256-ab", ""),
    ],
)
def test_another_model_is_never_taken(name: str, near: str) -> None:
    """The error says the name that was asked for, and what it may have been."""
    with pytest.raises(ModelNotFoundError) as caught:
        NAMES.find(name)
    assert repr(name) in str(caught.value)
    assert near in str(caught.value)


def test_a_reference_that_cannot_be_is_the_callers_mistake() -> None:
    with pytest.raises(InvalidRequestError):
        NAMES.find("hf:no-owner")


def test_ids_are_given_once() -> None:
    """Also where a file is called as another's longer form."""
    long = long_id("m", "/b/m.gguf")
    ids = Ids()
    a, b, c = ("m", "/a/m.gguf"), ("m", "/b/m.gguf"), (long, "/c")
    first = ids.give([a, c, b])
    assert first == {a: "m", c: long, b: f"{long}-2"}
    again = ids.give([b, a, c])
    assert again == first
    assert Ids().give([b]) == {b: "m"}
