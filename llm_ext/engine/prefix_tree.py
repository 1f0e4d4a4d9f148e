"""Which sequence ids hold which beginnings: a radix tree over elements.

Every id that was put in is a path from the root. Ids whose paths run together share the
cells of that part, because one was copied from the other; so the elements on the tree's
edges are the cells that these ids use, each counted once.
"""

from collections.abc import Collection, Iterator, Sequence as Items
from dataclasses import dataclass, field
from typing import NamedTuple

from .element import Element, common_length


class Match(NamedTuple):
    """The first ``length`` elements are held by ``seq_id``, one of so many holders."""

    length: int
    seq_id: int
    holders: int


@dataclass(eq=False, slots=True)
class _Node:
    """The end of an edge.

    Attributes:
        elements: The edge that leads here; empty at the root alone.
        parent: Where the edge comes from.
        children: By the first element of their edges.
        seq_ids: Whose paths reach here.
    """

    elements: tuple[Element, ...] = ()
    parent: "_Node | None" = None
    children: dict[Element, "_Node"] = field(default_factory=dict)
    seq_ids: set[int] = field(default_factory=set)


class PrefixTree:
    """The paths of sequence ids.

    Attributes:
        cells: Elements on all edges.
    """

    def __init__(self) -> None:
        self._root = _Node()
        self._ends: dict[int, _Node] = {}
        self._lengths: dict[int, int] = {}
        self.cells = 0

    def __contains__(self, seq_id: int) -> bool:
        """Whether ``seq_id`` has a path."""
        return seq_id in self._ends

    def length(self, seq_id: int) -> int:
        """Return the length of an id's path; 0 if it has none."""
        return self._lengths.get(seq_id, 0)

    def elements(self, seq_id: int) -> list[Element]:
        """Return an id's path; empty if it has none."""
        edges: list[tuple[Element, ...]] = []
        node: _Node | None = self._ends.get(seq_id)
        while node is not None:
            edges.append(node.elements)
            node = node.parent
        return [element for edge in reversed(edges) for element in edge]

    def match(
        self, elements: Items[Element], among: Collection[int] | None = None
    ) -> Match | None:
        """Return the longest beginning that an id holds, or one of those ``among``."""
        node, length = self._root, 0
        while (child := self._next(node, elements, length)) is not None:
            if among is not None and child.seq_ids.isdisjoint(among):
                break
            common = common_length(child.elements, elements[length:])
            node, length = child, length + common
            if common < len(child.elements):
                break
        if not length:
            return None
        return Match(length, min(node.seq_ids), len(node.seq_ids))

    def covered(self, seq_id: int) -> bool:
        """Whether another id holds all that ``seq_id`` does."""
        return seq_id in self._ends and len(self._ends[seq_id].seq_ids) > 1

    def cells_only_of(self, ids: Collection[int]) -> int:
        """Return the cells that none but ``ids`` hold: what all of them would free."""
        mine = set(ids)
        return sum(len(n.elements) for n in self._nodes() if n.seq_ids <= mine)

    def extend(self, seq_id: int, elements: Items[Element]) -> Match | None:
        """Lengthen an id's path, or begin it.

        Returns:
            How much of ``elements`` another id holds already, and which; None for
            nothing.
        """
        node = self._ends.get(seq_id, self._root)
        known = 0
        holders = {seq_id}
        while (child := self._next(node, elements, known)) is not None:
            common = common_length(child.elements, elements[known:])
            if common < len(child.elements):
                child = self._split(child, common)
            holders = set(child.seq_ids)
            child.seq_ids.add(seq_id)
            node, known = child, known + common
        rest = tuple(elements[known:])
        if rest:
            node = self._grow(node, seq_id, rest)
        self._ends[seq_id] = node
        self._lengths[seq_id] = self.length(seq_id) + len(elements)
        return Match(known, min(holders), len(holders)) if known else None

    def remove(self, seq_id: int) -> None:
        """Forget an id's path. An id without one is no error."""
        node: _Node | None = self._ends.pop(seq_id, None)
        self._lengths.pop(seq_id, None)
        while node is not None and node.parent is not None:
            node.seq_ids.discard(seq_id)
            parent = node.parent
            if not node.seq_ids:
                del parent.children[node.elements[0]]
                self.cells -= len(node.elements)
            node = parent

    def check_integrity(self) -> None:
        """Raise AssertionError if what this class promises does not hold."""
        cells = 0
        for node in self._nodes():
            cells += len(node.elements)
            below = set().union(*(child.seq_ids for child in node.children.values()))
            ends = {seq_id for seq_id, end in self._ends.items() if end is node}
            problems = {
                "an edge is empty": not node.elements,
                "a child stands under a wrong element": node.parent is None
                or node.parent.children.get(node.elements[0]) is not node,
                "a node is held by nobody": not node.seq_ids,
                "a node's ids are not those that end here or below": node.seq_ids
                != below | ends,
            }
            broken = [problem for problem, holds in problems.items() if holds]
            if broken:
                raise AssertionError("; ".join(broken))
        if cells != self.cells:
            raise AssertionError(f"{self.cells} cells are counted, {cells} are there")

    @staticmethod
    def _next(node: _Node, elements: Items[Element], start: int) -> _Node | None:
        if start == len(elements):
            return None
        return node.children.get(elements[start])

    def _grow(self, node: _Node, seq_id: int, rest: tuple[Element, ...]) -> _Node:
        """Append ``rest`` below ``node``; the id's own edge gets longer."""
        self.cells += len(rest)
        alone = node is not self._root and node.seq_ids == {seq_id}
        if alone and not node.children:
            node.elements += rest
            return node
        child = _Node(rest, parent=node, seq_ids={seq_id})
        node.children[rest[0]] = child
        return child

    def _split(self, node: _Node, at: int) -> _Node:
        """Put a node into an edge, before its element ``at``; return that node."""
        head, tail = node.elements[:at], node.elements[at:]
        parent = node.parent
        if parent is None:
            raise ValueError("the root has no edge")
        middle = _Node(head, parent=parent, seq_ids=set(node.seq_ids))
        middle.children[tail[0]] = node
        parent.children[head[0]] = middle
        node.elements, node.parent = tail, middle
        return middle

    def _nodes(self) -> Iterator[_Node]:
        waiting = list(self._root.children.values())
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.children.values()
