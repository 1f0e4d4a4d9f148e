"""What is sent to other servers, how they are configured, and what they refuse."""

import json
from pathlib import Path
from typing import Any

import pytest
from traitlets import TraitError

from llm_ext.config import LLMConfig
from llm_ext.core.settings import ProviderSettings
from llm_ext.errors import LLMError, NotSupportedError, ProviderAccessError
from llm_ext.providers import credential, refusal
from llm_ext.providers.addresses import is_away
from llm_ext.providers.outgoing import outgoing
from llm_ext.wire.openai import chat_request, completions, embeddings, rerank

LAB = ProviderSettings(url="http://lab:8000/v1")
SECRET = "sk-very-secret"


def sent(
    settings: ProviderSettings = LAB,
    **fields: Any,  # noqa: ANN401  # JSON
) -> dict[str, Any]:
    """Return what becomes of a chat that a client sends."""
    messages = [{"role": "user", "content": "Hi"}]
    body = json.dumps({"model": "lab/x", "messages": messages, **fields}).encode()
    path, told = outgoing(chat_request.parse(body).request, "x", settings)
    assert path == "chat/completions"
    return told


def test_only_what_is_said_is_sent() -> None:
    assert sent() == {
        "model": "x",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_options_keep_their_names_and_values() -> None:
    given: dict[str, Any] = {
        "temperature": 0.5,
        "top_k": 7,
        "min_p": 0.1,
        "repeat_penalty": 1.1,
        "seed": 3,
        "n": 2,
        "max_tokens": 9,
        "stop": ["END"],
    }
    body = sent(**given)
    assert {name: body[name] for name in given} == given
    assert sent(max_completion_tokens=4)["max_tokens"] == 4
    told = sent(logprobs=True, top_logprobs=2)
    assert (told["logprobs"], told["top_logprobs"]) == (True, 2)
    biased = sent(logit_bias={"15": 2, "16": False})
    assert biased["logit_bias"] == {"15": 2, "16": -100}


def test_tools_and_results_are_openais() -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    called = {"id": "c", "type": "function", "function": {"name": "f"}}
    turns = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "tool_calls": [called], "reasoning_content": "hm"},
        {"role": "tool", "tool_call_id": "c", "content": "done"},
    ]
    body = sent(messages=turns, tools=[tool], parallel_tool_calls=False)
    assert body["messages"][1]["tool_calls"][0]["function"]["arguments"] == "{}"
    assert body["messages"][1]["reasoning_content"] == "hm"
    assert body["messages"][2]["tool_call_id"] == "c"
    assert body["tools"][0]["function"]["name"] == "f"
    assert body["parallel_tool_calls"] is False
    assert "tool_choice" not in body
    named = {"type": "function", "function": {"name": "f"}}
    assert sent(tools=[tool], tool_choice=named)["tool_choice"] == named
    assert sent(tools=[tool], tool_choice="required")["tool_choice"] == "required"


def test_a_template_is_told_what_it_can_know() -> None:
    assert sent(reasoning_effort="low")["reasoning_effort"] == "low"
    assert "chat_template_kwargs" not in sent(reasoning_effort="low")
    off = sent(reasoning_effort="none")
    assert off["chat_template_kwargs"] == {"enable_thinking": False}
    body = sent(
        messages=[{"role": "assistant", "content": "Once"}],
        continue_final_message=True,
    )
    assert body["continue_final_message"] is True
    assert body["add_generation_prompt"] is False
    assert sent(add_generation_prompt=False)["add_generation_prompt"] is False
    assert sent(reasoning_format="none")["reasoning_format"] == "none"
    with pytest.raises(NotSupportedError, match="chat_template"):
        sent(chat_template="tool_use")


def test_constraints_that_may_not_hold_are_not_sent() -> None:
    schema = {"type": "object"}
    named = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    told = sent(response_format=named)["response_format"]
    assert told["json_schema"]["schema"] == schema
    assert sent(response_format={"type": "json_object"})["response_format"] == {
        "type": "json_object"
    }
    outputs = [{"regex": "a+"}, {"choice": ["a", "b"]}, {"grammar": "start: /a/"}]
    obeys = ProviderSettings(url=LAB.url, grammars=True)
    for wanted in outputs:
        with pytest.raises(NotSupportedError, match="grammars"):
            sent(structured_outputs=wanted)
        assert sent(obeys, structured_outputs=wanted)["structured_outputs"] == wanted
    assert sent(obeys, grammar='root ::= "a"')["grammar"] == 'root ::= "a"'


def test_fields_are_renamed_and_left_out() -> None:
    settings = ProviderSettings(url=LAB.url, rename={"max_tokens": "most", "seed": ""})
    body = sent(settings, max_tokens=3, seed=4)
    assert body["most"] == 3
    assert not {"max_tokens", "seed"} & body.keys()


def test_other_requests_have_their_own_routes() -> None:
    def told(parse: Any, **fields: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401  # JSON
        call = parse(json.dumps({"model": "lab/x", **fields}).encode())
        return outgoing(call.request, "x", LAB)

    path, body = told(completions.parse, prompt="a", suffix="b", logprobs=1)
    assert path == "completions"
    assert (body["prompt"], body["suffix"]) == ("a", "b")
    assert body["logprobs"] == 1
    path, body = told(completions.parse, prompt=["a", "b"], echo=True)
    assert (body["prompt"], body["echo"]) == (["a", "b"], True)
    path, body = told(embeddings.parse, input=["a"], dimensions=2)
    assert (path, body["input"], body["dimensions"]) == ("embeddings", ["a"], 2)
    path, body = told(rerank.parse, query="q", documents=["a"])
    assert (path, body["query"], body["documents"]) == ("rerank", "q", ["a"])


@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (400, {"error": {"message": f"bad {SECRET}"}}, "provider_refused", "bad ***"),
        (404, {"detail": "Not Found"}, "provider_refused", "Not Found"),
        (422, {"detail": [{"loc": ["x"]}]}, "provider_refused", "loc"),
        (401, {"error": f"no: {SECRET}"}, "provider_access_denied", "credential"),
        (403, {}, "provider_access_denied", "credential"),
        (429, {"error": "slow down"}, "provider_busy", "slow down"),
        (503, {}, "provider_busy", "503"),
        (500, {"message": "kaput"}, "provider_failed", "kaput"),
        (302, {}, "provider_answer_wrong", "elsewhere"),
        (
            400,
            {"error": {"type": "exceed_context_size_error", "message": "9 > 8"}},
            "context_length_exceeded",
            "9 > 8",
        ),
    ],
)
def test_refusals_become_our_errors(
    status: int, body: object, code: str, words: str
) -> None:
    error = refusal.of_status(
        "lab", status, json.dumps(body).encode(), {}, secret=SECRET
    )
    assert isinstance(error, LLMError)
    assert error.code == code
    assert words in str(error)
    assert SECRET not in str(error)


def test_pages_and_novels_are_not_repeated() -> None:
    page = refusal.of_status("lab", 500, b"<html>long</html>", {}, secret="")
    assert "html" not in str(page)
    novel = refusal.of_status("lab", 500, b"word " * 5000, {}, secret="")
    assert len(str(novel)) < 1000


def test_a_credential_is_found_where_it_is_said_to_be(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("  from-file\n")
    url = LAB.url

    def found(**fields: str) -> str:
        settings = ProviderSettings(url=url, **fields)  # type: ignore[arg-type]  # texts
        return credential.token("lab", settings, {"TOKEN": "from-env"})

    assert found() == ""
    assert found(token="own") == "own"
    assert found(token_file=str(file)) == "from-file"
    assert found(token_env="TOKEN") == "from-env"
    for wrong in (
        {"token_file": str(tmp_path / "none")},
        {"token_env": "NONE"},
        {"token": "two words"},
    ):
        with pytest.raises(ProviderAccessError) as caught:
            found(**wrong)
        assert "two words" not in str(caught.value)
    assert "own" not in repr(ProviderSettings(url=url, token="own"))


def test_providers_come_from_the_environment_too() -> None:
    variables = {
        "LLM_EXT_PROVIDERS": '{"lab": {"url": "http://lab/v1", "timeout": 5}}',
        "LLM_EXT_FALLBACKS": '{"*": "lab/small"}',
    }
    settings = LLMConfig().to_settings(variables)
    assert settings.providers["lab"].timeout == 5
    assert settings.fallbacks == {"*": "lab/small"}
    assert LLMConfig().to_settings({}).providers == {}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"Lab": {"url": "http://lab"}}, "name"),
        ({"local": {"url": "http://lab"}}, "this machine"),
        ({"lab": {}}, "url"),
        ({"lab": {"url": "lab:8000"}}, "address"),
        ({"lab": {"url": "http://lab:port"}}, "address"),
        ({"lab": {"url": f"http://me:{SECRET}@lab/v1"}}, "no credential"),
        ({"lab": {"url": "http://lab/v1?x=1"}}, "path"),
        ({"lab": {"url": "http://lab", "token": SECRET, "token_env": "X"}}, "only one"),
        ({"lab": {"url": "http://lab", "tokn": SECRET}}, "tokn"),
        ({"lab": {"url": "http://lab", "timeout": 0}}, "timeout"),
    ],
)
def test_a_wrong_provider_is_refused_without_its_secret(
    given: dict[str, Any], words: str
) -> None:
    with pytest.raises(TraitError, match=words) as caught:
        LLMConfig(providers=given)
    assert SECRET not in str(caught.value)


def test_a_fallback_is_a_providers_model() -> None:
    providers = {"lab": {"url": "http://lab"}}
    for wrong in ("lab", "lab/", "other/x"):
        config = LLMConfig(providers=providers, fallbacks={"a": wrong})
        with pytest.raises(TraitError, match="fallbacks"):
            config.to_settings({})


def test_this_machine_is_known_by_its_addresses() -> None:
    here = ["http://localhost:1/v1", "http://127.0.0.1", "http://[::1]:8"]
    assert not any(is_away(url) for url in here)
    assert is_away("http://lab/v1")
    assert is_away("http://10.0.0.1/v1")
