"""The chat templates of real models: all render, and say what their family is."""

from pathlib import Path

import pytest

from llm_ext.chat.format import ChatFormat
from llm_ext.chat.reasoning import reasoning_style
from llm_ext.chat.registry import family_of
from llm_ext.chat.template import ChatTemplate
from llm_ext.core.messages import ChatMessage, ToolCall
from llm_ext.core.tools import ToolChoice
from llm_ext.errors import ChatTemplateError
from tests.chat.reading import LISTEN, LOOK, read, request

pytestmark = [pytest.mark.downloads, pytest.mark.timeout(600)]

FAMILIES = {
    "openai-gpt-oss-120b": "Harmony",
    "google-gemma-4-31B-it": "Gemma",
    "mistralai-Mistral-Nemo-Instruct-2407": "Mistral",
    "Mistral-Small-3.2-24B-Instruct-2506": "Mistral",
    "unsloth-mistral-Devstral-Small-2507": "Mistral",
    "mistralai-Ministral-3-14B-Reasoning-2512": "Mistral",
    "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B": "DeepSeek",
    "deepseek-ai-DeepSeek-V3.1": "DeepSeek",
    "llama-cpp-deepseek-r1": "DeepSeek",
    "ibm-granite-granite-3.3-2B-Instruct": "Granite",
    "ibm-granite-granite-4.0": "Hermes",
    "Qwen3-Coder": "QwenXML",
    "Qwen3.5-4B": "QwenXML",
    "NVIDIA-Nemotron-3-Nano-30B-A3B-BF16": "QwenXML",
    "Qwen-Qwen2.5-7B-Instruct": "Hermes",
    "Qwen-Qwen3-0.6B": "Hermes",
    "Qwen-QwQ-32B": "Hermes",
    "NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use": "Hermes",
    "NousResearch-Hermes-3-Llama-3.1-8B-tool_use": "Hermes",
    "meta-llama-Llama-3.1-8B-Instruct": "Llama",
    "meta-llama-Llama-3.2-3B-Instruct": "Llama",
    "meta-llama-Llama-3.3-70B-Instruct": "Llama",
    "microsoft-Phi-3.5-mini-instruct": "Generic",
    "google-gemma-2-2b-it": "Generic",
    "GLM-4.6": "Generic",
}

CALL = ToolCall(id="call_1", name="look", arguments='{"at": "the sky"}')
QUESTION = ChatMessage(role="user", content="What is up there?")
TURNS = (
    ChatMessage(role="system", content="Be brief."),
    QUESTION,
    ChatMessage(role="assistant", tool_calls=(CALL,)),
    ChatMessage(role="tool", content="It is blue.", tool_call_id="call_1"),
)


def template(field: Path, name: str) -> ChatTemplate:
    source = (field / f"{name}.jinja").read_text()
    return ChatTemplate(source, bos="<s>", eos="</s>")


def test_every_template_renders_a_chat_with_tools(field: Path) -> None:
    """What one cannot show is text: no question, tool, call or result is lost.

    Two are as they are: one cannot do without a variable of its own, the other shows
    system messages only before a question.
    """
    failed = {}
    names = sorted(path.stem for path in field.glob("*.jinja"))
    assert len(names) > 60
    for name in names:
        chat = ChatFormat(template(field, name))
        try:
            text = chat.prompt(request(*TURNS, tools=(LOOK, LISTEN))).text
        except ChatTemplateError as error:
            failed[name] = str(error)
            continue
        shown = ("Be brief.", "What is up there?", "listen", "the sky", "It is blue.")
        lost = [part for part in shown if part not in text]
        if lost:
            failed[name] = f"lost {lost}"
    assert failed.pop("mistralai-Mistral-Nemo-Instruct-2407") == "lost ['Be brief.']"
    assert set(failed) == {"fireworks-ai-llama-3-firefunction-v2"}, failed


@pytest.mark.parametrize(("name", "family"), FAMILIES.items())
def test_the_family_is_known_by_the_template(
    field: Path, name: str, family: str
) -> None:
    assert type(family_of(template(field, name).source)).__name__ == family


@pytest.mark.parametrize(
    "name",
    [
        "google-gemma-4-31B-it",
        "mistralai-Mistral-Nemo-Instruct-2407",
        "Mistral-Small-3.2-24B-Instruct-2506",
        "unsloth-mistral-Devstral-Small-2507",
        "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B",
        "deepseek-ai-DeepSeek-V3.1",
        "llama-cpp-deepseek-r1",
        "ibm-granite-granite-3.3-2B-Instruct",
        "ibm-granite-granite-4.0",
        "Qwen3-Coder",
        "Qwen3.5-4B",
        "Qwen-Qwen2.5-7B-Instruct",
        "Qwen-Qwen3-0.6B",
        "meta-llama-Llama-3.1-8B-Instruct",
        "meta-llama-Llama-3.2-3B-Instruct",
        "microsoft-Phi-3.5-mini-instruct",
        "NousResearch-Hermes-3-Llama-3.1-8B-tool_use",
    ],
)
def test_the_template_writes_calls_as_the_family_does(field: Path, name: str) -> None:
    """So what the model was trained to write is what is read."""
    known = template(field, name)
    text = ChatFormat(known).prompt(request(*TURNS, tools=(LOOK,))).text
    family = family_of(known.source)
    written = family.write([CALL])
    assert written in text
    assert read(family, [written]).calls == [("look", '{"at": "the sky"}')]


def test_harmony_reads_what_its_template_writes(field: Path) -> None:
    """The template has the recipient before the channel."""
    chat = ChatFormat(template(field, "openai-gpt-oss-120b"))
    asked = chat.prompt(request(QUESTION, tools=(LOOK,))).text
    text = chat.prompt(request(*TURNS[1:], tools=(LOOK,))).text
    written = text.removeprefix(asked).partition("<|call|>")[0]
    family = family_of("<|channel|>analysis")
    assert read(family, [written]).calls == [("look", '{"at": "the sky"}')]


def test_a_thought_goes_back_to_a_model_that_called_a_tool(field: Path) -> None:
    """Harmony's template knows it by another name."""
    thought = ChatMessage(role="assistant", reasoning="Look up.", tool_calls=(CALL,))
    turns = (QUESTION, thought, TURNS[3])
    for name in ("openai-gpt-oss-120b", "Qwen-Qwen3-0.6B", "google-gemma-4-31B-it"):
        chat = ChatFormat(template(field, name))
        assert "Look up." in chat.prompt(request(*turns, tools=(LOOK,))).text, name


@pytest.mark.parametrize(
    ("name", "options", "opened"),
    [
        ("llama-cpp-deepseek-r1", {}, True),
        ("deepseek-ai-DeepSeek-V3.1", {}, False),
        ("deepseek-ai-DeepSeek-V3.1", {"thinking": True}, True),
        ("deepseek-ai-DeepSeek-V3.1", {"enable_thinking": True}, True),
        ("Qwen-QwQ-32B", {}, False),
        ("Qwen-QwQ-32B", {"enable_thinking": True}, True),
        ("Qwen-Qwen3-0.6B", {}, False),
        ("Qwen-Qwen3-0.6B", {"enable_thinking": False}, False),
        ("Qwen3.5-4B", {}, True),
        ("Qwen3.5-4B", {"enable_thinking": False}, False),
        ("google-gemma-4-31B-it", {}, False),
    ],
)
def test_whether_the_prompt_opens_a_thought_is_seen(
    field: Path,
    name: str,
    options: dict[str, object],
    opened: bool,  # noqa: FBT001  # a parameter
) -> None:
    chat = ChatFormat(template(field, name))
    asked = request(QUESTION, template_options=options)
    assert chat.prompt(asked).opened is opened


@pytest.mark.parametrize(
    ("name", "opening"),
    [
        ("Qwen-Qwen3-0.6B", "<think>"),
        ("mistralai-Ministral-3-14B-Reasoning-2512", "[THINK]"),
        ("google-gemma-4-31B-it", "<|channel>thought\n"),
        ("ByteDance-Seed-OSS", "<seed:think>"),
        ("meta-llama-Llama-3.1-8B-Instruct", None),
    ],
)
def test_how_a_model_thinks_is_known_by_the_template(
    field: Path, name: str, opening: str | None
) -> None:
    style = reasoning_style(template(field, name).source)
    assert (style and style.opening) == opening


def test_every_template_can_continue_the_last_message(field: Path) -> None:
    """Where it shows that message at all, the prompt ends with its very text."""
    said = ChatMessage(role="assistant", content="The sky is")
    cannot = set()
    for path in sorted(field.glob("*.jinja")):
        chat = ChatFormat(template(field, path.stem))
        try:
            text = chat.prompt(request(QUESTION, said, continue_final=True)).text
        except ChatTemplateError:
            cannot.add(path.stem)
        else:
            assert text.endswith("The sky is"), path.stem
    assert cannot <= {"fireworks-ai-llama-3-firefunction-v2"}


def test_no_tools_are_told_of_where_none_may_be_called(field: Path) -> None:
    chat = ChatFormat(template(field, "Qwen-Qwen3-0.6B"))
    none = request(QUESTION, tools=(LOOK,), tool_choice=ToolChoice(mode="none"))
    assert chat.prompt(none) == chat.prompt(request(QUESTION))


def test_a_template_without_a_system_turn_gets_it_in_the_first(field: Path) -> None:
    chat = ChatFormat(template(field, "google-gemma-2-2b-it"))
    text = chat.prompt(request(TURNS[0], QUESTION)).text
    assert "<start_of_turn>user\nBe brief.\n\nWhat is up there?<end_of_turn>" in text


def test_ids_are_as_mistrals_templates_demand(field: Path) -> None:
    """Nine letters and digits, the same for a call and its result."""
    name = "Mistral-Small-3.2-24B-Instruct-2506"
    text = ChatFormat(template(field, name)).prompt(request(*TURNS)).text
    given = text.partition("[CALL_ID]")[2].partition("[ARGS]")[0]
    assert len(given) == 9
    assert f"[TOOL_RESULTS]{given}[TOOL_CONTENT]It is blue." in text
