"""What models of each family write, by hand after their documented formats."""

import json

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
from llm_ext.chat.registry import FAMILIES
from llm_ext.core.messages import ToolCall
from llm_ext.core.tools import Tool
from tests.chat.reading import LISTEN, LOOK, read

SKY = ("look", '{"at": "the sky"}')
NOTHING = ("listen", "{}")
BAR = "\N{FULLWIDTH VERTICAL LINE}"


def deepseek(text: str) -> str:
    """Write DeepSeek's tokens, whose bars and spaces are special characters."""
    for words in ("calls begin", "calls end", "call begin", "call end", "sep"):
        token = f"tool {words}".replace(" ", "\N{LOWER ONE EIGHTH BLOCK}")
        text = text.replace(f"<{words}>", f"<{BAR}{token}{BAR}>")
    return text


ANSWERS: list[tuple[Family, str, str, list[tuple[str, str]]]] = [
    (
        Hermes(""),
        '<tool_call>\n{"name": "look", "arguments": {"at": "the sky"}}\n</tool_call>',
        "",
        [SKY],
    ),
    (
        Hermes(""),
        (
            'I look.\n\n<tool_call>\n{"name": "look", "arguments": {"at": "the sky"}}\n'
            '</tool_call>\n<tool_call>\n{"name": "listen", "arguments": {}}\n'
            "</tool_call>\n"
        ),
        "I look.",
        [SKY, NOTHING],
    ),
    # Keys the other way round, no arguments at all, arguments as a text.
    (
        Hermes(""),
        '<tool_call>{"arguments": {"at": "the sky"}, "name": "look"}</tool_call>',
        "",
        [SKY],
    ),
    (Hermes(""), '<tool_call>{"name": "listen"}</tool_call>', "", [NOTHING]),
    (
        Hermes(""),
        '<tool_call>{"name": "look", "arguments": "{\\"at\\": \\"the sky\\"}"}',
        "",
        [SKY],
    ),
    # A line break inside a string, which is no JSON.
    (
        Hermes(""),
        '<tool_call>{"name": "look", "arguments": {"at": "a\nb"}}</tool_call>',
        "",
        [("look", '{"at": "a\\nb"}')],
    ),
    (
        QwenXML(""),
        (
            "<tool_call>\n<function=look>\n<parameter=at>\nthe sky\n</parameter>\n"
            "<parameter=times>\n2\n</parameter>\n</function>\n</tool_call>"
        ),
        "",
        [("look", '{"at": "the sky", "times": 2}')],
    ),
    (
        QwenXML(""),
        (
            'Well.\n<function=look>\n<parameter=at>\nif a < b:\n    "x"\n\n'
            "</parameter>\n</function>"
        ),
        "Well.",
        [("look", '{"at": "if a < b:\\n    \\"x\\"\\n"}')],
    ),
    (
        QwenXML(""),
        '<tool_call>\n{"name": "look", "arguments": {"at": "the sky"}}\n</tool_call>',
        "",
        [SKY],
    ),
    (Llama(""), '{"name": "look", "parameters": {"at": "the sky"}}', "", [SKY]),
    (
        Llama(""),
        (
            '<|python_tag|>{"type": "function", "name": "look", "parameters": '
            '{"at": "the sky"}}; {"name": "listen", "parameters": {}}'
        ),
        "",
        [SKY, NOTHING],
    ),
    (Llama(""), '<|python_tag|>look.call(at="the sky")', "", [SKY]),
    (Llama(""), '[look(at="the sky",)]', "", [SKY]),
    (Llama(""), '[look(at="the sky" , ), listen()]', "", [SKY, NOTHING]),
    (
        Llama(""),
        '[look(at={"a": true, "b": [null]})]',
        "",
        [("look", '{"at": {"a": true, "b": [null]}}')],
    ),
    (
        Llama(""),
        "[look(at='the sky', times=2), listen()]",
        "",
        [("look", '{"at": "the sky", "times": 2}'), NOTHING],
    ),
    (
        Llama(""),
        '[look("it\'s, (that)", how=None)]',
        "",
        [("look", '{"at": "it\'s, (that)", "how": null}')],
    ),
    (
        Mistral(""),
        (
            '[TOOL_CALLS][{"name": "look", "arguments": {"at": "the sky"}, '
            '"id": "a1b2c3d4e"}'
            ', {"name": "listen", "arguments": {}}]'
        ),
        "",
        [SKY, NOTHING],
    ),
    (
        Mistral("[ARGS]"),
        'I look.[TOOL_CALLS]look[ARGS]{"at": "the sky"}[TOOL_CALLS]listen[ARGS]{}',
        "I look.",
        [SKY, NOTHING],
    ),
    (
        Mistral("[ARGS][CALL_ID]"),
        '[TOOL_CALLS]look[CALL_ID]a1b2c3d4e[ARGS]{"at": "the sky"}',
        "",
        [SKY],
    ),
    (Mistral("[ARGS]"), '[TOOL_CALLS]look{"at": "the sky"}', "", [SKY]),
    (
        DeepSeek("```json"),
        deepseek(
            '<calls begin><call begin>function<sep>look\n```json\n{"at": "the sky"}\n'
            "```<call end>\n<call begin>function<sep>listen\n```json\n{}\n```<call end>"
            "<calls end>"
        ),
        "",
        [SKY, NOTHING],
    ),
    (
        DeepSeek(""),
        deepseek(
            'I look.\n\n<calls begin><call begin>look<sep>{"at": "the sky"}<call end>'
            "<call begin>listen<sep>{}<call end><calls end>"
        ),
        "I look.",
        [SKY, NOTHING],
    ),
    (
        Gemma("<|tool_call>"),
        (
            '<|tool_call>call:look{at:<|"|>the sky<|"|>,times:2}<tool_call|>'
            "<|tool_call>call:listen{}<tool_call|>"
        ),
        "",
        [("look", '{"at": "the sky", "times": 2}'), NOTHING],
    ),
    (
        Gemma("<|tool_call>"),
        '<|tool_call>call:look{at:{a:[<|"|>x, "y"<|"|>,true,-1.5e3],b:null}}',
        "",
        [("look", '{"at": {"a": ["x, \\"y\\"", true, -1.5e3], "b": null}}')],
    ),
    (
        Gemma(""),
        "<start_function_call>call:look{at:<escape>the sky<escape>}<end_function_call>",
        "",
        [SKY],
    ),
    (
        Phi(""),
        '<|tool_call|>[{"name": "look", "arguments": {"at": "the sky"}}]<|/tool_call|>',
        "",
        [SKY],
    ),
    (
        Phi(""),
        (
            'functools[{"name": "look", "arguments": {"at": "the sky"}}, '
            '{"name": "listen", "arguments": {}}]'
        ),
        "",
        [SKY, NOTHING],
    ),
    (
        Granite(""),
        (
            '<|tool_call|>[{"name": "look", "arguments": {"at": "the sky"}}, '
            '{"name": "listen", "arguments": {}}]'
        ),
        "",
        [SKY, NOTHING],
    ),
    (
        Granite(""),
        '<tool_call>[{"name": "look", "arguments": {"at": "the sky"}}]',
        "",
        [SKY],
    ),
    (Generic(""), '{"name": "look", "arguments": {"at": "the sky"}}', "", [SKY]),
    (
        Generic(""),
        'I call:\n```json\n{"name": "look", "arguments": {"at": "the sky"}}\n```\n.',
        "I call:\n.",
        [SKY],
    ),
    (
        Generic(""),
        (
            '[{"function": {"name": "look", "arguments": {"at": "the sky"}}, '
            '"type": "function"}]'
        ),
        "",
        [SKY],
    ),
    (
        Harmony(""),
        (
            "<|channel|>commentary to=functions.look <|constrain|>json<|message|>"
            '{"at": "the sky"}'
        ),
        "",
        [SKY],
    ),
    (
        Harmony(""),
        (
            "<|channel|>commentary<|message|>I look.<|end|><|start|>assistant to="
            "functions.look<|channel|>commentary json<|message|>"
            '{"at": "the sky"}<|call|>'
        ),
        "I look.",
        [SKY],
    ),
    (
        Harmony(""),
        " to=functions.listen<|channel|>commentary<|message|>{}",
        "",
        [NOTHING],
    ),
]


@pytest.mark.parametrize(("family", "written", "content", "calls"), ANSWERS)
def test_calls_are_read(
    family: Family, written: str, content: str, calls: list[tuple[str, str]]
) -> None:
    """Whole, and character by character."""
    for pieces in ([written], list(written)):
        found = read(family, pieces)
        assert (found.content, found.calls) == (content, calls)
        assert found.reason == "tool_calls"


BROKEN: list[tuple[Family, str]] = [
    (Hermes(""), '<tool_call>\n{"name": "fly", "arguments": {}}\n</tool_call>'),
    (
        Hermes(""),
        '<tool_call>\n{"name": "look", "arguments": {"at": oops}}\n</tool_call>',
    ),
    (Hermes(""), 'So: <tool_call>\n{"name": "look", "arguments": {"at": "the s'),
    (Hermes(""), f'<tool_call>{{"name": "look", "arguments": {{"at": {"[" * 999}'),
    (Gemma("<|tool_call>"), f"<|tool_call>call:look{{at:{'[' * 999}"),
    (Llama(""), f"[look(at={'[' * 999}{']' * 999})]"),
    (Hermes(""), "Write <tool_call> around it, and </tool_call> after it."),
    (Hermes(""), '<tool_call>{"name": "look", "arguments": [1]}</tool_call>'),
    (QwenXML(""), "<tool_call>\n<function=fly>\n</function>\n</tool_call>"),
    (QwenXML(""), "<tool_call>\n<function=look>\n<parameter=at>\nthe sky"),
    (Llama(""), '{"name": "Ada", "born": 1815}'),
    (Llama(""), '{"at": "the sky"}'),
    (Llama(""), "[look(at=open('x'))]"),
    (Llama(""), "[1, 2, 3]"),
    (Llama(""), "<|python_tag|>print(1)"),
    (Llama(""), 'A brace {"name": "look", "parameters": {"at": "x"}} in a line.'),
    (Mistral(""), '[TOOL_CALLS][{"name": "fly", "arguments": {}}]'),
    (Mistral("[ARGS]"), '[TOOL_CALLS]look[ARGS]{"at": '),
    (DeepSeek(""), deepseek('<calls begin><call begin>look<sep>{"at": 1<call end>')),
    (Gemma("<|tool_call>"), '<|tool_call>call:look{at:<|"|>the sky'),
    (Gemma("<|tool_call>"), "<|tool_call>call:look(at)<tool_call|>"),
    (Phi(""), "import functools\nfunctools.partial(look)"),
    (Granite(""), '<|tool_call|>[{"name": "fly"}]'),
    (Generic(""), '```json\n{"name": "Ada"}\n```'),
    (Generic(""), '{"name": "look", "arguments": {"at": "x"'),
    (Harmony(""), '<|channel|>commentary to=functions.fly<|message|>{"a": 1}'),
    (Harmony(""), '<|channel|>commentary to=functions.look<|message|>{"at": '),
    (Harmony(""), "<|channel|>no message"),
]


@pytest.mark.parametrize(("family", "written"), BROKEN)
def test_what_is_no_valid_call_is_content(family: Family, written: str) -> None:
    """To the letter."""
    for pieces in ([written], list(written)):
        assert read(family, pieces) == (written, [], "stop", "")


def test_a_valid_call_stays_when_the_next_is_broken() -> None:
    """The rest is content."""
    written = (
        '[TOOL_CALLS][{"name": "look", "arguments": {"at": "the sky"}}, {"name": 1}]'
    )
    found = read(Mistral(""), [written])
    assert found.calls == [SKY]
    assert found.content == ', {"name": 1}]'
    assert found.reason == "tool_calls"


@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize("hint", ["", "[ARGS][CALL_ID]", "```json", "<|tool_call>"])
def test_what_a_family_writes_it_reads(kind: type[Family], hint: str) -> None:
    """Two calls, the first with what is hard to write."""
    hard = {"at": 'a "quote", <tags>\n{braces} [x] \\ é 日本', "times": -3}
    calls = [
        ToolCall(id="x", name="look", arguments=json.dumps(hard, ensure_ascii=False)),
        ToolCall(id="y", name="look", arguments='{"at": "b"}'),
    ]
    family = kind(hint)
    found = read(family, [family.write(calls)])
    assert [name for name, _ in found.calls] == ["look", "look"]
    assert [json.loads(arguments) for _, arguments in found.calls] == [
        hard,
        {"at": "b"},
    ]
    assert found.content == ""


@pytest.mark.parametrize("kind", FAMILIES)
def test_one_call_where_only_one_is_wanted(kind: type[Family]) -> None:
    family = kind("")
    call = ToolCall(id="x", name="look", arguments='{"at": "b"}')
    found = read(family, [family.write([call, call])], many=False)
    assert found.calls == [("look", '{"at": "b"}')]


def test_arguments_stream_as_they_form() -> None:
    """Each character is passed on at once, and the name before any of them."""
    from llm_ext.chat.reader import AnswerReader  # noqa: PLC0415  # for this test alone
    from llm_ext.core.events import (  # noqa: PLC0415  # likewise
        ToolCallDelta,
        ToolCallStarted,
    )

    reader = AnswerReader(Hermes(""), tools=(LOOK, LISTEN))
    head = '<tool_call>\n{"name": "look", "arguments": '
    (started,) = reader.feed(head + "{")[:1]
    assert isinstance(started, ToolCallStarted)
    for character in '"at": "the sky"}':
        assert reader.feed(character) == [ToolCallDelta(index=0, arguments=character)]


def test_python_arguments_without_a_name_go_by_their_place() -> None:
    tool = Tool(
        name="add",
        parameters={"type": "object", "properties": {"a": {}, "b": {}, "c": {}}},
    )
    found = read(Llama(""), ["[add(1, c=[True, {'x': 2.5}], b=(3,))]"], tools=(tool,))
    assert found.calls == [("add", '{"a": 1, "c": [true, {"x": 2.5}], "b": [3]}')]
    assert read(Llama(""), ["[add(1, 2, 3, 4)]"], tools=(tool,)).calls == []


HALF, SECOND_HALF, PAIR = r"\ud83d", r"\ude00", r"\ud83d\ude00"
DEEP = "[" * 5000 + "]" * 5000


def as_text(arguments: str) -> str:
    """Return a call whose arguments are a text that holds an object."""
    return f'<tool_call>{{"name": "look", "arguments": {json.dumps(arguments)}}}'


def as_object(arguments: str) -> str:
    """Return a call whose arguments are an object."""
    return f'<tool_call>{{"name": "look", "arguments": {arguments}}}'


STRANGE: list[tuple[Family, str, list[tuple[str, str]]]] = [
    (
        Hermes(""),
        f'<tool_call>{{"name": "listen", "arguments": "{{\\"a{HALF}\\": 1}}"}}',
        [("listen", '{"a\ufffd": 1}')],
    ),
    (Hermes(""), as_text(f'{{"at": "{HALF}"}}'), [("look", '{"at": "\ufffd"}')]),
    (
        Hermes(""),
        as_object(rf'{{"at": "a{HALF}b{HALF}\n{HALF}{PAIR}{SECOND_HALF}"}}'),
        [("look", rf'{{"at": "a\ufffdb\ufffd\n\ufffd{PAIR}\ufffd"}}')],
    ),
    (Hermes(""), as_text(f'{{"at": {DEEP}}}'), []),
    (Hermes(""), as_text(f'{{"at": {"[" * 100}{"]" * 100}}}'), []),
    (Llama(""), f'[look(at="{PAIR}")]', [("look", '{"at": "\U0001f600"}')]),
    (Llama(""), f'[look(at="a{HALF}")]', [("look", '{"at": "a\ufffd"}')]),
    (
        QwenXML(""),
        f'<function=look>\n<parameter=times>\n["{HALF}"]\n</parameter>\n</function>',
        [("look", '{"times": ["\ufffd"]}')],
    ),
    (
        QwenXML(""),
        f"<function=look>\n<parameter=times>\n['{PAIR}']\n</parameter>\n</function>",
        [("look", '{"times": ["\U0001f600"]}')],
    ),
    (
        QwenXML(""),
        f"<function=look>\n<parameter=times>\n{DEEP}\n</parameter>\n</function>",
        [("look", f'{{"times": "{DEEP}"}}')],
    ),
    (
        Gemma(""),
        f'<|tool_call>call:look{{"at{HALF}":"{HALF}"}}<tool_call|>',
        [("look", '{"at\ufffd": "\ufffd"}')],
    ),
]
"""What a model can write and nothing can send: halves of characters, or too deep."""


@pytest.mark.parametrize(("family", "text", "calls"), STRANGE)
def test_calls_can_be_sent_whatever_a_model_writes(
    family: Family, text: str, calls: list[tuple[str, str]]
) -> None:
    found = read(family, [text])
    assert found.calls == calls
    assert f"{found}".encode()
