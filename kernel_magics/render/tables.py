"""Models, workers and downloads as Markdown tables."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; the cells are Markdown without bars."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def model_table(reply: Mapping[str, Any], chosen: str = "") -> str:
    """Return all models, the one marked that a question without a name takes."""
    default = chosen or reply["default"]
    rows = [_row(model, default) for model in reply["models"]]
    rows += [_remote_row(model, default) for model in reply.get("remote", [])]
    return table(("model", "state", "size", ""), rows)


def worker_table(models: Iterable[Mapping[str, Any]]) -> str:
    """Return the models that take memory, and how much."""
    rows = [
        (
            f"`{model['id']}`",
            state(model),
            size(used(model)) if used(model) else "",
            str(model.get("context_length") or ""),
            _slots(model),
            _until(model),
        )
        for model in models
    ]
    heads = ("model", "state", "memory", "context", "requests", "unloaded in")
    return table(heads, rows)


def state(model: Mapping[str, Any]) -> str:
    """Return a model's state in a word, with how far it is while it loads."""
    word = str(model["state"])
    if model.get("progress"):
        return f"{word} {model['progress']['fraction']:.0%}"
    return word


def used(model: Mapping[str, Any]) -> int:
    """Return the bytes set aside for a model on all devices together."""
    devices = (model.get("memory") or {}).get("devices", {})
    return sum(sum(kinds.values()) for kinds in devices.values())


def download_figures(download: Mapping[str, Any]) -> str:
    """Return how much of a download is here, how fast it comes, and what is left."""
    parts = []
    if download["total"]:
        parts.append(f"{size(download['done'])} of {size(download['total'])}")
    if download.get("rate"):
        parts.append(f"{size(download['rate'])}/s")
    if download.get("seconds_left") is not None:
        parts.append(f"{duration(download['seconds_left'])} left")
    return ", ".join(parts)


def size(count: float) -> str:
    """Return a number of bytes for people: 4.7 GB."""
    value, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:  # noqa: PLR2004  # SI units
        value /= 1000
        units.pop(0)
    digits = 0 if units[0] == "B" else 1
    return f"{value:.{digits}f}\N{NO-BREAK SPACE}{units[0]}"


def duration(seconds: float) -> str:
    """Return a time for people: 45 s, 3 min, 2 h."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f}\N{NO-BREAK SPACE}{unit}"
    return f"{max(seconds, 0):.0f}\N{NO-BREAK SPACE}s"


def _row(model: Mapping[str, Any], default: str | None) -> tuple[str, ...]:
    note = model["error"]["message"] if model.get("error") else ""
    if not note and model["id"] == default:
        note = "used when none is named"
    return (f"`{model['id']}`", state(model), size(model["size"]), note)


def _remote_row(model: Mapping[str, Any], default: str | None) -> tuple[str, ...]:
    note = f"answered by the provider {model['provider']}"
    if model["id"] == default:
        note += ", used when none is named"
    return (f"`{model['id']}`", "remote", "", note)


def _slots(model: Mapping[str, Any]) -> str:
    slots = model.get("slots")
    if not slots:
        return ""
    waiting = f", {slots['waiting']} waiting" if slots["waiting"] else ""
    return f"{slots['busy']} of {slots['total']}{waiting}"


def _until(model: Mapping[str, Any]) -> str:
    if model.get("pinned"):
        return "pinned"
    if not model.get("expires_at"):
        return ""
    end = datetime.fromisoformat(str(model["expires_at"]).replace("Z", "+00:00"))
    return duration((end - datetime.now(timezone.utc)).total_seconds())


def _cell(text: str) -> str:
    return text.replace("\n", " ").replace("|", "\\|")
