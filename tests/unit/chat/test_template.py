"""Chat templates: what models in the field write, and what a hostile one tries."""

import pytest

from llm_ext.chat.template import ChatTemplate
from llm_ext.core.messages import ChatMessage
from llm_ext.errors import ChatTemplateError
from tests.models.tokenizer import CHAT_TEMPLATE

QUESTION = (ChatMessage(role="user", content="Hi <b>"),)


def render(source: str | None) -> str:
    return ChatTemplate(source, bos="<s>", eos="</s>").render(QUESTION)


def test_the_prompt_is_open_for_the_answer() -> None:
    assert render(CHAT_TEMPLATE) == (
        "<|im_start|>user\nHi <b><|im_end|>\n<|im_start|>assistant\n"
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ bos_token }}{{ eos_token }}", "<s></s>"),
        ("{{ messages | tojson }}", '[{"role": "user", "content": "Hi <b>"}]'),
        ("{% for m in messages %}{% break %}{% endfor %}x", "x"),
        ("{{ strftime_now('%%') }}", "%"),
        ("  {% if true %}\n  y\n  {% endif %}", "  y\n"),
        ("{{ tools is defined }}", "False"),
    ],
)
def test_what_templates_in_the_field_use_works(source: str, expected: str) -> None:
    assert render(source) == expected


def test_a_refusal_is_told_in_the_templates_words() -> None:
    with pytest.raises(ChatTemplateError, match="roles must alternate"):
        render("{{ raise_exception('roles must alternate') }}")


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ messages.append(1) }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ 1 / 0 }}",
    ],
)
def test_a_hostile_or_faulty_template_is_an_error_and_no_more(source: str) -> None:
    with pytest.raises(ChatTemplateError):
        render(source)


def test_a_missing_template_says_what_to_do() -> None:
    with pytest.raises(ChatTemplateError, match="'chat' or 'instruct'"):
        render(None)


def test_a_broken_template_fails_when_it_is_used() -> None:
    """The model itself can still be loaded."""
    template = ChatTemplate("{% if %}", bos="", eos="")
    with pytest.raises(ChatTemplateError, match="broken"):
        template.render(QUESTION)
