"""The prompt budget beside streams, on machines of many kinds."""

from hypothesis import given, strategies as st

from llm_ext.engine.engine import Engine
from llm_ext.engine.pace import BEARABLE, LEAST, MOST, TILE, TOLERABLE, Pace
from tests.fakes.backend import FakeBackend
from tests.stepping import sequence


class Machine:
    """Takes ``fixed`` plain steps more for a prompt, and ``each`` for an element."""

    def __init__(self, *, plain: float, fixed: float, each: float) -> None:
        self.plain = plain
        self._fixed = fixed
        self._each = each

    def seconds(self, prompt: int) -> float:
        more = self._fixed + self._each * prompt if prompt else 0
        return self.plain * (1 + more)


machines = st.builds(
    Machine,
    plain=st.floats(1e-4, 1),
    fixed=st.floats(0, 6),
    each=st.floats(0.001, 0.6),
)
"""From those that hardly feel a prompt to those on which LEAST elements are a lot."""


def note(pace: Pace, size: int, seconds: float) -> None:
    """Tell of a step of a stream and a prompt."""
    pace.note(size=size, prompt=size - 1, seconds=seconds)


def led(machine: Machine, *, steps: int = 40) -> Pace:
    """Return the pace after so many full steps of a prompt beside a stream."""
    pace = Pace()
    pace.note(size=1, prompt=0, seconds=machine.plain)
    for _ in range(steps):
        note(pace, pace.budget, machine.seconds(pace.budget - 1))
    return pace


@given(machine=machines)
def test_steps_come_to_take_as_long_as_people_bear(machine: Machine) -> None:
    """Or as much is computed as ever, or so little that less would not help."""
    assert is_right(led(machine).budget, machine)


def is_right(budget: int, machine: Machine) -> bool:
    """Whether steps of this size take long enough, and not too long.

    What MOST elements would take is not known at a TILE: at most twice its time, of
    which seven tenths of what is bearable are left as a margin.
    """
    few, tile, most = (machine.seconds(size - 1) for size in (LEAST, TILE, MOST))
    is_tolerable = tile / machine.plain <= TOLERABLE
    helps = 2 * few <= tile
    if budget == LEAST:
        return helps and not is_tolerable
    if budget == TILE:
        might_be_long = 2 * tile / machine.plain >= 0.7 * BEARABLE
        return might_be_long and (is_tolerable or not helps)
    return budget == MOST and most / machine.plain <= BEARABLE


@given(machine=machines, hiccup=st.floats(1, 1000))
def test_one_slow_step_is_soon_forgotten(machine: Machine, hiccup: float) -> None:
    pace = led(machine)
    note(pace, pace.budget, machine.seconds(pace.budget - 1) * hiccup)
    for _ in range(8):
        note(pace, pace.budget, machine.seconds(pace.budget - 1))
    assert is_right(pace.budget, machine)


@given(prompt=st.integers(2, TILE - 1), share=st.floats(0.01, 1))
def test_a_quick_short_chunk_says_nothing(prompt: int, share: float) -> None:
    pace = Pace()
    pace.note(size=1, prompt=0, seconds=1)
    told_twice(pace, prompt, BEARABLE * share)
    assert pace.budget == TILE


def test_a_few_elements_are_computed_only_if_that_is_much_quicker() -> None:
    """As it is not where thousands of elements were read before, until those end."""
    pace = Pace()
    pace.note(size=1, prompt=0, seconds=1)
    told_twice(pace, TILE, TOLERABLE * 1.1)
    assert pace.budget == LEAST
    told_twice(pace, LEAST, TOLERABLE * 0.6)
    assert pace.budget == TILE
    told_twice(pace, TILE, TOLERABLE * 1.2)
    assert pace.budget == TILE
    pace.note(size=1, prompt=0, seconds=1)
    told_twice(pace, TILE, TOLERABLE * 1.1)
    assert pace.budget == LEAST
    told_twice(pace, LEAST, TOLERABLE * 0.4)
    assert pace.budget == LEAST
    told_twice(pace, LEAST, TOLERABLE * 0.2)
    assert pace.budget == TILE


def told_twice(pace: Pace, size: int, seconds: float) -> None:
    for _ in range(2):
        note(pace, size, seconds)


def test_nothing_is_concluded_before_a_plain_step_was_seen() -> None:
    pace = Pace()
    note(pace, TILE, 1000)
    assert pace.budget == TILE


def test_the_engine_measures_its_steps() -> None:
    """A machine that is slow at prompts gets smaller chunks, a quick one larger."""
    assert last_chunk(each=1.0) < TILE < last_chunk(each=0.1)


def last_chunk(*, each: float) -> int:
    """Return what a step computes in the end of a long prompt, beside a stream.

    A step takes one second, and ``each`` for an element.
    """
    backend = FakeBackend(n_cells=4096, n_batch=512)
    engine = Engine(
        backend, n_slots=2, clock=lambda: engine.steps + backend.computed * each
    )
    engine.submit(sequence(1, 4, 400))
    for _ in range(5):
        engine.step()
    engine.submit(sequence(2, 2000, 4))
    size = 0
    while engine.scheduler.backlog > MOST:
        before = backend.computed
        engine.step()
        size = backend.computed - before - 1
    return size


@given(streams=st.integers(1, 200), left=st.integers(1, 5000))
def test_a_step_fills_a_tile_or_is_short(streams: int, left: int) -> None:
    wanted = Pace().prompts(streams=streams, left=left, burst=False)
    prompt = min(left, wanted)
    assert prompt <= LEAST or streams + prompt == TILE
