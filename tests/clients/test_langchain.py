"""LangChain's package for OpenAI, unmodified, against a running server."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from tests.clients.conversing import SUM, TOOL, WEATHER, Grade
from tests.live import LiveServer


@pytest.fixture
def to(hosted: LiveServer, base_url: str) -> Iterator[dict[str, Any]]:
    """Where it connects to; a connection that ends with the test."""
    with httpx.Client() as http:
        yield {"base_url": base_url, "api_key": hosted.token, "http_client": http}


@pytest.fixture
def chat(to: dict[str, Any]) -> ChatOpenAI:
    return ChatOpenAI(model="guide", max_retries=0, **to)


def test_it_lists_the_models(chat: ChatOpenAI) -> None:
    """It has OpenAI's client within."""
    ids = {model.id for model in chat.root_client.models.list()}
    assert {"guide", "encoder"} <= ids


def test_it_chats(chat: ChatOpenAI) -> None:
    reply = chat.invoke(SUM)
    assert reply.text == "2 + 2 = 4."
    assert reply.response_metadata["finish_reason"] == "stop"
    assert reply.usage_metadata
    assert reply.usage_metadata["output_tokens"] > 3


def test_it_chats_asynchronously(hosted: LiveServer, base_url: str) -> None:
    async def ask() -> str:
        async with httpx.AsyncClient() as http:
            chat = ChatOpenAI(
                model="guide",
                base_url=base_url,
                api_key=hosted.token,  # type: ignore[arg-type]  # it takes text too
                http_async_client=http,
            )
            return str((await chat.ainvoke(SUM)).text)

    assert asyncio.run(ask()) == "2 + 2 = 4."


def test_it_streams_with_usage(chat: ChatOpenAI) -> None:
    parts = list(chat.stream(SUM, stream_usage=True))
    assert "".join(part.text for part in parts) == "2 + 2 = 4."
    assert len(parts) > 3
    usages = [part.usage_metadata for part in parts if part.usage_metadata]
    assert usages[-1]["output_tokens"] > 3


def test_it_calls_a_tool_and_answers_from_the_result(chat: ChatOpenAI) -> None:
    with_tool = chat.bind_tools([TOOL])
    question = HumanMessage(WEATHER)
    called = with_tool.invoke([question])
    (call,) = called.tool_calls
    assert (call["name"], call["args"]) == ("get_weather", {"city": "Paris"})
    result = ToolMessage('{"temperature": 21, "sky": "sunny"}', tool_call_id=call["id"])
    answer = with_tool.invoke([question, called, result])
    assert "sunny" in answer.text


def test_a_call_streams(chat: ChatOpenAI) -> None:
    whole: AIMessageChunk | None = None
    for part in chat.bind_tools([TOOL]).stream(WEATHER):
        assert isinstance(part, AIMessageChunk)
        whole = part if whole is None else whole + part
    assert whole is not None
    (call,) = whole.tool_calls
    assert (call["name"], call["args"]) == ("get_weather", {"city": "Paris"})


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_its_structured_output_is_valid(chat: ChatOpenAI, method: Any) -> None:  # noqa: ANN401  # a literal of LangChain's
    """Both by a format, and by a tool that has to be called."""
    grade = chat.with_structured_output(Grade, method=method).invoke(SUM)
    assert isinstance(grade, Grade)


def test_it_speaks_responses(to: dict[str, Any]) -> None:
    chat = ChatOpenAI(model="guide", use_responses_api=True, **to)
    assert chat.invoke(SUM).text == "2 + 2 = 4."
    assert "".join(part.text for part in chat.stream(SUM)) == "2 + 2 = 4."


def test_it_embeds(to: dict[str, Any]) -> None:
    """As texts: it would fetch OpenAI's vocabulary from the network to send tokens."""
    embeddings = OpenAIEmbeddings(
        model="encoder", check_embedding_ctx_length=False, **to
    )
    first, second = embeddings.embed_documents(["a", "b"])
    assert len(first) == len(second) > 1
    assert first != second
