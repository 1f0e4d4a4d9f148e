"""Models that are elsewhere, and how people write where.

::

    reference = "hf:" owner "/" name [ "@" revision ] [ ":" ( quant / file ) ]

``quant`` is a quantisation such as ``Q4_K_M``; ``file`` is a path in the repository
that ends in ``.gguf``. Ollama's ``hf.co/owner/name:quant``, addresses of pages and
files on https://huggingface.co and the names in :mod:`.well_known` mean the same. A
plain ``owner/name`` means nothing: it could be of any registry.
"""

import re
from urllib.parse import unquote, urlsplit

import msgspec

from llm_ext.errors import InvalidRequestError

from .well_known import WELL_KNOWN

SCHEME = "hf:"
"""What a reference begins with."""

_SUFFIX = ".gguf"
_HOSTS = ("huggingface.co", "www.huggingface.co", "hf.co")
_PAGES = ("tree", "blob", "resolve", "raw")
"""What stands between a repository and a revision in the hub's addresses."""

_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?"
_REPO = re.compile(rf"{_PART}/{_PART}")
_QUANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_STEP = re.compile(r"[A-Za-z0-9_][^/\\:\x00-\x1f]{0,199}")
"""One step of a path or of a revision: no "..", nothing hidden, no separator."""


class Reference(msgspec.Struct, frozen=True):
    """A model on the Hugging Face hub. ``str()`` gives its canonical form.

    Attributes:
        repo: Owner and name of the repository.
        revision: A branch, a tag or a commit.
        quant: The quantisation that is wanted, in capital letters; None where a file
            is named, or where whoever downloads may choose.
        file: The path of a file in the repository; of a split set the first.
    """

    repo: str
    revision: str = "main"
    quant: str | None = None
    file: str | None = None

    def __str__(self) -> str:
        revision = "" if self.revision == "main" else f"@{self.revision}"
        choice = self.file or self.quant
        return f"{SCHEME}{self.repo}{revision}" + (f":{choice}" if choice else "")


def is_reference(text: str) -> bool:
    """Whether ``text`` says that it names a place on the hub, rightly or not."""
    plain = text.strip().lower()
    return plain.startswith((SCHEME, "https://", "http://")) or (
        plain.partition("/")[0] in _HOSTS
    )


def parse(text: str) -> Reference:
    """Return what ``text`` stands for.

    Raises:
        InvalidRequestError: It is no reference, or one that cannot be; says why.
    """
    wanted = text.strip()
    lower = wanted.lower()
    if known := WELL_KNOWN.get(lower.removesuffix(":latest")):
        return parse(known)
    if lower.startswith(("https://", "http://")):
        return _from_address(text, wanted)
    host, slash, rest = wanted.partition("/")
    if slash and host.lower() in _HOSTS:
        return _from_name(text, rest)
    if not lower.startswith(SCHEME):
        raise _refusal(
            text, f"it has to begin with {SCHEME!r} or to be one of the known names"
        )
    return _from_name(text, wanted[len(SCHEME) :])


def _from_name(text: str, name: str) -> Reference:
    place, _, choice = name.partition(":")
    repo, at, revision = place.partition("@")
    if at and not revision:
        raise _refusal(text, "no revision follows the '@'")
    choice = "" if choice.lower() == "latest" else choice
    is_file = choice.lower().endswith(_SUFFIX)
    return _checked(
        text,
        Reference(
            repo=repo,
            revision=revision or "main",
            quant=choice.upper() or None if not is_file else None,
            file=choice if is_file else None,
        ),
    )


def _from_address(text: str, address: str) -> Reference:
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError as error:
        raise _refusal(text, "it is no address") from error
    if parts.scheme.lower() != "https" or host not in _HOSTS:
        raise _refusal(text, "only addresses on https://huggingface.co are known")
    steps = [unquote(step) for step in parts.path.strip("/").split("/")]
    repo = "/".join(steps[:2])
    if len(steps) <= 2:  # noqa: PLR2004 - owner and name
        return _checked(text, Reference(repo=repo))
    page, revision, *path = [*steps[2:], ""]
    if page not in _PAGES or not revision:
        raise _refusal(text, "it is not the address of a repository or of a file in it")
    file = "/".join(path[:-1])
    if page == "tree" and not file.lower().endswith(_SUFFIX):
        file = ""  # a folder's page: the repository is meant
    return _checked(text, Reference(repo=repo, revision=revision, file=file or None))


def _checked(text: str, reference: Reference) -> Reference:
    if not _REPO.fullmatch(reference.repo) or re.search(r"--|\.\.", reference.repo):
        raise _refusal(text, f"{reference.repo!r} is not 'owner/name'")
    if not _is_path(reference.revision):
        raise _refusal(text, f"{reference.revision!r} is no revision")
    if reference.quant is not None and not _QUANT.fullmatch(reference.quant):
        raise _refusal(
            text, f"{reference.quant!r} is neither a quantisation nor a {_SUFFIX} file"
        )
    file = reference.file
    if file is not None and not (file.lower().endswith(_SUFFIX) and _is_path(file)):
        raise _refusal(text, f"{file!r} is not the path of a {_SUFFIX} file")
    return reference


def _is_path(path: str) -> bool:
    return all(_STEP.fullmatch(step) for step in path.split("/"))


def _refusal(text: str, why: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"{text!r} names no model to download: {why}. Write "
        f"'hf:owner/name:Q4_K_M', 'hf:owner/name:file.gguf' or the address of a file "
        f"on https://huggingface.co.",
        param="model",
    )
