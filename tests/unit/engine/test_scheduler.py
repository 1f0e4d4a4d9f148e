"""The scheduler and the step loop, on a fake backend that refuses any corruption."""

import pytest
from hypothesis import given, settings, strategies as st

from llm_ext.core.events import Failed, Finished
from llm_ext.core.memory_kind import MemoryKind
from llm_ext.engine.engine import Engine
from llm_ext.engine.memory import PrefixMemory
from llm_ext.engine.pace import MOST, TILE
from llm_ext.engine.scheduler import Scheduler
from tests.fakes.backend import FakeBackend
from tests.stepping import Run, new_run, sequence

lengths = st.tuples(st.integers(1, 40), st.integers(1, 20))


@settings(max_examples=200, deadline=None)
@given(
    requests=st.lists(lengths, min_size=1, max_size=12),
    n_slots=st.integers(1, 5),
    n_cells=st.integers(60, 120),
    n_batch=st.integers(4, 32),
    n_kept=st.integers(0, 4),
    kind=st.sampled_from(["attention", "recurrent"]),
)
def test_every_request_finishes_whatever_the_load(  # noqa: PLR0917  # hypothesis
    requests: list[tuple[int, int]],
    n_slots: int,
    n_cells: int,
    n_batch: int,
    n_kept: int,
    kind: MemoryKind,
) -> None:
    """No cell leaks, no sequence starves, each answer has the length that was asked."""
    run = new_run(
        n_slots=n_slots,
        n_cells=n_cells,
        n_batch=n_batch,
        n_seq_ids=n_slots + n_kept,
        kind=kind,
    )
    for number, (prompt, answer) in enumerate(requests):
        run.submit(sequence(number, prompt, answer))

    run.finish(within=5000)

    assert len(run.ends) == len(requests)
    for number, (prompt, answer) in enumerate(requests):
        end = run.ends[number]
        assert isinstance(end, Finished)
        assert end.usage.prompt_tokens == prompt
        assert end.usage.completion_tokens == answer
    assert all(sampler.closed for sampler in run.backend.samplers)


@settings(max_examples=100, deadline=None)
@given(requests=st.lists(lengths, min_size=2, max_size=8), n_cells=st.integers(60, 90))
def test_an_answer_is_the_same_alone_and_in_a_crowd(
    requests: list[tuple[int, int]], n_cells: int
) -> None:
    """Sharing steps, and being requeued for lack of cells, changes no token."""
    crowd = new_run(n_cells=n_cells)
    for number, (prompt, answer) in enumerate(requests):
        crowd.submit(sequence(number, prompt, answer))
    crowd.finish(within=5000)

    for number, (prompt, answer) in enumerate(requests):
        alone = new_run(n_cells=n_cells)
        alone.submit(sequence(number, prompt, answer))
        alone.finish(within=500)
        assert alone.text.get(number) == crowd.text.get(number)


@settings(max_examples=100, deadline=None)
@given(
    requests=st.lists(lengths, min_size=1, max_size=8),
    cancels=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 30)), max_size=8),
)
def test_cancelled_work_is_gone_by_the_next_step(
    requests: list[tuple[int, int]], cancels: list[tuple[int, int]]
) -> None:
    """A cancel at any time, waiting or running, frees slot and memory at once."""
    run = new_run()
    for number, (prompt, answer) in enumerate(requests):
        run.submit(sequence(number, prompt, answer))
    for step in range(40):
        for number, when in cancels:
            if when == step:
                run.cancel(number)
                run.check()
                scheduled = [
                    *run.engine.scheduler.running,
                    *run.engine.scheduler.waiting,
                ]
                assert number not in [s.request_id for s in scheduled]
        if not run.engine.idle:
            run.step()
    run.finish(within=5000)

    assert len(run.ends) == len(requests)
    assert set(run.backend.memory) == set(run.engine.scheduler.memory.kept)


def test_cells_that_run_out_requeue_the_newest_and_fail_nobody() -> None:
    """Two sequences that grow beyond the cache take turns, and both finish."""
    run = new_run(n_slots=2, n_cells=100, n_batch=32)
    run.submit(sequence(1, prompt=10, answer=80))
    run.submit(sequence(2, prompt=10, answer=80))
    seen_waiting = False
    while not run.engine.idle:
        run.step()
        seen_waiting = seen_waiting or run.engine.waiting == 1

    assert seen_waiting
    assert [run.ends[n].usage.completion_tokens for n in (1, 2)] == [80, 80]  # type: ignore[union-attr]  # both finished


def test_a_stream_goes_on_while_a_long_prompt_arrives() -> None:
    """Every step decodes the running stream; the prompt gets a small budget beside."""
    run = new_run(n_cells=4096, n_batch=512)
    backend = run.backend
    run.submit(sequence(1, prompt=3, answer=500))
    run.step()
    run.submit(sequence(2, prompt=1000, answer=1))

    while 2 not in run.ends:
        stream, prompt = run.engine.scheduler.running[0], backend.memory.get(1, {})
        before, held = len(stream.answer), len(prompt)
        run.step()
        assert len(stream.answer) == before + 1
        assert len(prompt) - held <= TILE


def test_prompts_that_come_together_are_read_at_full_speed() -> None:
    """The first of them streams meanwhile, in steps that are no shorter for it."""
    run = new_run(n_slots=8, n_cells=4096, n_batch=512)
    run.submit(sequence(1, prompt=60, answer=500))
    run.step()
    for number in range(2, 9):
        run.submit(sequence(number, prompt=60, answer=500))

    assert [computed_by_step(run) for _ in range(3)] == [MOST, MOST, MOST]
    assert run.engine.scheduler.backlog == 7 * 60 - 3 * (MOST - 1)


def test_a_stream_that_has_gone_on_does_not_wait_for_what_comes_later() -> None:
    run = new_run(n_slots=8, n_cells=4096, n_batch=512)
    run.submit(sequence(1, prompt=60, answer=500))
    run.step()
    run.step()
    run.submit(sequence(2, prompt=400, answer=500))

    assert computed_by_step(run) == TILE


def test_a_stream_does_not_wait_for_a_long_prompt_that_came_with_it() -> None:
    run = new_run(n_slots=8, n_cells=4096, n_batch=512)
    run.submit(sequence(1, prompt=10, answer=500))
    run.submit(sequence(2, prompt=2000, answer=1))
    run.step()

    while 2 not in run.ends:
        assert computed_by_step(run) <= TILE


def computed_by_step(run: Run) -> int:
    """Do a step and return how many elements it computed."""
    before = run.backend.computed
    run.step()
    return run.backend.computed - before


def test_a_short_prompt_does_not_wait_for_a_long_one() -> None:
    """Prompts share the budget."""
    memory = PrefixMemory(n_cells=4096, n_seq_ids=4)
    scheduler = Scheduler(memory, n_slots=4, n_batch=512)
    scheduler.add(sequence(1, prompt=2000, answer=1))
    scheduler.add(sequence(2, prompt=10, answer=1))

    sizes = {
        chunk.sequence.request_id: chunk.size for chunk in scheduler.schedule().chunks
    }

    assert sizes == {1: MOST - 10, 2: 10}


def test_more_requests_than_slots_wait_in_order() -> None:
    """Slots go to the first that came; the others wait."""
    run = new_run(n_slots=2, n_cells=1000)
    for number in range(4):
        run.submit(sequence(number, prompt=2, answer=5))
    run.step()

    assert [s.request_id for s in run.engine.scheduler.running] == [0, 1]
    assert [s.request_id for s in run.engine.scheduler.waiting] == [2, 3]


def test_a_failed_decode_fails_its_batch_only() -> None:
    """Those in the batch fail with the reason; one that waits is served afterwards."""
    run = new_run(n_slots=1)
    run.submit(sequence(1, prompt=2, answer=5))
    run.submit(sequence(2, prompt=2, answer=5))
    run.backend.broken = True
    run.step()
    run.backend.broken = False
    run.finish(within=50)

    failed, served = run.ends[1], run.ends[2]
    assert isinstance(failed, Failed)
    assert failed.code == "engine_error"
    assert "the fake is broken" in failed.message
    assert isinstance(served, Finished)


def test_a_cache_with_less_room_than_it_said_fails_nobody_who_fits() -> None:
    """The newest steps back when the backend refuses for lack of cells."""
    run = new_run(n_slots=2, n_cells=100, n_batch=32)
    run.backend.lies = 60
    run.submit(sequence(1, prompt=20, answer=5))
    run.submit(sequence(2, prompt=20, answer=5))
    run.finish(within=100)

    assert all(isinstance(end, Finished) for end in run.ends.values())


@settings(max_examples=100, deadline=None)
@given(
    requests=st.lists(lengths, min_size=1, max_size=10),
    lies=st.integers(0, 59),
    n_slots=st.integers(1, 5),
)
def test_a_cache_that_overstates_its_room_starves_nobody(
    requests: list[tuple[int, int]], lies: int, n_slots: int
) -> None:
    """Whatever the backend refuses, those who fit alone finish."""
    run = new_run(n_slots=n_slots, n_cells=120)
    run.backend.lies = lies
    for number, (prompt, answer) in enumerate(requests):
        run.submit(sequence(number, prompt, answer))

    run.finish(within=5000)

    assert all(isinstance(end, Finished) for end in run.ends.values())


def test_one_request_that_never_fits_fails_and_leaves_nothing() -> None:
    """The last one running cannot step back."""
    run = new_run()
    run.backend.lies = 60
    run.submit(sequence(1, prompt=30, answer=5))
    run.step()

    assert isinstance(run.ends[1], Failed)
    assert run.engine.idle


def test_a_request_longer_than_the_cache_is_refused() -> None:
    """The scheduler relies on every limit being within the cells."""
    with pytest.raises(ValueError, match="do not fit"):
        new_run(n_cells=64).submit(sequence(1, prompt=60, answer=10))


def test_an_end_token_stops_and_is_not_shown() -> None:
    """The reason is stop, and the token is not counted."""
    backend = FakeBackend(ends_after=6)
    run = Run(engine=Engine(backend, n_slots=1), backend=backend)
    run.submit(sequence(1, prompt=3, answer=50))
    run.finish(within=100)

    end = run.ends[1]
    assert isinstance(end, Finished)
    assert end.reason == "stop"
    assert end.usage.completion_tokens == 3


def test_a_stop_string_ends_the_answer_before_it() -> None:
    """What precedes the stop string is whole; the string itself is not shown."""
    plain = new_run()
    plain.submit(sequence(1, prompt=3, answer=40))
    plain.finish(within=100)
    text = plain.text[1]
    stop = text[10:13]

    stopped = new_run()
    stopped.submit(sequence(1, prompt=3, answer=40, stop=(stop,)))
    stopped.finish(within=100)

    assert stopped.text[1] == text[: text.index(stop)]
    assert stopped.ends[1].reason == "stop"  # type: ignore[union-attr]  # it finished


def test_cancelling_an_unknown_request_is_no_error() -> None:
    """Its end and the cancel may have crossed."""
    assert new_run().engine.cancel(99) == []
