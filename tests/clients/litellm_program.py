"""A program that uses LiteLLM; prints what it got as JSON.

It is a process of its own because LiteLLM keeps connections and event loops open for as
long as its process lives. Arguments: the URL that ends in ``llm``, and the token.
"""

import asyncio
import json
import os
import sys
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it is fetched at import

import litellm

from tests.clients.conversing import SUM, TOOL, WEATHER, Grade

GUIDE = "openai/guide"


def asked(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def main(url: str, token: str) -> dict[str, Any]:
    """Do what every client is asked to do."""
    litellm.suppress_debug_info = True
    to: dict[str, Any] = {"api_base": f"{url}/v1", "api_key": token}
    called = litellm.completion(
        model=GUIDE, messages=asked(WEATHER), tools=[TOOL], **to
    )
    return {
        "listed": litellm.get_valid_models(
            check_provider_endpoint=True,
            # LiteLLM's "openai" asks the root of the host, whatever the address says.
            custom_llm_provider="litellm_proxy",
            api_base=url,
            api_key=token,
        ),
        "said": litellm.completion(model=GUIDE, messages=asked(SUM), **to)
        .choices[0]
        .message.content,
        "said_later": asyncio.run(said_later(to)),
        "streamed": streamed(to),
        "called": called.choices[0].model_dump(),
        "called_in_a_stream": called_in_a_stream(to),
        "structured": litellm.completion(
            model=GUIDE, messages=asked(SUM), response_format=Grade, **to
        )
        .choices[0]
        .message.content,
        "embedded": [
            vector["embedding"]
            for vector in litellm.embedding(
                model="openai/encoder", input=["a", "b"], **to
            ).data
        ],
        "refused": refused(to),
        "as_ollama": litellm.completion(
            model="ollama_chat/guide",
            messages=asked(SUM),
            api_base=url,
            api_key=token,
        )
        .choices[0]
        .message.content,
        "as_anthropic": litellm.completion(
            model="anthropic/guide", messages=asked(SUM), api_base=url, api_key=token
        )
        .choices[0]
        .message.content,
    }


async def said_later(to: dict[str, Any]) -> str:
    reply = await litellm.acompletion(model=GUIDE, messages=asked(SUM), **to)
    return str(reply.choices[0].message.content)


def streamed(to: dict[str, Any]) -> dict[str, Any]:
    parts = list(
        litellm.completion(
            model=GUIDE,
            messages=asked(SUM),
            stream=True,
            stream_options={"include_usage": True},
            **to,
        )
    )
    whole: Any = litellm.stream_chunk_builder(parts)
    return {
        "pieces": len(parts),
        "text": whole.choices[0].message.content,
        "finish_reason": whole.choices[0].finish_reason,
        "completion_tokens": whole.usage.completion_tokens,
    }


def called_in_a_stream(to: dict[str, Any]) -> dict[str, Any]:
    parts = litellm.completion(
        model=GUIDE, messages=asked(WEATHER), tools=[TOOL], stream=True, **to
    )
    whole: Any = litellm.stream_chunk_builder(list(parts))
    choice: dict[str, Any] = whole.choices[0].model_dump()
    return choice


def refused(to: dict[str, Any]) -> str:
    try:
        litellm.completion(model="openai/nothing", messages=asked(SUM), **to)
    except litellm.exceptions.NotFoundError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))  # noqa: T201  # its result
