"""``%llm doctor``: how the server was found, what works, and what does not."""

import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from kernel_magics.client import Client
from kernel_magics.connection import Search, search, surroundings
from kernel_magics.errors import MagicError
from kernel_magics.render.tables import size
from kernel_magics.transport import answers

from .arguments import Parser
from .command import Command
from .session import Session

_PACKAGES = ("jupyter-llm-ext", "ipython", "ipykernel", "ipywidgets", "jupyter-server")


def _doctor(session: Session, _arguments: Namespace) -> None:
    session.show("\n".join([*_search_lines(), *_server_lines(session), *_here_lines()]))


def _search_lines() -> Iterator[str]:
    try:
        result = search(surroundings(answers))
    except MagicError as error:
        result = Search(connection=None, tried=(str(error),))
    yield "**How a server is looked for**\n"
    for number, step in enumerate(result.tried, 1):
        yield f"{number}. {step}"
    if result.connection is None:
        yield f"{len(result.tried) + 1}. a private server of this kernel is the rest"
    else:
        found = result.connection
        yield f"{len(result.tried) + 1}. **found** {found.url} through {found.source}"


def _server_lines(session: Session) -> Iterator[str]:
    yield "\n**The server**\n"
    try:
        client = session.client
    except MagicError as error:
        yield f"- ✗ {error}"
        return
    yield f"- {client.connection.url}, through {client.connection.source}"
    yield _told("it answers", lambda: _latency(client))
    yield _told("it lets this kernel in", lambda: _version(client))
    yield _told("models", lambda: _models(client))
    yield _told("providers", lambda: _providers(client))
    yield _told("memory and runtime", lambda: _runtime(client))


def _told(what: str, look: Callable[[], str]) -> str:
    """Return one line: whether something works, and what was seen."""
    try:
        return f"- ✓ {what}: {look()}"
    except MagicError as error:
        return f"- ✗ {what}: {error}"


def _latency(client: Client) -> str:
    began = time.perf_counter()
    client.get("health/live")
    return f"after {(time.perf_counter() - began) * 1000:.0f} ms"


def _version(client: Client) -> str:
    return f"version {client.get('health/ready').get('version')}"


def _models(client: Client) -> str:
    reply = client.models()
    broken = [model for model in reply["models"] if model.get("error")]
    text = f"{len(reply['models'])}, of which a question without a name takes "
    text += f"`{reply['default']}`" if reply["default"] else "none"
    for model in broken:
        text += f"\n  - ✗ `{model['id']}`: {model['error']['message']}"
    return text


def _providers(client: Client) -> str:
    found = [p for p in client.get("providers")["providers"] if p["kind"] == "remote"]
    text = f"{len(found)} beside this machine"
    for provider in found:
        text += f"\n  - `{provider['name']}`: {provider['state']}, "
        text += f"{provider['models']} models"
        if provider["error"]:
            text += f"; ✗ {provider['error']['message']}"
    return text


def _runtime(client: Client) -> str:
    status: dict[str, Any] = client.get("status")
    runtime = status["runtime"]
    text = f"llama-cpp-python {runtime['llama_cpp']}, "
    text += "with GPU support" if runtime["gpu"] else "without GPU support"
    if runtime["problem"]:
        text += f"; ✗ {runtime['problem']}"
    for use in status["devices"]:
        device = use["device"]
        text += f"\n  - {device['name']}: {size(device['free'])} free of "
        text += f"{size(device['total'])}; models have {size(use['set_aside'])} of "
        text += f"{size(use['limit'])} that they may take"
    return text


def _here_lines() -> Iterator[str]:
    yield "\n**This kernel**\n"
    yield f"- Python {sys.version.split()[0]}, {sys.executable}"
    yield from (f"- {package} {_installed(package)}" for package in _PACKAGES)


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "is not installed here"


def commands() -> dict[str, Command]:
    """Return the command of this file by its name."""
    return {
        "doctor": Command(
            summary="how the server was found, what works, what does not",
            parser=Parser("doctor"),
            run=_doctor,
        )
    }
