"""A conversation that the server keeps, followed from this kernel.

The server stores questions and answers, and goes on with an answer whoever reads it:
a kernel that restarts, or a second panel, finds all of it again.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from kernel_magics.client import Client
from kernel_magics.errors import MagicError, RefusedError, in_words
from kernel_magics.pieces import ChatReader, Reasoning, Status, Text
from kernel_magics.stream import ServerEvent

Message = dict[str, Any]

_NOT_FOUND = "conversation_not_found"


class ChatSession:
    """One conversation.

    Attributes:
        id: The conversation's; empty before the first question.
        messages: What was said, in order, as the server stores it.
        branches: For messages that have siblings, the ids of all of them.
        writing: The answer that is being written: ``text``, ``reasoning`` and
            ``status`` (words and a fraction); empty when there is none.
        error: What went wrong last, in words.
        unsent: A question that the server did not take, to be asked again.

    Args:
        client: The server's.
        changed: Is called, in any thread, when something of this has changed.
    """

    def __init__(self, client: Client, changed: Callable[[], None]) -> None:
        self.id = ""
        self.title = ""
        self.model = ""
        self.system = ""
        self.options: dict[str, Any] = {}
        self.messages: list[Message] = []
        self.branches: dict[str, list[str]] = {}
        self.writing: dict[str, Any] = {}
        self.error = ""
        self.unsent = ""
        self._client = client
        self._changed = changed
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether an answer is being written."""
        return bool(self.writing)

    def open(self, conversation: str) -> bool:
        """Show a conversation, and go on reading its answer if one is being written.

        Returns whether there is such a conversation: one that cannot be shown now is
        there, and keeps its place.
        """
        self.id = conversation
        try:
            self._fetch()
        except MagicError as error:
            if isinstance(error, RefusedError) and error.code == _NOT_FOUND:
                self.id = ""
                return False
            self.tell(error)
        else:
            self._follow(lambda: self._events("GET", None))
        return True

    def begin_anew(self) -> None:
        """Show an empty conversation; it is stored with its first question."""
        self.id, self.title, self.messages, self.branches = "", "", [], {}
        self._changed()

    def ask(self, text: str, *, parent: str | None = "") -> None:
        """Ask a question.

        Args:
            text: The question.
            parent: The id of the message that it follows; None begins at the root,
                an empty one goes on at the end.
        """
        body: dict[str, Any] = {"content": text}
        if parent != "":
            body["parent"] = parent
            self._cut(parent)
        self.messages = [*self.messages, {"id": "", "role": "user", "content": text}]
        self.unsent = text
        self._begin(body)

    def answer_again(self, message: str) -> None:
        """Have a question answered once more; ``message`` is the answer's id."""
        parent = self._message(message).get("parent")
        if parent is not None:
            self._cut(parent)
            self._begin({"parent": parent})

    def edit(self, message: str, text: str) -> None:
        """Ask a question in other words; both stay, beside each other."""
        self.ask(text, parent=self._message(message).get("parent"))

    def show_branch(self, message: str) -> None:
        """Show the path that goes through ``message``."""
        self._done(lambda: self._patch({"head": message}))

    def change(self, **fields: Any) -> None:  # noqa: ANN401  # any JSON
        """Change title, model, system text or options, now and for the server."""
        for name, value in fields.items():
            setattr(self, name, value)
        if self.id:
            sent = {n: (v or None) if n == "model" else v for n, v in fields.items()}
            self._done(lambda: self._patch(sent))
        else:
            self._changed()

    def stop(self) -> None:
        """End the answer that is being written; what there is of it is kept."""
        if self.id:
            self._done(lambda: self._client.post(f"conversations/{self.id}/stop"))

    def export(self, kind: str) -> str:
        """Return the conversation as a file's text: markdown, notebook or jsonl."""
        return self._client.text(f"conversations/{self.id}/export", format=kind)

    def tell(self, error: Exception) -> None:
        """Show what went wrong."""
        self.error = in_words(error)
        self._changed()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until nothing is being written."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _message(self, message: str) -> Message:
        return next((m for m in self.messages if m["id"] == message), {})

    def _cut(self, last: str | None) -> None:
        """Show nothing after the message ``last``; None leaves nothing."""
        ids = [message["id"] for message in self.messages]
        keep = ids.index(last) + 1 if last in ids else 0
        self.messages = self.messages[:keep]

    def _begin(self, body: dict[str, Any]) -> None:
        if self.model:
            body["model"] = self.model
        self.error = ""
        self.writing = {"text": "", "reasoning": "", "status": {"text": "waiting"}}
        self._follow(lambda: self._events("POST", body))

    def _follow(self, events: Callable[[], Iterator[ServerEvent]]) -> None:
        self._changed()
        self._thread = threading.Thread(target=self._read, args=[events], daemon=True)
        self._thread.start()

    def _events(
        self, method: str, body: dict[str, Any] | None
    ) -> Iterator[ServerEvent]:
        if not self.id:
            self.id = self._create()
        path = f"conversations/{self.id}/reply"
        with closing(self._client.events(method, path, body=body)) as events:
            yield from events

    def _create(self) -> str:
        body = {"system": self.system, "options": self.options}
        if self.model:
            body["model"] = self.model
        return str(self._client.post("conversations", body)["id"])

    def _read(self, events: Callable[[], Iterator[ServerEvent]]) -> None:
        """Read an answer to its end, and then what the server has stored."""
        reader = ChatReader()
        with self._telling():
            for event in events():
                self._take(reader, event)
        self.writing = {}
        self._done(self._fetch)

    def _take(self, reader: ChatReader, event: ServerEvent) -> None:
        if event.name == "message" and event.data.startswith('{"message"'):
            self._take_opening(json.loads(event.data))
            return
        for piece in reader.take(event):
            writing = {"text": "", "reasoning": "", **self.writing}
            match piece:
                case Status():
                    fraction = piece.fraction
                    writing["status"] = {"text": piece.text, "fraction": fraction}
                case Text():
                    writing |= {"text": writing["text"] + piece.text, "status": {}}
                case Reasoning():
                    writing["reasoning"] += piece.text
                    writing["status"] = {"text": "thinking"}
            self.writing = writing
        self._changed()

    def _take_opening(self, opening: dict[str, Any]) -> None:
        self.unsent = ""
        question = opening.get("message")
        if question is not None:
            known = [message for message in self.messages if message["id"]]
            self.messages = [*known, question]
        self._changed()

    def _done(self, act: Callable[[], object]) -> None:
        """Do something with the server, and show what came of it, or what failed."""
        with self._telling():
            act()
        self._changed()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        # Nobody waits for the thread that reads: an error that left it would be lost.
        try:
            yield
        except Exception as error:  # noqa: BLE001  # told in the panel
            self.error = in_words(error)

    def _patch(self, changes: dict[str, Any]) -> None:
        self._client.request("PATCH", f"conversations/{self.id}", json=changes)
        self._fetch()

    def _fetch(self) -> None:
        if not self.id:
            return
        opened = self._client.get(f"conversations/{self.id}")
        self.title = opened["title"]
        self.model = opened["model"] or self.model
        self.system, self.options = opened["system"], opened["options"]
        self.messages = opened["messages"]
        self.branches = opened["branches"]
