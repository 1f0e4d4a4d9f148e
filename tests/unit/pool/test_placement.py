"""Which models may be in memory together."""

import msgspec
import pytest
from hypothesis import given, strategies as st

from llm_ext.core.device import CPU, MemoryEstimate, MemoryUse
from llm_ext.pool.placement import (
    Decision,
    Drain,
    Evict,
    Refuse,
    Resident,
    Room,
    Start,
    Wait,
    most,
    place,
)

GPU = "CUDA0"


def need(cpu: int, gpu: int = 0) -> MemoryEstimate:
    devices = {CPU: MemoryUse(weights=cpu)}
    if gpu:
        devices[GPU] = MemoryUse(weights=gpu)
    return MemoryEstimate(devices=devices, context_length=1)


def resident(name: str, cpu: int, state: str = "idle", **more: object) -> Resident:
    return Resident(id=name, need=need(cpu), state=state, **more)  # type: ignore[arg-type]  # its fields


def room(cpu: int, *, gpu: int = 0, models: int = 0, each: int = 0) -> Room:
    """As much is free as models may take: nobody else uses memory."""
    capacity = {CPU: cpu, GPU: gpu}
    return Room(capacity=capacity, available=capacity, max_models=models, max_need=each)


@pytest.mark.parametrize(
    ("residents", "space", "expected"),
    [
        pytest.param([], room(100), Start(), id="empty"),
        pytest.param([resident("a", 40)], room(100), Start(), id="beside another"),
        pytest.param([resident("a", 60)], room(100), Evict(("a",)), id="in its place"),
        pytest.param(
            [resident("new", 60, last_used=2), resident("old", 60, last_used=1)],
            room(160),
            Evict(("old",)),
            id="least recently used first",
        ),
        pytest.param(
            [resident("small", 5, last_used=1), resident("big", 60, last_used=2)],
            room(100),
            Evict(("big",)),
            id="not one that does not help",
        ),
        pytest.param(
            [resident("a", 60, "busy")], room(100), Drain(("a",)), id="after its work"
        ),
        pytest.param(
            [resident("busy", 60, "busy", last_used=1), resident("idle", 60)],
            room(160),
            Evict(("idle",)),
            id="idle before busy",
        ),
        pytest.param(
            [resident("a", 60, "leaving")], room(100), Wait(), id="it is going"
        ),
        pytest.param(
            [resident("a", 60, "loading")], room(100), Wait(), id="it is coming"
        ),
        pytest.param(
            [resident("a", 60, pinned=True)],
            room(100),
            Refuse(CPU, 50, 40),
            id="pinned stays",
        ),
        pytest.param([], room(40), Refuse(CPU, 50, 40), id="too large"),
        pytest.param([], room(100, each=45), Refuse("", 50, 45), id="limit for one"),
        pytest.param(
            [resident("a", 1)], room(100, models=1), Evict(("a",)), id="one at a time"
        ),
        pytest.param(
            [resident("a", 1, pinned=True)],
            room(100, models=1),
            Refuse("", 0, 0),
            id="the only one is pinned",
        ),
    ],
)
def test_a_model_of_50_bytes(
    residents: list[Resident], space: Room, expected: Decision
) -> None:
    """Each case is one rule."""
    assert place(need(50), residents, space) == expected


def test_every_device_counts() -> None:
    """A model that is on two devices needs room on both."""
    space = room(100, gpu=30)
    assert place(need(10, gpu=30), [], space) == Start()
    assert place(need(10, gpu=31), [], space) == Refuse(GPU, 31, 30)
    unknown = MemoryEstimate(devices={"X": MemoryUse(weights=1)}, context_length=1)
    assert place(unknown, [], space) == Refuse("X", 1, 0)


def test_what_other_programs_take_is_not_there() -> None:
    """What is free now counts, with what an evicted model gives back."""
    space = Room(capacity={CPU: 100}, available={CPU: 30})
    assert place(need(50), [], space) == Refuse(CPU, 50, 30)
    assert place(need(50), [resident("a", 20)], space) == Evict(("a",))


@pytest.mark.parametrize("pinned", [False, True])
def test_what_loads_may_have_taken_already_what_it_needs(*, pinned: bool) -> None:
    """Nobody is refused, or goes, for what is counted twice until it has loaded."""
    loading = resident("a", 10, "loading", pinned=pinned)
    space = Room(capacity={CPU: 19}, available={CPU: 24 - 10 - 10})
    assert place(need(8), [loading], space) == Wait()
    assert place(need(6), [loading, resident("idle", 3)], space) == Wait()
    most_of_all = need(9 if pinned else 19)
    assert place(most_of_all, [loading], space) == Wait()
    assert isinstance(place(need(20), [loading], space), Refuse)
    loaded = resident("a", 10, pinned=pinned)
    space = Room(capacity={CPU: 19}, available={CPU: 24 - 10})
    assert place(need(8), [loaded], space) == Start()


@pytest.mark.parametrize(
    ("state", "own", "unseen", "unsure"),
    [
        ("loading", None, 50, 50),
        ("loading", 20, 30, 0),
        ("idle", None, 0, 0),
        ("idle", 20, 30, 0),
        ("idle", 60, 0, 0),
    ],
)
def test_what_looks_free_of_what_was_set_aside(
    state: str, own: int | None, unseen: int, unsure: int
) -> None:
    """What is to come, and a mapped file; on a GPU the former alone."""
    found = resident("a", 50, state, own=own)
    assert (found.unseen(CPU), found.unsure(CPU)) == (unseen, unsure)
    there = Resident(id="b", need=need(0, gpu=50), state=state, own=own)
    coming = 50 if state == "loading" else 0
    assert (there.unseen(GPU), there.unsure(GPU)) == (coming, coming)


def test_the_most_that_a_model_can_have() -> None:
    """What others leave once they have gone, and what it may have in all."""
    others = [resident("a", 20), resident("b", 10, pinned=True)]
    space = Room(capacity={CPU: 100, GPU: 50}, available={CPU: 30, GPU: 60})
    assert most(need(200), others, space) == {CPU: 50, GPU: 50}
    space = msgspec.structs.replace(space, max_need=40)
    assert most(need(200), others, space) == {CPU: 40, GPU: 50}
    assert most(need(5, gpu=200), others, space) == {CPU: 50, GPU: 35}


_residents = st.lists(
    st.builds(
        Resident,
        id=st.uuids().map(str),
        need=st.integers(0, 60).map(need),
        state=st.sampled_from(["idle", "busy", "loading", "leaving"]),
        pinned=st.booleans(),
        last_used=st.floats(0, 10),
    ),
    max_size=6,
)


@given(_residents, st.integers(1, 80), st.integers(0, 4))
def test_what_is_decided_works_and_harms_nobody(
    residents: list[Resident], size: int, models: int
) -> None:
    """Nobody busy, loading or pinned is evicted; who is named is enough, and needed."""
    space = room(100, models=models)
    decision = place(need(size), residents, space)
    by_id = {r.id: r for r in residents}
    if isinstance(decision, (Evict, Drain)):
        named = [by_id[name] for name in decision.ids]
        wanted = "idle" if isinstance(decision, Evict) else "busy"
        assert {r.state for r in named} == {wanted}
        assert not any(r.pinned for r in named)
        gone = ["leaving"] if isinstance(decision, Evict) else ["leaving", "idle"]
        left = [
            r
            for r in residents
            if r not in named
            and (r.state not in gone or (r.pinned and r.state == "idle"))
        ]
        assert place(need(size), left, space) == Start()
        for spared in named:
            assert place(need(size), [*left, spared], space) != Start()
    if isinstance(decision, Refuse):
        fixed = [r for r in residents if r.pinned and r.state != "leaving"]
        assert place(need(size), fixed, space) != Start()
