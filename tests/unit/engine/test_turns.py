"""Who is next: users take turns, and everybody knows where they stand."""

from hypothesis import given, settings, strategies as st

from llm_ext.core.events import EngineEvent, PromptProgress, Queued, TextDelta
from llm_ext.core.sampling import SamplingParams
from llm_ext.engine.engine import Engine
from llm_ext.engine.sequence import Sequence
from tests.stepping import Run, new_run, sequence


def _order(run: Run) -> list[int]:
    """Finish, and return the requests in the order of their ends."""
    run.finish(within=5000)
    return list(run.ends)


def test_one_user_is_served_in_order() -> None:
    run = new_run(n_slots=1)
    for number in range(4):
        run.submit(sequence(number, 3, 2))
    assert _order(run) == [0, 1, 2, 3]


def test_users_take_turns_whatever_they_queued_before() -> None:
    """Who comes with one request does not wait for all of somebody else's."""
    run = new_run(n_slots=1)
    for number in range(4):
        run.submit(sequence(number, 3, 2, user="ann"))
    run.submit(sequence(9, 3, 2, user="bob"))
    run.step()
    run.submit(sequence(10, 3, 2, user="bob"))
    assert _order(run) == [0, 9, 1, 10, 2, 3]


def test_who_waits_is_told_the_position_when_it_changes() -> None:
    """And nothing once the request runs, nor where there is no queue."""
    run = new_run(n_slots=1)
    for number in range(4):
        run.submit(sequence(number, 3, 2))
    run.finish(within=100)
    assert run.positions == {1: [0], 2: [1, 0], 3: [2, 1, 0]}


def test_a_cancel_moves_others_up() -> None:
    run = new_run(n_slots=1)
    for number in range(3):
        run.submit(sequence(number, 3, 5))
    run.step()
    run.cancel(1)
    run.step()
    assert run.positions[2] == [1, 0]


def test_the_backlog_is_what_prompts_have_left() -> None:
    run = new_run(n_slots=1, n_batch=4)
    scheduler = run.engine.scheduler
    for number in range(2):
        run.submit(sequence(number, 10, 2))
    assert scheduler.backlog == 20
    run.step()
    assert scheduler.backlog == 16
    run.finish(within=100)
    assert scheduler.backlog == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=14),
    st.integers(1, 3),
)
def test_no_user_waits_while_another_has_two_slots_more(
    users: list[str], n_slots: int
) -> None:
    """Slots are shared out evenly among those who want them."""
    run = new_run(n_slots=n_slots, n_cells=400, n_batch=64)
    for number, user in enumerate(users):
        run.submit(sequence(number, 3, 4, user=user))
    scheduler = run.engine.scheduler
    while not run.engine.idle:
        run.step()
        held = dict.fromkeys(users, 0)
        for running in scheduler.running:
            held[running.user] += 1
        for waiting in scheduler.waiting:
            assert max(held.values()) - held[waiting.user] <= 1


def _told(engine: Engine, number: int, *requests: list[Sequence]) -> list[EngineEvent]:
    """Finish, and return what one request was told."""
    events = [event for request in requests for event in engine.submit(*request)]
    while not engine.idle:
        events += engine.step()
    return [event for owner, event in events if owner == number]


def test_an_answer_that_is_put_back_is_not_told_of_its_prompt_again() -> None:
    """It waits for cells, and its prompt is computed once more, behind its deltas."""
    run = new_run(n_slots=2, n_cells=140, n_batch=16)
    scheduler = run.engine.scheduler
    others = [sequence(1, 30, 80)], [sequence(2, 30, 80)]
    before = scheduler.changes
    told = _told(run.engine, 2, *others)
    assert scheduler.changes - before > 4, "it was never put back"
    kinds = [type(event) for event in told]
    first = kinds.index(TextDelta)
    assert {Queued, PromptProgress} & {*kinds[:first]}
    assert not {Queued, PromptProgress} & {*kinds[first:]}


def test_the_progress_of_several_prompts_is_one() -> None:
    """It counts all of them, those with several answers once, and only grows."""
    run = new_run(n_slots=4, n_cells=1000, n_batch=16)
    prompts = [[1 + number, *range(1, 60)] for number in range(2)]
    request = [
        Sequence(
            request_id=1,
            choice=choice,
            prompt=prompts[choice // 2],
            params=SamplingParams(),
            limit=70,
        )
        for choice in range(4)
    ]
    told = _told(run.engine, 1, request)
    progress = [event for event in told if isinstance(event, PromptProgress)]
    done = [event.done for event in progress]
    assert {event.total for event in progress} == {120}
    assert done == sorted(set(done))
    assert max(done) > 60
