"""The radix tree, against a model that compares every path with every other."""

import itertools
from typing import Any

from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from llm_ext.engine.element import Element, Patch, common_length
from llm_ext.engine.prefix_tree import Match, PrefixTree

elements: st.SearchStrategy[Element] = st.one_of(
    st.integers(1, 2), st.builds(Patch, st.just("image"), st.integers(0, 1))
)
paths = st.lists(elements, max_size=8)


class Counted(list[Element]):
    """Elements that count how often some were taken out."""

    taken = 0

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401  # as a list's
        self.taken += 1
        return super().__getitem__(key)


@given(first=paths, second=paths)
def test_what_two_begin_with_alike(first: list[Element], second: list[Element]) -> None:
    pairs = itertools.takewhile(lambda two: two[0] == two[1], zip(first, second))  # noqa: B905  # as long as both
    assert common_length(first, tuple(second)) == len(list(pairs))


def test_long_beginnings_are_not_compared_element_by_element() -> None:
    first, second = Counted(range(10_000)), Counted(range(10_000))
    second[9000] = -1
    assert common_length(first, second) == 9000
    assert first.taken + second.taken < 10


class Paths(RuleBasedStateMachine):
    """Every id's whole path, written down."""

    def __init__(self) -> None:
        super().__init__()
        self.tree = PrefixTree()
        self.paths: dict[int, list[Element]] = {}

    @rule(seq_id=st.integers(0, 4), more=paths.filter(bool))
    def extend(self, seq_id: int, more: list[Element]) -> None:
        before = self.paths.get(seq_id, [])
        path = before + more
        others = [p for other, p in self.paths.items() if other != seq_id]
        shared = max((common_length(p, path) for p in others), default=0)
        twice = self.tree.extend(seq_id, more)
        known = max(0, shared - len(before))
        assert (0 if twice is None else twice.length) == known
        if twice is not None:
            holder = self.paths[twice.seq_id]
            assert twice.seq_id != seq_id
            assert common_length(holder, path) >= len(before) + known
        self.paths[seq_id] = path

    @rule(seq_id=st.integers(0, 4))
    def remove(self, seq_id: int) -> None:
        self.tree.remove(seq_id)
        self.paths.pop(seq_id, None)

    @rule(wanted=paths, among=st.one_of(st.none(), st.sets(st.integers(0, 4))))
    def match(self, wanted: list[Element], among: set[int] | None) -> None:
        asked = self.paths if among is None else among & self.paths.keys()
        best = max((common_length(self.paths[i], wanted) for i in asked), default=0)
        found = self.tree.match(wanted, among)
        assert (0 if found is None else found.length) == best
        if found is not None:
            assert common_length(self.paths[found.seq_id], wanted) >= best

    @precondition(lambda self: self.paths)
    @rule(data=st.data())
    def covered(self, data: st.DataObject) -> None:
        seq_id = data.draw(st.sampled_from(sorted(self.paths)))
        mine = self.paths[seq_id]
        assert self.tree.covered(seq_id) == any(
            common_length(path, mine) == len(mine)
            for other, path in self.paths.items()
            if other != seq_id
        )

    @rule(ids=st.sets(st.integers(0, 4)))
    def cells_only_of(self, ids: set[int]) -> None:
        others = [path for seq_id, path in self.paths.items() if seq_id not in ids]
        theirs = {tuple(p[:end]) for p in others for end in range(1, len(p) + 1)}
        assert self.tree.cells_only_of(ids) == len(self.beginnings() - theirs)

    @invariant()
    def cells_are_counted_once(self) -> None:
        self.tree.check_integrity()
        assert self.tree.cells == len(self.beginnings())
        assert {i: self.tree.length(i) for i in self.paths} == {
            seq_id: len(path) for seq_id, path in self.paths.items()
        }

    def beginnings(self) -> set[tuple[Element, ...]]:
        """Every different beginning is one cell."""
        return {
            tuple(path[:end])
            for path in self.paths.values()
            for end in range(1, len(path) + 1)
        }


TestPaths = Paths.TestCase
TestPaths.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


@given(first=paths, second=paths)
def test_common_length_is_that_of_the_longest_common_beginning(
    first: list[Element], second: list[Element]
) -> None:
    length = common_length(first, second)
    assert first[:length] == second[:length]
    assert first[length : length + 1] != second[length : length + 1] or length in {
        len(first),
        len(second),
    }


def test_an_empty_tree_matches_nothing() -> None:
    assert PrefixTree().match([1, 2]) is None


def test_a_match_may_end_inside_an_edge() -> None:
    tree = PrefixTree()
    tree.extend(3, [1, 2, 3, 4])
    assert tree.match([1, 2, 9]) == Match(2, 3, holders=1)
