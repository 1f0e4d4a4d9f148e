"""Whatever the description allows, and what it forbids, is answered as it says.

``FUZZ_CASES`` is how many cases there are in all; by default each operation has one.
Another ``FUZZ_SEED`` draws other ones.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from llm_ext.handlers.openapi import FILE
from tests.contract import Contract
from tests.fuzz.deepen import Deepener, Operation, Plan, cases
from tests.live import LiveServer

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
DOCUMENT = json.loads(FILE.read_bytes())
UNENDING = "/events"


def operations() -> list[Operation]:
    """Return all operations. Cases have the token: who may ask is tested elsewhere."""
    open_to_all = json.loads(FILE.read_bytes())
    for line in open_to_all["paths"].values():
        for operation in line.values():
            operation.pop("security")
    open_to_all["components"].pop("securitySchemes")
    found = schemathesis.openapi.from_dict(open_to_all).get_all_operations()
    return [operation.ok() for operation in found if isinstance(operation, Ok)]


OPERATIONS = operations()
SEED = int(os.environ.get("FUZZ_SEED", "1"))
CASES = -(-int(os.environ.get("FUZZ_CASES", "0")) // len(OPERATIONS)) or 1


@pytest.fixture(scope="module")
def http(server: LiveServer) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def deepener(http: httpx.Client) -> Deepener:
    return Deepener(http)


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract(DOCUMENT)


def test_every_operation_is_among_them() -> None:
    described = sum(len(line) for line in DOCUMENT["paths"].values())
    assert len(OPERATIONS) == described


@pytest.mark.timeout(600)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.label)
def test_what_comes_back_is_described(
    operation: Operation,
    server: LiveServer,
    http: httpx.Client,
    deepener: Deepener,
    contract: Contract,
) -> None:
    """It is never an error of the server's own, and the server still answers."""

    @seed(SEED)
    @settings(
        max_examples=CASES,
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases(operation))
    def check(drawn: tuple[Case[Any], Plan]) -> None:
        case, plan = drawn
        deepener.deepen(case, plan)
        if operation.path == UNENDING:
            _check_beginning(case, http, contract)
        else:
            _check(case, server, contract)

    check()
    assert http.get("health/live").is_success


def _check(case: Case[Any], server: LiveServer, contract: Contract) -> None:
    reply = case.call(base_url=f"{server.url}llm", headers=server.headers, timeout=60)
    assert reply.status_code not in range(500, 503), reply.text
    case.validate_response(reply, checks=CHECKS)
    kind = reply.headers.get("content-type", [""])[0]
    path = reply.request.path_url.partition("?")[0].removeprefix("/llm/")
    contract.check(case.method, path, reply.status_code, kind, reply.content or b"")


def _check_beginning(case: Case[Any], http: httpx.Client, contract: Contract) -> None:
    """Check the first event of a stream that never ends."""
    headers = {**dict(case.headers or {}), **http.headers}
    with http.stream("GET", "events", params=case.query, headers=headers) as reply:
        text = ""
        for part in reply.iter_text():
            text += part
            if "\n\n" in text:
                break
    first = text.partition("\n\n")[0] + "\n\n"
    kind = reply.headers["Content-Type"]
    contract.check("GET", "events", reply.status_code, kind, first.encode())
