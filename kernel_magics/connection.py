"""Finds the server that this kernel or terminal belongs to.

In this order, first match wins:

1. an explicit URL;
2. ``LLM_EXT_URL``, with ``LLM_EXT_TOKEN_FILE`` or ``LLM_EXT_TOKEN``;
3. the file ``llm_ext-<pid>.json`` that the extension writes into Jupyter's runtime
   folder, of the process that started this kernel;
4. Jupyter's own list of running servers (``jpserver-<pid>.json``): the one that
   started this kernel, else one that serves a folder above the current one;
5. JupyterHub's variables.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ServerNotFoundError

PREFIX = "llm/"


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Where the server is.

    Attributes:
        url: Ends in ``/llm/``.
        token: Jupyter's token; empty if the server has none.
        source: How it was found, in words.
    """

    url: str
    token: str
    source: str

    def __repr__(self) -> str:
        """Without the token: it can run code."""
        return f"Connection(url={self.url!r}, source={self.source!r})"


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the search looks at.

    Attributes:
        environ: Environment variables.
        runtime_dir: Jupyter's runtime folder.
        parents: Process ids that may have started this process.
        folder: The current folder.
        answers: Whether a server of ours answers at a URL.
    """

    environ: Mapping[str, str]
    runtime_dir: Path
    parents: tuple[int, ...]
    folder: Path
    answers: Callable[[str], bool]


def find(here: Surroundings, *, url: str = "", token: str = "") -> Connection:
    """Return the connection to use.

    Raises:
        ServerNotFoundError: There is none; lists what was tried.
    """
    tried: list[str] = []
    if url:
        return Connection(url=_with_slash(url), token=token, source="given by name")
    for step in (_from_environment, _from_our_file, _from_jupyter, _from_hub):
        found = step(here)
        if isinstance(found, Connection):
            return found
        tried.append(found)
    raise ServerNotFoundError(tried)


def surroundings(answers: Callable[[str], bool]) -> Surroundings:
    """Return this process's surroundings."""
    from jupyter_core.paths import jupyter_runtime_dir  # noqa: PLC0415  # not at start

    named = os.environ.get("JPY_PARENT_PID", "")
    # On Windows the variable holds a process handle, which is no process id.
    usable = named.isdigit() and os.name == "posix"
    parents = (int(named), os.getppid()) if usable else (os.getppid(),)
    return Surroundings(
        environ=os.environ,
        runtime_dir=Path(jupyter_runtime_dir()),
        parents=parents,
        folder=Path.cwd(),
        answers=answers,
    )


def _from_environment(here: Surroundings) -> Connection | str:
    url = here.environ.get("LLM_EXT_URL", "")
    if not url:
        return "LLM_EXT_URL is not set"
    return Connection(
        url=_with_slash(url), token=_named_token(here.environ), source="LLM_EXT_URL"
    )


def _named_token(environ: Mapping[str, str]) -> str:
    file = environ.get("LLM_EXT_TOKEN_FILE", "")
    if not file:
        return environ.get("LLM_EXT_TOKEN", "")
    try:
        return Path(file).expanduser().read_text(encoding="utf-8").strip()
    except OSError as error:
        problem = f"LLM_EXT_TOKEN_FILE names {file}, which cannot be read: {error}"
        raise ServerNotFoundError([problem]) from error


def _from_our_file(here: Surroundings) -> Connection | str:
    for pid in here.parents:
        path = here.runtime_dir / f"llm_ext-{pid}.json"
        facts = _read(path)
        if facts is not None:
            return _connection(here, str(facts["url"]), facts, f"the file {path}")
    names = " or ".join(f"llm_ext-{pid}.json" for pid in here.parents)
    return (
        f"{here.runtime_dir} has no {names}, which the server that started this "
        "kernel would have written"
    )


def _from_jupyter(here: Surroundings) -> Connection | str:
    silent: list[str] = []
    for facts in _candidates(here):
        url = _with_slash(str(facts["url"])) + PREFIX
        if here.answers(url):
            return _connection(
                here, url, facts, f"the running server at {facts['url']}"
            )
        silent.append(str(facts["url"]))
    if silent:
        return f"jupyter-llm-ext is not enabled on {' or '.join(silent)}"
    return (
        f"none of Jupyter's running servers (jpserver-*.json in {here.runtime_dir}) "
        f"started this kernel or serves {here.folder}"
    )


def _candidates(here: Surroundings) -> list[dict[str, Any]]:
    """Return running servers: those that started this process, then nearest folders."""
    servers = list(_running(here.runtime_dir))
    mine = [facts for facts in servers if facts["pid"] in here.parents]
    above = [
        facts
        for facts in servers
        if facts not in mine and here.folder.is_relative_to(str(facts["root_dir"]))
    ]
    above.sort(key=lambda facts: len(str(facts["root_dir"])), reverse=True)
    return mine + above


def _running(runtime_dir: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(runtime_dir.glob("jpserver-*.json")):
        facts = _read(path)
        if facts is not None and _alive(int(facts["pid"])):
            yield facts


def _from_hub(here: Surroundings) -> Connection | str:
    url = here.environ.get("JUPYTERHUB_SERVICE_URL", "")
    token = here.environ.get("JUPYTERHUB_API_TOKEN", "")
    if not url or not token:
        return "JUPYTERHUB_SERVICE_URL and JUPYTERHUB_API_TOKEN are not set"
    return Connection(
        url=_with_slash(url) + PREFIX, token=token, source="JupyterHub's variables"
    )


def _connection(
    here: Surroundings, url: str, facts: dict[str, Any], source: str
) -> Connection:
    token = str(facts.get("token") or here.environ.get("JUPYTERHUB_API_TOKEN", ""))
    return Connection(url=url, token=token, source=source)


def _read(path: Path) -> dict[str, Any] | None:
    """Return a runtime file's facts; None if it is not there or half-written."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    wanted = {"url", "pid", "root_dir"}
    return facts if isinstance(facts, dict) and wanted <= facts.keys() else None


def _alive(pid: int) -> bool:
    if os.name != "posix":  # there os.kill would end the process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _with_slash(url: str) -> str:
    return url if url.endswith("/") else f"{url}/"
