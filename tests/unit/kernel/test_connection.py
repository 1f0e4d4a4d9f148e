"""How a kernel finds its server."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from kernel_magics.client import Client
from kernel_magics.connection import (
    Connection,
    Surroundings,
    find,
    search,
    surroundings,
)
from kernel_magics.errors import ServerGoneError, ServerNotFoundError, SettingError
from kernel_magics.private import connect
from kernel_magics.transport import answers, transport_errors

PARENT = os.getpid()


def nobody(_connection: Connection) -> bool:
    return False


def everybody(_connection: Connection) -> bool:
    return True


def here(
    runtime: Path,
    *,
    environ: dict[str, str] | None = None,
    folder: Path | None = None,
    answers: Callable[[Connection], bool] = everybody,
) -> Surroundings:
    return Surroundings(
        environ=environ or {},
        runtime_dir=runtime,
        parents=(PARENT,),
        folder=folder or runtime,
        answers=answers,
    )


def write(runtime: Path, kind: str, pid: int, **facts: Any) -> None:  # noqa: ANN401  # any JSON
    content = {"url": f"http://{kind}/", "pid": pid, "root_dir": "/", **facts}
    (runtime / f"{kind}-{pid}.json").write_text(json.dumps(content))


def test_an_explicit_url_needs_no_search(tmp_path: Path) -> None:
    found = find(here(tmp_path), url="http://x/llm", token="t")
    assert (found.url, found.token) == ("http://x/llm/", "t")


def test_the_environment_comes_before_files(tmp_path: Path) -> None:
    write(tmp_path, "llm_ext", PARENT)
    token_file = tmp_path / "token"
    token_file.write_text("from-file\n")
    environ = {
        "LLM_EXT_URL": "http://e/llm/",
        "LLM_EXT_TOKEN_FILE": str(token_file),
        "LLM_EXT_TOKEN": "from-env",
    }
    found = find(here(tmp_path, environ=environ))
    assert (found.url, found.token) == ("http://e/llm/", "from-file")
    del environ["LLM_EXT_TOKEN_FILE"]
    assert find(here(tmp_path, environ=environ)).token == "from-env"


def test_a_token_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    environ = {"LLM_EXT_URL": "http://e/", "LLM_EXT_TOKEN_FILE": "/none"}
    with pytest.raises(SettingError, match="/none"):
        find(here(tmp_path, environ=environ))


def test_the_server_that_started_this_kernel_is_found_by_its_file(
    tmp_path: Path,
) -> None:
    write(tmp_path, "llm_ext", 1, url="http://other/llm/")
    write(tmp_path, "llm_ext", PARENT, url="http://mine/llm/", token="t")
    found = find(here(tmp_path, answers=nobody))
    assert (found.url, found.token) == ("http://mine/llm/", "t")


def test_jupyters_list_serves_where_our_file_is_missing(tmp_path: Path) -> None:
    write(tmp_path, "jpserver", PARENT, url="http://jp/base/", token="t")
    found = find(here(tmp_path))
    assert (found.url, found.token) == ("http://jp/base/llm/", "t")


def test_else_the_server_of_the_nearest_folder_above(tmp_path: Path) -> None:
    """Both run (pid 1 and this one's parent); the deeper root folder wins."""
    write(tmp_path, "jpserver", 1, url="http://far/", root_dir="/")
    write(tmp_path, "jpserver", os.getppid(), url="http://near/", root_dir="/srv")
    write(tmp_path, "jpserver", 2**22 - 1, url="http://dead/", root_dir="/srv/deep")
    found = find(here(tmp_path, folder=Path("/srv/deep/er")))
    assert found.url == "http://near/llm/"


def test_a_server_without_the_extension_is_named(tmp_path: Path) -> None:
    write(tmp_path, "jpserver", PARENT, url="http://jp/")
    with pytest.raises(ServerNotFoundError, match="not enabled on http://jp/"):
        find(here(tmp_path, answers=nobody))


def test_a_hubs_variables_are_the_last_way(tmp_path: Path) -> None:
    environ = {
        "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:5/user/me/",
        "JUPYTERHUB_API_TOKEN": "hub",
    }
    found = find(here(tmp_path, environ=environ))
    assert (found.url, found.token) == ("http://127.0.0.1:5/user/me/llm/", "hub")
    write(tmp_path, "llm_ext", PARENT, url="http://mine/llm/", token="")
    found = find(here(tmp_path, environ=environ))
    assert (found.url, found.token) == ("http://mine/llm/", "hub")


def test_nothing_found_lists_what_was_tried_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / f"llm_ext-{PARENT}.json").write_text("{half")
    with pytest.raises(ServerNotFoundError) as caught:
        find(here(tmp_path))
    message = str(caught.value)
    for part in (
        "LLM_EXT_URL",
        f"llm_ext-{PARENT}.json",
        "jpserver",
        "JUPYTERHUB",
        "4.",
    ):
        assert part in message


def test_the_token_is_not_shown(tmp_path: Path) -> None:
    assert "secret" not in repr(find(here(tmp_path), url="http://x/", token="secret"))


@pytest.mark.parametrize("token", ["secret\n", " secret\r\n"])
def test_what_surrounds_a_token_is_no_part_of_it(tmp_path: Path, token: str) -> None:
    """Files and shells add line ends."""
    environ = {"LLM_EXT_URL": "http://e/llm/", "LLM_EXT_TOKEN": token}
    assert find(here(tmp_path, environ=environ)).token == "secret"


@pytest.mark.parametrize("secret", ["sec\nret", "sec\x00ret", "secr\u00e9t"])
def test_a_token_that_cannot_be_sent_is_told_and_not_shown(
    tmp_path: Path, secret: str
) -> None:
    """A server that is only a candidate is none then."""
    named = find(here(tmp_path), url="http://x/", token=secret)
    with_cookie = Connection(url="http://x/", token="", source="test", cookie=secret)
    for connection in (named, with_cookie):
        with pytest.raises(SettingError, match="http://x/") as caught:
            Client(connection)
        assert "sec" not in str(caught.value)
        assert not answers(connection)


def test_a_header_that_cannot_be_sent_is_not_shown() -> None:
    """The HTTP library would quote it; neither is it in the traceback."""
    connection = Connection(url="http://x/", token="t", source="test")
    quoting = httpx.LocalProtocolError("Illegal header value b'Bearer secret'")
    told = pytest.raises(ServerGoneError, match="http://x/")
    with told as caught, transport_errors(connection):
        raise quoting
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_setting_that_is_wrong_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names a server wants that one, and not a private one in its place."""
    monkeypatch.setenv("LLM_EXT_URL", "http://e/llm/")
    monkeypatch.setenv("LLM_EXT_TOKEN_FILE", "/none")
    with pytest.raises(SettingError, match="/none"):
        connect()


def test_the_parent_is_the_one_that_jupyter_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JPY_PARENT_PID", "123")
    assert surroundings(nobody).parents == (123, os.getppid())
    monkeypatch.delenv("JPY_PARENT_PID")
    assert surroundings(nobody).parents == (os.getppid(),)


def test_an_address_is_read_as_jupyter_writes_it(tmp_path: Path) -> None:
    """A Unix socket is a path; an address to listen at leads to this machine."""
    socket = find(here(tmp_path), url="http+unix://%2Ftmp%2Fx.sock/base/llm")
    assert (socket.url, socket.socket) == ("http://localhost/base/llm/", "/tmp/x.sock")  # noqa: S108  # a name
    everywhere = find(here(tmp_path), url="http://0.0.0.0:8888/llm/")
    assert everywhere.url == "http://127.0.0.1:8888/llm/"


def test_a_cookie_is_read_from_a_file(tmp_path: Path) -> None:
    """For servers that have a password and no token; it is not shown either."""
    file = tmp_path / "cookie"
    file.write_text("username-x=2|1:0|secret==; other=1\n")
    environ = {"LLM_EXT_URL": "http://e/llm/", "LLM_EXT_COOKIE_FILE": str(file)}
    found = find(here(tmp_path, environ=environ))
    assert found.cookies == {"username-x": "2|1:0|secret==", "other": "1"}
    assert found.headers == {}
    assert "secret" not in repr(found)


def test_a_search_tells_what_led_nowhere(tmp_path: Path) -> None:
    """Before what was found, or all there is."""
    write(tmp_path, "llm_ext", PARENT)
    found = search(here(tmp_path))
    assert found.connection is not None
    assert found.tried == ("LLM_EXT_URL is not set",)
    assert len(search(here(tmp_path / "none", answers=nobody)).tried) == 4
