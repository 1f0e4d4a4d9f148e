"""Trains the model for some minutes; what is left off goes on from a checkpoint."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from .data import Batch
from .induction import prepare
from .model import Guide, Shape
from .optimizer import optimizers

_RATE = 4e-3
_WARM_UP = 0.02
_DECAY = 0.4
_CLIP = 1.0
_SAVE_SECONDS = 120
_SAY_SECONDS = 15
_SMOOTH = 0.98


@dataclass(kw_only=True, slots=True)
class Progress:
    """How far the training is, over all the times that the command was run."""

    seconds: float = 0.0
    steps: int = 0
    tokens: int = 0
    loss: float = 0.0

    def add(self, batch: Batch, loss: float, seconds: float) -> None:
        """Count one step."""
        self.seconds += seconds
        self.steps += 1
        self.tokens += batch.tokens.numel()
        weight = min(_SMOOTH, 1 - 1 / self.steps)
        self.loss = weight * self.loss + (1 - weight) * loss

    def line(self, minutes: float) -> str:
        """Say it."""
        return (
            f"{self.seconds / 60:5.1f} min  step {self.steps:5d}  "
            f"loss {self.loss:.4f}  {self.tokens / self.seconds:,.0f} tokens/s  "
            f"{max(minutes - self.seconds / 60, 0):.1f} min left"
        )


@dataclass(kw_only=True)
class Training:
    """A model that is being trained, with all that a checkpoint holds."""

    model: Guide
    optimizers: list[Optimizer]
    progress: Progress = field(default_factory=Progress)

    @classmethod
    def start(cls, shape: Shape, *, seed: int) -> "Training":
        """Return a model with random weights."""
        torch.manual_seed(seed)
        model = Guide(shape)
        prepare(model)
        return cls(model=model, optimizers=optimizers(model, rate=_RATE))

    @classmethod
    def load(cls, path: Path) -> "Training":
        """Read what :meth:`save` wrote."""
        saved: dict[str, Any] = torch.load(path, weights_only=True)
        training = cls.start(Shape(**saved["shape"]), seed=0)
        training.model.load_state_dict(saved["model"])
        for optimizer, state in zip(
            training.optimizers, saved["optimizers"], strict=True
        ):
            optimizer.load_state_dict(state)
        training.progress = Progress(**saved["progress"])
        return training

    def save(self, path: Path) -> None:
        """Write a checkpoint, whole or not at all."""
        saved = {
            "shape": asdict(self.model.shape),
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "progress": asdict(self.progress),
        }
        partial = path.with_suffix(".partial")
        torch.save(saved, partial)
        partial.replace(path)

    def run(
        self,
        batches: Iterator[Batch],
        *,
        minutes: float,
        checkpoint: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Train until ``minutes`` are over, those of earlier runs included.

        The learning rate is a function of the time that has passed, not of the steps
        taken: a slow machine takes fewer steps, but all of them have their turn.
        """
        progress = self.progress
        saved = said = before = clock()
        while progress.seconds < minutes * 60:
            batch = next(batches)
            loss = self._step(batch, rate(progress.seconds / (minutes * 60)))
            now = clock()
            progress.add(batch, loss, now - before)
            before = now
            if now - said >= _SAY_SECONDS:
                print(progress.line(minutes), flush=True)
                said = now
            if now - saved >= _SAVE_SECONDS:
                self.save(checkpoint)
                saved = now
        self.save(checkpoint)
        print(progress.line(minutes), flush=True)

    def _step(self, batch: Batch, lr: float) -> float:
        loss = self.model.loss(batch.tokens, batch.documents, batch.targets)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        nn.utils.clip_grad_norm_(self.model.parameters(), _CLIP)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = lr
            optimizer.step()
            optimizer.zero_grad()
        return loss.item()


def rate(part: float) -> float:
    """Return the learning rate when ``part`` of the time, 0 to 1, has passed."""
    rising = part / _WARM_UP
    falling = (1 - part) / _DECAY
    return _RATE * max(min(rising, 1.0, falling), 1e-3)
