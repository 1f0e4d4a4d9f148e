"""Names with tags, as Ollama's clients write them."""

_LATEST = ":latest"


def without_latest(name: str) -> str | None:
    """Return a name without the tag that clients append; None if it has none."""
    plain = name.removesuffix(_LATEST)
    return plain if plain not in ("", name) else None
