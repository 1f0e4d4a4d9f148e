"""JupyterLab in a real browser: the demo notebook and the status bar."""

import gzip
import re

import pytest
from playwright.sync_api import Browser, Locator, Page, Response, expect

from tests.browser.conftest import OpenLab
from tests.browser.panel import SLOW, screenshot, search_palette
from tests.live import LiveServer

KB = 1024
OURS = "/lab/extensions/jupyter-llm-ext/"


@pytest.fixture(params=["Light", "Dark"])
def page(request: pytest.FixtureRequest, open_lab: OpenLab) -> Page:
    """The demo notebook, open in JupyterLab, in both themes."""
    return open_lab(request.param)


def run(page: Page, cell: Locator) -> None:
    """Run a cell as a person does, and wait until it is done."""
    cell.locator(".jp-InputArea-editor").click()
    page.keyboard.press("Shift+Enter")
    prompt = cell.locator(".jp-InputArea-prompt")
    expect(prompt).to_have_text(re.compile(r"^\[\d+\]:$"), timeout=SLOW)


def test_the_demo_streams_its_answer_and_the_status_bar_follows(page: Page) -> None:
    """What a newcomer sees: the cells run, text streams, the model's state shows."""
    status = page.locator(".jp-llm-status[data-state]")
    expect(status).to_have_attribute("data-state", "none", timeout=SLOW)
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=SLOW)
    cells = page.locator(".jp-Notebook .jp-CodeCell")

    for number in range(7):
        run(page, cells.nth(number))
    answers = [cells.nth(number).locator(".jp-RenderedMarkdown") for number in range(7)]
    expect(answers[1].locator("table")).to_contain_text("guide")
    expect(answers[3]).to_contain_text("%llm load")
    expect(answers[4].locator("pre")).to_contain_text("read_csv")
    expect(answers[5]).to_have_text("7 * 8 = 56.")
    expect(answers[6]).to_contain_text("Soy Guide")
    expect(status).to_have_attribute("data-model", "guide", timeout=SLOW)
    expect(status).to_contain_text("LLM: guide · ")
    screenshot(page, "demo")

    run(page, cells.nth(7))
    expect(cells.nth(7).locator(".jp-OutputArea-output")).to_contain_text("unloaded")
    expect(status).to_have_attribute("data-state", "none", timeout=SLOW)


def test_a_press_on_the_status_bar_shows_the_models(open_lab: OpenLab) -> None:
    """The status item is the way to the models for who does not know the sidebar."""
    page = open_lab()

    page.locator(".jp-llm-status[data-state]").click()

    expect(page.locator("#jp-llm-models .jp-llm-row").first).to_be_visible(timeout=SLOW)


def test_a_panel_that_cannot_be_loaded_says_so(open_lab: OpenLab) -> None:
    """Its code comes when it is first seen; the server may be away just then."""
    page = open_lab()
    page.route("**/lab/extensions/jupyter-llm-ext/**", lambda route: route.abort())
    page.locator('.lm-TabBar-tab[data-id="jp-llm-models"]').click()
    panel = page.locator("#jp-llm-models")
    expect(panel.get_by_role("alert")).to_contain_text("could not be loaded")
    screenshot(page, "panel-not-loaded")

    page.unroute_all()
    panel.get_by_role("button", name="Try again").click()

    expect(panel.locator(".jp-llm-row").first).to_be_visible(timeout=SLOW)
    expect(panel.get_by_role("alert")).to_have_count(0)


def test_a_start_is_light_and_asks_nothing(browser: Browser, lab: LiveServer) -> None:
    """At most 60 KB more, zipped; no request before there is something to show it."""
    settings = lab.folder / "config" / "lab" / "user-settings" / "@jupyterlab"
    hidden = settings / "statusbar-extension" / "plugin.jupyterlab-settings"
    hidden.parent.mkdir(parents=True, exist_ok=True)
    hidden.write_text('{"visible": false}')
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    files: dict[str, bytes] = {}
    page.on("request", lambda request: asked.append(request.url))
    page.on("response", lambda response: _keep(response, files))

    page.goto(f"{lab.url}lab?token={lab.token}&reset")
    page.locator(".jp-LauncherCard", has_text="Chat").wait_for(timeout=SLOW)
    page.wait_for_load_state("networkidle")

    sizes = {url: len(gzip.compress(body)) for url, body in files.items()}
    assert 10 * KB < sum(sizes.values()) <= 60 * KB, sizes
    assert [url for url in asked if url.startswith(f"{lab.url}llm/")] == []

    with page.expect_request(lambda request: "/llm/events" in request.url):
        page.locator('.lm-TabBar-tab[data-id="jp-llm-models"]').click()
    context.close()
    hidden.unlink()


def _keep(response: Response, files: dict[str, bytes]) -> None:
    if OURS in response.url:
        files[response.url] = response.body()


def test_everything_is_in_palette_and_launcher(
    open_lab: OpenLab, lab: LiveServer
) -> None:
    """For who looks there first: all commands, and a card for the chat."""
    page = open_lab()
    code = page.locator(".jp-Notebook .jp-CodeCell").first
    code.locator(".jp-InputArea-editor").click()
    search_palette(page, "Language Models")
    labels = page.locator(".lm-CommandPalette-itemLabel")
    for label in (
        "Show Chat",
        "New Conversation",
        "Chat in the Main Area",
        "Show Language Models",
        "Suggest Text at the Cursor",
        "Refactor",
    ):
        expect(labels.filter(has_text=label)).to_be_visible()

    page.goto(f"{lab.url}lab?reset")
    page.locator(".jp-LauncherCard", has_text="Chat").click(timeout=SLOW)

    chat = page.locator(".jp-MainAreaWidget .jp-llm-chat")
    expect(chat.locator("textarea")).to_be_visible(timeout=SLOW)


def test_settings_are_checked_by_their_schema(
    browser: Browser, lab: LiveServer
) -> None:
    """Each is in the settings editor, with its words."""
    page = browser.new_context().new_page()
    page.goto(f"{lab.url}lab?token={lab.token}&reset")
    page.locator(".jp-Launcher").wait_for(timeout=SLOW)
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.get_by_role("menuitem", name="Settings Editor", exact=False).first.click()
    search = page.locator(".jp-PluginList-wrapper input").first
    search.fill("Language Models")
    entries = page.locator(".jp-PluginList-entry")

    expect(entries.filter(has_text="Language Models: Chat")).to_be_visible()
    entries.filter(has_text="Language Models: Ghost Text").click()

    expect(page.get_by_text("Longest suggestion, in tokens").first).to_be_visible()
    page.context.close()
