"""Demanded calls: whatever a model draws under the grammar, the call is valid."""

import json
import random
from collections.abc import Mapping, Sequence

import jsonschema
import llguidance.numpy as masks
import numpy as np
import pytest
from llguidance import LLMatcher, LLTokenizer

from llm_ext.chat.family import Family, parameters
from llm_ext.chat.format import ChatFormat, Prompt
from llm_ext.chat.lark import Lark
from llm_ext.chat.registry import FAMILIES
from llm_ext.chat.template import ChatTemplate
from llm_ext.core.constraint import (
    AnyJSON,
    Choice,
    Constraint,
    Grammar,
    JSONSchema,
    Regex,
)
from llm_ext.core.messages import ToolCall
from llm_ext.core.requests import ChatRequest
from llm_ext.core.tools import Tool, ToolChoice
from llm_ext.errors import InvalidRequestError
from tests.chat.reading import LISTEN, LOOK, read, request

NESTED = Tool(
    name="plan",
    parameters={
        "type": "object",
        "properties": {
            "steps": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"what": {"type": "string", "maxLength": 4}},
                    "required": ["what"],
                    "additionalProperties": False,
                },
                "minItems": 1,
                "maxItems": 2,
            },
            "code": {"type": "string", "pattern": "^[A-Z]{2}$"},
        },
        "required": ["steps", "code"],
        "additionalProperties": False,
    },
)
TOOLS = (LOOK, LISTEN, NESTED)
HINTS = ("", "[ARGS][CALL_ID]", "```json", "<|tool_call>")
TOKENS = LLTokenizer("byte")
CLOSERS = ('"', "}", "]", "\n</parameter>\n", '<|"|>', "<escape>", "<|end|>")
"""What ends a value in one notation or another."""

LONG = 200
"""Bytes after which a walk closes what it can."""


def walk(grammar: Grammar, seed: int) -> str:
    """Draw bytes at random, as far as the grammar allows, until it may end."""
    matcher = LLMatcher(TOKENS, LLMatcher.grammar_from_lark(grammar.text), log_level=0)
    assert not matcher.is_error(), matcher.get_error()
    draw = random.Random(seed)  # noqa: S311  # a test's
    mask = masks.allocate_token_bitmask(1, TOKENS.vocab_size)
    written = b""
    while not matcher.is_stopped():
        hurry = len(written) > LONG
        if matcher.is_accepting() and (hurry or draw.random() < 0.3):
            break
        masks.fill_next_token_bitmask(matcher, mask)
        bits = np.unpackbits(mask.view(np.uint8), bitorder="little")
        tokens = [int(draw.choice(np.flatnonzero(bits)))]
        if hurry or draw.random() < 0.3:
            closer = TOKENS.tokenize_str(draw.choice(CLOSERS))
            fits = matcher.validate_tokens(closer) == len(closer)
            tokens = closer if fits else tokens
        assert matcher.consume_tokens(tokens)
        if tokens == [TOKENS.eos_token]:
            break
        written += TOKENS.decode_bytes(tokens)
        assert len(written) < 20 * LONG
    return written.decode(errors="replace")


def grammar_of(family: Family, tools: Sequence[Tool], *, many: bool) -> Grammar:
    lark = Lark({})
    return lark.grammar(family.grammar(tools, lark, many=many))


def accepts(grammar: Constraint | None, text: str) -> bool:
    """Whether the grammar derives exactly ``text``."""
    assert isinstance(grammar, Grammar)
    matcher = LLMatcher(TOKENS, LLMatcher.grammar_from_lark(grammar.text), log_level=0)
    assert not matcher.is_error(), matcher.get_error()
    tokens = TOKENS.tokenize_str(text)
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize("hint", HINTS)
def test_it_derives_what_the_family_writes(kind: type[Family], hint: str) -> None:
    family = kind(hint)
    grammar = grammar_of(family, TOOLS, many=True)
    call = ToolCall(id="a1b2c3d4e", name="look", arguments='{"at": "x", "times": 2}')
    assert accepts(grammar, family.write([call]).replace(', "id": "a1b2c3d4e"', ""))
    wrong = ToolCall(id="a1b2c3d4e", name="look", arguments='{"times": "x"}')
    assert not accepts(
        grammar, family.write([wrong]).replace(', "id": "a1b2c3d4e"', "")
    )


@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize("hint", HINTS)
@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_drawn_is_a_valid_call(
    kind: type[Family], hint: str, seed: int
) -> None:
    """Read back by the same family, the arguments validate against the schema."""
    family = kind(hint)
    written = walk(grammar_of(family, TOOLS, many=seed % 2 == 0), seed)
    found = read(family, [written], tools=TOOLS)
    assert found.calls, written
    assert found.content == "", written
    schemas: Mapping[str, Mapping[str, object]] = {
        tool.name: parameters(tool) for tool in TOOLS
    }
    for name, arguments in found.calls:
        jsonschema.validate(json.loads(arguments), schemas[name])


def constraint(
    source: str, asked: ChatRequest, *, prompt: str = "", opened: bool = False
) -> Constraint | None:
    chat = ChatFormat(ChatTemplate(source, bos="", eos=""))
    return chat.constraint(asked, Prompt(prompt, opened), {})


THINKS = '{# <think></think> <tool_call> "name" arguments #}'
LOOK_CALL = '<tool_call>\n{"name": "look", "arguments": {"at": "x"}}\n</tool_call>'
REQUIRED = ToolChoice(mode="required")


def test_a_model_may_think_before_the_call_that_is_demanded() -> None:
    made = constraint(THINKS, request(tools=TOOLS, tool_choice=REQUIRED))
    assert accepts(made, LOOK_CALL)
    assert accepts(made, f"<think>Well.</think>\n\n{LOOK_CALL}")
    assert not accepts(made, f"Well.{LOOK_CALL}")


def test_a_thought_that_the_prompt_opened_is_closed_first() -> None:
    asked = request(tools=TOOLS, tool_choice=REQUIRED)
    made = constraint(THINKS, asked, opened=True)
    assert accepts(made, f"Well.</think>{LOOK_CALL}")
    assert not accepts(made, LOOK_CALL)


def test_a_thought_that_the_prompt_closed_does_not_come_again() -> None:
    asked = request(tools=TOOLS, tool_choice=REQUIRED)
    made = constraint(THINKS, asked, prompt="<think>\n\n</think>\n\n")
    assert accepts(made, LOOK_CALL)
    assert not accepts(made, f"<think>Well.</think>{LOOK_CALL}")


@pytest.mark.parametrize(
    ("wanted", "good", "bad"),
    [
        (JSONSchema(schema='{"type": "integer"}'), "12", "x"),
        (AnyJSON(), '{"a": 1}', "[1]"),
        (Regex(pattern="a/b|\\d+\\n"), "a/b", "ab"),
        (Choice(options=("yes", "no")), "no", "nay"),
        (Grammar(text='start: "x" y\ny: "z"+', syntax="lark"), "xzz", "x"),
    ],
)
def test_a_model_may_think_before_it_answers_in_a_format(
    wanted: Constraint, good: str, bad: str
) -> None:
    made = constraint(THINKS, request(constraint=wanted))
    assert accepts(made, good)
    assert accepts(made, f"<think>Well.</think>\n\n{good}")
    assert not accepts(made, f"<think>Well.</think>\n\n{bad}")


def test_a_model_that_does_not_think_gets_the_format_as_it_is() -> None:
    assert constraint("x", request(constraint=AnyJSON())) == AnyJSON()


def test_a_grammar_in_gbnf_has_no_place_for_thoughts() -> None:
    wanted = Grammar(text='root ::= "x"', syntax="gbnf")
    assert constraint(THINKS, request(constraint=wanted)) == wanted
    with pytest.raises(InvalidRequestError, match="Lark"):
        constraint(THINKS, request(constraint=wanted), opened=True)


def test_a_format_and_tools_leave_the_choice_to_the_model() -> None:
    made = constraint(THINKS, request(constraint=AnyJSON(), tools=TOOLS))
    assert accepts(made, '{"a": 1}')
    assert accepts(made, LOOK_CALL)
    assert not accepts(made, "text")


def test_a_named_tool_is_called_once() -> None:
    choice = ToolChoice(mode="required", name="listen")
    made = constraint(THINKS, request(tools=TOOLS, tool_choice=choice))
    call = LOOK_CALL.replace("look", "listen").replace('{"at": "x"}', "{}")
    assert accepts(made, call)
    assert not accepts(made, LOOK_CALL)
    assert not accepts(made, f"{call}\n{call}")


def test_a_call_and_a_format_cannot_both_be_demanded() -> None:
    asked = request(tools=TOOLS, tool_choice=REQUIRED, constraint=AnyJSON())
    with pytest.raises(InvalidRequestError, match="response_format"):
        constraint(THINKS, asked)


def test_harmony_answers_in_its_final_channel() -> None:
    source = "{# <|channel|>analysis #}"
    made = constraint(source, request(constraint=AnyJSON()))
    final = '<|channel|>final<|message|>{"a": 1}'
    thought = "<|channel|>analysis<|message|>Well.<|end|><|start|>assistant"
    assert accepts(made, final)
    assert accepts(made, thought + final)
    assert not accepts(made, '{"a": 1}')


def test_markers_that_are_tokens_are_demanded_as_tokens() -> None:
    lark = Lark({"<tool_call>": 7, "</think>": 9})
    assert lark.text('a<tool_call>"') == '"a" <[7]> "\\""'
    grammar = lark.grammar(lark.until("</think>")).text
    assert grammar.splitlines() == [
        "start: part_1",
        "part_0: /(?s:.*)/",
        "part_1: part_0 <[9]>",
    ]
