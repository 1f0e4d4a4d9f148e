"""How much memory a loaded model takes, by a formula: pure, and at once.

What llama.cpp allocates follows from few figures. Weights are the bytes of tensors. The
KV cache has a row for each cell in each layer (``llama-kv-cache.cpp``), recurrent
layers a state for each sequence (``llama-memory-recurrent.cpp``). Compute buffers hold
what the widest moment of a micro-batch needs at once; their terms were found by
comparison with what llama.cpp reports. ``benchmarks/memory.py`` prints how far it is
off.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

import msgspec

from .context_sizes import BATCH_SIZE, POOLED_SEQ_IDS, seq_ids
from .device import CPU, Device, MemoryEstimate, MemoryUse
from .load_options import KVType, LoadOptions, context_length
from .model_facts import LayerFacts, ModelFacts

CELLS = 256
"""A cache's length is a multiple of this (``llama_context``)."""

SHORTEST_CONTEXT = 512
"""Less is of no use to anybody."""

_HEADROOM = 512 * 1024 * 1024
"""Bytes of a GPU left alone, for its driver's own needs."""

_COPIED = 0.6
"""The part of a layer's weights that is on its way to a GPU at one moment."""

_BYTES: dict[KVType, float] = {
    "f32": 4,
    "f16": 2,
    "bf16": 2,
    "q8_0": 34 / 32,
    "q5_1": 24 / 32,
    "q5_0": 22 / 32,
    "q4_1": 20 / 32,
    "q4_0": 18 / 32,
}
"""Bytes of one value; ggml's blocks are of 32 values."""


def estimate(
    facts: ModelFacts,
    options: LoadOptions,
    devices: Sequence[Device],
    *,
    adapters: int = 0,
) -> MemoryEstimate:
    """Return what the model takes when it is loaded with these options.

    ``devices`` are those there are, and how much of them is free; ``adapters`` is the
    bytes of the options' adapter files.
    """
    gpus = usable_gpus(options, devices)
    layers = _gpu_layers(facts, options, gpus)
    places = _Places(facts, options, gpus, layers)
    load = _Load(facts, options)
    use = {device: MemoryUse() for device in places.names}
    for layer, device in zip(facts.layers, places.layers, strict=True):
        use[device] += MemoryUse(weights=layer.weights, cache=load.cache(layer))
    outside = facts.other_weights - facts.output_weights
    if 2 * outside < facts.output_weights and places.output != CPU:
        # The token embeddings serve as the output layer too, and are then there twice.
        outside = facts.output_weights
    use[CPU] += MemoryUse(weights=outside + adapters, compute=load.results)
    use[places.output] += MemoryUse(weights=facts.output_weights)
    for device in places.names:
        use[device] += MemoryUse(
            compute=load.compute(
                # Long prompts are computed on GPUs, also in the layers that are not
                # there: their weights are copied, one after the other.
                layers=device != CPU or not places.offloaded,
                output=device == places.output,
                copies=device != CPU and CPU in places.layers,
            )
        )
    return MemoryEstimate(
        devices={device: used for device, used in use.items() if used.total},
        context_length=min(load.cells, facts.trained_context),
        gpu_layers=places.offloaded,
    )


def gpu_layers_that_fit(
    facts: ModelFacts, options: LoadOptions, devices: Sequence[Device]
) -> int:
    """Return how many layers, the output layer among them, the GPUs have room for."""
    return _gpu_layers(
        facts,
        msgspec.structs.replace(options, gpu_layers="auto"),
        usable_gpus(options, devices),
    )


def context_that_fits(
    facts: ModelFacts,
    options: LoadOptions,
    devices: Sequence[Device],
    free: Mapping[str, int],
) -> int | None:
    """Return the longest context, of at most what is asked for, that fits.

    ``free`` is the bytes there are on each device. None: the model does not fit even
    with the shortest context that is of use.
    """
    asked = context_length(options.context_length, facts.trained_context)
    steps = -(-asked // CELLS)

    def fits(count: int) -> bool:
        shorter = msgspec.structs.replace(
            options, context_length=min(count * CELLS, asked)
        )
        need = estimate(facts, shorter, devices)
        return all(need.on(name) <= free.get(name, 0) for name in need.devices)

    least = min(SHORTEST_CONTEXT // CELLS, steps)
    found = most_that_fit(least, steps, fits)
    return None if found is None else min(found * CELLS, asked)


def usable_gpus(options: LoadOptions, devices: Sequence[Device]) -> list[Device]:
    """Return the GPUs that the model would be put on, in order, as llama.cpp chooses.

    Integrated ones are left alone where there are others.
    """
    if options.devices:
        by_name = {device.name: device for device in devices if device.kind != "cpu"}
        return [by_name[name] for name in options.devices if name in by_name]
    gpus = [device for device in devices if device.kind == "gpu"]
    return gpus or [device for device in devices if device.kind == "integrated"]


def has_room(need: MemoryEstimate, gpus: Sequence[Device]) -> bool:
    """Whether the GPUs can take their parts, and keep what their drivers want."""
    return all(need.on(gpu.name) <= gpu.free - headroom(gpu) for gpu in gpus)


def headroom(gpu: Device) -> int:
    """Return the bytes of a GPU that are left to its driver."""
    return min(_HEADROOM, gpu.total // 8)


def most_that_fit(least: int, most: int, fits: Callable[[int], bool]) -> int | None:
    """Return the greatest number that fits, where less fits if more does; or None.

    The greatest is tried first: mostly it is the answer.
    """
    if fits(most):
        return most
    if least >= most or not fits(least):
        return None
    while most - least > 1:
        middle = (least + most) // 2
        if fits(middle):
            least = middle
        else:
            most = middle
    return least


def _gpu_layers(facts: ModelFacts, options: LoadOptions, gpus: Sequence[Device]) -> int:
    """Return the layers that go to GPUs, the output layer among them."""
    everything = len(facts.layers) + 1
    if not gpus:
        return 0
    if options.gpu_layers == "auto":

        def fits(layers: int) -> bool:
            number = msgspec.structs.replace(options, gpu_layers=layers)
            return has_room(estimate(facts, number, gpus), gpus)

        return most_that_fit(0, everything, fits) or 0
    if options.gpu_layers == "all":
        return everything
    return min(options.gpu_layers, everything)


class _Places:
    """On which device each layer is: the last ones on GPUs, as llama.cpp has it."""

    def __init__(
        self,
        facts: ModelFacts,
        options: LoadOptions,
        gpus: Sequence[Device],
        offloaded: int,
    ) -> None:
        shares = options.tensor_split or [gpu.free for gpu in gpus]
        total = sum(shares) or 1
        borders = [part / total for part in accumulate(shares)]
        count = len(facts.layers) + 1
        first = count - offloaded

        def device(layer: int) -> str:
            if layer < first:
                return CPU
            chosen = bisect_right(borders, (layer - first) / offloaded)
            return gpus[min(chosen, len(gpus) - 1)].name

        *self.layers, self.output = [device(layer) for layer in range(count)]
        self.offloaded = offloaded
        self.names = list(dict.fromkeys([CPU, *self.layers, self.output]))


class _Batch(NamedTuple):
    """Tokens and sequences that are computed at once, and the cells they look at."""

    tokens: int
    sequences: int
    cells: int
    kv_type: KVType = "f16"
    flash: bool = True


class _Load:
    """The sizes that follow from a model and its options."""

    def __init__(self, facts: ModelFacts, options: LoadOptions) -> None:
        self._facts = facts
        quantised = options.kv_type.startswith("q")
        flash = quantised or options.flash_attention != "off"
        asked = context_length(options.context_length, facts.trained_context)
        self.cells = _padded(asked, CELLS)
        sequences = seq_ids(facts.memory_kind, slots=options.slots)
        tokens = min(BATCH_SIZE, self.cells)
        cells = self.cells if self._caches else tokens
        self._batches = [_Batch(tokens, sequences, cells, options.kv_type, flash)]
        if {"embedding", "rerank"} & set(facts.capabilities):
            self._batches.append(self._pooled(asked))

    @property
    def _caches(self) -> bool:
        """Whether it remembers what it read; a model that reads both ways does not."""
        return any(layer.key_width or layer.state for layer in self._facts.layers)

    @property
    def results(self) -> int:
        """Bytes of the buffers for logits, a row for each sequence."""
        return sum(
            4 * batch.sequences * self._facts.vocabulary for batch in self._batches
        )

    def cache(self, layer: LayerFacts) -> int:
        """Return the bytes of a layer's cells and states."""
        return sum(self._cache(layer, batch) for batch in self._batches)

    def compute(self, *, layers: bool, output: bool, copies: bool) -> int:
        """Return the bytes of the compute buffer of a device that computes these.

        One that computes none has the inputs of the others.
        """
        copied = max((layer.weights for layer in self._facts.layers), default=0)
        return int(copies * _COPIED * copied) + sum(
            self._compute(batch, layers=layers, output=output)
            for batch in self._batches
        )

    def _pooled(self, asked: int) -> _Batch:
        """Return the batch of the context that makes vectors.

        A model that reads both ways has no cache, and reads a text at once.
        """
        tokens = BATCH_SIZE if self._caches else max(BATCH_SIZE, asked)
        stateful = self._facts.memory_kind in {"recurrent", "hybrid"}
        sequences = 1 if stateful else POOLED_SEQ_IDS
        cells = _padded(max(asked, tokens), CELLS) if self._caches else tokens
        return _Batch(tokens, sequences, cells)

    def _cache(self, layer: LayerFacts, batch: _Batch) -> int:
        width = layer.key_width + layer.value_width
        row = width * _BYTES[batch.kv_type]
        cells = self._window_cells(batch) if layer.window else batch.cells
        return int(cells * row) + 4 * batch.sequences * layer.state

    def _window_cells(self, batch: _Batch) -> int:
        """Return the cells of a layer with a sliding window, which ids share."""
        seen = self._facts.window * batch.sequences + BATCH_SIZE
        return _padded(min(batch.cells, seen), CELLS)

    def _compute(self, batch: _Batch, *, layers: bool, output: bool) -> int:
        facts = self._facts
        width = facts.embedding_width
        tokens = _padded(batch.tokens, batch.sequences)
        mask = self._mask(batch, tokens)
        needs = [mask + 8 * tokens * width]
        if layers:
            keys = max((layer.key_width for layer in facts.layers), default=0)
            values = max((layer.value_width for layer in facts.layers), default=0)
            attention = 4 * tokens * (5 * width + keys + values)
            if not batch.flash:
                attention += 4 * tokens * batch.cells * facts.heads
            feed_forward = 12 * tokens * (width + facts.feed_forward_width)
            states = max((layer.state for layer in facts.layers), default=0)
            moving = 4 * states * batch.sequences
            needs.append(mask + moving + max(attention, feed_forward))
        if output:
            needs.append(4 * batch.tokens * (facts.vocabulary + 2 * width))
        return max(needs)

    def _mask(self, batch: _Batch, tokens: int) -> int:
        """Return the bytes of what says which token sees which cell."""
        layers = self._facts.layers
        cells = batch.cells * any(
            not layer.window and (layer.key_width or not layer.state)
            for layer in layers
        )
        if any(layer.window for layer in layers):
            cells += self._window_cells(batch)
        return cells * tokens * (2 if batch.flash else 4)


def _padded(number: int, step: int) -> int:
    return -(-number // step) * step
