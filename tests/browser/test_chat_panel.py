"""The chat, against a real server and the models that ship or are built here."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import DEMO, OpenLab
from tests.browser.panel import (
    ENDLESS,
    SLOW,
    answers,
    ask,
    choose_conversation,
    finished,
    layout_kept,
    make_conversation,
    open_chat,
    open_chat_in_main,
    screenshot,
    show_conversation,
    write_notebook,
    write_outputs,
)
from tests.live import LiveServer, live_server
from tests.models.hello import write_hello
from tests.slow_worker import STUCK
from tests.waiting import eventually

LETTERS = "root ::= [a-z]+"
"""Text that is shown as it is, whatever Markdown does."""
MIXED = r"""
root ::= part{12}
part ::= "## " word "\n\n" word ", " word ".\n\n- " word "\n- " word "\n\n" code table
code ::= "```python\n" word "\n" word "\n```\n\n"
table ::= "| a | b |\n|---|---|\n| " word " | " word " |\n\n"
word ::= [a-z]{3,12}
"""
"""Markdown of all kinds."""


def endless(lab: LiveServer, page: Page, **options: str) -> str:
    """Make a conversation whose answers end when they are stopped; show it."""
    asked = {**ENDLESS, **options}
    made = make_conversation(lab, title="Endless", model="babble", options=asked)
    chat = show_conversation(page, made)
    expect(chat.locator(".jp-llm-welcome")).to_be_visible()
    return made


def show(page: Page, lab: LiveServer, messages: list[dict[str, Any]]) -> Locator:
    """Make a conversation with these messages, and show it."""
    made = make_conversation(lab, title="Made", model="guide", messages=messages)
    return show_conversation(page, made)


@pytest.fixture(scope="module")
def slow_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """JupyterLab whose loads stand still in the middle."""
    folder = tmp_path_factory.mktemp("slow")
    (folder / "models").mkdir()
    write_hello(folder / "models" / "hello.gguf")
    write_notebook(folder / "notebooks", "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STUCK, "1")
        program = ("-m", "tests.slow_lab")
        with live_server(folder, folder / "models", program=program) as running:
            yield running


def test_an_answer_streams_in_and_outlives_a_reload(open_lab: OpenLab) -> None:
    """Ask, read, look at the figures, reload: all is there."""
    page = open_lab()
    with layout_kept(page):
        chat = open_chat(page, "guide")

    ask(chat, "How do I read a CSV file with pandas?")
    finished(chat)

    expect(answers(chat).locator("pre")).to_contain_text("read_csv")
    expect(answers(chat)).to_contain_text(re.compile(r"guide · \d+ tokens"))
    expect(page.locator(".jp-llm-status[data-state]")).to_contain_text("tok/s")
    page.reload()
    expect(answers(chat).locator("pre")).to_contain_text("read_csv", timeout=SLOW)


def test_stop_reaches_the_engine(open_lab: OpenLab, lab: LiveServer) -> None:
    """After Stop the engine computes nothing more, and what was written stays."""
    page = open_lab()
    endless(lab, page)
    chat = page.locator("#jp-llm-chat")
    ask(chat, "Go on for ever.")
    expect(answers(chat)).to_be_visible(timeout=SLOW)
    cancelled = lab.model("babble")["engine"]["cancelled"]

    chat.get_by_label("Stop (Escape)").click()
    expect(chat.get_by_label("Send (Enter)")).to_be_visible(timeout=SLOW)

    engine = eventually(
        lambda: (e := lab.model("babble")["engine"])["cancelled"] > cancelled and e
    )
    assert engine
    assert lab.model("babble")["engine"]["steps"] == engine["steps"]
    expect(answers(chat)).not_to_be_empty()
    expect(answers(chat)).to_contain_text("stopped")


def test_a_reload_in_mid_answer_goes_on_with_it(
    open_lab: OpenLab, lab: LiveServer
) -> None:
    """The answer belongs to the server: a page that comes back finds it growing.

    Nothing of it is missing then, and nothing is there twice.
    """
    page = open_lab()
    with layout_kept(page):
        made = endless(lab, page, grammar=LETTERS)
    chat = page.locator("#jp-llm-chat")
    ask(chat, "Go on for ever.")
    words = answers(chat).locator(".jp-llm-markdown")
    expect(words).to_have_text(re.compile(r"\S{20}"), timeout=SLOW)
    begun = words.inner_text()

    page.reload()

    stop = chat.get_by_label("Stop (Escape)")
    expect(stop).to_be_visible(timeout=SLOW)
    expect(words).to_have_text(re.compile(rf"^{re.escape(begun)}\S"), timeout=SLOW)
    stop.click()
    expect(chat.get_by_label("Send (Enter)")).to_be_visible(timeout=SLOW)
    with lab.client() as client:
        stored = client.get(f"conversations/{made}").json()["messages"][-1]
    expect(words).to_have_text(stored["content"])


def test_a_second_browser_sees_the_conversation(
    open_lab: OpenLab, lab: LiveServer
) -> None:
    """What is said in one tab is read, and stopped, in another."""
    page = open_lab()
    made = endless(lab, page)
    chat = page.locator("#jp-llm-chat")
    ask(chat, "Can you be heard?")
    expect(answers(chat)).to_be_visible(timeout=SLOW)

    other = open_chat(open_lab())
    choose_conversation(other, made)
    expect(other.locator('[data-role="user"]')).to_contain_text("Can you be heard?")
    other.get_by_label("Stop (Escape)").click(timeout=SLOW)

    expect(chat.get_by_label("Send (Enter)")).to_be_visible(timeout=SLOW)
    expect(answers(chat)).to_contain_text("stopped")


def test_a_conversation_outlives_the_server(
    open_lab: OpenLab, models: Path, tmp_path: Path
) -> None:
    """After a restart the list still has it."""
    (tmp_path / "notebooks").mkdir()
    shutil.copy(DEMO, tmp_path / "notebooks" / "demo.ipynb")
    with live_server(tmp_path, models, app="lab") as first:
        chat = open_chat(open_lab(server=first), "guide")
        ask(chat, "What can you do?")
        finished(chat)
        said = answers(chat).locator(".jp-llm-markdown").inner_text()

    with live_server(tmp_path, models, app="lab") as second:
        chat = open_chat(open_lab(server=second))
        chat.get_by_label("Conversations").click()
        chat.locator(".jp-llm-row-open").click()

        expect(answers(chat).locator(".jp-llm-markdown")).to_have_text(
            said, timeout=SLOW
        )


def test_a_server_that_dies_in_mid_answer_is_found_again(
    open_lab: OpenLab, models: Path, tmp_path: Path
) -> None:
    """The page keeps what it has seen, says that it broke off, and can ask again."""
    write_notebook(tmp_path / "notebooks", "")
    with live_server(tmp_path, models, app="lab") as first:
        page = open_lab(server=first)
        complaint = page.locator(".jp-Dialog", has_text="Server Connection Error")
        page.add_locator_handler(
            complaint, lambda dialog: dialog.get_by_role("button", name="Close").click()
        )
        endless(first, page, grammar=LETTERS)
        chat = page.locator("#jp-llm-chat")
        ask(chat, "Go on for ever.")
        words = answers(chat).locator(".jp-llm-markdown")
        expect(words).to_be_visible(timeout=SLOW)
        first.process.kill()
        doing = chat.locator(".jp-llm-doing")
        expect(doing).to_contain_text("The connection is lost", timeout=SLOW)
        said = words.inner_text()

    with live_server(tmp_path, models, app="lab", port=first.port):
        expect(doing).to_have_count(0, timeout=SLOW)
        expect(words).to_have_text(said)
        expect(answers(chat)).to_contain_text("broken off: the server lost it")
        expect(chat.get_by_role("alert")).to_have_count(0, timeout=SLOW)
        answers(chat).get_by_label("Answer once more").click()

        expect(words).to_be_visible(timeout=SLOW)
        expect(words).not_to_have_text(said, timeout=SLOW)
        chat.get_by_label("Stop (Escape)").click()
        expect(chat.get_by_label("Send (Enter)")).to_be_visible(timeout=SLOW)


def test_questions_and_answers_have_versions(open_lab: OpenLab) -> None:
    """Answer once more, edit and send again, and go back to what was there."""
    page = open_lab()
    chat = open_chat(page, "guide")
    ask(chat, "What is 2 times 3?")
    finished(chat)

    answers(chat).get_by_label("Answer once more").click()
    expect(answers(chat)).to_contain_text("2 of 2", timeout=SLOW)

    chat.get_by_label("Edit and send again").click()
    chat.get_by_label("Question").locator("textarea").fill("What is 4 times 5?")
    chat.get_by_role("button", name="Send", exact=True).click()
    expect(answers(chat)).to_contain_text("20", timeout=SLOW)
    question = chat.locator('[data-role="user"]')
    expect(question).to_contain_text("2 of 2", timeout=SLOW)

    question.get_by_label("The version before").click()

    expect(question).to_contain_text("What is 2 times 3?")
    expect(answers(chat)).to_contain_text("2 of 2")


def test_an_answer_that_was_cut_off_goes_on(open_lab: OpenLab) -> None:
    """The length limit of the drawer cuts; going on begins with what is there."""
    page = open_lab()
    chat = open_chat(page, "guide")
    chat.get_by_label("System prompt and sampling").click()
    limit = chat.get_by_label("Longest answer, in tokens")
    limit.fill("8")
    limit.press("Tab")
    ask(chat, "What can you do?")
    finished(chat)
    expect(answers(chat)).to_contain_text("cut off at the length limit")
    words = answers(chat).locator(".jp-llm-markdown")
    begun = words.inner_text()

    answers(chat).get_by_label("Go on with the answer").click()

    expect(words).to_have_text(
        re.compile(f"^{re.escape(begun)}.+", re.DOTALL), timeout=SLOW
    )


def test_code_goes_into_the_notebook(open_lab: OpenLab) -> None:
    """Below, above and in the place of the active cell."""
    page = open_lab()
    chat = open_chat(page, "guide")
    ask(chat, "How do I read a CSV file with pandas?")
    finished(chat)
    cells = page.locator(".jp-Notebook .jp-Cell")
    before = cells.count()
    page.locator(".jp-Notebook .jp-CodeCell").first.click()
    code = answers(chat).locator(".jp-llm-block").filter(has=page.locator("pre"))
    code.hover()

    code.get_by_label("Insert below the active cell").click()

    expect(cells).to_have_count(before + 1)
    active = page.locator(".jp-Notebook .jp-Cell.jp-mod-active")
    expect(active).to_contain_text("read_csv")
    code.get_by_label("Insert above the active cell").click()
    expect(cells).to_have_count(before + 2)
    page.locator(".jp-Notebook .jp-CodeCell").last.click()
    replaced = active.inner_text()
    assert "read_csv" not in replaced
    code.hover()
    code.get_by_label("Replace the active cell").click()
    expect(active).to_contain_text("read_csv")
    expect(cells).to_have_count(before + 2)

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    code.get_by_label("Copy the code").click()
    expect(code.get_by_label("Copied")).to_be_visible()
    assert "read_csv" in page.evaluate("navigator.clipboard.readText()")


def test_what_is_attached_goes_along(open_lab: OpenLab) -> None:
    """A cell is attached, counted, removable, and sent."""
    page = open_lab()
    chat = open_chat(page, "guide")
    page.locator(".jp-Notebook .jp-CodeCell").first.click()
    chat.get_by_label("Attach something").first.click()
    chat.get_by_role("button", name="Current cell", exact=True).click()
    expect(chat.locator(".jp-llm-chip")).to_have_text("Cell 2")
    tokens = chat.locator(".jp-llm-tokens")
    expect(tokens).to_have_text("about 6 tokens")
    chat.locator(".jp-llm-composer textarea").fill("many a word " * 100)
    # It is counted with the model's own vocabulary as soon as that matters.
    expect(tokens).to_have_text(re.compile(r"^\d{3,4} tokens$"), timeout=SLOW)

    ask(chat, "What is this?")
    finished(chat)

    chip = chat.locator('[data-role="user"] .jp-llm-chip')
    expect(chip).to_have_attribute("title", "%load_ext kernel_magics")


def test_cells_outputs_errors_and_files_are_attached(
    open_lab: OpenLab, lab: LiveServer
) -> None:
    """All that a person works on; a plot only where the model sees images."""
    write_outputs(lab.notebooks / "outputs.ipynb")
    (lab.notebooks / "notes.txt").write_text("Remember the milk.")
    page = open_lab(notebook="outputs.ipynb")
    chat = open_chat(page, "guide")
    chips = chat.locator(".jp-llm-composer .jp-llm-chip")
    page.locator(".jp-Notebook .jp-CodeCell").first.locator(
        ".jp-InputArea-editor"
    ).click()

    def attach(what: str) -> None:
        chat.get_by_label("Attach something").first.click()
        chat.get_by_role("button", name=what, exact=True).click()

    attach("Output of the current cell")
    expect(chips).to_have_text(["Output of cell 1"])
    expect(chips.first).to_have_attribute("title", "forty-two")
    attach("Last error")
    expect(chips).to_have_text(["Output of cell 1", "Cell 2", "Error in cell 2"])
    chat.get_by_label("Remove Cell 2").click()
    expect(chips).to_have_text(["Output of cell 1", "Error in cell 2"])

    page.locator(".jp-Notebook .jp-CodeCell").first.locator(".jp-InputPrompt").click()
    page.keyboard.press("Shift+ArrowDown")
    attach("Selected cells")
    expect(chips).to_have_text(
        ["Output of cell 1", "Error in cell 2", "Cell 1", "Cell 2"]
    )
    attach("File…")
    page.locator(".jp-Dialog .jp-DirListing-item", has_text="notes.txt").click()
    page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(chips.last).to_have_attribute("title", "Remember the milk.")
    # 75 characters are attached, in four parts.
    expect(chat.locator(".jp-llm-tokens")).to_have_text("about 21 tokens")
    ask(chat, "What is all this?")

    sent = chat.locator('[data-role="user"] .jp-llm-chip')
    expect(sent).to_have_count(5, timeout=SLOW)


def test_thoughts_and_tool_calls_are_folded_away(
    open_lab: OpenLab, lab: LiveServer
) -> None:
    """Told of in a line each; opened by who wants to know."""
    answer = {
        "role": "assistant",
        "content": "It is cold.",
        "reasoning_content": "Perhaps I should *look*.",
        "tool_calls": [
            {
                "id": "1",
                "type": "function",
                "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
            }
        ],
    }
    page = open_lab()
    chat = show(page, lab, [{"role": "user", "content": "Is it cold?"}, answer])
    thoughts = chat.locator("details", has_text="Thoughts")
    call = chat.locator("details", has_text="Wants to call weather")
    expect(answers(chat)).to_contain_text("It is cold.")
    expect(thoughts.locator("em")).to_have_count(0)
    expect(call.locator("pre")).not_to_be_visible()
    expect(answers(chat).get_by_label("Go on with the answer")).to_have_count(0)

    thoughts.locator("summary").click()
    call.locator("summary").click()

    expect(thoughts.locator("em")).to_have_text("look")
    expect(call.locator("pre")).to_have_text('{"city": "Oslo"}')


def test_a_load_is_seen_in_place(open_lab: OpenLab, slow_lab: LiveServer) -> None:
    """Which model loads and how far it is, in the chat itself, and the picker."""
    page = open_lab(server=slow_lab)
    chat = open_chat(page, "hello")

    ask(chat, "Who are you?")

    doing = chat.locator(".jp-llm-doing")
    expect(doing).to_contain_text(re.compile(r"Loading the model: .+\d+ %"))
    expect(doing.get_by_role("progressbar")).to_be_visible()
    expect(chat.get_by_label("Model", exact=True)).to_contain_text("hello (loading")
    chat.get_by_label("Stop (Escape)").click()
    expect(chat.get_by_label("Send (Enter)")).to_be_visible(timeout=SLOW)


def test_only_the_block_that_grows_is_rendered_again(
    open_lab: OpenLab, lab: LiveServer
) -> None:
    """What stands above stays the very same nodes, selected or not."""
    page = open_lab()
    grammar = 'root ::= (line "\\n\\n"){40}\nline ::= [a-z]{20}'
    endless(lab, page, grammar=grammar)
    chat = page.locator("#jp-llm-chat")
    blocks = chat.locator(".jp-llm-block")
    ask(chat, "Write many paragraphs.")
    expect(blocks.nth(3)).to_be_visible(timeout=SLOW)
    page.evaluate(
        """() => {
          const [first] = document.querySelectorAll('.jp-llm-block p');
          getSelection().selectAllChildren(first);
          window.first = first;
          window.changes = 0;
          new MutationObserver(seen => { window.changes += seen.length; }).observe(
            first.closest('.jp-llm-block'),
            {childList: true, subtree: true, characterData: true}
          );
        }"""
    )
    selected = page.evaluate("getSelection().toString()")
    finished(chat)

    assert blocks.count() == 40
    assert page.evaluate("[first.isConnected, changes]") == [True, 0]
    assert page.evaluate("getSelection().toString()") == selected != ""


def test_nothing_jumps_while_an_answer_streams(
    open_lab: OpenLab, lab: LiveServer
) -> None:
    """What a reader looks at stays where it is, to the end of the answer and beyond."""
    page = open_lab()
    endless(lab, page, grammar=MIXED)
    chat = page.locator("#jp-llm-chat")
    ask(chat, "Write all kinds of things.")
    expect(chat.locator(".jp-llm-block pre").first).to_be_visible(timeout=SLOW)
    scroller = chat.locator(".jp-llm-scroll")
    scroller.hover()

    def at_the_top() -> bool:
        # What grows while the wheel still turns can end the turn in the middle.
        page.mouse.wheel(0, -5000)
        return bool(scroller.evaluate("box => box.scrollTop === 0"))

    assert eventually(at_the_top)
    page.evaluate(
        """() => {
          window.jumps = [];
          const look = list => {
            for (const {node} of list.getEntries().flatMap(({sources}) => sources)) {
              const element = node instanceof Element ? node : node?.parentElement;
              if (element?.closest('.jp-llm-block')) {
                window.jumps.push(element.outerHTML.slice(0, 200));
              }
            }
          };
          new PerformanceObserver(look).observe({type: 'layout-shift'});
        }"""
    )
    finished(chat)
    expect(chat.get_by_label("Copy the code").first).to_be_visible()

    assert page.evaluate("jumps") == []

    chat.locator(".jp-llm-block").first.evaluate(
        "block => block.before(document.createElement('hr'))"
    )
    assert eventually(lambda: page.evaluate("jumps")), "a jump would have been seen"


def test_what_is_selected_is_not_replaced_while_it_grows(
    open_lab: OpenLab, lab: LiveServer
) -> None:
    """The block waits with its new words until the selection is let go."""
    page = open_lab()
    endless(lab, page)
    chat = page.locator("#jp-llm-chat")
    ask(chat, "Go on for ever.")
    block = answers(chat).locator(".jp-llm-block").last
    expect(block).to_have_text(re.compile(".{20}", re.DOTALL), timeout=SLOW)
    block.evaluate("block => getSelection().selectAllChildren(block)")
    selected = page.evaluate("getSelection().toString()")
    steps = lab.model("babble")["engine"]["steps"]

    eventually(lambda: lab.model("babble")["engine"]["steps"] > steps + 20)
    assert page.evaluate("getSelection().toString()") == selected

    page.evaluate("getSelection().removeAllRanges()")
    eventually(lambda: len(answers(chat).inner_text()) > 2 * len(selected))
    chat.get_by_label("Stop (Escape)").click()
    expect(chat.get_by_label("Send (Enter)")).to_be_visible(timeout=SLOW)


def test_the_end_is_followed_until_the_reader_scrolls_up(
    open_lab: OpenLab, lab: LiveServer
) -> None:
    """Who reads above is left there, and has a way back."""
    page = open_lab()
    endless(lab, page, grammar=LETTERS)
    chat = page.locator("#jp-llm-chat")
    scroll = chat.locator(".jp-llm-scroll")
    ask(chat, "Go on for ever.")
    height = "box => box.scrollHeight - box.clientHeight"
    eventually(lambda: scroll.evaluate(height) > 400)
    distance = "box => box.scrollHeight - box.clientHeight - box.scrollTop"
    eventually(lambda: scroll.evaluate(distance) < 100)

    scroll.hover()
    page.mouse.wheel(0, -300)
    back = chat.get_by_role("button", name="To the end")
    expect(back).to_be_visible()
    top = scroll.evaluate("box => box.scrollTop")
    before = scroll.evaluate(height)
    eventually(lambda: scroll.evaluate(height) > before)
    assert scroll.evaluate("box => box.scrollTop") == top

    back.click()
    expect(back).to_have_count(0)
    chat.get_by_label("Stop (Escape)").click()
    expect(chat.get_by_label("Send (Enter)")).to_be_visible(timeout=SLOW)


def test_enter_does_not_send_while_an_input_method_composes(open_lab: OpenLab) -> None:
    """The Enter that ends a word of Japanese is not the one that sends."""
    page = open_lab()
    chat = open_chat(page, "guide")
    box = chat.locator(".jp-llm-composer textarea")
    box.focus()
    keyboard = page.context.new_cdp_session(page)
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
    composed = {"text": "にほん", "selectionStart": 3, "selectionEnd": 3}

    keyboard.send("Input.imeSetComposition", composed)
    keyboard.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    keyboard.send("Input.insertText", {"text": "日本"})

    expect(box).to_have_value("日本")
    # Safari ends the composition first, so that the code alone tells.
    box.evaluate(
        """box => box.dispatchEvent(new KeyboardEvent(
             'keydown', {key: 'Enter', keyCode: 229, bubbles: true, cancelable: true}
           ))"""
    )
    expect(box).to_have_value("日本")
    expect(chat.locator(".jp-llm-message")).to_have_count(0)
    box.press("Enter")
    expect(chat.locator('[data-role="user"]')).to_contain_text("日本")


def test_a_question_that_cannot_be_sent_comes_back(open_lab: OpenLab) -> None:
    """The text is in the box again, and the reason is said."""
    page = open_lab()
    chat = open_chat(page, "guide")
    page.route("**/llm/conversations/*/reply*", lambda route: route.abort())

    ask(chat, "A long and careful question.")

    expect(chat.locator(".jp-llm-composer textarea")).to_have_value(
        "A long and careful question.", timeout=SLOW
    )
    expect(chat.get_by_role("alert")).to_contain_text("cannot be reached")
    screenshot(page, "chat-error")


def test_a_first_question_that_is_refused_leaves_no_conversation(
    open_lab: OpenLab, lab: LiveServer
) -> None:
    """Neither on the server nor in the list, and the next question begins one."""
    page = open_lab()
    chat = open_chat(page, "guide")
    with lab.client() as client:
        before = client.get("conversations").json()

    def name_another(route: Route) -> None:
        route.continue_(post_data={"content": "Who is there?", "model": "gone"})

    page.route("**/llm/conversations/*/reply*", name_another)
    ask(chat, "Who is there?")
    expect(chat.get_by_role("alert")).to_contain_text("no model 'gone'", timeout=SLOW)
    expect(chat.locator(".jp-llm-composer textarea")).to_have_value("Who is there?")
    with lab.client() as client:
        eventually(lambda: client.get("conversations").json() == before)

    page.unroute("**/llm/conversations/*/reply*")
    chat.locator(".jp-llm-composer textarea").press("Enter")
    finished(chat)
    expect(answers(chat)).to_have_count(1)


def test_conversations_are_found_renamed_exported_and_deleted(
    open_lab: OpenLab, lab: LiveServer, tmp_path: Path
) -> None:
    """Everything that the list of conversations can do."""
    with lab.client() as client:
        for title, said in (("Pandas", "marmalade"), ("Weather", "umbrella")):
            messages = [{"role": "user", "content": said}]
            client.post("conversations", json={"title": title, "messages": messages})
    page = open_lab()
    chat = open_chat(page)
    chat.get_by_label("Conversations").click()
    chat.get_by_label("Search conversations").fill("marmalade")
    rows = chat.locator(".jp-llm-shelf .jp-llm-row")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Pandas")

    rows.get_by_label("Rename Pandas").click()
    page.locator(".jp-Dialog input").fill("Breakfast")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(rows).to_contain_text("Breakfast")

    with page.expect_download() as download:
        rows.get_by_label("Export Breakfast to a notebook").click()
    download.value.save_as(tmp_path / "exported.ipynb")
    assert download.value.suggested_filename == "Breakfast.ipynb"
    assert "marmalade" in json.dumps(
        json.loads((tmp_path / "exported.ipynb").read_text())
    )

    with page.expect_download() as download:
        rows.get_by_label("Export Breakfast to Markdown").click()
    download.value.save_as(tmp_path / "exported.md")
    assert download.value.suggested_filename == "Breakfast.md"
    assert "## User" in (tmp_path / "exported.md").read_text()

    rows.get_by_label("Delete Breakfast").click()
    page.locator(".jp-Dialog .jp-mod-warn").click()
    expect(rows).to_have_count(0)


def test_prompts_of_the_library_are_offered_after_a_slash(
    open_lab: OpenLab, lab: LiveServer
) -> None:
    """Chosen with the keyboard; the first gap is selected, to be written over."""
    with lab.client() as client:
        prompt = {"name": "summarize", "template": "Sum up: {{text}}"}
        assert client.post("prompts", json=prompt).is_success
    page = open_lab()
    chat = open_chat(page, "guide")
    box = chat.locator(".jp-llm-composer textarea")
    box.press_sequentially("/su")
    expect(chat.locator(".jp-llm-slash > li")).to_contain_text("/summarize")

    box.press("Enter")

    expect(box).to_have_value("Sum up: {{text}}")
    page.keyboard.type("this")
    expect(box).to_have_value("Sum up: this")


def test_formulas_and_links_are_shown(open_lab: OpenLab, lab: LiveServer) -> None:
    """As models write them: in backslashes, and with addresses at the end."""
    content = (
        "Squares are \\[x^2\\]\n\nand roots \\(\\sqrt y\\). The regex `\\[a-z\\]` "
        "matches; see [the page][1].\n\n[1]: https://example.org/page"
    )
    page = open_lab()
    question = {"role": "user", "content": "What is this?"}
    chat = show(page, lab, [question, {"role": "assistant", "content": content}])

    expect(answers(chat).locator("mjx-container")).to_have_count(2, timeout=SLOW)
    expect(answers(chat).locator("code")).to_have_text("\\[a-z\\]")
    link = answers(chat).get_by_role("link", name="the page")
    expect(link).to_have_attribute("href", "https://example.org/page")


def test_a_double_click_on_send_is_no_stop(open_lab: OpenLab, lab: LiveServer) -> None:
    """Its second half meets the button that stops, in the same place."""
    page = open_lab()
    endless(lab, page)
    chat = page.locator("#jp-llm-chat")
    chat.locator(".jp-llm-composer textarea").fill("Go on for ever.")

    chat.get_by_label("Send (Enter)").dblclick()

    stop = chat.get_by_label("Stop (Escape)")
    expect(stop).to_be_enabled()
    expect(answers(chat)).to_be_visible(timeout=SLOW)
    expect(stop).to_be_enabled()
    stop.click()
    expect(chat.get_by_label("Send (Enter)")).to_be_visible(timeout=SLOW)


def test_remote_images_wait_for_leave(open_lab: OpenLab, lab: LiveServer) -> None:
    """An answer cannot make the browser fetch an address that it names."""
    tracker = "https://tracker.example"
    address = f"{tracker}/pixel.png?q=secret"
    ways = (
        f"![A plot]({address})",
        f"[![A plot]({tracker}/linked.png)]({tracker}/link)",
        f'<img src="{tracker}/html.png" srcset="{tracker}/set.png 2x">',
        f'<p style="background: url({tracker}/style.png)">A</p>',
        f"<p style=\"background-image: image-set('{tracker}/set.png' 1x)\">A</p>",
        rf'<p style="list-style-image: u\72l({tracker}/escaped.png)">A</p>',
        f'<video autoplay poster="{tracker}/poster.png" src="{tracker}/v.mp4"></video>',
        f'<audio autoplay src="{tracker}/a.mp3"></audio>',
        f'<input type="image" src="{tracker}/input.png">',
        f'<link rel="stylesheet" href="{tracker}/link.css">',
        f"<style>p {{ background: url({tracker}/sheet.png) }}</style>",
        f'<iframe src="{tracker}/frame"></iframe>',
        f'<svg><image href="{tracker}/svg.png"/></svg>',
        rf"$\style{{background: url({tracker}/math.png)}}{{x}}$",
    )
    said = [
        {"role": "user", "content": "Draw."},
        {"role": "assistant", "content": "\n\n".join((*ways, "That is all."))},
    ]
    page = open_lab()
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    page.route(f"{tracker}/**", refuse)
    chat = show(page, lab, said)
    buttons = chat.get_by_role("button", name="Show the image from tracker.example")
    expect(buttons).to_have_count(3, timeout=SLOW)
    expect(chat.get_by_text("That is all.")).to_be_visible(timeout=SLOW)
    expect(chat.locator("mjx-container")).to_be_visible(timeout=SLOW)
    last = f"{tracker}/last.png"
    page.evaluate(
        """address => new Promise(done => {
             const image = new Image();
             image.onerror = done;
             image.src = address;
           })""",
        last,
    )
    assert asked == [last]

    buttons.first.click()

    assert eventually(lambda: asked[1:]) == [address]


def test_the_chat_has_room_in_the_main_area(open_lab: OpenLab) -> None:
    """From the palette; a chat of its own, beside the one in the sidebar."""
    page = open_lab()
    chat = open_chat_in_main(page)
    chat.get_by_label("Model", exact=True).select_option("guide")

    ask(chat, "What can you do?")
    finished(chat)

    expect(answers(chat)).to_contain_text("%llm")
    screenshot(page, "chat-wide")
