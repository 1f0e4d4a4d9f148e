"""Model files in Ollama's store.

::

    manifests/<host>/<namespace>/<name>/<tag>    JSON: layers, each a type and a digest
    blobs/sha256-<64 hex digits>                 the layers' content

From Ollama's documentation and the manifests that it writes.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from llm_ext.catalog.found import Found
from llm_ext.catalog.reference import SCHEME
from llm_ext.catalog.tree import Tree

_SERVICE = "/usr/share/ollama/.ollama/models"
"""The store of the service that Ollama's installer sets up on Linux."""

_HOST = "registry.ollama.ai"
_NAMESPACE = "library"
_LATEST = "latest"
_HUB = ("hf.co", "huggingface.co")

_LAYER = "application/vnd.ollama.image."
_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")

_ADAPTED = (
    "It needs an adapter, which Ollama adds when it loads the model and this server "
    "does not. Use the model that it is made from."
)


class _Layer(msgspec.Struct):
    """What a manifest says of a layer."""

    kind: str = msgspec.field(name="mediaType", default="")
    digest: str = ""


class _Manifest(msgspec.Struct):
    """What is read of a manifest."""

    layers: list[_Layer] | None = None


_manifest = msgspec.json.Decoder(_Manifest)


def folders() -> list[Path]:
    """Return where the store may be, by Ollama's environment variable or default."""
    if folder := os.environ.get("OLLAMA_MODELS"):
        return [Path(folder).expanduser()]
    return [Path.home() / ".ollama" / "models", Path(_SERVICE)]


def find(tree: Tree) -> Iterator[Found]:
    """Yield all of them."""
    for folder in folders():
        manifests = str(folder / "manifests")
        for steps in _steps(tree, manifests, 4):
            found = _of_manifest(tree, manifests, str(folder / "blobs"), steps)
            if found is not None:
                yield found


def _steps(tree: Tree, folder: str, depth: int) -> Iterator[tuple[str, ...]]:
    """Yield the paths of all manifests below ``folder``, as steps."""
    listing = tree.listing(folder)
    for name in listing.folders if depth > 1 else listing.files:
        if depth == 1:
            yield (name,)
        else:
            for rest in _steps(tree, f"{folder}/{name}", depth - 1):
                yield (name, *rest)


def _of_manifest(
    tree: Tree, manifests: str, blobs: str, steps: tuple[str, ...]
) -> Found | None:
    try:
        manifest = _manifest.decode(tree.text("/".join([manifests, *steps])))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    layers = {layer.kind.removeprefix(_LAYER): layer for layer in manifest.layers or ()}
    model = _blob(blobs, layers.get("model"))
    if model is None:
        return None
    host, namespace, name, tag = steps
    full, short = _names(host, namespace, name, tag)
    return Found(
        model,
        "ollama",
        name=full,
        aliases=(full, *short),
        projector=_blob(blobs, layers.get("projector")),
        problem=_ADAPTED if "adapter" in layers else None,
    )


def _names(
    host: str, namespace: str, name: str, tag: str
) -> tuple[str, tuple[str, ...]]:
    """Return a model's name as Ollama shows it, and what else it answers to."""
    place = name if namespace == _NAMESPACE else f"{namespace}/{name}"
    others: list[str] = []
    if host in _HUB:
        choice = "" if tag == _LATEST else f":{tag}"
        others.append(f"{SCHEME}{namespace}/{name}{choice}")
    if host != _HOST:
        place = f"{host}/{place}"
    if tag == _LATEST:
        others.append(place)
    return f"{place}:{tag}", tuple(others)


def _blob(blobs: str, layer: _Layer | None) -> str | None:
    # The digest becomes part of a path: it must be nothing else.
    match = _DIGEST.fullmatch(layer.digest) if layer is not None else None
    return f"{blobs}/sha256-{match[1]}" if match else None
