"""Makes ``llm_ext/demo/guide.gguf`` from nothing: ``python -m tools.demo_model.build``.

Run from the repository's root, where torch, numpy, tokenizers, gguf and
llama-cpp-python are installed. Run again, it goes on where it was left off.
"""

import argparse
import itertools
import shutil
from pathlib import Path

import torch

from tools.console import ROOT

from .corpus import cases, examples, first_lessons
from .data import batches
from .evaluate import MODEL, Reader, judge, table
from .export import export
from .model import Shape
from .template import pieces
from .tokenizer import GuideTokenizer
from .train import Training

FOLDER = ROOT / "build" / "demo_model"

_MINUTES = 38.0
_SEED = 1
_TOKENIZER_EXAMPLES = 30_000


def main() -> None:
    """Train, unless that is done; write the model; judge it."""
    options = _options()
    torch.set_num_threads(options.threads)
    if options.fresh:
        shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(FOLDER / "tokenizer.json")
    training = _training(FOLDER / "checkpoint.pt", tokenizer)
    # A run that goes on reads other examples than the one before.
    seed = _SEED + training.progress.steps
    lessons = examples(seed)
    if not training.progress.steps:
        lessons = itertools.chain(first_lessons(seed), lessons)
    training.run(
        batches(lessons, tokenizer, seed=seed),
        minutes=options.minutes,
        checkpoint=FOLDER / "checkpoint.pt",
    )
    export(training.model, tokenizer, options.output)
    size = options.output.stat().st_size / 1e6
    print(f"{options.output.name}: {size:.1f} MB\n")
    print(table(judge(Reader(options.output), cases())))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=_MINUTES, help="of training, in all"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--fresh", action="store_true", help="start anew")
    parser.add_argument("--output", type=Path, default=MODEL)
    return parser.parse_args()


def _tokenizer(path: Path) -> GuideTokenizer:
    if path.is_file():
        return GuideTokenizer.load(path)
    print("Training the tokeniser", flush=True)
    sample = itertools.islice(examples(_SEED), _TOKENIZER_EXAMPLES)
    tokenizer = GuideTokenizer.train(
        "".join(piece.text for piece in pieces(example)) for example in sample
    )
    tokenizer.save(path)
    return tokenizer


def _training(path: Path, tokenizer: GuideTokenizer) -> Training:
    if path.is_file():
        return Training.load(path)
    return Training.start(Shape(vocabulary=len(tokenizer.tokens)), seed=_SEED)


if __name__ == "__main__":
    main()
