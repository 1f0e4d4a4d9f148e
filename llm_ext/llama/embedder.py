"""Texts to vectors, and pairs of texts to scores."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import numpy as np
from llama_cpp import llama_cpp as lib

from llm_ext.core.context_sizes import BATCH_SIZE, POOLED_SEQ_IDS
from llm_ext.core.pooling import Pooling
from llm_ext.errors import InputLengthError, InvalidRequestError, NotSupportedError

from .buffers import Uses
from .context import Context
from .gguf_file import has_tensor
from .model import Model
from .pooled_context import PooledContext, only_encodes
from .vectors import Vector

Budget = Callable[[], int]
"""Asked before each decode for the most tokens to compute in it."""

_HEAD = ("cls.weight", "cls.output.weight")
"""A reranker has one of these tensors, or both."""

_YES = b"yes"
"""The first label of rerankers that answer yes or no, such as Qwen3's."""

_WITHOUT_CACHE = ("llama-embed",)
"""Architectures whose layers do not read the KV cache that llama.cpp gives them."""

_PROBE_CELLS = 256  # llama.cpp's smallest context


class Embedder:
    """Embeds or ranks with a loaded model. Used by one thread only.

    llama.cpp fixes the pooling when it makes a context, so this has a context of its
    own. It is made when it is first needed, and again after :meth:`close`.

    Attributes:
        pooling: How rows become a result: as asked for, else as the model's file says,
            else the mean where the model reads both ways, and the last row where it
            reads only forward. (llama.cpp itself does not pool then.)
        limit: Most tokens in one input.
    """

    def __init__(
        self,
        model: Model,
        *,
        cells: int,
        threads: int,
        pooling: Pooling | None = None,
        micro_batch: int = BATCH_SIZE,
    ) -> None:
        """Prepare; ``cells`` is the longest input to make room for, in tokens.

        Inputs share a decode of up to ``micro_batch`` tokens. It is small on purpose:
        attention costs the square of a decode's tokens, whosever they are, and
        llama.cpp reserves a row of the whole vocabulary for each, although nobody
        reads it. A longer input is computed in several decodes by a model that reads
        only forward, else in one decode of its own, for which there is always room.

        Raises:
            NotSupportedError: The model cannot embed, or not rank if that was asked.
            ModelError: The context to find out how the model reads cannot be made.
        """
        if lib.llama_model_has_encoder(model.pointer) and lib.llama_model_has_decoder(
            model.pointer
        ):
            raise NotSupportedError(
                "This model has an encoder and a decoder, of which llama.cpp makes no "
                "vectors. Load an embedding model instead."
            )
        stated = pooling or model.pooling
        if stated == "rank":
            _check_head(model)
        forward = _reads_forward(model)
        usual: Pooling = "last" if forward else "mean"
        self.pooling: Pooling = stated or usual
        self.limit = min(cells, model.trained_context)
        self._model = model
        self._cells = cells
        self._threads = threads
        self._room = micro_batch
        self._in_parts = forward and not self._pools_before_head
        # Each id has a state of its own there, and they are computed one by one.
        stateful = model.memory_kind in {"recurrent", "hybrid"}
        # llama.cpp ends the process if there are more ids than tokens in a decode.
        self._seq_ids = 1 if stateful else min(POOLED_SEQ_IDS, micro_batch)
        self._context: PooledContext | None = None

    def open(self) -> None:
        """Make the context now, rather than when it is first needed.

        Raises:
            InsufficientMemoryError: A device has no room for it.
            ModelLoadError: llama.cpp refused for another reason.
        """
        self._opened()

    @property
    def uses(self) -> Uses:
        """Bytes of the context, by the names of devices; none while there is none."""
        return {} if self._context is None else self._context.uses

    def close(self) -> None:
        """Free the context. The model belongs to the caller."""
        if self._context is not None:
            self._context.close()
            self._context = None

    @property
    def _pools_before_head(self) -> bool:
        """Whether a score hangs on all rows, not on the first's or last's alone."""
        key = f"{self._model.architecture}.classifier.pooling_type"
        mean = str(lib.LLAMA_POOLING_TYPE_MEAN)
        return self.pooling == "rank" and self._model.metadata(key) == mean

    def decodes(
        self, inputs: Sequence[Sequence[int]], budget: Budget = lambda: BATCH_SIZE
    ) -> Iterator[list[Vector]]:
        """Return an iterator that computes a decode for each step.

        It yields the results that the decode completed, in order: vectors, not
        normalised, or arrays of one score, of which more is better. What a score means
        is the model's matter: mostly it is a logit, with Qwen3's rerankers the
        probability of yes.

        Inputs are checked at once. One that cannot be read in parts is computed whole,
        however little ``budget`` allows.

        Raises:
            InvalidRequestError: An input is empty, or has a token that is none.
            InputLengthError: An input is too long.
            ModelError: At a step: the context could not be made.
            EngineError: At a step: llama.cpp failed.
        """
        self._check(inputs)
        return self._computed(inputs, budget)

    def check_embeds(self) -> None:
        """Raise NotSupportedError if what this makes are scores."""
        if self.pooling == "rank":
            raise NotSupportedError(
                "This model scores how well a document answers a query; it does not "
                "embed. Use it to rank, or load an embedding model."
            )

    def _computed(
        self, inputs: Sequence[Sequence[int]], budget: Budget
    ) -> Iterator[list[Vector]]:
        context = self._opened()
        lengths = [len(tokens) for tokens in inputs]
        done = 0
        while done < len(inputs):
            room = min(self._room, budget())
            group = grouped(lengths, done, room=room, most=self._seq_ids)
            context.clear()
            if self._in_parts and lengths[done] > room:
                yield from self._in_turn(context, inputs[done], budget)
            else:
                yield context.compute([inputs[at] for at in group], start=0)
            done = group.stop

    def _in_turn(
        self, context: PooledContext, text: Sequence[int], budget: Budget
    ) -> Iterator[list[Vector]]:
        """Compute a text in several decodes."""
        result: Vector | None = None
        read = 0
        while read < len(text):
            part = text[read : read + min(self._room, budget())]
            (vector,) = context.compute([part], start=read)
            result = self._joined(result, read, vector, len(part))
            read += len(part)
            yield [result] if read == len(text) else []

    def _joined(
        self, before: Vector | None, read: int, vector: Vector, size: int
    ) -> Vector:
        """Return the result of ``read`` tokens and the ``size`` that follow them.

        It is exact: only a model that reads forward is given parts, and its rows do
        not hang on what follows. The layers that some models have behind the pooling
        are affine, so a weighted mean may be taken after them as well.
        """
        if before is None:
            return vector
        match self.pooling:
            case "mean":
                share = np.float32(size / (read + size))
                return before + share * (vector - before)
            case "cls":
                return before
            case "last" | "rank":
                return vector

    def _opened(self) -> PooledContext:
        if self._context is None:
            largest = self._room if self._in_parts else max(self._room, self.limit)
            self._context = PooledContext(
                self._model,
                pooling=self.pooling,
                cells=self._cells,
                micro_batch=largest,
                seq_ids=self._seq_ids,
                threads=self._threads,
            )
        return self._context

    def _check(self, inputs: Sequence[Sequence[int]]) -> None:
        """Refuse what llama.cpp would refuse, or end the process for."""
        size = self._model.vocab.size
        for number, tokens in enumerate(inputs):
            if not tokens:
                raise InvalidRequestError(
                    f"Input {number} (counted from 0) is empty; there is nothing to "
                    f"compute.",
                    param="input",
                )
            if len(tokens) > self.limit:
                raise InputLengthError(
                    number,
                    tokens=len(tokens),
                    limit=self.limit,
                    trained=self._model.trained_context,
                )
            if not (min(tokens) >= 0 and max(tokens) < size):
                raise InvalidRequestError(
                    f"Input {number} (counted from 0) has a token that this model does "
                    f"not know; its tokens are 0 to {size - 1}.",
                    param="input",
                )


def grouped(lengths: Sequence[int], start: int, *, room: int, most: int) -> range:
    """Return which inputs from ``start`` on share a decode: as many in a row as fit.

    At most ``most`` inputs, and ``room`` tokens; a longer input is alone.
    """
    tokens = lengths[start]
    end = start + 1
    while end < min(len(lengths), start + most) and tokens + lengths[end] <= room:
        tokens += lengths[end]
        end += 1
    return range(start, end)


def made_for_vectors(model: Model, context: Context) -> bool:
    """Whether the model, of which this is a context, is there for its vectors alone.

    Its file says how to pool them, or it reads both ways, and so writes no text.
    """
    if lib.llama_model_has_encoder(model.pointer) and lib.llama_model_has_decoder(
        model.pointer
    ):
        return False
    return model.pooling is not None or not _is_forward(context)


def _reads_forward(model: Model) -> bool:
    """Whether no token sees those after it, and those before it are remembered.

    llama.cpp tells it of a context only, so a small one is made for the question.
    """
    if only_encodes(model) or model.architecture in _WITHOUT_CACHE:
        return False
    with closing(Context(model, cells=_PROBE_CELLS, seq_ids=1, threads=1)) as context:
        return _is_forward(context)


def _is_forward(context: Context) -> bool:
    return bool(context.memory and lib.llama_get_causal_attn(context.pointer))


def _check_head(model: Model) -> None:
    """Refuse a model that cannot rank; llama.cpp would give numbers without meaning.

    Raises:
        NotSupportedError: It has no classification head, or one of several classes.
    """
    if not has_tensor(model.path, _HEAD):
        raise NotSupportedError(
            "This model has no head that scores documents, so it cannot rank. Load a "
            "reranker, or embed the texts and compare their vectors."
        )
    classes = int(lib.llama_model_n_cls_out(model.pointer))
    if classes > 1 and lib.llama_model_cls_label(model.pointer, 0) != _YES:
        raise NotSupportedError(
            f"This model sorts texts into {classes} classes; it does not score "
            f"documents, so it cannot rank. Load a reranker."
        )
