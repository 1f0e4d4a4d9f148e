"""What is kept leaves the cells while others run, and comes back when asked for."""

from collections.abc import Sequence as Items

from llm_ext.core.events import Failed, Finished
from llm_ext.engine import memory
from llm_ext.engine.element import Element
from tests.stepping import Run, new_run, request


def words(number: int, count: int) -> list[Element]:
    """Return a prompt that has nothing in common with others."""
    return [number, *(100 + (7 * number + at) % 90 for at in range(count - 1))]


def ask(run: Run, number: int, prompt: Items[Element], answer: int = 4) -> int:
    """Ask, and return how much of the prompt was there."""
    run.submit(request(number, prompt, answer))
    run.finish(within=200)
    end = run.ends[number]
    assert isinstance(end, Finished), end
    return end.usage.cached_tokens


def held(run: Run) -> int:
    """Return how many cells are in use."""
    return run.backend.used


def test_what_is_kept_is_swapped_out_while_another_runs() -> None:
    """Its cells are free then; it comes back as it was."""
    run = new_run(n_cells=4000, n_batch=256, n_swap=2000)
    ask(run, 1, words(1, 900))
    assert not run.backend.swapped, "nobody minds it"
    run.submit(request(2, words(2, 300), answer=20))
    run.step()
    assert [len(elements) for elements in run.backend.swapped.values()] == [903]
    assert held(run) <= 300
    run.finish(within=50)
    computed = run.backend.computed

    assert ask(run, 3, [*words(1, 900), 95]) == 900
    assert run.backend.computed - computed < 20


def test_it_stays_in_cells_while_nobody_runs() -> None:
    """The next turn of a chat finds it there."""
    run = new_run(n_cells=4000, n_batch=256, n_swap=2000)
    ask(run, 1, words(1, 900))
    assert held(run) == 903
    assert ask(run, 2, [*words(1, 900), 95]) == 900
    assert not run.backend.swapped


def test_of_those_with_nearly_all_in_common_one_is_swapped_out() -> None:
    """Questions on one document leave it once."""
    run = new_run(n_cells=4000, n_batch=256, n_swap=4000)
    document = words(1, 800)
    for number in range(1, 5):
        run.submit(request(number, [*document, *words(number + 1, 10)]))
    run.finish(within=50)
    ask(run, 10, words(20, 100))
    assert len(run.backend.swapped) == 1
    assert ask(run, 11, [*document, 95]) == 800


def test_what_is_shared_with_who_runs_stays() -> None:
    """It costs no cells that are not needed anyway."""
    run = new_run(n_cells=4000, n_batch=256, n_swap=2000)
    ask(run, 1, words(1, 900))
    assert ask(run, 2, [*words(1, 900), 95], answer=20) == 900
    assert not run.backend.swapped


def test_a_copy_goes_when_it_was_gone_on_from() -> None:
    """And stays where only its beginning was asked for."""
    run = new_run(n_cells=4000, n_batch=256, n_swap=2000)
    ask(run, 1, words(1, 900))
    ask(run, 2, words(2, 300))
    (copy,) = run.backend.swapped.values()
    assert ask(run, 3, [*words(1, 600), 95]) == 600
    assert copy in run.backend.swapped.values()
    ask(run, 4, words(4, 300))
    assert ask(run, 5, [*copy, 95]) == len(copy)
    assert copy not in run.backend.swapped.values()


def test_what_others_hold_of_it_is_shared_with_them() -> None:
    """The cells of a common beginning are there once, also after a swap."""
    run = new_run(n_cells=4000, n_batch=256, n_swap=4000)
    common = words(1, 400)
    ask(run, 1, [*common, *words(2, 600)])
    run.submit(request(2, [*common, *words(3, 100)], answer=100))
    run.step()
    assert len(run.backend.swapped) == 1
    before = held(run)
    run.submit(request(3, [*common, *words(2, 600), 95], answer=20))
    run.step()
    assert run.engine.busy_slots == 2
    assert 600 < held(run) - before < 610
    run.finish(within=300)


def test_forced_to_go_it_is_swapped_out() -> None:
    """By who needs its cells; the least recently used copy makes room for it."""
    run = new_run(n_cells=200, n_batch=64, n_swap=250)
    for number in range(1, 5):
        ask(run, number, words(number, 100))
    assert 1 <= len(run.backend.swapped) <= 2
    assert ask(run, 10, [*words(3, 100), 95]) == 100
    assert ask(run, 11, [*words(1, 100), 95]) == 0, "it had to go"


def test_without_swap_space_it_stays_in_cells() -> None:
    """Until somebody needs these."""
    run = new_run(n_cells=4000, n_batch=256)
    ask(run, 1, words(1, 900))
    ask(run, 2, words(2, 300))
    assert held(run) > 900
    assert ask(run, 3, [*words(1, 900), 95]) == 900


def test_what_finds_no_swap_space_stays_in_cells() -> None:
    """A copy that may still be used does not go for it."""
    run = new_run(n_cells=4000, n_batch=256, n_swap=1000)
    for number in (1, 2):
        ask(run, number, words(number, 900))
    ask(run, 3, words(3, 300))
    assert len(run.backend.swapped) == 1
    assert ask(run, 4, [*words(1, 900), 95]) == 900
    assert ask(run, 5, [*words(2, 900), 95]) == 900


def test_of_what_nobody_went_on_from_the_last_few_are_left() -> None:
    """In cells and in swap space together."""
    run = new_run(n_cells=9000, n_batch=512, n_swap=9000, n_seq_ids=40)
    for number in range(1, 14):
        ask(run, number, words(number, 300))
    kept = list(run.engine.scheduler.memory.kept)
    assert run.backend.swapped
    assert len(kept) + len(run.backend.swapped) == memory._UNPROVEN
    assert ask(run, 50, [*words(13, 300), 95]) == 300
    assert ask(run, 51, [*words(2, 300), 95]) == 0


def test_who_waits_for_a_prompt_does_so_for_more_than_there_is() -> None:
    """What was swapped out is faster than what somebody is about to compute."""
    run = new_run(n_cells=4000, n_batch=64, n_swap=2000)
    ask(run, 1, words(1, 900))
    ask(run, 2, words(2, 600))
    run.submit(request(3, [*words(1, 900), 94]))
    run.submit(request(4, [*words(1, 900), 95]))
    run.step()
    assert run.engine.busy_slots == 2
    run.finish(within=20)


def test_who_finds_no_room_for_it_fails_alone() -> None:
    """The cache had less room than it should; others go on."""
    run = new_run(n_cells=2000, n_batch=256, n_swap=2000)
    ask(run, 1, words(1, 900))
    ask(run, 2, words(2, 300))
    run.submit(request(3, words(3, 100), answer=30))
    run.step()
    run.backend.lies = 1000
    run.submit(request(4, [*words(1, 900), 95]))
    run.step()
    run.backend.lies = 0
    assert isinstance(run.ends[4], Failed)
    run.finish(within=100)
    assert isinstance(run.ends[3], Finished)
    assert ask(run, 5, [*words(3, 100), 95]) == 100
