"""What every backend must do: one suite, run on the fake and on llama.cpp."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from llm_ext.core.events import Finished, TextDelta
from llm_ext.core.sampling import SamplingParams
from llm_ext.engine.backend import Backend, BatchElement, NoCellsError
from llm_ext.engine.engine import Engine
from llm_ext.engine.sequence import Sequence
from llm_ext.llama.backend import LlamaBackend
from llm_ext.llama.context import Context
from tests.fakes.backend import FakeBackend
from tests.models.opened import opened
from tests.stepping import forget

CELLS = 256
SWAP = 10_000_000
GREEDY = SamplingParams(temperature=0)


@pytest.fixture(params=["fake", "llama"])
def backend(request: pytest.FixtureRequest, models: Path) -> Iterator[Backend]:
    if request.param == "fake":
        yield FakeBackend(n_cells=CELLS, n_batch=CELLS, n_swap=CELLS)
        return
    path = models / "babble.gguf"
    with (
        opened(path) as model,
        closing(Context(model, cells=CELLS, seq_ids=8, threads=1)) as context,
        closing(LlamaBackend(model, context, swap=SWAP)) as real,
    ):
        yield real


def batch(tokens: list[int], *, seq_id: int = 0, start: int = 0) -> list[BatchElement]:
    last = len(tokens) - 1
    return [
        BatchElement(token, start + index, seq_id, wants_logits=index == last)
        for index, token in enumerate(tokens)
    ]


def generate(backend: Backend, prompts: list[list[int]]) -> list[list[int]]:
    engine = Engine(backend, n_slots=4)
    sequences = [
        Sequence(
            request_id=number, prompt=prompt, params=GREEDY, limit=len(prompt) + 20
        )
        for number, prompt in enumerate(prompts)
    ]
    for sequence in sequences:
        engine.submit(sequence)
    while not engine.idle:
        engine.step()
        engine.scheduler.check_integrity()
    forget(engine)
    return [sequence.answer for sequence in sequences]


PROMPTS = [[10, 20, 30], [40, 50], [60, 70, 80, 90], [10, 20, 31]]


def test_it_says_how_much_fits(backend: Backend) -> None:
    assert backend.n_cells == CELLS
    assert backend.n_batch == CELLS


def test_greedy_answers_are_the_same_alone_and_together(backend: Backend) -> None:
    alone = [generate(backend, [prompt])[0] for prompt in PROMPTS]
    together = generate(backend, PROMPTS)
    assert together == alone
    assert len({tuple(answer) for answer in alone}) == len(PROMPTS)


def test_a_prompt_in_pieces_is_the_same_prompt(backend: Backend) -> None:
    tokens = [11, 22, 33, 44, 55]
    backend.decode(batch(tokens))
    with closing(backend.sampler(GREEDY, tokens)) as sampler:
        whole = sampler.sample(4).token
    backend.clear(0, 0, None)
    backend.decode(batch(tokens[:2]))
    backend.decode(batch(tokens[2:], start=2))
    with closing(backend.sampler(GREEDY, tokens)) as sampler:
        assert sampler.sample(2).token == whole


def test_each_row_belongs_to_its_own_sequence(backend: Backend) -> None:
    both = batch([10, 20], seq_id=0) + batch([30, 40], seq_id=1)
    backend.decode(both)
    with closing(backend.sampler(GREEDY, [])) as sampler:
        first, second = sampler.sample(1).token, sampler.sample(3).token
    backend.clear(0, 0, None)
    backend.clear(1, 0, None)
    backend.decode(batch([30, 40], seq_id=0))
    with closing(backend.sampler(GREEDY, [])) as sampler:
        assert sampler.sample(1).token == second
    assert first != second


def test_a_full_cache_refuses_and_is_unharmed(backend: Backend) -> None:
    filler = [1 + index % 100 for index in range(CELLS - 3)]
    backend.decode(batch(filler))
    backend.decode(batch([5, 6], seq_id=1))
    with pytest.raises(NoCellsError):
        backend.decode(batch([7, 8], seq_id=1, start=2))
    backend.clear(0, 0, None)
    backend.decode(batch([7, 8], seq_id=1, start=2))
    with closing(backend.sampler(GREEDY, [])) as sampler:
        after = sampler.sample(1).token
    backend.clear(1, 0, None)
    backend.decode(batch([5, 6, 7, 8], seq_id=2))
    with closing(backend.sampler(GREEDY, [])) as sampler:
        assert sampler.sample(3).token == after


def test_what_was_copied_is_as_if_it_had_been_computed(backend: Backend) -> None:
    """Also from the middle of a sequence, and when its source is gone."""
    tokens = [11, 22, 33, 44, 55]
    backend.decode(batch(tokens))
    with closing(backend.sampler(GREEDY, tokens)) as sampler:
        whole = sampler.sample(4).token
    backend.copy(0, 1, 0, 3)
    backend.clear(0, 0, None)
    backend.decode(batch(tokens[3:], seq_id=1, start=3))
    with closing(backend.sampler(GREEDY, tokens)) as sampler:
        assert sampler.sample(1).token == whole
    backend.decode(batch(tokens[:3], seq_id=2))
    backend.clear(2, 1, 3)
    backend.copy(1, 2, 1, 3)
    backend.decode(batch(tokens[3:], seq_id=2, start=3))
    with closing(backend.sampler(GREEDY, tokens)) as sampler:
        assert sampler.sample(1).token == whole


def test_copies_take_no_cells(backend: Backend) -> None:
    """A cache that is nearly full has room for as many copies as there are ids."""
    filler = [1 + index % 100 for index in range(CELLS - 2)]

    def last(seq_id: int) -> BatchElement:
        return BatchElement(5, len(filler), seq_id, wants_logits=True)

    backend.decode(batch(filler))
    backend.copy(0, 1, 0, CELLS - 2)
    backend.copy(0, 2, 0, CELLS - 2)
    backend.decode([last(1), last(2)])
    with pytest.raises(NoCellsError):
        backend.decode([last(0)])


def test_what_was_swapped_out_comes_back_as_it_was(backend: Backend) -> None:
    """Under another id, beside others, and what it shared with another one, too."""
    tokens = [11, 22, 33, 44, 55]
    backend.decode(batch(tokens))
    with closing(backend.sampler(GREEDY, tokens)) as sampler:
        whole = sampler.sample(4).token
    backend.clear(0, 4, None)
    backend.copy(0, 1, 0, 2)
    backend.swap_out(0, 7)
    backend.clear(0, 0, None)
    backend.decode(batch([60, 70, 80], seq_id=0))
    backend.swap_in(7, 2)
    for seq_id, start in ((1, 2), (2, 4)):
        backend.decode(batch(tokens[start:], seq_id=seq_id, start=start))
        with closing(backend.sampler(GREEDY, tokens)) as sampler:
            assert sampler.sample(4 - start).token == whole


def test_a_copy_can_be_swapped_in_again_until_it_is_dropped(backend: Backend) -> None:
    backend.decode(batch([11, 22, 33]))
    backend.swap_out(0, 1)
    drawn = []
    for seq_id in (1, 2):
        backend.swap_in(1, seq_id)
        backend.decode(batch([44], seq_id=seq_id, start=3))
        with closing(backend.sampler(GREEDY, [])) as sampler:
            drawn.append(sampler.sample(0).token)
    backend.drop(1)
    assert len(set(drawn)) == 1
    with pytest.raises(KeyError):
        backend.swap_in(1, 3)


def test_what_finds_no_room_is_not_swapped_in_and_harms_nothing(
    backend: Backend,
) -> None:
    backend.decode(batch([11, 22, 33]))
    backend.swap_out(0, 1)
    backend.clear(0, 0, None)
    filler = [1 + index % 100 for index in range(CELLS - 2)]
    backend.decode(batch(filler))
    with pytest.raises(NoCellsError):
        backend.swap_in(1, 1)
    backend.decode(batch([5, 6], seq_id=1))
    backend.clear(0, 0, None)
    backend.swap_in(1, 0)
    backend.decode(batch([44], seq_id=0, start=3))


def test_clearing_an_unused_id_is_no_error(backend: Backend) -> None:
    backend.clear(3, 0, None)


def test_a_sampler_can_be_closed_twice(backend: Backend) -> None:
    sampler = backend.sampler(GREEDY, [1])
    sampler.close()
    sampler.close()


def test_two_drawn_tokens_with_one_seed_are_the_same(backend: Backend) -> None:
    backend.decode(batch([10, 20, 30]))
    params = SamplingParams(temperature=2, top_k=0, top_p=1, min_p=0, seed=3)
    drawn = set()
    for _ in range(3):
        with closing(backend.sampler(params, [10, 20, 30])) as sampler:
            drawn.add(tuple(sampler.sample(2).token for _ in range(5)))
    assert len(drawn) == 1


def test_text_and_reason_come_out(backend: Backend) -> None:
    engine = Engine(backend, n_slots=1)
    engine.submit(Sequence(request_id=7, prompt=[10, 20], params=GREEDY, limit=12))
    events = []
    while not engine.idle:
        events += engine.step()
    assert {number for number, _ in events} == {7}
    assert any(isinstance(event, TextDelta) for _, event in events)
    assert isinstance(events[-1][1], Finished)
