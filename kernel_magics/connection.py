"""Finds the server that this kernel or terminal belongs to.

In this order, first match wins:

1. an explicit URL;
2. ``LLM_EXT_URL``, with ``LLM_EXT_TOKEN_FILE`` or ``LLM_EXT_TOKEN``, and where they are
   needed ``LLM_EXT_COOKIE_FILE`` and ``LLM_EXT_CERTIFICATE``;
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
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from .errors import ServerNotFoundError, SettingError

if TYPE_CHECKING:
    import ssl

PREFIX = "llm/"
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  # replaced, never listened to


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Where the server is.

    Attributes:
        url: Ends in ``/llm/``.
        token: Jupyter's token; empty if the server has none.
        source: How it was found, in words.
        cookie: A login cookie, for servers that have a password and no token.
        certificate: File of the server's own certificate; empty trusts the system's.
        socket: Path of the Unix socket that leads to ``url``; empty for TCP.
    """

    url: str
    token: str
    source: str
    cookie: str = ""
    certificate: str = ""
    socket: str = ""

    def __repr__(self) -> str:
        """Without the token: it can run code."""
        return f"Connection(url={self.url!r}, source={self.source!r})"

    @property
    def headers(self) -> dict[str, str]:
        """The headers that authorise a request.

        Raises:
            SettingError: The token is none.
        """
        self._check(self.token, "token")
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that authorise a request where there is no token.

        Raises:
            SettingError: They are none.
        """
        self._check(self.cookie, "cookie")
        pairs = (part.partition("=") for part in self.cookie.split(";"))
        return {name.strip(): value.strip() for name, _, value in pairs if name}

    def _check(self, secret: str, kind: str) -> None:
        if not (secret.isascii() and secret.isprintable()):
            # It is not quoted: whoever reads it could run code.
            raise SettingError(
                f"the {kind} for {self.url} (found through {self.source}) cannot be "
                "sent: it holds a line break, or another character that is not ASCII."
            )

    def verification(self) -> "ssl.SSLContext | bool":
        """Return how the server's certificate is checked.

        One that the server named itself, in a file that only its user can write, is
        trusted whatever host name it has.

        Raises:
            SettingError: The certificate cannot be read.
        """
        if not self.certificate:
            return True
        import ssl  # noqa: PLC0415  # few servers need it

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        try:
            context.load_verify_locations(self.certificate)
        except OSError as error:
            raise SettingError(
                f"LLM_EXT_CERTIFICATE, or the server itself, names {self.certificate} "
                f"as its certificate, which cannot be read: {error}"
            ) from error
        return context


@dataclass(frozen=True, kw_only=True)
class Search:
    """How a search went; ``tried`` are the steps that led nowhere, in words."""

    connection: Connection | None
    tried: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the search looks at.

    Attributes:
        environ: Environment variables.
        runtime_dir: Jupyter's runtime folder.
        parents: Process ids that may have started this process.
        folder: The current folder.
        answers: Whether a server of ours is where a connection leads.
    """

    environ: Mapping[str, str]
    runtime_dir: Path
    parents: tuple[int, ...]
    folder: Path
    answers: Callable[[Connection], bool]


def search(here: Surroundings, *, url: str = "", token: str = "") -> Search:
    """Look for the connection to use.

    Raises:
        SettingError: A variable names a file that cannot be read.
    """
    if url:
        return Search(connection=_connection(url, "given by name", token=token))
    tried: list[str] = []
    for step in (_from_environment, _from_our_file, _from_jupyter, _from_hub):
        found = step(here)
        if isinstance(found, Connection):
            return Search(connection=found, tried=tuple(tried))
        tried.append(found)
    return Search(connection=None, tried=tuple(tried))


def find(here: Surroundings, *, url: str = "", token: str = "") -> Connection:
    """Return the connection to use.

    Raises:
        ServerNotFoundError: There is none; lists what was tried.
    """
    result = search(here, url=url, token=token)
    if result.connection is None:
        raise ServerNotFoundError(result.tried)
    return result.connection


def surroundings(answers: Callable[[Connection], bool]) -> Surroundings:
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
    token = _named_file(here.environ, "LLM_EXT_TOKEN_FILE")
    return _connection(
        url,
        "LLM_EXT_URL",
        token=token or here.environ.get("LLM_EXT_TOKEN", ""),
        cookie=_named_file(here.environ, "LLM_EXT_COOKIE_FILE"),
        certificate=here.environ.get("LLM_EXT_CERTIFICATE", ""),
    )


def _named_file(environ: Mapping[str, str], variable: str) -> str:
    """Return what the file holds that a variable names; empty where it is not set."""
    file = environ.get(variable, "")
    if not file:
        return ""
    try:
        return Path(file).expanduser().read_text(encoding="utf-8").strip()
    except OSError as error:
        problem = f"{variable} names {file}, which cannot be read: {error}"
        raise SettingError(problem) from error


def find_by_file(here: Surroundings, pid: int) -> Connection | None:
    """Return the way to the server with process id ``pid``, by the extension's file."""
    path = here.runtime_dir / f"llm_ext-{pid}.json"
    facts = _read(path)
    if facts is None:
        return None
    return _with_facts(here, str(facts["url"]), facts, f"the file {path}")


def _from_our_file(here: Surroundings) -> Connection | str:
    for pid in here.parents:
        found = find_by_file(here, pid)
        if found is not None:
            return found
    names = " or ".join(f"llm_ext-{pid}.json" for pid in here.parents)
    return (
        f"{here.runtime_dir} has no {names}, which the server that started this "
        "kernel would have written"
    )


def _from_jupyter(here: Surroundings) -> Connection | str:
    silent: list[str] = []
    for facts in _candidates(here):
        url = _with_slash(str(facts["url"])) + PREFIX
        source = f"the running server at {facts['url']}"
        connection = _with_facts(here, url, facts, source)
        if here.answers(connection):
            return connection
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
    return _connection(_with_slash(url) + PREFIX, "JupyterHub's variables", token=token)


def _with_facts(
    here: Surroundings, url: str, facts: dict[str, Any], source: str
) -> Connection:
    token = str(facts.get("token") or here.environ.get("JUPYTERHUB_API_TOKEN", ""))
    certificate = str(facts.get("certificate") or "")
    return _connection(url, source, token=token, certificate=certificate)


def _connection(
    url: str, source: str, *, token: str, cookie: str = "", certificate: str = ""
) -> Connection:
    """Return the connection to ``url``, which may be written as Jupyter does.

    Jupyter writes a Unix socket as ``http+unix://%2Fpath/``, and an address that only
    a server can have, such as 0.0.0.0, where it listens to all.
    """
    parts = urlsplit(_with_slash(url))
    socket = ""
    if parts.scheme == "http+unix":
        socket = unquote(parts.netloc)
        parts = parts._replace(scheme="http", netloc="localhost")
    elif parts.hostname in _EVERYWHERE:
        port = f":{parts.port}" if parts.port else ""
        parts = parts._replace(netloc=f"127.0.0.1{port}")
    return Connection(
        url=urlunsplit(parts),
        token=token.strip(),
        source=source,
        cookie=cookie,
        certificate=certificate,
        socket=socket,
    )


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
