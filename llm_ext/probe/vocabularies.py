"""Models of which only the vocabulary is loaded."""

from collections import OrderedDict
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from llm_ext.errors import ModelUnreadableError
from llm_ext.llama.library import Log
from llm_ext.llama.model import Model
from llm_ext.llama.vocab import Vocab

MOST = 4
"""Vocabularies that stay: a large one takes some 50 MB."""


class _Version(NamedTuple):
    size: int
    modified: int


class Vocabularies:
    """Those used last stay, for as long as their files do not change."""

    def __init__(self) -> None:
        self._models: OrderedDict[Path, tuple[_Version, Model]] = OrderedDict()

    def of(self, path: Path) -> Vocab:
        """Return the vocabulary of the model in this file; see :meth:`model`."""
        return self.model(path).vocab

    def model(self, path: Path) -> Model:
        """Return the model in this file, without its weights.

        Raises:
            ModelUnreadableError: The file cannot be read.
            ModelLoadError: llama.cpp refused it.
        """
        version = _version(path)
        known = self._models.get(path)
        if known is None or known[0] != version:
            self._forget(path)
            self._models[path] = version, _loaded(path)
            while len(self._models) > MOST:
                self._forget(next(iter(self._models)))
        self._models.move_to_end(path)
        return self._models[path][1]

    def _forget(self, path: Path) -> None:
        known = self._models.pop(path, None)
        if known is not None:
            known[1].close()


def _version(path: Path) -> _Version:
    try:
        stat = path.stat()
    except OSError as error:
        raise ModelUnreadableError(
            f"The model file {path.name} cannot be read: {error.strerror}."
        ) from error
    return _Version(stat.st_size, stat.st_mtime_ns)


def _loaded(path: Path) -> Model:
    with closing(Log()) as log:
        return Model(
            path,
            gpu_layers=0,
            log=log,
            progress=lambda _fraction: None,
            mode="vocabulary",
        )
