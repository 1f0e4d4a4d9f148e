"""The extension in a Jupyter server inside the test's own process."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_jupyter.jupyter_core import jp_asyncio_loop
from pytest_jupyter.jupyter_server import jp_server_cleanup
from tornado.httpclient import HTTPClientError, HTTPResponse

from llm_ext.handlers.openapi import FILE
from tests.contract import Contract
from tools.openapi.document import document

Fetch = Callable[..., Awaitable[HTTPResponse]]

__all__ = ["jp_asyncio_loop", "jp_server_cleanup", "jp_server_config"]


@pytest.fixture
def jp_server_config(models: Path) -> dict[str, Any]:
    """Only our extension, and no route open to strangers by default."""
    return {
        "ServerApp": {
            "jpserver_extensions": {"llm_ext": True},
            "allow_unauthenticated_access": False,
            "terminals_enabled": False,  # their routes have no such mark
            "reraise_server_extension_failures": True,
        },
        "LLMExt": {"model_folders": [str(models)], "max_waiting": 2, "slots": 1},
    }


@pytest.fixture(scope="session")
def contract() -> Contract:
    """What replies have to be like.

    A route that the description lacks fails a test of its own; until it is described
    the others are held to what the server sends.
    """
    try:
        return Contract(document())
    except LookupError:
        return Contract(json.loads(FILE.read_bytes()))


@pytest.fixture
def jp_fetch(jp_fetch: Fetch, contract: Contract) -> Fetch:
    """Ask the server, and see that its reply, or its refusal, is as described."""

    def check(reply: HTTPResponse, parts: tuple[str, ...]) -> None:
        method = reply.request.method or "GET"
        kind = reply.headers.get("Content-Type", "")
        if parts[0] == "llm":
            contract.check(method, "/".join(parts[1:]), reply.code, kind, reply.body)

    async def fetch(*parts: str, **options: Any) -> HTTPResponse:  # noqa: ANN401  # Tornado's
        try:
            reply = await jp_fetch(*parts, **options)
        except HTTPClientError as error:
            if error.response is not None:
                check(error.response, parts)
            raise
        check(reply, parts)
        return reply

    return fetch
