"""Models of other servers in the chat panel."""

import json
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.panel import answers, ask, finished, open_chat
from tests.live import live_server
from tests.provider import DONE, END, piece, provider


def test_a_model_of_another_server_can_be_chosen(
    browser: Browser, tmp_path: Path, models: Path
) -> None:
    """It stands in the list by its provider's name, and the page says who answers."""
    with provider() as odd, ExitStack() as running:
        (tmp_path / "config").mkdir()
        options = {"LLMExt": {"providers": {"lab": {"url": odd.url}}}}
        config = tmp_path / "config" / "jupyter_server_config.json"
        config.write_text(json.dumps(options))
        lab = running.enter_context(live_server(tmp_path, models, app="lab"))
        page = browser.new_page()
        running.callback(page.close)
        page.goto(f"{lab.url}lab?token={lab.token}")
        chat = open_chat(page, "lab/odd")
        expect(chat.locator(".jp-llm-welcome")).to_contain_text("another server, lab")

        odd.stream(piece("From "), piece("the lab."), END, DONE)
        ask(chat, "Who are you?")
        finished(chat)

        expect(answers(chat)).to_contain_text("From the lab.")
        expect(answers(chat)).to_contain_text("lab/odd")
        assert odd.last.body["messages"][-1]["content"] == "Who are you?"
