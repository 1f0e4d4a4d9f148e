"""Requests on their way to the engine: who waits for whom, and who is given up."""

import threading
from collections.abc import Callable

import pytest

from llm_ext.engine.sequence import Sequence
from llm_ext.errors import InvalidRequestError, LLMError
from llm_ext.worker.preparer import Preparer
from tests.stepping import sequence
from tests.waiting import eventually


class Place:
    """A preparer, and what it handed over."""

    def __init__(self) -> None:
        self.submitted: list[int] = []
        self.refused: list[tuple[int, str]] = []
        self.preparer = Preparer(submit=self._submit, refuse=self._refuse)

    def add(
        self, number: int, *, slow: bool = False, first: Callable[[], object] = int
    ) -> None:
        """Queue a request that does ``first`` when it is prepared."""

        def prepare() -> list[Sequence]:
            first()
            return [sequence(number, 4, 4)]

        self.preparer.add(number, prepare, slow=slow)

    def came(self, *numbers: int) -> bool:
        """These were submitted, in this order, and no others."""
        return self.submitted == list(numbers)

    def _submit(self, sequences: list[Sequence]) -> None:
        self.submitted += [sequence.request_id for sequence in sequences]

    def _refuse(self, number: int, error: LLMError) -> None:
        self.refused.append((number, str(error)))


@pytest.fixture
def place() -> Place:
    return Place()


def test_requests_are_prepared_in_turn(place: Place) -> None:
    for number in range(20):
        place.add(number)
    eventually(lambda: place.came(*range(20)))


def test_what_is_slow_holds_nobody_else_up(place: Place) -> None:
    done = threading.Event()
    place.add(1, slow=True, first=done.wait)
    place.add(2, slow=True)
    place.add(3)
    eventually(lambda: place.came(3))
    done.set()
    eventually(lambda: place.came(3, 1, 2))


def test_a_request_is_given_up_while_it_is_prepared(place: Place) -> None:
    begun, done = threading.Event(), threading.Event()

    def goes_on() -> None:
        begun.set()
        done.wait()

    place.add(1, first=goes_on)
    begun.wait()
    assert place.preparer.give_up(1)
    assert not place.preparer.give_up(1)
    done.set()
    place.add(2)
    eventually(lambda: place.came(2))


def test_a_request_that_is_given_up_in_the_line_is_not_prepared(place: Place) -> None:
    done, prepared = threading.Event(), threading.Event()
    place.add(1, first=done.wait)
    place.add(2, first=prepared.set)
    assert place.preparer.give_up(2)
    done.set()
    place.add(3)
    eventually(lambda: place.came(1, 3))
    assert not prepared.is_set()


def test_what_was_handed_over_is_no_longer_here(place: Place) -> None:
    place.add(1)
    eventually(lambda: place.came(1))
    assert not place.preparer.give_up(1)


def test_what_cannot_be_served_is_refused_and_the_next_one_comes(place: Place) -> None:
    def fails() -> None:
        raise InvalidRequestError("no such thing", param="grammar")

    place.add(1, first=fails)
    place.add(2)
    eventually(lambda: place.came(2))
    assert place.refused == [(1, "no such thing")]
    assert not place.preparer.give_up(1)


def test_nothing_is_heard_of_a_refusal_that_comes_too_late(place: Place) -> None:
    begun, done = threading.Event(), threading.Event()

    def fails() -> None:
        begun.set()
        done.wait()
        raise InvalidRequestError("no such thing", param="grammar")

    place.add(1, first=fails)
    begun.wait()
    place.preparer.give_up(1)
    done.set()
    place.add(2)
    eventually(lambda: place.came(2))
    assert place.refused == []


def test_a_request_that_breaks_the_preparation_is_refused_alone(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """The worker's log says where it broke."""

    def breaks() -> None:
        raise RuntimeError("nobody thought of this")

    place.add(1, first=breaks)
    place.add(2)
    eventually(lambda: place.came(2))
    ((number, why),) = place.refused
    assert number == 1
    assert "RuntimeError" in why
    assert "nobody thought of this" in capsys.readouterr().err
