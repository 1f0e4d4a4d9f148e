"""What a request comes to in the tokens of a real vocabulary."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llm_ext.chat.template import ChatTemplate
from llm_ext.core.messages import ChatMessage
from llm_ext.core.requests import ChatRequest
from llm_ext.core.sampling import SamplingOptions
from llm_ext.core.tools import Tool, ToolChoice
from llm_ext.errors import ChatTemplateTimeError, InvalidRequestError
from llm_ext.llama.vocab import Vocab
from llm_ext.worker.requests import Preparation
from tests.chat.reading import request as asked
from tests.models.opened import opened


def test_a_bias_by_text_is_on_the_tokens_of_the_text_alone(models: Path) -> None:
    """Not on those that the model's vocabulary puts around every input."""
    path = models / "encoder.gguf"
    with opened(path) as model:
        vocab = model.vocab
        word = next(
            text
            for token in range(vocab.size)
            if (text := vocab.piece(token).decode().strip()).isalpha()
        )
        preparation = Preparation(
            vocab,
            ChatTemplate("{{ messages[0].content }}", bos="", eos=""),
            recommended=SamplingOptions(),
            context_length=100,
        )
        request = ChatRequest(
            model="encoder",
            messages=(ChatMessage(role="user", content=word),),
            sampling=SamplingOptions(logit_bias=((word, -1.0),)),
        )
        (sequence,) = preparation.sequences(1, request)

        own = vocab.tokenize_part(word, special=False)
        assert len(vocab.tokenize(word)) == len(own) + 2
        assert sequence.params.logit_bias == tuple((token, -1.0) for token in own)


@pytest.fixture(scope="module")
def vocab(models: Path) -> Iterator[Vocab]:
    with opened(models / "babble.gguf") as model:
        yield model.vocab


def template(source: str) -> ChatTemplate:
    return ChatTemplate(source, bos="", eos="")


def prepared(vocab: Vocab, **fields: Any) -> str:  # noqa: ANN401  # any field
    """Return the prompt's text, with templates that write their own names."""
    preparation = Preparation(
        vocab,
        template("plain"),
        recommended=SamplingOptions(),
        context_length=100,
        named={"tool_use": template("tools"), "rag": template("documents")},
    )
    (sequence,) = preparation.sequences(1, asked(**fields))
    tokens = (token for token in sequence.prompt if isinstance(token, int))
    return b"".join(map(vocab.piece, tokens)).decode()


def test_the_template_for_tools_is_used_where_tools_may_be_called(
    vocab: Vocab,
) -> None:
    """Others where they are named."""
    tools = (Tool(name="look"),)
    none = ToolChoice(mode="none")
    assert prepared(vocab) == "plain"
    assert prepared(vocab, tools=tools) == "tools"
    assert prepared(vocab, tools=tools, tool_choice=none) == "plain"
    assert prepared(vocab, tools=tools, template_name="default") == "plain"
    assert prepared(vocab, template_name="rag") == "documents"
    with pytest.raises(InvalidRequestError, match="default, tool_use, rag"):
        prepared(vocab, template_name="poem")


def test_a_template_that_takes_too_long_is_told_of_while_it_runs(
    vocab: Vocab,
) -> None:
    """From another thread: the one that renders could not."""
    told = threading.Event()
    errors: list[ChatTemplateTimeError] = []

    def overrun(error: ChatTemplateTimeError) -> None:
        errors.append(error)
        told.set()

    class Slow(ChatTemplate):
        """Is not done before somebody noticed."""

        def render(self, *_turns: object, **_variables: object) -> str:
            assert told.wait(timeout=20)
            return "x"

    preparation = Preparation(
        vocab,
        Slow("x", bos="", eos=""),
        recommended=SamplingOptions(),
        context_length=100,
        render_limit=0.01,
    )
    preparation.sequences(1, asked(), overrun)
    assert [error.code for error in errors] == ["chat_template_timeout"]


def test_a_template_that_is_quick_is_not_told_of(vocab: Vocab) -> None:
    """The timer is gone when the prompt is there."""
    preparation = Preparation(
        vocab,
        template("x"),
        recommended=SamplingOptions(),
        context_length=100,
        render_limit=1000,
    )
    before = threading.active_count()
    errors: list[ChatTemplateTimeError] = []
    (sequence,) = preparation.sequences(1, asked(), errors.append)
    assert sequence.prompt
    timers = [t for t in threading.enumerate() if isinstance(t, threading.Timer)]
    for timer in timers:
        timer.join(timeout=20)
    assert threading.active_count() <= before
    assert not errors
