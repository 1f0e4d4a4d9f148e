"""What llama.cpp prints, and who receives it."""

import gc
from contextlib import closing
from pathlib import Path

import pytest

from llm_ext.errors import ModelLoadError
from llm_ext.llama.library import Log
from llm_ext.llama.model import Model


def load(path: Path, log: Log) -> None:
    Model(path, gpu_layers=0, log=log, progress=lambda _part: None).close()


def test_a_closed_log_is_called_no_more(models: Path) -> None:
    """Else llama.cpp would call into freed memory, and the process would crash."""
    said: list[str] = []
    log = Log(said.append)
    log.close()
    del log
    gc.collect()
    with closing(Log(said.append)) as other:
        load(models / "babble.gguf", other)
    heard = len(said)
    assert heard
    load(models / "babble.gguf", other)
    assert len(said) == heard


def test_errors_are_kept_for_the_reason_of_a_refusal(models: Path) -> None:
    said: list[str] = []
    with (
        closing(Log(said.append)) as log,
        pytest.raises(ModelLoadError, match="unknown model architecture: 'abacus'"),
    ):
        load(models / "unknown.gguf", log)
    assert any("abacus" in line for line in log.errors)
