"""LiteLLM, unmodified, against a running server."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conversing import Grade
from tests.live import LiveServer

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def got(hosted: LiveServer) -> dict[str, Any]:
    """What the program got."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.clients.litellm_program"),
            *(f"{hosted.url}llm", hosted.token),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def test_it_lists_the_models(got: dict[str, Any]) -> None:
    assert {"litellm_proxy/guide", "litellm_proxy/encoder"} <= set(got["listed"])


def test_it_chats(got: dict[str, Any]) -> None:
    """Also as asyncio's programs do it."""
    assert got["said"] == got["said_later"] == "2 + 2 = 4."


def test_it_streams_with_usage(got: dict[str, Any]) -> None:
    streamed = got["streamed"]
    assert streamed["text"] == "2 + 2 = 4."
    assert streamed["finish_reason"] == "stop"
    assert streamed["pieces"] > 3
    assert streamed["completion_tokens"] > 3


@pytest.mark.parametrize("kind", ["called", "called_in_a_stream"])
def test_it_calls_tools(got: dict[str, Any], kind: str) -> None:
    choice = got[kind]
    assert choice["finish_reason"] == "tool_calls"
    (call,) = choice["message"]["tool_calls"]
    assert call["function"]["name"] == "get_weather"
    assert json.loads(call["function"]["arguments"]) == {"city": "Paris"}


def test_its_structured_output_is_valid(got: dict[str, Any]) -> None:
    grade = Grade.model_validate_json(got["structured"])
    assert 0 <= grade.points <= 9


def test_it_embeds(got: dict[str, Any]) -> None:
    first, second = got["embedded"]
    assert len(first) == len(second) > 1
    assert first != second


def test_an_error_comes_as_its_own_class_with_our_words(got: dict[str, Any]) -> None:
    assert "There is no model 'nothing' here." in got["refused"]


@pytest.mark.parametrize("dialect", ["as_ollama", "as_anthropic"])
def test_it_speaks_the_other_dialects_too(got: dict[str, Any], dialect: str) -> None:
    assert got[dialect] == "2 + 2 = 4."
