"""Which chat template a model is asked with: its own, another, or one of several."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llm_ext.core.load_options import LoadOptions
from llm_ext.errors import InvalidRequestError
from llm_ext.llama.chat_templates import chat_template
from llm_ext.llama.model import Model
from tests.models.builder import write_model
from tests.models.opened import opened

OWN = "own {{ messages[0].content }}"
OTHER = "other {{ messages[0].content }}"


@contextmanager
def loaded(path: Path) -> Iterator[Model]:
    with opened(path) as model:
        yield model


def test_named_templates_are_read(tmp_path: Path) -> None:
    """The default one is not among them."""
    templates = [
        {"name": "default", "template": OWN},
        {"name": "tool_use", "template": OTHER},
    ]
    path = write_model(tmp_path / "m.gguf", chat_template=templates)
    with loaded(path) as model:
        assert model.chat_template == OWN
        assert model.named_templates == {"tool_use": OTHER}


def test_the_chosen_one_comes_before_the_models_own(tmp_path: Path) -> None:
    """And the fallback only where there is none."""
    file = tmp_path / "other.jinja"
    file.write_text(OTHER)
    with loaded(write_model(tmp_path / "own.gguf", chat_template=OWN)) as model:
        assert model.named_templates == {}
        assert chat_template(model, LoadOptions()) == OWN
        fallback = LoadOptions(fallback_chat_template=OTHER)
        assert chat_template(model, fallback) == OWN
        chosen = LoadOptions(chat_template=str(file), fallback_chat_template="{{ x }}")
        assert chat_template(model, chosen) == OTHER
    with loaded(write_model(tmp_path / "none.gguf", chat_template=None)) as model:
        assert chat_template(model, LoadOptions()) is None
        assert chat_template(model, fallback) == OTHER


@pytest.mark.parametrize("path", ["missing.jinja", "~nosuchuser/x.jinja", "a\0b", "."])
def test_a_file_that_is_not_there_is_an_error_in_words(
    tmp_path: Path, path: str
) -> None:
    """It names the file."""
    missing = LoadOptions(chat_template=path)
    with (
        loaded(write_model(tmp_path / "m.gguf")) as model,
        pytest.raises(InvalidRequestError) as caught,
    ):
        chat_template(model, missing)
    assert repr(path) in str(caught.value)
    assert caught.value.param == "options"
