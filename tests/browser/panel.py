"""What the tests of the panels do as a person does it, and where they look."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    Locator,
    Page,
    Request,
    TimeoutError as TookTooLong,
    expect,
)

from tests.live import LiveServer
from tests.waiting import eventually

SCREENSHOTS = Path(__file__).parents[2] / ".screenshots"
SLOW = 60_000
"""Milliseconds that an answer, or a load, may take on a busy machine."""

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
    "awAAAABJRU5ErkJggg=="
)
"""A plot, as small as can be."""

TALK: list[dict[str, Any]] = [
    {"role": "user", "content": "Which months were the best, and is it going to rain?"},
    {
        "role": "assistant",
        "reasoning_content": "First the months, then the weather.",
        "content": (
            "Two months stand out:\n\n| month | amount |\n|---|---:|\n| May | 1,204 |\n"
            "| June | 1,807 |\n\n```python\nsales = pd.read_csv('sales.csv')\n"
            "sales.groupby('month')['amount'].sum().nlargest(2)\n```\n\n"
            "> The sums are **exact**, since $\\sum_i a_i$ is over whole cents.\n\n"
            "![A chart](https://example.org/chart.png)"
        ),
        "tool_calls": [
            {
                "id": "1",
                "type": "function",
                "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
            }
        ],
    },
]
"""A conversation with all that an answer may hold."""


TWO_FRAMES = """() => new Promise(done =>
    requestAnimationFrame(() => requestAnimationFrame(done)))"""


def picture(page: Page, path: Path) -> None:
    """Take a picture of the page as it is now.

    Chromium may give a frame that is older than what the page's elements say already.
    By the second frame from now they are drawn.
    """
    page.evaluate(TWO_FRAMES)
    page.screenshot(path=path)


def screenshot(page: Page, name: str) -> None:
    """Keep a picture, to be looked at."""
    SCREENSHOTS.mkdir(exist_ok=True)
    theme = page.evaluate("document.body.dataset.jpThemeLight") == "true"
    picture(page, SCREENSHOTS / f"{name}-{'light' if theme else 'dark'}.png")


def open_chat(page: Page, model: str | None = None) -> Locator:
    """Show the chat, and choose the model that answers."""
    page.locator('.lm-TabBar-tab[data-id="jp-llm-chat"]').click()
    chat = page.locator("#jp-llm-chat")
    chat.locator("textarea").wait_for(timeout=SLOW)
    if model is not None:
        chat.get_by_label("Model", exact=True).select_option(model)
    return chat


@contextmanager
def layout_kept(page: Page) -> Iterator[None]:
    """Wait at the end until JupyterLab has kept that the chat is shown.

    It does so a moment after it was opened; a reload before that finds it closed.
    """

    def keeps(request: Request) -> bool:
        is_kept = request.method == "PUT" and "/api/workspaces/" in request.url
        return is_kept and '"current":"jp-llm-chat"' in (request.post_data or "")

    with page.expect_request_finished(keeps, timeout=SLOW):
        yield


def reload(page: Page) -> None:
    """Reload the page, and wait until JupyterLab has restored what was open.

    What is opened before that is closed by it again.
    """
    page.reload()
    page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=SLOW)


def open_chat_in_main(page: Page) -> Locator:
    """Open a chat in the main area, by the palette."""
    search_palette(page, "Chat in the Main Area")
    page.keyboard.press("Enter")
    chat = page.locator(".jp-MainAreaWidget .jp-llm-chat")
    chat.locator("textarea").wait_for(timeout=SLOW)
    return chat


def search_palette(page: Page, text: str) -> None:
    """Open the command palette and look for a command.

    By the menu, since a shortcut is lost on a page that is not quite there yet; again
    where something that came late took the focus, which closes the palette.
    """
    box = page.locator(".lm-CommandPalette-input")

    def is_written() -> bool:
        if not box.is_visible():
            page.get_by_role("menuitem", name="View", exact=True).click()
            page.get_by_role("menuitem", name="Activate Command Palette").click()
        try:
            box.fill(text, timeout=1000)
        except TookTooLong:
            return False
        return box.is_visible()

    eventually(is_written)


def make_conversation(server: LiveServer, **fields: Any) -> str:  # noqa: ANN401  # a request's
    """Make a conversation and return its id."""
    with server.client() as client:
        reply = client.post("conversations", json=fields).raise_for_status()
    return str(reply.json()["id"])


def show_conversation(page: Page, conversation: str) -> Locator:
    """Show the chat, at a conversation."""
    chat = open_chat(page)
    choose_conversation(chat, conversation)
    return chat


def choose_conversation(chat: Locator, conversation: str) -> None:
    """Choose a conversation from the list."""
    chat.get_by_label("Conversations").click()
    chat.locator(f'[data-conversation="{conversation}"] .jp-llm-row-open').click()
    expect(chat.locator(".jp-llm-messages")).to_be_visible()


def open_models(page: Page) -> Locator:
    """Show the models."""
    page.locator('.lm-TabBar-tab[data-id="jp-llm-models"]').click()
    models = page.locator("#jp-llm-models")
    models.locator(".jp-llm-row").first.wait_for(timeout=SLOW)
    return models


ENDLESS = {"ignore_eos": True, "max_tokens": 20_000}
"""Options of answers that end when they are stopped."""


def ask(chat: Locator, text: str) -> None:
    """Write a question and send it."""
    box = chat.locator(".jp-llm-composer textarea")
    box.fill(text)
    box.press("Enter")


def answers(chat: Locator) -> Locator:
    """Return the answers."""
    return chat.locator('.jp-llm-message[data-role="assistant"]')


def finished(chat: Locator) -> None:
    """Wait until nothing is being written."""
    expect(chat.get_by_label("Send (Enter)")).to_be_visible(timeout=SLOW)
    expect(chat.locator('[role="status"]').last).to_have_text(
        "The answer is complete.", timeout=SLOW
    )


def write_notebook(folder: Path, *sources: str) -> None:
    """Write demo.ipynb, with a cell of code for each of ``sources``."""
    folder.mkdir()
    _write(folder / "demo.ipynb", [(source, []) for source in sources])


def write_outputs(path: Path) -> None:
    """Write a notebook: a cell with a text and a plot, and one with an error."""
    plot = {"image/png": PIXEL, "text/plain": "forty-two"}
    shown = {
        "output_type": "execute_result",
        "execution_count": 1,
        "metadata": {},
        "data": plot,
    }
    error = {
        "output_type": "error",
        "ename": "ZeroDivisionError",
        "evalue": "division by zero",
        "traceback": ["ZeroDivisionError: division by zero"],
    }
    _write(path, [("answer()", [shown]), ("1 / 0", [error])])


def _write(path: Path, cells: list[tuple[str, list[dict[str, Any]]]]) -> None:
    notebook = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell{number}",
                "execution_count": None,
                "metadata": {},
                "outputs": outputs,
                "source": source,
            }
            for number, (source, outputs) in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(notebook))
