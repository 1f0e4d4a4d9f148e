"""Pictures of every state of the panels: ``python -m tests.browser.screenshots``.

They go to ``.screenshots/states`` and are to be looked at by eye, by whoever changes
what people see: each state in JupyterLab's light, dark and high-contrast themes, the
chat also in a narrow sidebar and in the wide main area. ``--only TEXT`` takes those
with TEXT in their name; ``--readme`` puts the best into ``docs/images`` as well.
"""

import argparse
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import chromium, settle
from tests.browser.panel import (
    SCREENSHOTS,
    SLOW,
    TALK,
    ask,
    choose_conversation,
    make_conversation,
    open_chat,
    open_chat_in_main,
    open_models,
    picture,
    reload,
    show_conversation,
    write_notebook,
)
from tests.conftest import LONG_CONTEXT
from tests.hub import Fault, Hub, running_hub
from tests.live import LiveServer, live_server
from tests.models.builder import Shape, write_model
from tests.models.hello import write_hello
from tests.slow_worker import STUCK

IMAGES = Path(__file__).parents[2] / "docs" / "images"
BEST = {
    "chat_talk-light": "chat.png",
    "models_full-dark": "models.png",
    "chat_list-light": "conversations.png",
}
"""Which pictures the README shows, and their names there."""
THEMES = ("Light", "Dark", "Dark High Contrast")
CHAT = "#jp-llm-chat"
MODELS = "#jp-llm-models"
REFERENCE = "hf:org/Hello-GGUF:Q8_0"

WITHOUT_MODELS = """
from pathlib import Path
from jupyterlab.labapp import main
from llm_ext.catalog import scan
scan.BUNDLED = Path("nowhere")
main()
"""

NOTEBOOK = """\
import pandas as pd

sales = pd.read_csv("sales.csv")


def best(frame, n=2):
    sums = frame.groupby("month")["amount"].sum()
    return sums.nlargest(n)
"""

SENTENCES = (
    "A frame holds rows and *columns*, and most work on it is asked for.",
    "With `frame.groupby` each part is summed up **on its own**.",
    "What comes back is a frame again, so that the next step can begin with it.",
)
GRAMMAR = rf"""
root ::= "## How the months add up\n\n" paragraph paragraph list code paragraph{{80}}
paragraph ::= sentence (" " sentence){{2,4}} "\n\n"
list ::= "1. Read the file.\n2. Give each row its month.\n3. Sum up.\n\n"
code ::= "```python\nframe = pd.read_csv(path)\nframe.groupby(month).sum()\n```\n\n"
sentence ::= {" | ".join(f'"{sentence}"' for sentence in SENTENCES)}
"""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Where pictures are taken.

    Attributes:
        lab: A server with some models.
        slow: One whose loads stand still in the middle.
        empty: One without any models.
    """

    lab: LiveServer
    slow: LiveServer
    empty: LiveServer
    hub: Hub


Scene: TypeAlias = Callable[[Stage, Page], None]
"""Brings a page into a state."""


def chat_empty(_: Stage, page: Page) -> None:
    """Nothing has been asked yet."""
    open_chat(page)


def chat_talk(stage: Stage, page: Page) -> None:
    """A conversation with all that an answer may hold."""
    made = make_conversation(
        stage.lab, title="Sales and weather", model="guide", messages=TALK
    )
    chat = show_conversation(page, made)
    drag_edge(page, CHAT, -150)
    expect(chat.locator("table")).to_be_visible(timeout=SLOW)


def chat_narrow(stage: Stage, page: Page) -> None:
    """The same in a sidebar as narrow as JupyterLab makes it."""
    chat_talk(stage, page)
    drag_edge(page, CHAT, 400)


def models_narrow(_: Stage, page: Page) -> None:
    """Models in such a sidebar."""
    open_models(page)
    drag_edge(page, MODELS, -400)


def chat_wide(stage: Stage, page: Page) -> None:
    """The same in the main area, of a large screen."""
    page.set_viewport_size({"width": 1900, "height": 900})
    chat = open_chat_in_main(page)
    made = make_conversation(stage.lab, title="Wide", model="guide", messages=TALK)
    choose_conversation(chat, made)
    expect(chat.locator("table")).to_be_visible(timeout=SLOW)


def drag_edge(page: Page, panel: str, by: float) -> None:
    """Move the inner edge of a sidebar to the right, or (if negative) to the left."""
    box = page.locator(panel).bounding_box()
    assert box is not None
    edge = box["x"] - 1 if panel == CHAT else box["x"] + box["width"] + 1
    page.mouse.move(edge, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(edge + by / 2, box["y"] + 200)
    page.mouse.move(edge + by, box["y"] + 200)
    page.mouse.up()


def chat_streaming(stage: Stage, page: Page) -> None:
    """An answer is being written."""
    options = {"grammar": GRAMMAR, "max_tokens": 20_000}
    made = make_conversation(stage.lab, title="Months", model="babble", options=options)
    chat = show_conversation(page, made)
    ask(chat, "How do the months add up?")
    expect(chat.locator(".jp-llm-block").nth(4)).to_be_visible(timeout=SLOW)


def chat_loading(_: Stage, page: Page) -> None:
    """The model that is to answer loads."""
    chat = open_chat(page, "hello")
    ask(chat, "Who are you?")
    expect(chat.locator(".jp-llm-doing")).to_contain_text("Loading", timeout=SLOW)


def chat_error(_: Stage, page: Page) -> None:
    """A question could not be sent."""
    chat = open_chat(page, "guide")
    page.route("**/llm/conversations/*/reply*", lambda route: route.abort())
    ask(chat, "A long and careful question.")
    expect(chat.get_by_role("alert")).to_be_visible(timeout=SLOW)


def chat_list(stage: Stage, page: Page) -> None:
    """All conversations."""
    for title in ("Sales of 2026", "A very long title that needs more than one line"):
        make_conversation(stage.lab, title=title, model="guide", messages=TALK)
    open_chat(page).get_by_label("Conversations").click()
    expect(page.locator("#jp-llm-chat .jp-llm-row").first).to_be_visible()


def chat_drawer(_: Stage, page: Page) -> None:
    """System prompt and sampling; attachments; prompts."""
    chat = open_chat(page)
    chat.get_by_label("System prompt and sampling").click()
    page.locator(".jp-Notebook .jp-CodeCell").first.click()
    chat.get_by_label("Attach something").first.click()
    chat.get_by_role("button", name="Current cell", exact=True).click()
    chat.get_by_label("Attach something").first.click()


def chat_slash(stage: Stage, page: Page) -> None:
    """Prompts of the library."""
    with stage.lab.client() as client:
        for name, text in (("explain", "Explain {{text}}"), ("sum", "Sum up {{text}}")):
            client.post("prompts", json={"name": name, "template": text})
    open_chat(page).locator("textarea").press_sequentially("/")
    expect(page.locator(".jp-llm-slash > li").first).to_be_visible()


def models_full(stage: Stage, page: Page) -> None:
    """Models of all kinds, a download, a form with an estimate."""
    stage.hub.released.clear()
    stage.hub.store_faults.append(Fault(hold=50_000))
    models = open_models(page)
    drag_edge(page, MODELS, 100)
    models.get_by_label("Download a model").click()
    box = models.get_by_label("Model to download")
    box.fill(REFERENCE)
    box.press("Enter")
    expect(models.get_by_role("progressbar").first).to_be_visible(timeout=SLOW)
    models.get_by_label("Load hello with options").click()
    form = models.get_by_role("form")
    expect(form).to_contain_text("Takes", timeout=SLOW)
    form.get_by_role("button", name="Load").scroll_into_view_if_needed()


def models_empty(_: Stage, page: Page) -> None:
    """There is no model."""
    page.locator('.lm-TabBar-tab[data-id="jp-llm-models"]').click()
    page.locator("#jp-llm-models .jp-llm-device-bar").first.wait_for(timeout=SLOW)


def models_loading(stage: Stage, page: Page) -> None:
    """A model loads."""
    with stage.slow.client() as client:
        client.post("models/hello/unload", json={"force": True})
    models = open_models(page)
    models.get_by_label("Load hello", exact=True).click()
    expect(models.get_by_role("progressbar")).to_be_visible(timeout=SLOW)


def models_offline(_: Stage, page: Page) -> None:
    """The server is away."""
    page.route("**/llm/events*", lambda route: route.abort())
    reload(page)
    page.locator('.lm-TabBar-tab[data-id="jp-llm-models"]').click(timeout=SLOW)
    alert = page.locator("#jp-llm-models").get_by_role("alert")
    expect(alert).to_be_visible(timeout=SLOW)


def cell_proposal(_: Stage, page: Page) -> None:
    """New code for a cell."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").first
    cell.locator(".jp-InputArea-editor").click()
    cell.locator('[data-command="llm:cell-menu"]').click()
    page.locator(".lm-Menu-itemLabel", has_text="Refactor").click()
    accept = cell.get_by_role("button", name="Accept")
    expect(accept).to_be_enabled(timeout=SLOW)


def cell_menu(_: Stage, page: Page) -> None:
    """What can be done for a cell."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").first
    cell.locator(".jp-InputArea-editor").click()
    cell.locator('[data-command="llm:cell-menu"]').click()


ON_LAB: tuple[Scene, ...] = (
    chat_empty,
    chat_talk,
    chat_narrow,
    chat_wide,
    chat_streaming,
    chat_error,
    chat_list,
    chat_drawer,
    chat_slash,
    models_full,
    models_narrow,
    models_offline,
    cell_proposal,
    cell_menu,
)
ON_SLOW: tuple[Scene, ...] = (chat_loading, models_loading)
ON_EMPTY: tuple[Scene, ...] = (models_empty,)


@contextmanager
def stage() -> Iterator[Stage]:
    """Start the servers."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        hub = stack.enter_context(running_hub())
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("HF_ENDPOINT", hub.url)
        patch.setenv("HF_HOME", str(folder / "hf"))
        patch.setenv("NO_PROXY", "127.0.0.1")
        for name in ("lab", "slow", "empty"):
            (folder / name / "models").mkdir(parents=True)
            write_notebook(
                folder / name / "notebooks",
                NOTEBOOK,
                "best(sales)",
            )
        models = folder / "lab" / "models"
        hello = write_hello(models / "hello.gguf")
        shutil.copy(hello, folder / "slow" / "models")
        hub.add("org/Hello-GGUF", {"Hello-Q8_0.gguf": hello.read_bytes()})
        write_model(models / "babble.gguf", shape=Shape(context=32768))
        (models / "broken.gguf").write_bytes(b"GGUF, and then nothing")
        lab = stack.enter_context(
            live_server(
                folder / "lab",
                models,
                LONG_CONTEXT,
                "--LLMExt.default_model=guide",
                app="lab",
            )
        )
        empty = stack.enter_context(
            live_server(
                folder / "empty",
                folder / "empty" / "models",
                program=("-c", WITHOUT_MODELS),
            )
        )
        patch.setenv(STUCK, "1")
        slow = stack.enter_context(
            live_server(
                folder / "slow",
                folder / "slow" / "models",
                program=("-m", "tests.slow_lab"),
            )
        )
        yield Stage(lab=lab, slow=slow, empty=empty, hub=hub)


def opened(browser: Browser, server: LiveServer, theme: str) -> Page:
    """Open the notebook in a browser of its own."""
    settle(server, theme)
    context = browser.new_context(viewport={"width": 1100, "height": 720})
    page = context.new_page()
    page.goto(f"{server.url}lab/tree/demo.ipynb?token={server.token}&reset")
    page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=SLOW)
    return page


def quiet(stage: Stage) -> None:
    """End what a scene left going on."""
    stage.hub.released.set()
    with stage.lab.client() as client:
        for download in client.get("downloads").json().get("downloads", []):
            client.post(f"downloads/{download['id']}/cancel", json={})
    for server in (stage.lab, stage.slow):
        with server.client() as client:
            for talk in client.get("conversations").json()["conversations"]:
                client.post(f"conversations/{talk['id']}/stop", json={})


def take_all(stage: Stage, browser: Browser, only: str) -> Iterator[Path]:
    """Take all pictures whose name holds a text, and yield where each is."""
    folder = SCREENSHOTS / "states"
    folder.mkdir(parents=True, exist_ok=True)
    for server, scenes in (
        (stage.lab, ON_LAB),
        (stage.slow, ON_SLOW),
        (stage.empty, ON_EMPTY),
    ):
        for scene in scenes:
            for theme in THEMES:
                name = f"{scene.__name__}-{theme.replace(' ', '-').lower()}"
                if only in name:
                    page = opened(browser, server, theme)
                    scene(stage, page)
                    picture(page, folder / f"{name}.png")
                    page.context.close()
                    quiet(stage)
                    yield folder / f"{name}.png"


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", metavar="TEXT")
    parser.add_argument("--readme", action="store_true")
    arguments = parser.parse_args()
    with stage() as staged, chromium() as browser:
        for path in take_all(staged, browser, arguments.only):
            if arguments.readme and path.stem in BEST:
                IMAGES.mkdir(exist_ok=True)
                shutil.copy(path, IMAGES / BEST[path.stem])


if __name__ == "__main__":
    main()
