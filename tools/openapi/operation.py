"""What one verb of one route takes and gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from llm_ext.wire.openai.errors import ErrorReply

JSON = "application/json"
EVENTS = "text/event-stream"
LINES = "application/x-ndjson"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A line of the table.

    What else is to be said (a summary, who may ask, parts of the path) is read from the
    handler.

    Attributes:
        body: The type of the JSON that is sent; None for none.
        sends: Media types that are sent in the place of JSON.
        reply: The type of the JSON that comes back; a tuple for one of several; None
            for none.
        gives: Media types that come back in the place of JSON.
        status: The status of what comes back.
        events: By name, the types of the data of server-sent events, where these can
            come back; a tuple for one of several. "message" is an event without a name.
        lines: The types of JSON documents that can come back one a line.
        may_be_empty: Whether status 204 may come back, too.
        query: What may stand in the query, and what it means.
        headers: Headers that may be sent, and what they mean.
        error: The type of the JSON that tells an error.
    """

    body: object = None
    sends: tuple[str, ...] = ()
    reply: object = None
    gives: tuple[str, ...] = ()
    status: HTTPStatus = HTTPStatus.OK
    events: Mapping[str, object] = field(default_factory=dict)
    lines: tuple[object, ...] = ()
    may_be_empty: bool = False
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    error: object = ErrorReply

    @property
    def types(self) -> list[object]:
        """All types that it mentions."""
        found = [self.body, self.error, *self.lines]
        for data in (self.reply, *self.events.values()):
            found += data if isinstance(data, tuple) else [data]
        return [kind for kind in found if kind is not None]


ENDS = Operation(status=HTTPStatus.NO_CONTENT)
"""An operation that takes nothing and gives nothing back."""
