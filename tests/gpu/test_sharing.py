"""Models that share a GPU, in a real server."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from llm_ext.core.device import Device
from tests.live import LiveServer, live_server
from tests.models.builder import Shape, write_model
from tests.waiting import eventually

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(300)]

SHAPE = Shape(
    embedding=256, layers=32, heads=4, kv_heads=4, feed_forward=256, context=2**26
)
CELL = SHAPE.layers * 2 * SHAPE.embedding * 2  # bytes of keys and values
EVERYTHING = SHAPE.layers + 1


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that lets models take half of each device."""
    folder = tmp_path_factory.mktemp("sharing")
    (folder / "models").mkdir()
    one = write_model(folder / "models" / "one.gguf", shape=SHAPE)
    shutil.copy(one, one.with_name("two.gguf"))
    half = "--LLMExt.memory_fraction=0.5"
    with live_server(folder, folder / "models", half) as running:
        yield running
        assert "Traceback" not in running.log, running.log


def loaded(server: LiveServer, name: str, **options: object) -> dict[str, Any]:
    """Load a model, and return its status once it is ready."""
    with server.client() as http:
        reply = http.post(f"models/{name}/load", json={"options": options})
        assert reply.status_code == 202, reply.text

    def ready() -> bool:
        """The model is loaded."""
        status = server.model(name)
        assert status["state"] != "failed", status["error"]
        return bool(status["state"] == "ready")

    eventually(ready, within=120)
    return server.model(name)


def test_the_gpu_is_part_of_the_servers_status(server: LiveServer, gpu: Device) -> None:
    with server.client() as http:
        status = http.get("status").json()
    assert status["runtime"]["gpu"]
    (found,) = [d for d in status["devices"] if d["device"]["name"] == gpu.name]
    assert found["device"]["total"] == gpu.total
    assert found["limit"] == gpu.total // 2


def test_an_idle_model_leaves_the_gpu_to_the_next(
    server: LiveServer, gpu: Device
) -> None:
    """Each takes 40 % of it, and both may take 50 %: the second gets all it needs."""
    options = {"context_length": gpu.total * 2 // 5 // CELL, "devices": [gpu.name]}
    for name, other in (("one", "two"), ("two", "one"), ("one", "two")):
        status = loaded(server, name, **options)
        assert status["memory"]["gpu_layers"] == EVERYTHING
        assert status["memory"]["devices"][gpu.name]["cache"] > gpu.total // 3
        assert server.model(other)["state"] == "unloaded"
    with server.client() as http:
        devices = http.get("status").json()["devices"]
    (aside,) = [d["set_aside"] for d in devices if d["device"]["name"] == gpu.name]
    assert gpu.total // 3 < aside <= gpu.total // 2


def test_what_models_may_not_take_of_the_gpu_stays_in_main_memory(
    server: LiveServer, gpu: Device
) -> None:
    """As many layers go there as the limit allows: none is refused for it."""
    options = {"context_length": gpu.total * 3 // 5 // CELL, "devices": [gpu.name]}
    status = loaded(server, "one", **options)
    assert 0 < status["memory"]["gpu_layers"] < EVERYTHING
    use = status["memory"]["devices"]
    assert sum(use[gpu.name].values()) <= gpu.total // 2
    assert use["CPU"]["cache"] > 0


def test_what_was_asked_for_and_does_not_fit_is_refused_with_both_figures(
    server: LiveServer, gpu: Device
) -> None:
    options = {"context_length": gpu.total * 3 // 5 // CELL, "gpu_layers": "all"}
    with server.client() as http:
        http.post("models/two/load", json={"options": options})

    def failed() -> bool:
        """The load was refused."""
        return bool(server.model("two")["state"] == "failed")

    eventually(failed, within=120)
    error = server.model("two")["error"]
    assert error["code"] == "insufficient_memory"
    assert f"on {gpu.name}, and at most" in error["message"]
