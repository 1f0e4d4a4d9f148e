"""Common beginnings are computed once, kept for later, and given up in time."""

from collections.abc import Sequence as Items
from dataclasses import dataclass
from unittest.mock import patch

import pytest
from hypothesis import given, settings, strategies as st

from llm_ext.core.events import Failed, Finished
from llm_ext.engine import memory
from llm_ext.engine.element import Element, Patch, common_length
from tests.stepping import Run, new_run, request

PREFIX: list[Element] = [1 + n % 90 for n in range(100)]


def cached(run: Run, number: int) -> int:
    end = run.ends[number]
    assert isinstance(end, Finished)
    return end.usage.cached_tokens


def test_requests_that_come_together_compute_their_common_prefix_once() -> None:
    """The first computes it, the others wait for that and share it."""
    run = new_run(n_cells=400, n_batch=64)
    for number in range(4):
        run.submit(request(number, [*PREFIX, 91, 92 + number], answer=4))
    run.finish(within=50)

    # A drawn token is computed before the next is drawn: three of four.
    assert run.backend.computed == len(PREFIX) + 1 + 4 * (1 + 3)
    assert [cached(run, number) for number in range(4)] == [0, 101, 101, 101]


def test_equal_prompts_share_all_but_the_last_element() -> None:
    """Which each computes for itself, for the logits that follow it."""
    run = new_run(n_cells=400, n_batch=64)
    for number in range(3):
        run.submit(request(number, PREFIX, answer=1))
    run.finish(within=50)

    assert run.backend.computed == len(PREFIX) + 2
    assert len({run.text[number] for number in range(3)}) == 1


def test_a_short_prefix_in_common_is_not_worth_waiting_for() -> None:
    """All start at once; what two have computed is still held only once."""
    run = new_run(n_cells=400, n_batch=64)
    for number in range(3):
        run.submit(request(number, [*PREFIX[:8], 91 + number], answer=4))
    run.step()

    assert len(run.engine.scheduler.running) == 3
    assert run.backend.used == 8 + 3


def test_the_next_turn_of_a_chat_computes_only_what_is_new() -> None:
    """Prompt and answer of the last turn are kept."""
    run = new_run(n_cells=400, n_batch=64)
    first = request(1, PREFIX, answer=10)
    run.submit(first)
    run.finish(within=50)
    before = run.backend.computed
    run.submit(request(2, [*PREFIX, *first.answer, 91, 92, 93], answer=1))
    run.finish(within=50)

    # The last drawn token of an answer was never computed.
    assert run.backend.computed - before == 1 + 3
    assert cached(run, 2) == len(PREFIX) + 9
    assert len(list(run.engine.scheduler.memory.kept)) == 1, "the old turn is covered"


def test_another_question_on_the_same_document_shares_the_document() -> None:
    """The match ends where the prompts part."""
    run = new_run(n_cells=400, n_batch=64)
    run.submit(request(1, [*PREFIX, 91, 92]))
    run.finish(within=50)
    run.submit(request(2, [*PREFIX, 81, 82]))
    run.finish(within=50)

    assert cached(run, 2) == len(PREFIX)


def test_what_was_computed_for_a_cancelled_request_is_kept() -> None:
    """Asking again after a stop goes on where the stop came."""
    run = new_run(n_cells=400, n_batch=64)
    run.submit(request(1, PREFIX))
    run.step()
    run.cancel(1)
    run.submit(request(2, PREFIX))
    run.finish(within=50)

    assert cached(run, 2) == 64


def test_what_nobody_uses_is_given_up_once_keeping_it_cost_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each step looks at all cells, so that what is kept slows down the others."""
    monkeypatch.setattr(memory, "_WORTH_KEEPING", 150)
    run = new_run(n_cells=4096, n_batch=64)
    for number, first in enumerate((95, 96, 95, 97, 95, 98, 95, 96)):
        run.submit(request(number, [first, *PREFIX]))
        run.finish(within=50)

    found = [cached(run, number) > 0 for number in range(8)]
    assert found == [False, False, True, False, True, False, True, False]


def test_what_is_asked_row_by_row_does_not_fill_the_cache() -> None:
    """What was gone on from stays: a chat, and a document with several questions."""
    run = new_run(n_cells=4096, n_batch=64, n_seq_ids=40)
    chat = request(1, [91, *PREFIX], answer=10)
    run.submit(chat)
    run.finish(within=50)
    run.submit(request(2, [91, *PREFIX, *chat.answer, 95]))
    run.finish(within=50)
    for number in (3, 4):
        run.submit(request(number, [92, *PREFIX, 90 + number]))
        run.finish(within=50)
    for number in range(5, 30):
        run.submit(request(number, [93, number, *PREFIX]))
        run.finish(within=50)

    assert len(list(run.engine.scheduler.memory.kept)) == 2 + 8
    run.submit(request(30, [91, *PREFIX, *chat.answer, 96]))
    run.submit(request(31, [92, *PREFIX, 97]))
    run.submit(request(32, [93, 29, *PREFIX]))
    run.submit(request(33, [93, 5, *PREFIX]))
    run.finish(within=50)
    found = [cached(run, number) for number in range(30, 34)]
    assert found == [111, 101, 101, 1]


def test_who_awaits_a_prefix_finds_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every step, in which all that wait would be compared with all that run."""
    compared = 0

    def counted(first: Items[Element], second: Items[Element]) -> int:
        nonlocal compared
        compared += 1
        return common_length(first, second)

    monkeypatch.setattr(memory, "common_length", counted)
    run = new_run(n_cells=4096, n_batch=64)
    prefix = [1 + k % 99 for k in range(640)]
    for number in range(20):
        run.submit(request(number, [*prefix, 100 + number]))
    for _ in range(9):
        run.step()
    assert run.engine.busy_slots == 1
    assert compared == 19
    run.finish(within=200)
    assert [cached(run, number) for number in range(20)] == [0] + [640] * 19


def test_the_least_recently_used_prefix_goes_first() -> None:
    """Cells that somebody needs come from what nobody asked for lately."""
    run = new_run(n_cells=100, n_batch=64)
    prompts = [[10 * n + k for k in range(9)] * 3 for n in (1, 2, 3)]
    for number, prompt in enumerate(prompts):
        run.submit(request(number, prompt))
        run.finish(within=20)
    run.submit(request(10, [*prompts[0], 99]))
    run.finish(within=20)
    assert cached(run, 10) == 27
    run.submit(request(11, [80 + k % 9 for k in range(30)]))
    run.finish(within=20)

    run.submit(request(12, [*prompts[0], 98]))
    run.submit(request(13, [*prompts[1], 98]))
    run.finish(within=30)
    assert cached(run, 12) == 27
    assert cached(run, 13) == 0, "it was used least recently"


def test_ids_come_from_kept_prefixes_when_they_run_out() -> None:
    """One more than can be kept still runs."""
    run = new_run(n_slots=2, n_seq_ids=3, n_cells=400)
    for number in range(6):
        run.submit(request(number, [10 * number + k for k in range(8)]))
    run.finish(within=100)

    assert all(isinstance(end, Finished) for end in run.ends.values())
    assert len(list(run.engine.scheduler.memory.kept)) <= 3


def test_a_prefix_is_not_shared_after_its_computation_failed() -> None:
    """What the failed batch held is computed again."""
    run = new_run(n_cells=400, n_batch=64)
    run.submit(request(1, PREFIX))
    run.step()
    run.backend.broken = True
    run.step()
    run.backend.broken = False
    assert isinstance(run.ends[1], Failed)
    run.submit(request(2, PREFIX))
    run.finish(within=50)

    assert cached(run, 2) == 0


def test_a_crowded_cache_is_filled_in_smaller_batches() -> None:
    """A batch that finds no room at once is halved until it does; nobody steps back."""
    run = new_run(n_cells=400, n_batch=64)
    run.backend.crowded = 5
    for number in range(3):
        run.submit(request(number, [10 * number + k for k in range(20)]))
    run.finish(within=100)

    assert all(isinstance(end, Finished) for end in run.ends.values())
    assert run.backend.computed == 3 * (20 + 3)


def test_elements_that_are_no_tokens_are_shared_alike() -> None:
    """An image is computed once for all who ask about it."""
    run = new_run(n_cells=400, n_batch=64)
    image: list[Element] = [Patch("a", n) for n in range(50)]
    other: list[Element] = [Patch("b", n) for n in range(50)]
    run.submit(request(1, [5, *image, 91]))
    run.finish(within=50)
    run.submit(request(2, [5, *image, 92]))
    run.submit(request(3, [5, *other, 92]))
    run.finish(within=50)

    assert (cached(run, 2), cached(run, 3)) == (51, 1)


def test_a_memory_that_cannot_be_cut_shares_nothing() -> None:
    """The answers are right all the same."""
    run = new_run(n_cells=800, n_batch=64, kind="recurrent")
    for number in range(2):
        run.submit(request(number, PREFIX))
    run.finish(within=50)

    assert run.backend.computed == 2 * (len(PREFIX) + 3)
    assert [cached(run, number) for number in range(2)] == [0, 0]


@dataclass(frozen=True)
class Asked:
    """A request: which family's prefix, how much of it, what follows, when."""

    family: int
    shared: int
    own: int
    answer: int
    step: int
    cancelled_after: int | None

    @property
    def cancelled(self) -> int | None:
        """The step before which it is cancelled."""
        return (
            None if self.cancelled_after is None else self.step + self.cancelled_after
        )


asked = st.builds(
    Asked,
    family=st.integers(0, 1),
    shared=st.integers(1, 60),
    own=st.integers(0, 4),
    answer=st.integers(1, 8),
    step=st.integers(0, 30),
    cancelled_after=st.one_of(st.none(), st.integers(0, 10)),
)


def prompt_of(number: int, ask: Asked) -> list[Element]:
    prefix: list[Element] = [1 + (50 * ask.family + n) % 100 for n in range(ask.shared)]
    return [*prefix, *(101 + number + n for n in range(ask.own))]


def go_through(run: Run, asks: list[Asked]) -> None:
    for step in range(45):
        for number, ask in enumerate(asks):
            if ask.step == step:
                run.submit(request(number, prompt_of(number, ask), ask.answer))
            if ask.cancelled == step:
                run.cancel(number)
                run.check()
        if not run.engine.idle:
            run.step()
    run.finish(within=2000)


@settings(max_examples=300, deadline=None)
@given(
    asks=st.lists(asked, min_size=1, max_size=8),
    n_cells=st.integers(80, 200),
    n_slots=st.integers(1, 4),
    n_kept=st.integers(0, 4),
    n_swap=st.integers(0, 300),
    crowded=st.one_of(st.none(), st.integers(1, 8)),
)
def test_sharing_changes_no_answer(  # noqa: PLR0917  # hypothesis
    asks: list[Asked],
    n_cells: int,
    n_slots: int,
    n_kept: int,
    n_swap: int,
    crowded: int | None,
) -> None:
    """Families of prompts that come and are cancelled at any time, in any room."""
    run = new_run(
        n_cells=n_cells, n_slots=n_slots, n_seq_ids=n_slots + n_kept, n_swap=n_swap
    )
    run.backend.crowded = crowded
    with patch.object(memory, "_WORTH_WAITING", 8):
        go_through(run, asks)

    for number, ask in enumerate(asks):
        alone = new_run(n_cells=n_cells)
        alone.submit(request(number, prompt_of(number, ask), ask.answer))
        alone.finish(within=200)
        wanted, got = alone.text.get(number, ""), run.text.get(number, "")
        if ask.cancelled_after is None:
            assert got == wanted
        else:
            assert wanted.startswith(got)
