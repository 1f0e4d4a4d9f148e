"""Model files as other programs lay them out on a disk."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from .raw_gguf import llama, raw

OLLAMA = "application/vnd.ollama.image"
OLLAMA_HOST = "registry.ollama.ai"


def add_to_hub_cache(
    hub: Path,
    repo: str,
    commit: str,
    files: Mapping[str, bytes],
    *,
    ref: str | None = "main",
) -> None:
    """Put files into huggingface_hub's cache, as one of its downloads does."""
    folder = hub / f"models--{repo.replace('/', '--')}"
    (folder / "blobs").mkdir(parents=True, exist_ok=True)
    snapshot = folder / "snapshots" / commit
    for name, content in files.items():
        blob = folder / "blobs" / hashlib.sha256(content).hexdigest()
        blob.write_bytes(content)
        link = snapshot / name
        link.parent.mkdir(parents=True, exist_ok=True)
        depth = len(Path(name).parts) + 1
        link.symlink_to(Path(*[".."] * depth, "blobs", blob.name))
    if ref is not None:
        (folder / "refs").mkdir(exist_ok=True)
        (folder / "refs" / ref).write_text(commit)


def add_to_ollama(
    store: Path,
    name: str,
    tag: str,
    *,
    host: str = OLLAMA_HOST,
    namespace: str = "library",
    **layers: bytes,
) -> None:
    """Put a model into Ollama's store; ``layers`` by their types, such as model."""
    blobs = store / "blobs"
    blobs.mkdir(parents=True, exist_ok=True)
    listed = []
    for kind, content in {**layers, "license": b"MIT"}.items():
        digest = hashlib.sha256(content).hexdigest()
        (blobs / f"sha256-{digest}").write_bytes(content)
        listed.append(
            {
                "mediaType": f"{OLLAMA}.{kind}",
                "digest": f"sha256:{digest}",
                "size": len(content),
            }
        )
    manifest = store / "manifests" / host / namespace / name / tag
    manifest.parent.mkdir(parents=True, exist_ok=True)
    described = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json"},
        "layers": listed,
    }
    manifest.write_text(json.dumps(described))


def model(name: str = "m") -> bytes:
    """Return a small model's file, which differs from those of other names."""
    return raw({**llama(), "general.name": name})


def projector(*, width: int = 64, sees: bool = True) -> bytes:
    """Return a file that makes vectors of this width from images."""
    return raw(
        {
            "general.architecture": "clip",
            "general.type": "mmproj",
            "clip.has_vision_encoder": sees,
            "clip.vision.projection_dim": width,
        }
    )


def adapter() -> bytes:
    """Return a file with what is added to a model's weights."""
    values = {
        "general.architecture": "llama",
        "general.type": "adapter",
        "adapter.type": "lora",
    }
    return raw(values)
