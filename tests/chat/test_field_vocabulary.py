"""Markers in a real vocabulary: tokens of their own, seen and demanded as such."""

import ctypes
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from llama_cpp import llama_cpp as lib

from llm_ext.chat.format import ChatFormat
from llm_ext.chat.template import ChatTemplate
from llm_ext.core.tools import ToolChoice
from llm_ext.llama.constraint import Compiler, Matcher
from llm_ext.llama.library import Log
from llm_ext.llama.vocab import Vocab
from tests.chat.reading import LOOK, request

pytestmark = [pytest.mark.downloads, pytest.mark.timeout(600)]

CALL = '<|tool_call>call:look{at:<|"|>the sky<|"|>,times:2}<tool_call|>'


@pytest.fixture(scope="module")
def gemma(field: Path) -> Iterator[Vocab]:
    """Gemma 4's vocabulary, of 262,144 tokens."""
    with closing(Log(lambda _text: None)):
        params = lib.llama_model_default_params()
        params.vocab_only = True
        path = str(field / "ggml-vocab-gemma-4.gguf").encode()
        pointer = lib.llama_model_load_from_file(path, params)
        assert pointer
        yield Vocab(lib.llama_model_get_vocab(pointer))
        lib.llama_model_free(ctypes.c_void_p(pointer))


@pytest.fixture(scope="module")
def chat(field: Path) -> ChatFormat:
    source = (field / "google-gemma-4-31B-it.jinja").read_text()
    return ChatFormat(ChatTemplate(source, bos="<bos>", eos="<eos>"))


def special(vocab: Vocab, chat: ChatFormat) -> dict[str, int]:
    found = {marker: vocab.marker(marker) for marker in chat.markers}
    return {marker: token for marker, token in found.items() if token is not None}


def test_markers_are_found_as_tokens(gemma: Vocab, chat: ChatFormat) -> None:
    """Those that the vocabulary has; a text of several tokens is none."""
    found = special(gemma, chat)
    own = {"<|tool_call>", "<tool_call|>", '<|"|>', "<|channel>", "<channel|>"}
    assert set(found) == own
    assert gemma.marker("<|channel>thought") is None
    assert gemma.marker("look") is None


def test_their_text_is_rendered_where_it_is_asked_for(gemma: Vocab) -> None:
    tokens = gemma.tokenize_part("<turn|>" + CALL, special=True)
    shown = b"".join(gemma.piece(token, special=True) for token in tokens)
    assert shown.decode() == "<turn|>" + CALL
    assert gemma.piece(tokens[0]) == b""


def demanded(vocab: Vocab, chat: ChatFormat, *, thinking: bool) -> Matcher:
    """Return the way through the grammar of a call that is demanded."""
    asked = request(
        tools=(LOOK,),
        tool_choice=ToolChoice(mode="required"),
        template_options={"enable_thinking": thinking},
    )
    constraint = chat.constraint(asked, chat.prompt(asked), special(vocab, chat))
    assert constraint is not None
    return Compiler(vocab).compile(constraint)


def test_a_call_is_demanded_in_the_models_own_tokens(
    gemma: Vocab, chat: ChatFormat
) -> None:
    """The grammar takes the tokens that the model was trained on."""
    matcher = demanded(gemma, chat, thinking=False)
    pending: list[int] = []
    for token in gemma.tokenize_part(CALL, special=True):
        if pending:
            assert pending.pop(0) == token
        else:
            pending = matcher.accept(token)
    assert not pending


@pytest.mark.parametrize(
    ("thinking", "expected"),
    [(False, {"<|tool_call>"}), (True, {"<|tool_call>", "<|channel>"})],
)
def test_it_begins_with_a_marker_or_a_thought_and_nothing_else(
    gemma: Vocab,
    chat: ChatFormat,
    thinking: bool,  # noqa: FBT001  # a parameter
    expected: set[str],
) -> None:
    """Not with the letters of the marker."""
    logits = np.zeros(gemma.size, dtype=np.float32)
    demanded(gemma, chat, thinking=thinking).mask(logits)
    allowed = [int(token) for token in np.flatnonzero(np.isfinite(logits))]
    assert {gemma.piece(token, special=True).decode() for token in allowed} == expected
