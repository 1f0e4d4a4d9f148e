"""A kernel and its server, in every way in which they can be connected."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest

from kernel_magics.client import Client
from kernel_magics.connection import Connection, find, surroundings
from kernel_magics.errors import RefusedError, ServerGoneError
from kernel_magics.transport import answers
from tests.kernel.notebook import notebook
from tests.live import LiveServer, live_server
from tests.models.hello import ANSWER

PASSWORD = "tell nobody"


def asked(client: Client) -> str:
    """Return what a model answers: a question is posted, and streams."""
    pieces = client.chat("hello", [{"role": "user", "content": "Hi"}])
    return "".join(getattr(piece, "text", "") for piece in pieces)


def works(client: Client) -> None:
    """Reading, posting and streaming work."""
    with client:
        assert client.model("hello")["id"] == "hello"
        assert asked(client).endswith(ANSWER)
        assert client.unload("hello", force=True)["state"] == "unloaded"


@pytest.mark.parametrize("token", ["test-token", ""])
def test_a_base_url_with_and_without_a_token(
    tmp_path: Path, models: Path, token: str
) -> None:
    """An empty token needs the cookie against forgery, which the client gets itself."""
    with (
        live_server(tmp_path, models, token=token, base_url="/hub/user/") as server,
        notebook(server) as cells,
    ):
        assert cells.run("%%llm hello\nHi").text == ANSWER
        assert f"{server.url}llm/" in cells.run("%llm").text
        works(Client.find(url=f"{server.url}llm/", token=token))


@pytest.fixture
def locked(tmp_path: Path, models: Path) -> Iterator[LiveServer]:
    """A server with a password and no token."""
    code = f"from jupyter_server.auth import passwd; print(passwd({PASSWORD!r}))"
    hashed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    option = f"--PasswordIdentityProvider.hashed_password={hashed}"
    with live_server(tmp_path, models, option, token="") as server:
        yield server


def logged_in(server: LiveServer) -> LiveServer:
    """Return the server with the cookies of a login, as a browser would have them."""
    with httpx.Client(base_url=server.url, trust_env=False) as http:
        http.get("login")
        form = {"password": PASSWORD, "_xsrf": http.cookies["_xsrf"]}
        http.post("login", data=form)
        found = {name: value for name, value in http.cookies.items() if name != "_xsrf"}
    return replace(server, cookies=found)


def test_a_login_that_is_in_a_cookie_only(locked: LiveServer, tmp_path: Path) -> None:
    """The cookie comes from a file; without it the server says what is missing."""
    file = tmp_path / "cookie"
    pairs = logged_in(locked).cookies.items()
    file.write_text("; ".join(f"{name}={value}" for name, value in pairs))
    url = f"{locked.url}llm/"
    with Client.find(url=url) as stranger, pytest.raises(RefusedError, match="token"):
        stranger.models()
    environ = {"LLM_EXT_URL": url, "LLM_EXT_COOKIE_FILE": str(file)}
    with patch.dict(os.environ, environ):
        works(Client.find())


def test_a_kernel_of_a_server_that_has_a_password_only(locked: LiveServer) -> None:
    """Its browser has a cookie, which the kernel does not: it has a token of its own.

    That opens the models, and nothing else: not what could run code.
    """
    with notebook(logged_in(locked)) as cells:
        assert cells.run("%%llm hello\nHi").text == ANSWER
        assert "**hello** is unloaded" in cells.run("%llm unload hello").text
    connection = found(locked)
    works(Client(connection))
    with httpx.Client(base_url=locked.url, headers=connection.headers) as http:
        assert http.get("api/kernels").status_code == HTTPStatus.FORBIDDEN
        assert http.get("llm/models").is_success
        wrong = {"Authorization": "Bearer wrong"}
        refused = http.get("llm/models", headers=wrong).status_code
    assert refused == HTTPStatus.UNAUTHORIZED


def test_a_token_in_a_file_and_an_address(
    server: LiveServer, tmp_path: Path, models: Path
) -> None:
    """``LLM_EXT_URL`` leads a kernel to another server than its own."""
    token = tmp_path / "token"
    token.write_text(f"{server.token}\n")
    with (
        live_server(tmp_path / "s", models, token="another") as own,
        notebook(own) as cells,
    ):
        variables = {"LLM_EXT_URL": f"{server.url}llm/", "LLM_EXT_TOKEN_FILE": token}
        for name, value in variables.items():
            cells.run(f"%env {name}={value}")
        assert cells.run("%%llm hello\nHi").text == ANSWER
        assert "through LLM_EXT_URL" in cells.run("%llm doctor").text
        assert own.model("hello")["state"] == "unloaded"


def test_a_unix_socket(tmp_path: Path, models: Path) -> None:
    """Found by the extension's file, as a kernel of that server would."""
    folder = tmp_path / "s"
    with tempfile.TemporaryDirectory() as short:  # a socket's path has to be
        path = Path(short) / "sock"
        with live_server(folder, models, socket=path) as server:
            connection = found(server)
            assert connection.socket == str(path)
            works(Client(connection))
            with notebook(server) as cells:
                assert cells.run("%%llm hello\nHi").text == ANSWER


def found(server: LiveServer) -> Connection:
    """Search as a kernel does that ``server`` started."""
    environ = {
        "JUPYTER_RUNTIME_DIR": str(server.runtime),
        "JPY_PARENT_PID": str(server.process.pid),
    }
    with patch.dict(os.environ, environ):
        return find(surroundings(answers))


def certificate(folder: Path) -> tuple[Path, Path]:
    """Return a self-signed certificate for another host, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=elsewhere", "-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


def test_https_with_a_self_signed_certificate(tmp_path: Path, models: Path) -> None:
    """The server's own file says which; a stranger's certificate is not trusted."""
    cert, key = certificate(tmp_path)
    options = [f"--ServerApp.certfile={cert}", f"--ServerApp.keyfile={key}"]
    with live_server(tmp_path / "s", models, *options, certificate=cert) as server:
        connection = found(server)
        assert connection.url.startswith("https://")
        works(Client(connection))
        with notebook(server) as cells:
            assert cells.run("%%llm hello\nHi").text == ANSWER
        by_name = Client.find(url=connection.url, token=connection.token)
        with by_name, pytest.raises(ServerGoneError, match="LLM_EXT_CERTIFICATE"):
            by_name.models()


def test_a_server_that_is_gone_is_named(tmp_path: Path, models: Path) -> None:
    """With where it was, and how it was found."""
    with live_server(tmp_path, models) as server:
        connection = found(server)
    client = Client(connection)
    with client, pytest.raises(ServerGoneError) as caught:
        client.models()
    assert connection.url in str(caught.value)
    assert "found through the file" in str(caught.value)
