"""The whole description, from the routes, their handlers and the table."""

import re
from http import HTTPStatus
from typing import Any

import msgspec

from llm_ext import routes
from llm_ext.handlers.base import LLMHandler

from .operation import EVENTS, JSON, LINES, Operation
from .schemas import Schemas, plain
from .table import TABLE

VERBS = ("get", "post", "put", "patch", "delete")

_PARTS = {
    "id": "The id of what the path names; a model's may hold slashes.",
    "message": "A message's id.",
}
_DESCRIPTION = """\
Below `{base_url}llm/` of a Jupyter server. Programs send Jupyter's token; pages of
the server are known by its login cookie, and send the header `X-XSRFToken` with all
but GET. A stream of server-sent events is described by `x-events`: the data of each
event, by its name. A stream of JSON documents, one a line, is described by `x-lines`.\
"""
_SECURITY = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "Jupyter's token.",
    },
    "query_token": {
        "type": "apiKey",
        "in": "query",
        "name": "token",
        "description": "Jupyter's token.",
    },
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "An inference key, or Jupyter's token.",
    },
    "x_api_key": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "An inference key, or Jupyter's token.",
    },
}
_REFUSALS = {
    "400": "The request is wrong; says which field.",
    "401": "The caller is not known.",
    "403": "The caller may not do this.",
    "404": "There is nothing of this name.",
    "429": "Too many requests wait, or came of late.",
    "503": "Not now; the same request may work later.",
    "default": "Any other error.",
}
_LATER = ("429", "503")


def document() -> dict[str, Any]:
    """Return the description.

    Raises:
        LookupError: The table lacks a route or a verb, or has one too many.
    """
    operations = _matched()
    schemas = Schemas(
        kind
        for verbs in TABLE.values()
        for line in verbs.values()
        for kind in line.types
    )
    paths: dict[str, Any] = {}
    for path, verb, handler in operations:
        described = _operation(path, verb, handler, schemas)
        paths.setdefault(f"/{path}", {})[verb] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "jupyter-llm-ext",
            "version": "v1",
            "description": plain(_DESCRIPTION),
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "servers": [{"url": "/llm", "description": "Where the base URL is /."}],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": _errors(schemas),
            "securitySchemes": _SECURITY,
        },
    }


def encoded() -> bytes:
    """Return the description as it stands in its file."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=1) + b"\n"


def described_routes() -> list[tuple[str, type[LLMHandler]]]:
    """Return all routes but those for whatever is none."""
    return [(r, kind) for r, kind in routes.ROUTES if not r.endswith("(.*)")]


def verbs(handler: type[LLMHandler]) -> list[str]:
    """Return what a handler answers to."""
    return [v for v in VERBS if getattr(handler, v) is not getattr(LLMHandler, v)]


def shape(route: str) -> str:
    """Return a route, a regular expression or OpenAPI's path, without its names."""
    return re.sub(r"\{\w+\}|\(\[\^/\]\+(\(\?:/\[\^/\]\+\)\*\?)?\)", "{}", route)


def _matched() -> list[tuple[str, str, type[LLMHandler]]]:
    """Return all operations: path, verb, handler."""
    by_shape = {shape(path): path for path in TABLE}
    found = []
    for route, handler in described_routes():
        path = by_shape.get(shape(route), route)
        found += [(path, verb, handler) for verb in verbs(handler)]
    there = {(path, verb) for path, verb, _ in found}
    told = {(path, verb) for path, line in TABLE.items() for verb in line}
    if there != told:
        raise LookupError(
            f"tools/openapi/table.py lacks {sorted(there - told)}, and describes "
            f"{sorted(told - there)}, which there are not"
        )
    return found


def _operation(
    path: str, verb: str, handler: type[LLMHandler], schemas: Schemas
) -> dict[str, Any]:
    line = TABLE[path][verb]
    method = getattr(handler, verb)
    summary, _, more = (method.__doc__ or "").partition("\n")
    described: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{verb}_{path}").strip("_"),
        "tags": [path.partition("/")[0] or "root"],
        "summary": plain(summary).rstrip("."),
    }
    if text := plain(_before_sections(more)):
        described["description"] = text
    if parameters := _parameters(path, line):
        described["parameters"] = parameters
    if content := _request(line, schemas):
        described["requestBody"] = content
    described["responses"] = _responses(path, verb, handler, schemas)
    described["security"] = _security(handler, method)
    return described


def _before_sections(docstring: str) -> str:
    text = re.split(r"\n\s+(?:Raises|Args|Returns):\n", docstring)[0]
    return "\n".join(row.strip() for row in text.splitlines())


def _parameters(path: str, line: Operation) -> list[dict[str, Any]]:
    text = {"type": "string"}
    found: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PARTS[name],
            "schema": text,
        }
        for name in re.findall(r"\{(\w+)\}", path)
    ]
    for place, names in (("query", line.query), ("header", line.headers)):
        for name, meaning in names.items():
            found.append(
                {"name": name, "in": place, "description": meaning, "schema": text}
            )
    return found


def _request(line: Operation, schemas: Schemas) -> dict[str, Any] | None:
    if line.sends:
        return {"required": True, "content": _files(line.sends)}
    if line.body is None:
        return None
    return {
        "required": _needed(line.body),
        "content": {JSON: {"schema": schemas.of(line.body)}},
    }


def _needed(body: object) -> bool:
    """Whether a request without a body is refused."""
    try:
        msgspec.convert({}, body)
    except msgspec.ValidationError:
        return True
    return False


def _files(media_types: tuple[str, ...]) -> dict[str, Any]:
    return {media_type: {"schema": {"type": "string"}} for media_type in media_types}


def _responses(
    path: str, verb: str, handler: type[LLMHandler], schemas: Schemas
) -> dict[str, Any]:
    line = TABLE[path][verb]
    found: dict[str, Any] = {}
    content = _content(line, schemas)
    found[str(int(line.status))] = {"description": line.status.phrase, **content}
    if line.events and line.status != HTTPStatus.OK:
        found["200"] = {"description": "OK", "content": _events(line, schemas)}
    if line.may_be_empty:
        found["204"] = {"description": HTTPStatus.NO_CONTENT.phrase}
    name = schemas.name(line.error)
    for status in _refusals(path, verb, handler):
        found[status] = {"$ref": f"#/components/responses/{name}-{status}"}
    return found


def _errors(schemas: Schemas) -> dict[str, Any]:
    """Return every answer that tells an error, by the type of the error and status."""
    lines = (line for verbs in TABLE.values() for line in verbs.values())
    found: dict[str, Any] = {}
    for kind in dict.fromkeys(line.error for line in lines):
        content = {"content": {JSON: {"schema": schemas.of(kind)}}}
        for status, meaning in _REFUSALS.items():
            name = f"{schemas.name(kind)}-{status}"
            found[name] = {"description": meaning, **content}
            if status in _LATER:
                found[name]["headers"] = {
                    "Retry-After": {
                        "description": "Seconds after which to try again.",
                        "schema": {"type": "integer"},
                    }
                }
    return found


def _content(line: Operation, schemas: Schemas) -> dict[str, Any]:
    content = _files(line.gives)
    if line.reply is not None:
        content[JSON] = {"schema": _one_of(line.reply, schemas)}
    if line.lines:
        documents = {"anyOf": [schemas.of(kind) for kind in line.lines]}
        content[LINES] = {"schema": {"type": "string"}, "x-lines": documents}
    if line.events and line.status == HTTPStatus.OK:
        content |= _events(line, schemas)
    return {"content": content} if content else {}


def _one_of(data: object, schemas: Schemas) -> dict[str, Any]:
    if isinstance(data, tuple):
        return {"anyOf": [schemas.of(kind) for kind in data]}
    return schemas.of(data)


def _events(line: Operation, schemas: Schemas) -> dict[str, Any]:
    events = {name: _one_of(data, schemas) for name, data in line.events.items()}
    return {EVENTS: {"x-events": events}}


def _refusals(path: str, verb: str, handler: type[LLMHandler]) -> list[str]:
    line = TABLE[path][verb]
    found = []
    if line.body is not None or line.sends or line.query or line.headers:
        found.append("400")
    if not _open(getattr(handler, verb)):
        found += ["401", "403"]
    if "{" in path or verb == "post":
        found.append("404")
    if handler.auth_resource == "llm_ext:inference" and verb == "post":
        found += _LATER
    return [*found, "default"]


def _security(handler: type[LLMHandler], method: object) -> list[dict[str, list[str]]]:
    names = ["token", "query_token"]
    if handler.accepts_keys:
        names = ["key", "x_api_key", "query_token"]
    stranger: list[dict[str, list[str]]] = [{}] if _open(method) else []
    return stranger + [{name: []} for name in names]


def _open(method: object) -> bool:
    """Whether Jupyter lets strangers call the method, as far as it is concerned."""
    return bool(getattr(method, "__allow_unauthenticated", False))
