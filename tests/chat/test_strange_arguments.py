"""Arguments in earlier turns that are no plain object: clients send what they like."""

import pytest

from llm_ext.chat.families.deepseek import DeepSeek
from llm_ext.chat.families.gemma import Gemma
from llm_ext.chat.families.generic import Generic
from llm_ext.chat.families.granite import Granite
from llm_ext.chat.families.harmony import Harmony
from llm_ext.chat.families.hermes import Hermes
from llm_ext.chat.families.llama import Llama
from llm_ext.chat.families.mistral import Mistral
from llm_ext.chat.families.phi import Phi
from llm_ext.chat.families.qwen_xml import QwenXML
from llm_ext.chat.family import Family
from llm_ext.chat.format import ChatFormat
from llm_ext.chat.registry import FAMILIES, family_of
from llm_ext.chat.template import ChatTemplate
from llm_ext.core.messages import ChatMessage, ToolCall
from tests.chat.reading import LOOK, request

HINTS: dict[type[Family], str] = {
    Harmony: "<|channel|>analysis",
    Gemma: "<|tool_call>",
    Mistral: "[TOOL_CALLS]",
    DeepSeek: DeepSeek.markers[0],
    Granite: "<|tool_call|><|start_of_role|>",
    Phi: "functools[",
    QwenXML: "<tool_call><function=<parameter=",
    Hermes: '<tool_call>"name arguments',
    Llama: "<|python_tag|>",
    Generic: "",
}
"""By which the chat templates of a family are told."""

TELLS = "{% for m in messages %}{{ m.content }}\n{% endfor %}"
SHOWS = (
    "{% for m in messages %}{{ m.content }}"
    "{% for c in m.tool_calls or [] %}{{ c.function.arguments | tojson }}{% endfor %}\n"
    "{% endfor %}"
)
"""A template that leaves calls to the family, and one that shows them itself."""


def prompt(kind: type[Family], template: str, arguments: str) -> str:
    source = f"{{# {HINTS[kind]} #}}{template}"
    assert isinstance(family_of(source), kind)
    call = ToolCall(id="x", name="look", arguments=arguments)
    asked = request(
        ChatMessage(role="user", content="Look."),
        ChatMessage(role="assistant", tool_calls=(call,)),
        ChatMessage(role="tool", content="blue", tool_call_id="x"),
        tools=(LOOK,),
    )
    return ChatFormat(ChatTemplate(source, bos="", eos="")).prompt(asked).text


@pytest.mark.parametrize("template", [TELLS, SHOWS])
@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ('{"at": "a\\ud83d"}', "a"),
        ('{"at": "\\ud83d\\ude00"}', ""),
        ('{"at":' + "[" * 3000 + "]" * 3000 + "}", "[" * 64),
        ('{"at":' + "[" * 400 + "]" * 400 + "}", "[" * 64),
        ("not json", "not json"),
        ("[1]", "1"),
        ("", ""),
    ],
)
def test_any_arguments_have_a_prompt(
    kind: type[Family], template: str, arguments: str, shown: str
) -> None:
    """One that can be encoded, with what they say."""
    text = prompt(kind, template, arguments)
    assert text.encode()
    assert shown in text
    assert "blue" in text
