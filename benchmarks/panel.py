"""Does the chat stay smooth while a long answer streams, and is its memory given back?

``python -m benchmarks.panel`` opens JupyterLab in Chromium, has 5,000 tokens recited
(:mod:`benchmarks.reciting_server`: mixed Markdown, one paragraph, one block of code)
and records a Chrome trace meanwhile. Told are the times between frames, as the page
sees them, and the tasks of its main thread, both from one second after the first token.
Then a long conversation is opened and closed again and again; told are the heap and the
nodes of the page before, while one is open, and after.

Figures go to ``benchmarks/results/panel.json``, and the traces, for chrome://tracing,
beside.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Locator, Page, expect

from benchmarks.reciting_server import KINDS, RATE, TOKENS
from tests.browser.chromium import chromium, settle
from tests.browser.panel import ask, open_chat
from tests.live import LiveServer, live_server
from tests.models.hello import write_hello

RESULTS = Path(__file__).parent / "results"
LONGEST_FRAME = 100
"""Milliseconds that no frame may take."""

CATEGORIES = [
    "toplevel",
    "blink.user_timing",
    "devtools.timeline",
    "disabled-by-default-devtools.timeline",
]
_FRAMES = """() => {
  const frames = [];
  let last = performance.now();
  const look = now => {
    frames.push([now, now - last]);
    last = now;
    window.framesRequest = requestAnimationFrame(look);
  };
  window.framesRequest = requestAnimationFrame(look);
  window.frames_ = frames;
}"""
_BEGUN = "() => performance.mark('answer-begun').startTime"
_SLOW = 1000 * (TOKENS / RATE + 120)

Row = dict[str, Any]


def stream(browser: Browser, server: LiveServer, kind: str) -> Row:
    """Have one answer written, and return how smooth that was."""
    page = _lab(browser, server)
    chat = open_chat(page, "hello")
    trace = RESULTS / f"panel-{kind.replace(' ', '-')}.json"
    browser.start_tracing(page=page, path=trace, categories=CATEGORIES)
    page.evaluate(_FRAMES)
    ask(chat, kind)
    expect(chat.locator('[data-role="assistant"]')).to_be_visible(timeout=_SLOW)
    begun = page.evaluate(_BEGUN)
    _complete(chat)
    frames = page.evaluate("() => (cancelAnimationFrame(framesRequest), frames_)")
    browser.stop_tracing()
    page.context.close()
    gaps = [gap for at, gap in frames if at - gap > begun + 1000]
    tasks = _tasks(json.loads(trace.read_text())["traceEvents"])
    cuts = statistics.quantiles(gaps, n=100, method="inclusive")
    return {
        "answer": kind,
        "frames": len(gaps),
        "p50_ms": round(cuts[49], 1),
        "p99_ms": round(cuts[98], 1),
        "longest_ms": round(max(gaps), 1),
        "over": sum(gap > LONGEST_FRAME for gap in gaps),
        "longest_task_ms": round(max(tasks), 1),
        "main_thread_percent": round(sum(tasks) / sum(gaps) * 100, 1),
    }


def _tasks(events: list[dict[str, Any]]) -> list[float]:
    """Return what the tasks of the page's main thread took, in milliseconds."""
    mark = next(event for event in events if event["name"] == "answer-begun")
    return [
        event["dur"] / 1000
        for event in events
        if event["name"] == "ThreadControllerImpl::RunTask"
        and "dur" in event  # the last one has not ended
        and (event["pid"], event["tid"]) == (mark["pid"], mark["tid"])
        and event["ts"] > mark["ts"] + 1e6
    ]


def close_again(browser: Browser, server: LiveServer, rounds: int) -> list[Row]:
    """Open and close a long conversation, and return what the page holds."""
    page = _lab(browser, server)
    chat = open_chat(page, "hello")
    ask(chat, "markdown")
    _complete(chat)
    session = page.context.new_cdp_session(page)
    _close(chat)
    rows = [_held(session, "closed at first")]
    for _ in range(rounds):
        chat.get_by_label("Conversations").click()
        chat.locator(".jp-llm-row-open").first.click()
        expect(chat.locator("pre").last).to_be_visible(timeout=_SLOW)
        if len(rows) == 1:
            rows.append(_held(session, "open"))
        _close(chat)
    rows.append(_held(session, f"closed {rounds} times more"))
    page.context.close()
    return rows


def _held(session: CDPSession, when: str) -> Row:
    session.send("HeapProfiler.enable")
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")["usedSize"]
    counters = session.send("Memory.getDOMCounters")
    return {
        "when": when,
        "heap_mb": round(heap / 1e6, 1),
        "nodes": counters["nodes"],
        "listeners": counters["jsEventListeners"],
    }


def _lab(browser: Browser, server: LiveServer) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{server.url}lab?token={server.token}&reset")
    page.locator(".jp-Launcher").wait_for(timeout=_SLOW)
    return page


def _complete(chat: Locator) -> None:
    expect(chat.locator('[role="status"]').last).to_have_text(
        "The answer is complete.", timeout=_SLOW
    )


def _close(chat: Locator) -> None:
    chat.get_by_label("New conversation").click()
    expect(chat.locator(".jp-llm-welcome")).to_be_visible()


def _table(rows: list[Row]) -> str:
    heads = list(rows[0])
    cells = [heads, *([str(row[head]) for head in heads] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    )


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=10, help="of opening and closing")
    parser.add_argument("--kinds", nargs="*", default=[*KINDS], choices=KINDS)
    arguments = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        (folder / "models").mkdir()
        write_hello(folder / "models" / "hello.gguf")
        program = ("-m", "benchmarks.reciting_server")
        with live_server(folder, folder / "models", program=program) as server:
            settle(server, "Light")
            streams = [stream(browser, server, kind) for kind in arguments.kinds]
            print(f"\n{TOKENS} tokens at {RATE:.0f} a second\n{_table(streams)}")
            memory = close_again(browser, server, arguments.rounds)
            print(f"\nA conversation of {TOKENS} tokens\n{_table(memory)}")
    found = {"streams": streams, "memory": memory}
    (RESULTS / "panel.json").write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
