"""The Models panel: everything that it shows is live, whoever caused it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenLab
from tests.browser.panel import SLOW, open_models, reload, screenshot, write_notebook
from tests.hub import Fault, Hub, running_hub
from tests.live import LiveServer, live_server
from tests.models.hello import write_hello

REPO = "org/Hello-GGUF"
FILE = "Hello-Q8_0.gguf"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub with one small model."""
    path = write_hello(tmp_path_factory.mktemp("hub") / FILE)
    with running_hub() as running:
        running.add(REPO, {FILE: path.read_bytes()})
        yield running


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, hub: Hub) -> Iterator[LiveServer]:
    """JupyterLab with two models of its own that may be deleted."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "models").mkdir()
    write_hello(folder / "models" / "hello.gguf")
    write_hello(folder / "models" / "spare.gguf")
    (folder / "models" / "broken.gguf").write_bytes(b"GGUF, and then nothing")
    write_notebook(folder / "notebooks", "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", hub.url)
        patch.setenv("HF_HOME", str(folder / "hf"))
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.delenv("HF_TOKEN", raising=False)
        patch.delenv("HF_HUB_OFFLINE", raising=False)
        with live_server(folder, folder / "models", app="lab") as running:
            yield running


def test_a_model_is_estimated_loaded_pinned_and_unloaded(
    open_lab: OpenLab, lab: LiveServer
) -> None:
    """With options of one's own; what they cost is said before."""
    page = open_lab()
    models = open_models(page)
    row = models.locator('[data-model="hello"]')
    row.get_by_label("Load hello with options").click()
    form = row.get_by_role("form")
    form.get_by_label("Context, in tokens").fill("256")
    expect(form).to_contain_text(
        re.compile(r"Takes .+ on CPU, for 256 tokens of context"), timeout=SLOW
    )
    screenshot(page, "models-estimate")

    form.get_by_role("button", name="Load").click()

    expect(row).to_have_attribute("data-state", "ready", timeout=SLOW)
    assert lab.model("hello")["context_length"] == 256
    expect(row).to_contain_text("on CPU")
    expect(models.get_by_role("img")).to_have_attribute(
        "aria-label", re.compile(r"CPU: .+ for models")
    )
    row.get_by_label("Keep hello loaded, whoever needs room").click()
    expect(row.locator('[aria-pressed="true"]')).to_be_visible(timeout=SLOW)
    assert lab.model("hello")["pinned"]

    row.get_by_label("Unload hello").click()
    expect(row).to_have_attribute("data-state", "unloaded", timeout=SLOW)


def test_a_model_is_loaded_and_unloaded_by_keys_alone(open_lab: OpenLab) -> None:
    """Its row moves to another group, and the focus with it."""
    page = open_lab()
    models = open_models(page)
    row = models.locator('[data-model="spare"]')

    row.get_by_label("Load spare", exact=True).focus()
    page.keyboard.press("Enter")
    expect(row).to_have_attribute("data-state", "ready", timeout=SLOW)
    expect(row.get_by_label("Unload spare")).to_be_focused()
    page.keyboard.press("Enter")
    expect(row).to_have_attribute("data-state", "unloaded", timeout=SLOW)

    expect(row.get_by_label("Load spare", exact=True)).to_be_focused()


def test_what_others_do_shows_at_once(open_lab: OpenLab, lab: LiveServer) -> None:
    """A load by another client is seen, and a new file as well."""
    models = open_models(open_lab())
    row = models.locator('[data-model="spare"]')
    expect(row).to_have_attribute("data-state", "unloaded")

    with lab.client() as client:
        client.post("models/spare/load", json={})
        expect(row).to_have_attribute("data-state", "ready", timeout=SLOW)
        client.post("models/spare/unload", json={})

    expect(row).to_have_attribute("data-state", "unloaded", timeout=SLOW)


def test_an_unreadable_file_says_why(open_lab: OpenLab) -> None:
    """In words, beside the model, before anybody tries to load it."""
    models = open_models(open_lab())

    failed = models.locator('[data-group="failed"][data-model="broken"]')

    expect(failed).to_contain_text("broken.gguf")


def test_the_search_finds_by_part_of_a_name(open_lab: OpenLab) -> None:
    """And says so where it finds nothing."""
    models = open_models(open_lab())
    search = models.get_by_label("Search models")

    search.fill("SPA")
    expect(models.locator("[data-model]")).to_have_count(1)
    search.fill("nothing like it")
    expect(models).to_contain_text("No model has “nothing like it” in its name.")


def test_a_download_survives_a_cut_connection_and_can_be_deleted(
    open_lab: OpenLab, hub: Hub
) -> None:
    """It shows how far it is, goes on where it was cut, and is a model in the end."""
    page = open_lab()
    models = open_models(page)
    hub.store_faults.extend([Fault(cut=100_000), Fault(hold=50_000)])
    models.get_by_label("Download a model").click()
    box = models.get_by_label("Model to download")
    box.fill(f"hf:{REPO}:Q8_0")
    box.press("Enter")

    row = models.locator("[data-download]")
    expect(row).to_have_attribute("data-state", "downloading", timeout=SLOW)
    expect(row.get_by_role("progressbar")).to_be_visible()
    row.get_by_label(re.compile("Pause the download")).click()
    expect(row).to_have_attribute("data-state", "paused", timeout=SLOW)
    screenshot(page, "models-download")
    hub.released.set()
    row.get_by_label(re.compile("Go on with the download")).click()

    found = models.locator("[data-model]").filter(
        has_text=re.compile("hello-q8", re.IGNORECASE)
    )
    expect(found).to_be_visible(timeout=SLOW)
    expect(row).to_have_count(0)
    assert max(hub.ranges()) > 0

    found.get_by_label(re.compile("^Delete")).click()
    expect(page.locator(".jp-Dialog")).to_contain_text("This cannot be undone.")
    page.locator(".jp-Dialog .jp-mod-warn").click()
    expect(found).to_have_count(0, timeout=SLOW)


def test_a_download_is_cancelled(open_lab: OpenLab, hub: Hub, lab: LiveServer) -> None:
    """In mid-way; nothing of it is left."""
    page = open_lab()
    models = open_models(page)
    hub.released.clear()
    hub.store_faults.append(Fault(hold=50_000))
    models.get_by_label("Download a model").click()
    box = models.get_by_label("Model to download")
    box.fill(f"hf:{REPO}:Q8_0")
    box.press("Enter")
    row = models.locator("[data-download]")
    expect(row).to_have_attribute("data-state", "downloading", timeout=SLOW)

    row.get_by_label(re.compile("Cancel the download")).click()

    expect(row).to_have_count(0, timeout=SLOW)
    hub.released.set()
    with lab.client() as client:
        assert "hello-q8-0" not in client.get("models").text


def test_a_download_that_is_refused_says_why(open_lab: OpenLab) -> None:
    """Below the box, with what was written still in it."""
    models = open_models(open_lab())
    models.get_by_label("Download a model").click()
    box = models.get_by_label("Model to download")

    box.fill("not a reference !")
    box.press("Enter")

    expect(models.get_by_role("alert")).to_be_visible(timeout=SLOW)
    expect(box).to_have_value("not a reference !")


def test_a_server_that_is_away_is_missed_and_found_again(open_lab: OpenLab) -> None:
    """Offline is a state of its own, with a way to try again."""
    page = open_lab()
    page.route("**/llm/events*", lambda route: route.abort())
    reload(page)
    page.locator('.lm-TabBar-tab[data-id="jp-llm-models"]').click(timeout=SLOW)
    alert = page.locator("#jp-llm-models").get_by_role("alert")
    expect(alert).to_contain_text("cannot be reached", timeout=SLOW)
    screenshot(page, "models-offline")

    page.unroute_all()
    alert.get_by_role("button", name="Try again").click()

    expect(alert).to_have_count(0, timeout=SLOW)
    expect(page.locator('[data-model="hello"]')).to_be_visible(timeout=SLOW)
