"""Cases that get far: real names in the place of made-up ones, and few odd fields.

What is drawn from the description alone is mostly refused at the door: there is no
model of that name, and of forty fields one is out of its range.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpx
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode

Operation: TypeAlias = APIOperation[Any, Any, Any, Any]

EVENTS = "text/event-stream"

_MODELS = {
    "v1/embeddings": "encoder",
    "v1/rerank": "ranker",
    "api/embed": "encoder",
    "api/embeddings": "encoder",
    "api/delete": "doomed",
    "workers": "spare",
}
_OF_PATHS = {"load": "spare", "unload": "spare", "pin": "spare"}
_MOST_FIELDS = 4
_HI = {"role": "user", "content": "Hi"}
_NEEDED: dict[str, Any] = {
    "messages": [_HI],
    "input": "Hi",
    "prompt": "Hi",
    "content": "Hi",
    "template": "Say {{ what }}.",
    "variables": {"what": "Hi"},
    "documents": ["Hi", "Ho"],
    "query": "Hi",
}
"""By their names, fields without a sensible value in which there is no answer."""


@dataclass(frozen=True)
class Plan:
    """What is done to a case before it is sent.

    Attributes:
        names: Whether what it names is there.
        sensible: Whether what cannot be left out makes sense.
        fields: How many other fields of the body stay; None leaves all.
        streams: Whether the client accepts events.
    """

    names: bool
    sensible: bool
    fields: int | None
    streams: bool


_PLANS = st.builds(
    Plan,
    names=st.sampled_from([True, True, True, False]),
    sensible=st.booleans(),
    fields=st.sampled_from([None, *range(_MOST_FIELDS)]),
    streams=st.booleans(),
)


def cases(operation: Operation) -> st.SearchStrategy[Any]:
    """Return cases of an operation, right and wrong ones, each with a plan."""
    both = [
        operation.as_strategy(generation_mode=mode)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    ]
    return st.tuples(st.one_of(*both), _PLANS)


class Deepener:
    """Carries plans out, with things that it makes at a server."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._made = 0
        self._makers: dict[str, Callable[[], str]] = {
            "conversations": self._conversation,
            "prompts": self._prompt,
            "keys": lambda: self._id("keys", name="fuzz"),
            "streams": self._stream,
            "workers": self._worker,
            "v1/responses": lambda: self._id("v1/responses", model="hello", input="Hi"),
        }

    def deepen(self, case: Case[Any], plan: Plan) -> None:
        """Change a case as planned."""
        path = case.operation.path.strip("/")
        if plan.names and "{" in path:
            self._name(case.path_parameters, path, case.method)
        if isinstance(case.body, dict):
            _thin(case.body, plan)
            if plan.names and "model" in case.body:
                case.body["model"] = _MODELS.get(path, "hello")
        if plan.names and "autoload" in (case.query or {}):
            case.query["autoload"] = "1"
        if plan.streams and path != "workers":  # one for a caller never ends by itself
            case.headers["Accept"] = EVENTS

    def _name(self, parts: dict[str, Any], path: str, method: str) -> None:
        kind, _, rest = path.partition("/{")
        if kind in self._makers:
            parts["id"] = self._makers[kind]()
        elif kind in {"models", "v1/models"}:
            last = rest.rpartition("/")[2]
            name = "doomed" if method.upper() == "DELETE" else "hello"
            parts["id"] = _OF_PATHS.get(last, name)
        if "message" in parts:
            said = {"messages": [{"role": "user", "content": "Hi"}]}
            url = f"conversations/{parts['id']}/messages"
            parts["message"] = self._http.post(url, json=said).json()["messages"][0][
                "id"
            ]

    def _id(self, path: str, **body: Any) -> str:  # noqa: ANN401  # any JSON
        return str(self._http.post(path, json=body).raise_for_status().json()["id"])

    def _conversation(self) -> str:
        name = self._id("conversations", title="Fuzz", model="hello")
        said = {"messages": [{"role": "user", "content": "Hi"}]}
        self._http.post(f"conversations/{name}/messages", json=said).raise_for_status()
        return name

    def _prompt(self) -> str:
        self._made += 1
        return self._id(
            "prompts",
            name=f"fuzz {self._made}",
            template="Say {{ what }}.",
            model="hello",
        )

    def _stream(self) -> str:
        self._made += 1
        name = f"fuzz-{self._made}"
        self._http.post(
            "v1/chat/completions",
            json={"model": "hello", "messages": [_HI], "max_tokens": 2, "stream": True},
            headers={"X-Stream-Id": name},
        ).raise_for_status()
        return name

    def _worker(self) -> str:
        return self._id("workers", model="spare")


def _thin(body: dict[str, Any], plan: Plan) -> None:
    """Leave few fields that are not needed, and let those that are make sense."""
    if plan.fields is not None:
        others = [name for name in body if name not in {"model", *_NEEDED}]
        for name in others[plan.fields :]:
            del body[name]
    if plan.sensible:
        body.update({name: _NEEDED[name] for name in body if name in _NEEDED})
