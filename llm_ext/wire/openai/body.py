"""Reading a request's body, with errors that name the field."""

import re
from collections.abc import Collection, Iterable
from typing import TypeVar

import msgspec

from llm_ext.errors import InvalidRequestError

_Body = TypeVar("_Body")

_names = msgspec.json.Decoder(dict[str, msgspec.Raw])

_LEAST, _MOST = -(2**63), 2**64 - 1
_LONG = re.compile(rb"\d{19}")
"""What an integer of more than 64 bits has; few bodies have it."""

_PATH = re.compile(r" - at `\$\.(?P<path>[^`]+)`$")
_MISSING = re.compile(r"missing required field `(?P<field>\w+)`")


def decode(decoder: "msgspec.json.Decoder[_Body]", data: bytes) -> _Body:
    """Return what a body says.

    Raises:
        InvalidRequestError: It is no JSON, lacks a field, or holds one of a wrong
            type; names the field.
    """
    try:
        body = decoder.decode(data)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error
    except msgspec.DecodeError as error:
        raise InvalidRequestError(
            f"The request's body is not JSON: {error}."
        ) from error
    except RecursionError:
        raise InvalidRequestError("The request's body is nested too deep.") from None
    if _LONG.search(data):
        check_integers(body)
    return body


def ignored(data: bytes, known: Collection[str]) -> list[str]:
    """Return the fields that a body has, an object, and that are none of ``known``."""
    return [name for name in _names.decode(data) if name not in known]


def check_integers(body: object) -> None:
    """Refuse integers of more than 64 bits, wherever they stand in a body.

    They count nothing that there is, and neither a worker nor the store takes them.

    Raises:
        InvalidRequestError: There is one; names the field.
    """
    todo: list[tuple[str, object]] = [("", body)]
    while todo:
        path, value = todo.pop()
        if isinstance(value, int) and not _LEAST <= value <= _MOST:
            field = path.lstrip(".")
            where = f" in '{field}'" if field else ""
            raise InvalidRequestError(
                f"An integer{where} has more than 64 bits.", param=field or None
            )
        todo += [(f"{path}{name}", part) for name, part in _parts(value)]


def _parts(value: object) -> Iterable[tuple[str, object]]:
    if isinstance(value, msgspec.Struct):
        fields = zip(
            value.__struct_encode_fields__, value.__struct_fields__, strict=True
        )
        return [(f".{name}", getattr(value, field)) for name, field in fields]
    if isinstance(value, dict):
        return [(f".{key}", part) for key, part in value.items()]
    if isinstance(value, (list, tuple)):
        return [(f"[{index}]", part) for index, part in enumerate(value)]
    return ()


def _invalid(problem: str) -> InvalidRequestError:
    path = _PATH.search(problem)
    missing = _MISSING.search(problem)
    field = path["path"] if path else missing["field"] if missing else None
    what = _PATH.sub("", problem)
    where = f" in '{field}'" if path else ""
    return InvalidRequestError(f"{what}{where}.", param=field)
