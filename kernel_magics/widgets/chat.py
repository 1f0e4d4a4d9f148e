"""``ChatPanel``: a chat with a model, below a cell."""

from pathlib import Path
from typing import Any

import anywidget
from traitlets import Bool, Dict, List, Unicode

from kernel_magics.client import Client
from kernel_magics.errors import MagicError
from kernel_magics.private import connect
from kernel_magics.render.output import UPDATES_PER_SECOND
from kernel_magics.render.pace import Pace

from . import remembered
from .chat_session import ChatSession, Message
from .markup import rendered

_HERE = Path(__file__).parent


class ChatPanel(anywidget.AnyWidget):
    """A chat that the server keeps: it is still there when the kernel restarts.

    Args:
        client: The server's; by default that of this kernel.
        model: The model that answers; empty takes the server's default.
        conversation: The id of the conversation to show; by default the notebook's
            own, or a new one.

    Raises:
        ServerNotFoundError: There is no server, and none can be started.
    """

    _esm = (_HERE / "dom.js").read_text() + (_HERE / "chat.js").read_text()
    _css = (_HERE / "theme.css").read_text() + (_HERE / "chat.css").read_text()

    models = List(Dict()).tag(sync=True)
    model = Unicode("").tag(sync=True)
    title = Unicode("").tag(sync=True)
    system = Unicode("").tag(sync=True)
    options = Dict().tag(sync=True)
    messages = List(Dict()).tag(sync=True)
    writing = Dict().tag(sync=True)
    busy = Bool(default_value=False).tag(sync=True)
    error = Unicode("").tag(sync=True)
    conversation = Unicode("").tag(sync=True)

    def __init__(
        self, client: Client | None = None, *, model: str = "", conversation: str = ""
    ) -> None:
        super().__init__()
        self._client = client or connect()
        self._notebook = remembered.notebook_name()
        self._pace = Pace(UPDATES_PER_SECOND)
        self.session = ChatSession(self._client, self._show)
        self.session.model = model
        self.on_msg(self._take)
        self.refresh_models()
        known = conversation or remembered.recall(self._notebook)
        if not known or not self.session.open(known):
            self.session.begin_anew()

    def refresh_models(self) -> None:
        """Ask the server anew which models there are."""
        try:
            reply = self._client.models()
        except MagicError as error:
            self.session.tell(error)
            return
        self.models = [
            {"id": model["id"], "state": model["state"]}
            for model in reply["models"]
            if "chat" in (model.get("capabilities") or ["chat"])
        ]
        self.models += [
            {"id": model["id"], "state": "remote"} for model in reply.get("remote", [])
        ]
        if not self.session.model:
            self.session.model = reply["default"] or ""
        self._show()

    def _take(self, _widget: object, content: dict[str, Any], _buffers: object) -> None:
        """Do what the page asks for."""
        session = self.session
        session.error = ""
        match content:
            case {"do": "stop"}:
                session.stop()
            case {"do": "refresh"}:
                self.refresh_models()
            case {"do": "change", "fields": dict(fields)}:
                session.change(**_changes(fields))
            case {"do": "export", "format": str(kind)}:
                self._export(kind)
            case _ if not session.busy:
                self._go_on(content)

    def _go_on(self, content: dict[str, Any]) -> None:
        """Do what can only be done while no answer is written."""
        session = self.session
        match content:
            case {"do": "ask", "text": str(text)} if text.strip():
                session.ask(text.strip())
            case {"do": "edit", "id": str(message), "text": str(text)} if text.strip():
                session.edit(message, text.strip())
            case {"do": "again", "id": str(message)}:
                session.answer_again(message)
            case {"do": "branch", "id": str(message)}:
                session.show_branch(message)
            case {"do": "new"}:
                session.begin_anew()

    def _export(self, kind: str) -> None:
        try:
            text = self.session.export(kind)
        except MagicError as error:
            self.session.tell(error)
            return
        suffix = {"markdown": "md", "notebook": "ipynb"}.get(kind, "jsonl")
        self.send({"do": "save", "name": f"chat.{suffix}", "text": text})

    def _show(self) -> None:
        """Tell the page what has changed; a growing answer not too often."""
        session = self.session
        if session.unsent and session.error:
            self.send({"do": "restore", "text": session.unsent})
            session.unsent = ""
        text = str(session.writing.get("text", ""))
        due = self._pace.due(len(text))
        if text and self.busy and session.busy and not due:
            return
        if session.id and session.id != self.conversation:
            remembered.remember(self._notebook, session.id)
        with self.hold_sync():
            self.conversation, self.title = session.id, session.title
            self.model, self.system = session.model, session.system
            self.options, self.error = session.options, session.error
            self.messages = [
                _shown(message, session.branches) for message in session.messages
            ]
            self.writing = _growing(session.writing)
            self.busy = session.busy


def _shown(message: Message, branches: dict[str, list[str]]) -> dict[str, Any]:
    """Return a message as the page wants it."""
    text = message["content"]
    own = message["role"] == "user"
    return {
        "id": message["id"],
        "role": message["role"],
        "text": text,
        "html": "" if own else rendered(text),
        "reasoning": rendered(message.get("reasoning", "")),
        "calls": [_call(call) for call in message.get("tool_calls", [])],
        "siblings": branches.get(message["id"], []),
        "statistics": _statistics(message),
        "note": _NOTES.get(message.get("finish_reason") or "", ""),
    }


_NOTES = {
    "length": "cut at the longest length",
    "cancelled": "stopped",
    "error": "broken off",
}


def _growing(writing: dict[str, Any]) -> dict[str, Any]:
    if not writing:
        return {}
    return {
        "html": rendered(writing.get("text", "")),
        "reasoning": rendered(writing.get("reasoning", "")),
        "status": writing.get("status", {}),
    }


def _call(call: dict[str, Any]) -> str:
    function = call["function"]
    return f"{function['name']}({function['arguments']})"


def _statistics(message: Message) -> str:
    """Return model, tokens and rate of an answer in one line."""
    usage, timings = message.get("usage") or {}, message.get("timings") or {}
    parts = [message.get("model") or ""]
    if usage:
        cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0)
        note = f" ({cached} cached)" if cached else ""
        parts.append(f"{usage['prompt_tokens']} prompt tokens{note}")
        parts.append(f"{usage['completion_tokens']} answer tokens")
    if timings.get("predicted_per_second"):
        parts.append(f"{timings['predicted_per_second']:.1f} tokens/s")
    return " · ".join(part for part in parts if part)


def _changes(fields: dict[str, Any]) -> dict[str, Any]:
    """Return what the page may change."""
    return {
        name: value
        for name, value in fields.items()
        if name in {"model", "system", "options", "title"}
    }
