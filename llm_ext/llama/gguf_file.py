"""What is in a GGUF file but not in llama.cpp's API: its tensors' names and sizes.

Read by ggml's own reader, ``gguf.h``, which llama-cpp-python ships and does not bind.
"""

import ctypes
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from llama_cpp._ctypes_extensions import load_shared_library
from llama_cpp._ggml import libggml_base_path

_ggml = load_shared_library("ggml-base", libggml_base_path)


class _InitParams(ctypes.Structure):
    """``struct gguf_init_params``."""

    _fields_ = (("no_alloc", ctypes.c_bool), ("ctx", ctypes.c_void_p))


_ggml.gguf_init_from_file.argtypes = [ctypes.c_char_p, _InitParams]
_ggml.gguf_init_from_file.restype = ctypes.c_void_p
_ggml.gguf_find_tensor.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
_ggml.gguf_find_tensor.restype = ctypes.c_int64
_ggml.gguf_get_n_tensors.argtypes = [ctypes.c_void_p]
_ggml.gguf_get_n_tensors.restype = ctypes.c_int64
_ggml.gguf_get_tensor_name.argtypes = [ctypes.c_void_p, ctypes.c_int64]
_ggml.gguf_get_tensor_name.restype = ctypes.c_char_p
_ggml.gguf_get_tensor_size.argtypes = [ctypes.c_void_p, ctypes.c_int64]
_ggml.gguf_get_tensor_size.restype = ctypes.c_size_t
_ggml.gguf_free.argtypes = [ctypes.c_void_p]
_ggml.gguf_free.restype = None


def has_tensor(path: Path, names: Iterable[str]) -> bool:
    """Whether the file holds a tensor of one of these names.

    A file that cannot be read holds none; a split file's other parts are not looked at.
    """
    with _opened(path) as file:
        if not file:
            return False
        return any(_ggml.gguf_find_tensor(file, name.encode()) >= 0 for name in names)


def tensor_sizes(paths: Iterable[Path]) -> dict[str, int]:
    """Return the bytes of each tensor in these files; none where one is unreadable."""
    sizes: dict[str, int] = {}
    for path in paths:
        with _opened(path) as file:
            for index in range(_ggml.gguf_get_n_tensors(file) if file else 0):
                name = _ggml.gguf_get_tensor_name(file, index).decode(errors="replace")
                sizes[name] = int(_ggml.gguf_get_tensor_size(file, index))
    return sizes


@contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    file = _ggml.gguf_init_from_file(
        os.fsencode(path), _InitParams(no_alloc=True, ctx=None)
    )
    try:
        yield file
    finally:
        if file:
            _ggml.gguf_free(file)
