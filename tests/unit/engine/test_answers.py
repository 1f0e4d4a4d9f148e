"""Several answers to a request, constraints, and what is told of tokens."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from llm_ext.core.events import ChoiceEnded, Failed, Finished, TextDelta, TokenLogprob
from llm_ext.core.sampling import SamplingParams
from llm_ext.engine.answer import Answer, Shown
from llm_ext.engine.constraint import ConstraintError, Logits
from llm_ext.engine.sequence import Sequence
from tests.stepping import new_run, sequence as other

PROMPT = [1 + n % 90 for n in range(50)]


def answers(count: int, *, limit: int = 5) -> list[Sequence]:
    return [
        Sequence(
            request_id=1,
            choice=choice,
            prompt=PROMPT,
            params=SamplingParams(n=count),
            limit=len(PROMPT) + limit,
        )
        for choice in range(count)
    ]


def test_all_answers_share_the_prompt_and_end_together() -> None:
    run = new_run(n_cells=400, n_batch=64)
    events = run.engine.submit(*answers(3))
    while not run.engine.idle:
        events += run.engine.step()
        run.check()
    mine = [event for number, event in events if number == 1]

    # One prompt, its last element for each, and four tokens that are drawn from.
    assert run.backend.computed == (len(PROMPT) - 1) + 3 * (1 + 4)
    ends = [event for event in mine if isinstance(event, ChoiceEnded)]
    assert sorted(end.choice for end in ends) == [0, 1, 2]
    last = mine[-1]
    assert isinstance(last, Finished)
    assert last.usage.prompt_tokens == len(PROMPT)
    assert last.usage.completion_tokens == 3 * 5
    texts = {
        choice: "".join(
            event.text
            for event in mine
            if isinstance(event, TextDelta) and event.choice == choice
        )
        for choice in range(3)
    }
    assert len(set(texts.values())) == 1, "the fake draws the same for equal prompts"


class Watched(Sequence):
    """Counts how often it is looked at among others."""

    looks = 0

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401  # any attribute
        if name == "choice":
            Watched.looks += 1
        return super().__getattribute__(name)

    def __eq__(self, other: object) -> bool:
        Watched.looks += 1
        return self is other

    __hash__ = Sequence.__hash__


@pytest.mark.parametrize("cancelled", [None, 0, 1])
def test_many_answers_end_without_being_looked_at_by_each_other(
    cancelled: int | None,
) -> None:
    """Nor by another request's, behind which they wait."""
    count = 100
    run = new_run(n_slots=2, n_cells=400)
    for number in range(1 if cancelled is None else 2):
        run.engine.submit(
            *(
                Watched(
                    request_id=number,
                    choice=choice,
                    prompt=PROMPT,
                    params=SamplingParams(n=count),
                    limit=len(PROMPT) + 1,
                )
                for choice in range(count)
            )
        )
    run.step()
    Watched.looks = 0
    if cancelled is None:
        run.finish(within=1000)
    else:
        run.cancel(cancelled)
    assert Watched.looks <= 10 * count


def test_more_answers_than_slots_take_turns() -> None:
    run = new_run(n_slots=2, n_cells=400, n_batch=64)
    events = run.engine.submit(*answers(5))
    while not run.engine.idle:
        events += run.engine.step()
        run.check()
    assert sum(isinstance(event, ChoiceEnded) for _, event in events) == 5


def test_a_request_for_many_answers_leaves_slots_to_others() -> None:
    """It holds one slot at most while somebody waits who has none."""
    run = new_run(n_slots=2, n_cells=400, n_batch=64)
    run.engine.submit(*answers(4))
    run.submit(other(2, 3, 30))
    run.submit(other(3, 3, 30))
    scheduler = run.engine.scheduler
    waited = 0
    while not run.engine.idle:
        run.step()
        ids = [sequence.request_id for sequence in scheduler.running]
        if {sequence.request_id for sequence in scheduler.waiting} - {1}:
            waited += 1
            assert ids.count(1) <= 1
    assert waited


def test_a_cancel_ends_all_answers() -> None:
    run = new_run(n_slots=2, n_cells=400, n_batch=64)
    run.engine.submit(*answers(4))
    run.engine.step()
    events = [event for _, event in run.engine.cancel(1)]
    assert [event.reason for event in events if isinstance(event, ChoiceEnded)] == [
        "cancelled"
    ] * 4
    assert isinstance(events[-1], Finished)
    assert run.engine.idle
    run.check()


def test_one_failure_fails_the_request_once() -> None:
    run = new_run(n_slots=2, n_cells=400, n_batch=64)
    run.engine.submit(*answers(4))
    run.engine.step()
    run.backend.broken = True
    events = [event for _, event in run.engine.step()]
    assert [type(event) for event in events] == [Failed]
    assert run.engine.idle
    run.check()


@dataclass
class Spelled:
    """A constraint: runs of tokens, of which the first is drawn from two."""

    runs: list[list[int]]
    at: int = 0
    met: list[int] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """See Constraint."""
        return self.at == len(self.runs)

    def mask(self, logits: Logits) -> None:
        """See Constraint."""
        if not self.runs[self.at]:
            raise ConstraintError("nothing may follow")
        allowed = self.runs[self.at][0]
        kept = logits[allowed]
        logits[:] = -np.inf
        logits[allowed] = kept

    def accept(self, token: int) -> list[int]:
        """See Constraint."""
        first, *rest = self.runs[self.at]
        assert token == first, "a token came that is not allowed"
        self.at += 1
        self.met += [token, *rest]
        return rest


token = st.integers(1, 127)


@settings(max_examples=100, deadline=None)
@given(
    spelled=st.lists(
        st.lists(st.lists(token, min_size=1, max_size=30), min_size=1, max_size=4),
        min_size=1,
        max_size=4,
    ),
    n_batch=st.integers(4, 32),
    limit=st.integers(1, 60),
)
def test_forced_tokens_are_appended_without_a_draw(
    spelled: list[list[list[int]]], n_batch: int, limit: int
) -> None:
    """In any number, beside others, in batches of any size, and never past a limit."""
    run = new_run(n_cells=400, n_batch=n_batch)
    sequences = [
        Sequence(
            request_id=number,
            prompt=PROMPT[: 3 + number],
            params=SamplingParams(),
            limit=3 + number + limit,
            constraint=Spelled(runs),
        )
        for number, runs in enumerate(spelled)
    ]
    for sequence in sequences:
        run.submit(sequence)
    run.finish(within=500)

    for number, runs in enumerate(spelled):
        wanted = [token for one in runs for token in one]
        end = run.ends[number]
        assert isinstance(end, Finished)
        assert sequences[number].answer == wanted[:limit]
        assert end.reason == ("length" if limit <= len(wanted) else "stop")


def test_a_constraint_that_cannot_go_on_fails_its_request_only() -> None:
    run = new_run(n_cells=400)
    spelled: list[list[list[int]]] = [[[]], [[5, 6]]]
    for number, runs in enumerate(spelled):
        run.submit(
            Sequence(
                request_id=number,
                prompt=PROMPT[:4],
                params=SamplingParams(),
                limit=20,
                constraint=Spelled(runs),
            )
        )
    run.finish(within=50)
    failed = run.ends[0]
    assert isinstance(failed, Failed)
    assert failed.message.startswith("The answer cannot go on as it must be: nothing")
    assert isinstance(run.ends[1], Finished)


@given(
    text=st.text(max_size=20),
    sizes=st.lists(st.integers(1, 3), max_size=60),
    stops=st.lists(st.text(min_size=1, max_size=3), max_size=2),
)
def test_probabilities_come_with_the_text_of_their_token(
    text: str, sizes: list[int], stops: list[str]
) -> None:
    """All of those whose text is shown, in order; none of a stop string's."""
    data = text.encode()
    pieces = []
    for size in sizes:
        if data:
            pieces.append(data[:size])
            data = data[size:]
    answer = Answer(stops)
    shown = ""
    told: list[TokenLogprob] = []
    for number, piece in enumerate(pieces):
        part = answer.feed(piece, TokenLogprob(piece, -float(number)))
        assert part.text or not part.logprobs
        shown += part.text
        told += part.logprobs
        if answer.stopped:
            break
    part = answer.finish()
    shown += part.text
    told += part.logprobs

    assert [entry.logprob for entry in told] == [-float(n) for n in range(len(told))]
    covered = b"".join(entry.piece for entry in told)
    assert covered.decode(errors="replace").startswith(shown.rstrip("\ufffd"))
    before_last = b"".join(entry.piece for entry in told[:-1])
    assert len(before_last.decode(errors="ignore")) <= len(shown)


def test_probabilities_wait_for_a_stop_string_that_does_not_come() -> None:
    answer = Answer(["abc"])
    first = TokenLogprob(b"xa", -1.0)
    second = TokenLogprob(b"b", -2.0)
    third = TokenLogprob(b"d", -3.0)
    assert answer.feed(b"xa", first) == Shown("x", (first,), (0,))
    assert answer.feed(b"b", second) == Shown("")
    assert answer.feed(b"d", third) == Shown("abd", (second, third), (1, 2))


@pytest.mark.parametrize("text", ["ab", "abc"])
def test_a_stop_string_takes_its_probabilities_with_it(text: str) -> None:
    answer = Answer(["bc"])
    told = [answer.feed(c.encode(), TokenLogprob(c.encode(), -1.0)) for c in text]
    rest = answer.finish()
    pieces = [entry.piece for part in [*told, rest] for entry in part.logprobs]
    assert pieces == ([b"a"] if text == "abc" else [b"a", b"b"])
    assert math.isclose(sum(len(part.text) for part in [*told, rest]), len(pieces))
