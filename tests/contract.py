"""Whether the server's replies are as ``openapi.json`` says."""

import json
import re
from typing import Any

from jsonschema import Draft202012Validator

from tools.openapi.document import described_routes, shape

_JSON = "application/json"
_EVENTS = "text/event-stream"
_LINES = "application/x-ndjson"


class Contract:
    """Holds replies against a description; a reply that is not in it fails the test.

    Stricter than the description: a field that it does not name is wrong, too.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._paths = {shape(path): line for path, line in document["paths"].items()}
        components = document["components"]
        self._responses = components["responses"]
        self._components = {"schemas": _closed(components["schemas"])}

    def check(
        self, method: str, path: str, status: int, media_type: str, body: bytes
    ) -> bool:
        """Check a reply; return whether it is one of a route that is described."""
        operation = self._operation(method, path)
        if operation is None:
            return False
        responses = operation["responses"]
        described = responses.get(str(status))
        if described is None:
            assert status >= 400, f"{method} {path}: status {status} is not described"
            described = responses["default"]
        if "$ref" in described:
            described = self._responses[described["$ref"].rpartition("/")[2]]
        self._check_content(described.get("content", {}), media_type, body)
        return True

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        for route, _ in described_routes():
            if re.fullmatch(route, path):
                line = self._paths.get("/" + shape(route), {})
                found: dict[str, Any] | None = line.get(method.lower())
                return found
        return None

    def _check_content(
        self, content: dict[str, Any], media_type: str, body: bytes
    ) -> None:
        kind = media_type.partition(";")[0]
        if not content:
            assert not body, "a body comes back, and none is described"
            return
        assert kind in content, f"{kind} is not described, only {list(content)}"
        if kind == _JSON:
            self.check_data(content[_JSON]["schema"], json.loads(body))
        elif kind == _EVENTS:
            for name, data in events(body.decode()):
                self.check_data(content[_EVENTS]["x-events"][name], data)
        elif kind == _LINES:
            for line in body.splitlines():
                self.check_data(content[_LINES]["x-lines"], json.loads(line))

    def check_data(self, schema: dict[str, Any], data: object) -> None:
        """Check one value."""
        whole = {**schema, "components": self._components}
        Draft202012Validator(whole).validate(data)


def events(text: str) -> list[tuple[str, Any]]:
    """Return a stream's events: names, and what data there is."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(
            line.split(": ", 1)
            for line in block.splitlines()
            if line and not line.startswith(":")
        )
        data = fields.get("data", "[DONE]")
        if data != "[DONE]":
            found.append((fields.get("event", "message"), json.loads(data)))
    return found


def _closed(schemas: dict[str, Any]) -> dict[str, Any]:
    """Return schemas of structs that forbid what they do not name."""
    return {
        name: {"additionalProperties": False, **schema}
        if "properties" in schema
        else schema
        for name, schema in schemas.items()
    }
