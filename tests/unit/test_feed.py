"""The feed of changes."""

import asyncio

from llm_ext.core.changes import ModelRemoved
from llm_ext.feed import KEPT, Feed


def test_a_watcher_catches_up() -> None:
    """What came after a number is returned in order; what is forgotten, as None."""
    feed = Feed()
    assert feed.since(0) == []
    assert feed.since(3) is None
    for number in range(KEPT + 5):
        feed.publish(ModelRemoved(id=str(number)))
    missed = feed.since(KEPT)
    assert missed is not None
    assert [change.number for change in missed] == list(range(KEPT + 1, KEPT + 6))
    assert feed.since(4) is None
    assert feed.since(5) is not None


def test_what_an_earlier_server_numbered_is_forgotten() -> None:
    """Its numbers mean nothing here, however many changes there were."""
    feed = Feed(start=1000)
    assert feed.number == 1000
    for number in range(10):
        feed.publish(ModelRemoved(id=str(number)))
    assert feed.since(7) is None
    missed = feed.since(1000)
    assert missed is not None
    assert [change.number for change in missed] == list(range(1001, 1011))


def test_waiting_ends_with_the_next_change() -> None:
    """Everybody who waits is woken, and nobody waits for what is there already."""

    async def scenario() -> None:
        feed = Feed()
        waiting = [asyncio.ensure_future(feed.wait(0)) for _ in range(3)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        feed.publish(ModelRemoved(id="a"))
        await asyncio.wait_for(asyncio.gather(*waiting, feed.wait(0)), 5)

    asyncio.run(scenario())
