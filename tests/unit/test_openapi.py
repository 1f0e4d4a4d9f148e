"""The description of all routes."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from llm_ext import routes
from llm_ext.handlers.openapi import FILE
from llm_ext.routes import ROUTES
from tests.contract import Contract, events
from tools.openapi.document import described_routes, document, encoded, shape, verbs


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document()


def test_the_file_is_fresh() -> None:
    """Run ``python -m tools.openapi`` when it is not."""
    assert FILE.read_bytes() == encoded()


def test_every_route_is_described_and_nothing_else(described: dict[str, Any]) -> None:
    """With its verbs; that there is no such route is an answer of its own."""
    missing = [kind for route, kind in ROUTES if route.endswith("(.*)")]
    assert all(kind.__name__ == "MissingHandler" for kind in missing)
    assert len(described_routes()) + len(missing) == len(ROUTES)
    there = {
        (shape(f"/{route}"), verb)
        for route, handler in described_routes()
        for verb in verbs(handler)
    }
    told = {
        (shape(path), verb)
        for path, line in described["paths"].items()
        for verb in line
    }
    assert told == there
    assert len({shape(path) for path in described["paths"]}) == len(described["paths"])


def test_a_route_without_a_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """And so is a line without a route."""
    (route, handler), *others = ROUTES
    monkeypatch.setattr(routes, "ROUTES", [("elsewhere", handler), *others])
    with pytest.raises(LookupError, match=rf"lacks .*elsewhere.*describes .*{route}"):
        document()


def test_every_operation_says_what_it_is_for(described: dict[str, Any]) -> None:
    """In the handler's own words, under a name of its own."""
    operations = [op for line in described["paths"].values() for op in line.values()]
    assert all(op["summary"] and op["tags"] and op["security"] for op in operations)
    assert all("default" in op["responses"] for op in operations)
    names = [op["operationId"] for op in operations]
    assert len(set(names)) == len(names)


def test_references_lead_somewhere_and_nothing_is_left_over(
    described: dict[str, Any],
) -> None:
    """Names are those that readers see, not the program's."""
    schemas = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "responses")
        for name in described["components"][kind]
    }
    assert references(described) <= schemas
    left = {name for name in schemas - references(described) if "/schemas/" in name}
    assert not left
    assert not [name for name in schemas if "llm_ext" in name or "/_" in name]


def references(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if "$ref" in value else set()
        return own.union(*map(references, value.values()))
    if isinstance(value, list):
        return set().union(*map(references, value))
    return set()


def test_schemas_are_schemas(described: dict[str, Any]) -> None:
    """By JSON Schema's own definition of the draft that OpenAPI 3.1 uses."""
    for schema in described["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_attributes_words_stand_at_the_fields(described: dict[str, Any]) -> None:
    """As text, without the marks of docstrings."""
    status = described["components"]["schemas"]["ModelStatus"]
    assert "Attributes" not in status["description"]
    assert status["properties"]["pinned"]["description"].startswith("Whether it stays")
    text = json.dumps(described)
    assert "``" not in text
    assert ":class:" not in text


class TestContract:
    """What the server's tests hold replies against."""

    @pytest.fixture
    def contract(self, described: dict[str, Any]) -> Contract:
        return Contract(described)

    def check(self, contract: Contract, body: object, status: int = 200) -> bool:
        data = json.dumps(body).encode()
        return contract.check("GET", "health/ready", status, "application/json", data)

    def test_a_reply_as_described_passes(self, contract: Contract) -> None:
        """Errors, too; routes that are none are not looked at."""
        health = {"version": "1", "status": "ok", "api_version": "v1"}
        assert self.check(contract, health)
        error = {"message": "no", "type": "t", "code": None, "param": None}
        assert self.check(contract, {"error": error}, 418)
        assert not contract.check("GET", "nothing/here", 200, "text/html", b"")

    def test_a_field_too_many_or_too_few_does_not(self, contract: Contract) -> None:
        """Nor one of another type, nor an error in another shape."""
        for wrong in ({}, {"version": 1}, {"version": "1", "more": 1}):
            with pytest.raises(ValidationError):
                self.check(contract, wrong)
        with pytest.raises(ValidationError):
            self.check(contract, {"message": "no"}, 500)

    def test_a_status_or_kind_that_is_not_described_does_not(
        self, contract: Contract
    ) -> None:
        """A success that nobody described is no success."""
        with pytest.raises(AssertionError, match="202 is not described"):
            self.check(contract, {"version": "1"}, 202)
        with pytest.raises(AssertionError, match="text/html is not described"):
            contract.check("GET", "health/ready", 200, "text/html", b"<p>")
        with pytest.raises(AssertionError, match="none is described"):
            contract.check("DELETE", "models/x", 204, "text/html", b"<p>")

    def test_events_are_looked_at_one_by_one(self, contract: Contract) -> None:
        """Each by its name; comments and the end mark are none."""
        stream = (
            ': ping\n\nevent: status\ndata: {"status":"ready"}\n\n'
            'event: status\ndata: {"status":"loading","stage":"reading","fraction":1}'
            "\n\ndata: [DONE]\n\n"
        )
        assert len(events(stream)) == 2
        path, kind = "models/a/b/load", "text/event-stream"
        assert contract.check("POST", path, 200, kind, stream.encode())
        wrong = stream.replace("fraction", "part").encode()
        with pytest.raises(ValidationError):
            contract.check("POST", path, 200, kind, wrong)
