"""A query and a document become one input, with the marks that a reranker expects."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_ext.llama.model import Model
from llm_ext.llama.pair import pair_tokens
from tests.models.embedding_decoder import TEMPLATE, write_qwen3_reranker
from tests.models.encoder import write_tiny
from tests.models.opened import all_opened
from tests.models.wordpiece import SPECIAL, tiny

START, SEPARATOR = SPECIAL.index("[CLS]"), SPECIAL.index("[SEP]")

Zoo = dict[str, Model]


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[Zoo]:
    """Vocabularies that differ in the marks that they put around texts."""
    folder = tmp_path_factory.mktemp("pairs")
    files = {
        "bert": write_tiny(folder / "bert.gguf"),
        "roberta": write_tiny(folder / "roberta.gguf", vocabulary=tiny(adds_sep=True)),
        "old": write_tiny(
            folder / "old.gguf",
            vocabulary=tiny(eos=False, adds_eos=False, adds_sep=True),
        ),
        "nameless": write_tiny(folder / "nameless.gguf", vocabulary=tiny(eos=False)),
        "qwen3": write_qwen3_reranker(folder / "qwen3.gguf"),
        "plain": models / "plain.gguf",
    }
    with all_opened(files) as loaded:
        yield loaded


def ids(words: str) -> list[int]:
    return [tiny().id(word) for word in words.split()]


CAT, DOG = ids("the cat"), ids("dog on mat")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bert", [START, *CAT, SEPARATOR, *DOG, SEPARATOR]),
        ("roberta", [START, *CAT, SEPARATOR, SEPARATOR, *DOG, SEPARATOR]),
        ("old", [START, *CAT, SEPARATOR, *DOG]),
        ("nameless", [START, *CAT, SEPARATOR, *DOG, SEPARATOR]),
    ],
)
def test_each_mark_is_where_the_vocabulary_adds_it(
    zoo: Zoo, name: str, expected: list[int]
) -> None:
    """The old file's pair has no end, as llama-server has it."""
    assert pair_tokens(zoo[name].vocab, "The cat", "dog on MAT") == expected


def test_a_vocabulary_without_marks_gives_the_texts_alone(zoo: Zoo) -> None:
    vocab = zoo["plain"].vocab
    expected = [*vocab.tokenize("What is"), *vocab.tokenize(" a server?")]
    assert pair_tokens(vocab, "What is", " a server?") == expected


def test_marks_in_the_texts_are_text(zoo: Zoo) -> None:
    """Else a document could end itself and begin another."""
    tokens = pair_tokens(zoo["bert"].vocab, "cat [SEP]", "[CLS] dog [SEP]")
    assert tokens.count(SEPARATOR) == 2
    assert tokens.count(START) == 1


def test_the_models_own_template_is_filled(zoo: Zoo) -> None:
    model = zoo["qwen3"]
    assert model.rerank_template == TEMPLATE
    assert zoo["bert"].rerank_template is None
    tokens = pair_tokens(model.vocab, "cat", "dog mat", template=model.rerank_template)
    assert tokens == ids("cat the dog mat on cat")


def test_texts_are_not_searched_for_each_others_place(zoo: Zoo) -> None:
    vocab = zoo["bert"].vocab
    tokens = pair_tokens(
        vocab, "{document} {query}", "{query}", template="{query} the {document}"
    )
    expected = vocab.tokenize_part("{document} {query} the {query}", special=True)
    assert tokens == expected


def test_a_template_may_have_special_tokens(zoo: Zoo) -> None:
    tokens = pair_tokens(
        zoo["bert"].vocab, "cat", "dog", template="[CLS] {query} [SEP] {document}"
    )
    assert tokens == [START, *ids("cat"), SEPARATOR, *ids("dog")]


def test_a_vocabulary_knows_its_marks(zoo: Zoo) -> None:
    bert, old, plain = (zoo[name].vocab for name in ("bert", "old", "plain"))
    assert (bert.bos_id, bert.eos_id, bert.sep_id) == (START, SEPARATOR, SEPARATOR)
    assert (bert.adds_bos, bert.adds_eos, bert.adds_sep) == (True, True, False)
    assert (old.eos_id, old.adds_eos, old.adds_sep) == (None, False, True)
    assert old.eos == ""
    assert plain.sep_id is None
    assert (plain.adds_bos, plain.adds_eos, plain.adds_sep) == (False,) * 3
