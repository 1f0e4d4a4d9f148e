"""What a GGUF file says before its tensors' data: metadata, and a table of tensors.

Format: the GGUF specification of the ggml project, versions 2 and 3::

    file    = "GGUF" version:u32 tensors:u64 pairs:u64 *pair *tensor padding data
    pair    = key:text kind:u32 value
    value   = number / text / ( kind:u32 count:u64 *value )         ; an array
    tensor  = name:text dimensions:u32 *size:u64 type:u32 offset:u64
    text    = length:u64 *byte                                      ; UTF-8

Numbers are little-endian. The file is somebody else's and may be hostile: everything
is checked against the file's size and against limits that no real model reaches, so
that reading takes bounded time and memory.
"""

import math
import os
import re
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeAlias

from llm_ext.errors import ModelUnreadableError

from .cursor import Cursor, CutError, Number
from .tensor_type import TENSOR_TYPES, WITHDRAWN_TYPES, TensorType

MAX_HEADER = 64 * 1024 * 1024
"""Bytes before the tensors' data; a vocabulary of 256,000 tokens takes 16 million."""

MAX_ENTRIES = 65_536
"""Metadata pairs, and tensors."""

KEPT = 1024
"""Elements of an array that are kept; of a longer one only how many they are."""

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_MAX_NAME = 63  # llama.cpp's, and of its keys more than any has
_MAX_KEY = 65_535
_MAX_TEXT = 4 * 1024 * 1024
_MAX_DIMENSIONS = 4
_ALIGNMENT = 32  # where the file does not say
_ALIGNMENT_KEY = "general.alignment"
_LARGEST = 2**63 - 1

_U32 = struct.Struct("<I")
_COUNTS = struct.Struct("<QQ")
_LENGTH = struct.Struct("<Q")  # of a text
_PLACE = struct.Struct("<IQ")
_POINTER = 8  # bytes of a list's element
_PAIR_BYTES = 13  # of the shortest
_TENSOR_BYTES = 24  # likewise

_TEXT, _ARRAY = 8, 9
_NUMBERS = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}


class LongArray:
    """An array of which the elements were not read one by one."""

    def __init__(
        self, kind: int, count: int, data: bytearray, start: int, end: int
    ) -> None:
        self._kind = kind
        self._count = count
        self._data = data
        self._start = start
        self._end = end

    def __len__(self) -> int:
        return self._count

    def has_text(self, text: str) -> bool:
        """Whether ``text`` is one of its strings."""
        encoded = text.encode()
        wanted = _LENGTH.pack(len(encoded)) + encoded
        return self._data.find(wanted, self._start, self._end) >= 0

    def elements(self) -> Iterator[Number | str]:
        """Read and yield them, which takes its time."""
        if self._kind != _TEXT:
            layout = _NUMBERS[self._kind]
            for (number,) in layout.iter_unpack(self._data[self._start : self._end]):
                yield number
            return
        at = self._start
        for _ in range(self._count):
            (size,) = _LENGTH.unpack_from(self._data, at)
            at += _LENGTH.size + size
            yield self._data[at - size : at].decode(errors="replace")


Value: TypeAlias = Number | str | Sequence[Number] | Sequence[str] | LongArray


class Tensor(NamedTuple):
    """One row of the table of tensors.

    Attributes:
        name: Such as "blk.0.attn_q.weight".
        kind: How its values are stored.
        values: How many it has.
        offset: Bytes from the beginning of all tensors' data to its own.
    """

    name: str
    kind: TensorType
    values: int
    offset: int

    @property
    def bytes(self) -> int:
        """What it takes, in the file and in memory."""
        return self.values // self.kind.values * self.kind.bytes


class Header(NamedTuple):
    """All of a file but its tensors' data."""

    metadata: dict[str, Value]
    tensors: tuple[Tensor, ...]


def read(path: Path) -> Header:
    """Return what the file ``path`` says of itself. Blocks on the disk.

    Raises:
        ModelUnreadableError: It cannot be read (an OSError is the cause then), is no
            GGUF file, or a damaged one.
    """
    try:
        with path.open("rb", buffering=0) as file:
            return _read(file, path.name)
    except OSError as error:
        raise ModelUnreadableError(
            f"The model file {path.name} cannot be read: {error.strerror}."
        ) from error


def _read(file: BinaryIO, name: str) -> Header:
    size = os.fstat(file.fileno()).st_size
    cursor = Cursor(file, limit=min(size, MAX_HEADER))
    try:
        _check_start(cursor, name)
        tensors, pairs = _counts(cursor, name, size)
        metadata = _metadata(cursor, name, pairs)
        header = Header(metadata, _tensors(cursor, name, tensors))
    except CutError as error:
        raise ModelUnreadableError(
            f"{name} ends within its header, or its header is damaged: "
            f"{_incomplete(size)}"
        ) from error
    _check_end(header, cursor.position, size, name)
    return header


def _check_start(cursor: Cursor, name: str) -> None:
    cursor.skip(len(_MAGIC))
    if cursor.data[: len(_MAGIC)] != _MAGIC:
        raise ModelUnreadableError(
            f"{name} is not a GGUF file, whatever its name says. Download it again; "
            f"a web page or a pointer file may have been saved in its place."
        )
    (version,) = cursor.unpack(_U32)
    if version in _VERSIONS:
        return
    if int.from_bytes(int(version).to_bytes(4, "little"), "big") in _VERSIONS:
        raise ModelUnreadableError(
            f"{name} was made for big-endian machines, and this program reads "
            f"little-endian files only. Download the usual file, or convert this one."
        )
    raise ModelUnreadableError(
        f"{name} is a GGUF file of version {version}; versions 2 and 3 are known. "
        f"Download a newer conversion of the model."
    )


def _counts(cursor: Cursor, name: str, size: int) -> tuple[int, int]:
    tensors, pairs = (int(count) for count in cursor.unpack(_COUNTS))
    least = tensors * _TENSOR_BYTES + pairs * _PAIR_BYTES
    if max(tensors, pairs) > MAX_ENTRIES:
        raise _damaged(name, f"it claims {tensors} tensors, {pairs} metadata entries")
    if least > size:
        raise CutError
    return tensors, pairs


def _metadata(cursor: Cursor, name: str, pairs: int) -> dict[str, Value]:
    metadata: dict[str, Value] = {}
    for _ in range(pairs):
        key = cursor.text(longest=_MAX_KEY)
        if not key or key in metadata:
            raise _damaged(name, f"a metadata key is empty or there twice: {key!r:.80}")
        metadata[key] = _value(cursor, name, int(cursor.unpack(_U32)[0]))
    return metadata


def _value(cursor: Cursor, name: str, kind: int) -> Value:
    if kind == _TEXT:
        return cursor.text(longest=_MAX_TEXT)
    if kind == _ARRAY:
        return _array(cursor, name)
    return cursor.unpack(_number(name, kind))[0]


def _array(cursor: Cursor, name: str) -> Value:
    kind, count = (int(part) for part in cursor.unpack(_PLACE))
    start = cursor.position
    if count <= KEPT:
        cursor.keep(count * _POINTER)
    if kind == _TEXT:
        if count <= KEPT:
            return [cursor.text(longest=_MAX_TEXT) for _ in range(count)]
        cursor.skip_texts(count)
    elif kind == _ARRAY:
        # The format has them, but no model does, and llama.cpp refuses them.
        raise _damaged(name, "it holds an array of arrays")
    else:
        layout = _number(name, kind)
        cursor.skip(count * layout.size)
        if count <= KEPT:
            data = cursor.data[start : cursor.position]
            return [number for (number,) in layout.iter_unpack(data)]
    return LongArray(kind, count, cursor.data, start, cursor.position)


def _number(name: str, kind: int) -> struct.Struct:
    layout = _NUMBERS.get(kind)
    if layout is None:
        raise _damaged(name, f"it holds a value of the unknown kind {kind}")
    return layout


def _tensors(cursor: Cursor, name: str, count: int) -> tuple[Tensor, ...]:
    tensors = [_tensor(cursor, name) for _ in range(count)]
    if len({tensor.name for tensor in tensors}) < count:
        raise _damaged(name, "two of its tensors have the same name")
    return tuple(tensors)


def _tensor(cursor: Cursor, name: str) -> Tensor:
    own = cursor.text(longest=_MAX_NAME)
    dimensions = int(cursor.unpack(_U32)[0])
    if dimensions > _MAX_DIMENSIONS:
        raise _damaged(name, f"the tensor {own!r} has {dimensions} dimensions")
    shape = [cursor.count() for _ in range(dimensions)]
    number, offset = (int(part) for part in cursor.unpack(_PLACE))
    kind = TENSOR_TYPES.get(number)
    if kind is None:
        raise _unknown_type(name, own, number)
    values = math.prod(shape)
    if values > _LARGEST or (shape[0] if shape else 1) % kind.values:
        raise _damaged(name, f"the tensor {own!r} cannot be of shape {shape}")
    return Tensor(own, kind, values, offset)


def _unknown_type(name: str, tensor: str, number: int) -> ModelUnreadableError:
    if number in WITHDRAWN_TYPES:
        return ModelUnreadableError(
            f"{name} is quantised in a way that llama.cpp has given up (type {number}, "
            f"of the tensor {tensor!r}). Download a newer conversion of the model."
        )
    return ModelUnreadableError(
        f"The tensor {tensor!r} of {name} is of type {number}, which is not known "
        f"here. The file is damaged, or made for a newer release of llama.cpp."
    )


def _check_end(header: Header, position: int, size: int, name: str) -> None:
    """Raise unless all tensors lie within the file."""
    alignment = header.metadata.get(_ALIGNMENT_KEY, _ALIGNMENT)
    if type(alignment) is not int or alignment < 1 or alignment & (alignment - 1):
        raise _damaged(name, f"its alignment is {alignment!r:.40}")
    data = -(-position // alignment) * alignment
    end = max((tensor.offset + tensor.bytes for tensor in header.tensors), default=0)
    if data + end > size:
        raise ModelUnreadableError(
            f"{name} is incomplete: it has {size:,} of {data + end:,} bytes. It is "
            f"still being written, or has to be downloaded again."
        )


def _damaged(name: str, why: str) -> ModelUnreadableError:
    return ModelUnreadableError(
        f"{name} is damaged: {_one_line(why)}. Download it again."
    )


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _incomplete(size: int) -> str:
    return (
        f"it has {size:,} bytes. It is still being written, or has to be downloaded "
        f"again."
    )
