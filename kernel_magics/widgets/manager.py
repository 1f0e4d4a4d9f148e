"""``ModelManager``: the models of the server, below a cell."""

import json
import threading
from pathlib import Path
from typing import Any

import anywidget
from traitlets import Dict, List, Unicode

from kernel_magics.client import Client
from kernel_magics.errors import in_words
from kernel_magics.private import connect
from kernel_magics.render.tables import download_figures, size, used
from kernel_magics.stream import ServerEvent

_HERE = Path(__file__).parent
_PAUSE = 2.0
"""Seconds before a lost connection is tried again."""


class ModelManager(anywidget.AnyWidget):
    """Models with their states as they change, downloads, loading and unloading.

    Args:
        client: The server's; by default that of this kernel.

    Raises:
        ServerNotFoundError: There is no server, and none can be started.
    """

    _esm = (_HERE / "dom.js").read_text() + (_HERE / "manager.js").read_text()
    _css = (_HERE / "theme.css").read_text() + (_HERE / "manager.css").read_text()

    models = List(Dict()).tag(sync=True)
    downloads = List(Dict()).tag(sync=True)
    memory = Unicode("").tag(sync=True)
    default_model = Unicode("").tag(sync=True)
    error = Unicode("").tag(sync=True)

    def __init__(self, client: Client | None = None) -> None:
        super().__init__()
        self._client = client or connect()
        self._models: dict[str, dict[str, Any]] = {}
        self._downloads: dict[str, dict[str, Any]] = {}
        # Of its own, so that it can be closed.
        self._feed = Client(self._client.connection)
        self._closed = threading.Event()
        self.on_msg(self._take)
        self._take_snapshot(self._client.models())
        threading.Thread(target=self._watch, daemon=True).start()

    def close(self) -> None:
        """Take the widget away, and follow the server no more."""
        self._closed.set()
        self._feed.close()
        super().close()

    def _watch(self) -> None:
        """Follow what changes on the server; after a gap it tells all anew."""
        last = ""
        while not self._closed.is_set():
            try:
                for event in self._feed.events("GET", "events", last_id=last):
                    if self._closed.is_set():
                        return
                    last = event.id or last
                    self._take_event(event)
            except Exception as error:  # noqa: BLE001  # told in the panel
                if not self._closed.is_set():
                    self.error = in_words(error)
            self._closed.wait(_PAUSE)

    def _take_event(self, event: ServerEvent) -> None:
        data = json.loads(event.data)
        match event.name:
            case "snapshot":
                self.error = ""
                self._take_snapshot(data)
            case "model":
                self._models[data["model"]["id"]] = data["model"]
            case "model_removed":
                self._models.pop(data["id"], None)
            case "download":
                self._downloads[data["download"]["id"]] = data["download"]
            case "download_removed":
                self._downloads.pop(data["id"], None)
        self._show()

    def _take_snapshot(self, data: dict[str, Any]) -> None:
        self._models = {model["id"]: model for model in data["models"]}
        self._downloads = {d["id"]: d for d in data.get("downloads", [])}
        self.default_model = data["default"] or ""
        self._show()

    def _take(self, _widget: object, content: dict[str, Any], _buffers: object) -> None:
        """Do what the page asks for, where it need not wait for it."""
        threading.Thread(target=self._do, args=[content], daemon=True).start()

    def _do(self, content: dict[str, Any]) -> None:
        try:
            self.error = ""
            self._act(content)
        except Exception as error:  # noqa: BLE001  # told in the panel
            self.error = in_words(error)

    def _act(self, content: dict[str, Any]) -> None:
        client = self._client
        match content:
            case {"do": "load", "id": str(name), "options": dict(options)}:
                client.post(f"models/{name}/load", _load_body(options))
            case {"do": "unload", "id": str(name), "force": bool(force)}:
                client.unload(name, force=force)
            case {"do": "pin", "id": str(name), "pinned": bool(pinned)}:
                client.post(f"models/{name}/pin", {"pinned": pinned})
            case {"do": "delete", "id": str(name)}:
                client.delete(name)
            case {"do": "pull", "reference": str(reference)} if reference.strip():
                client.post("downloads", {"model": reference.strip()})
            case {"do": "pause" | "resume" | "cancel" as what, "id": str(download)}:
                client.post(f"downloads/{download}/{what}")
            case {"do": "forget", "id": str(download)}:
                client.request("DELETE", f"downloads/{download}")

    def _show(self) -> None:
        """Tell the page what there is now."""
        self.models = [_shown(model) for model in self._models.values()]
        self.downloads = [_shown_download(d) for d in self._downloads.values()]
        held = sum(used(model) for model in self._models.values())
        self.memory = f"{size(held)} of memory in use" if held else ""


def _shown(model: dict[str, Any]) -> dict[str, Any]:
    """Return a model as the page wants it."""
    progress, error = model.get("progress") or {}, model.get("error") or {}
    facts = [model.get("quantization") or "", size(model["size"])]
    if used(model):
        facts.append(f"{size(used(model))} of memory")
    if model.get("context_length"):
        facts.append(f"context {model['context_length']}")
    return {
        "id": model["id"],
        "state": model["state"],
        "stage": progress.get("stage", ""),
        "fraction": progress.get("fraction"),
        "facts": " · ".join(fact for fact in facts if fact),
        "error": error.get("message", ""),
        "pinned": bool(model.get("pinned")),
        "source": model.get("source", "folder"),
    }


def _shown_download(download: dict[str, Any]) -> dict[str, Any]:
    """Return a download as the page wants it."""
    total, error = download["total"], download.get("error") or {}
    return {
        "id": download["id"],
        "reference": download["reference"],
        "state": download["state"],
        "fraction": download["done"] / total if total else None,
        "facts": download_figures(download),
        "error": error.get("message", ""),
    }


def _load_body(given: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a load request; what was left empty is the server's choice."""
    options: dict[str, Any] = {
        name: int(given[name])
        for name in ("context_length", "slots", "threads")
        if str(given.get(name) or "").isdecimal()
    }
    layers = str(given.get("gpu_layers") or "")
    if layers:
        options["gpu_layers"] = int(layers) if layers.isdecimal() else layers
    if given.get("kv_type"):
        options["kv_type"] = given["kv_type"]
    body: dict[str, Any] = {"options": options} if options else {}
    if given.get("keep_alive"):
        body["keep_alive"] = given["keep_alive"]
    return body
