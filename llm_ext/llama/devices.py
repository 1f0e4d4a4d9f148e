"""What llama.cpp can compute on, by ggml's registry of backends.

The functions are those of ``ggml-backend.h``, which llama-cpp-python ships and does
not bind.
"""

import ctypes
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from llama_cpp import llama_cpp as lib
from llama_cpp._ggml import libggml

from llm_ext.core.device import CPU, Device
from llm_ext.errors import InvalidRequestError

_KINDS: dict[int, Literal["cpu", "gpu", "integrated"]] = {
    0: "cpu",
    1: "gpu",
    2: "integrated",
}
"""``enum ggml_backend_dev_type``. Others, such as BLAS, compute in main memory for the
processor, and nothing can be put on them."""


def _function(name: str, result: object, *arguments: object) -> Callable[..., Any]:
    """Return one of ggml's functions, of the very ggml that llama.cpp uses.

    A wheel holds copies of each library under several names, and the copy that
    llama-cpp-python opens by itself has a registry of its own. What libllama depends
    on is found through it, but on Windows, where libraries are one by their name.
    """
    library = lib._lib  # noqa: SLF001  # its only handle
    function = getattr(library, name, None) or getattr(libggml, name)
    function.restype = result
    function.argtypes = list(arguments)
    return function  # type: ignore[no-any-return]  # getattr of a library


class _Properties(ctypes.Structure):
    """``struct ggml_backend_dev_props``; what follows the id is not read."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("description", ctypes.c_char_p),
        ("memory_free", ctypes.c_size_t),
        ("memory_total", ctypes.c_size_t),
        ("type", ctypes.c_int),
        ("device_id", ctypes.c_char_p),
        ("capabilities", ctypes.c_char * 64),
    )


_pointer = ctypes.c_void_p
_size_out = ctypes.POINTER(ctypes.c_size_t)

_count = _function("ggml_backend_dev_count", ctypes.c_size_t)
_get = _function("ggml_backend_dev_get", _pointer, ctypes.c_size_t)
_name = _function("ggml_backend_dev_name", ctypes.c_char_p, _pointer)
_description = _function("ggml_backend_dev_description", ctypes.c_char_p, _pointer)
_type = _function("ggml_backend_dev_type", ctypes.c_int, _pointer)
_memory = _function("ggml_backend_dev_memory", None, _pointer, _size_out, _size_out)
_properties = _function(
    "ggml_backend_dev_get_props", None, _pointer, ctypes.POINTER(_Properties)
)
_registry = _function("ggml_backend_dev_backend_reg", _pointer, _pointer)
_registry_name = _function("ggml_backend_reg_name", ctypes.c_char_p, _pointer)


class _Found(NamedTuple):
    pointer: int
    kind: Literal["cpu", "gpu", "integrated"]
    name: str


def devices() -> list[Device]:
    """Return all devices as they are now, the processor first.

    A GPU that several backends find is there once, by the name that is used. llama.cpp
    knows nothing of a container's limit on main memory.
    """
    found = [_described(one) for one in _distinct(_all())]
    return sorted(found, key=lambda device: device.kind != "cpu")


def gpu_names(chosen: Sequence[str] = ()) -> list[str]:
    """Return the GPUs that a model would be put on: those of ``chosen``, or all.

    llama.cpp leaves integrated GPUs alone where there are others.

    Raises:
        InvalidRequestError: One of ``chosen`` does not exist.
    """
    found = _all()
    if chosen:
        _check(chosen, found)
        kinds = {one.name: one.kind for one in found}
        return [name for name in chosen if kinds[name] != "cpu"]
    distinct = _distinct(found)
    gpus = [one.name for one in distinct if one.kind == "gpu"]
    return gpus or [one.name for one in distinct if one.kind == "integrated"]


def device_list(names: Sequence[str]) -> ctypes.Array[ctypes.c_void_p]:
    """Return what ``llama_model_params.devices`` wants: pointers, and a NULL.

    ``names`` are those of :func:`gpu_names`; none of them is the processor alone.
    """
    pointers = {one.name: one.pointer for one in _all()}
    return (ctypes.c_void_p * (len(names) + 1))(*map(pointers.__getitem__, names), None)


def _all() -> list[_Found]:
    found = []
    for index in range(_count()):
        pointer = _get(index)
        kind = _KINDS.get(_type(pointer))
        if kind is not None:
            found.append(_Found(pointer, kind, _name(pointer).decode()))
    return found


def _distinct(found: Sequence[_Found]) -> list[_Found]:
    """Return them without those that are known already, under another name."""
    kept: dict[object, _Found] = {}
    for one in found:
        properties = _Properties()
        _properties(one.pointer, ctypes.byref(properties))
        kept.setdefault(properties.device_id or one.name, one)
    return list(kept.values())


def _described(found: _Found) -> Device:
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    _memory(found.pointer, ctypes.byref(free), ctypes.byref(total))
    backend = _registry_name(_registry(found.pointer)).decode()
    return Device(
        name=CPU if found.kind == "cpu" else found.name,
        description=_description(found.pointer).decode(errors="replace").strip(),
        kind=found.kind,
        backend=backend,
        total=total.value,
        free=free.value,
    )


def _check(chosen: Sequence[str], found: Sequence[_Found]) -> None:
    there = [one.name for one in found]
    for name in chosen:
        if name not in there:
            raise InvalidRequestError(
                f"There is no device {name!r} here. llama.cpp has: {', '.join(there)}.",
                param="devices",
            )
