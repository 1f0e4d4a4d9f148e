"""Reading a request's body, with errors that name the field."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

import msgspec

from llm_ext.errors import InvalidRequestError

_Body = TypeVar("_Body")

_names = msgspec.json.Decoder(dict[str, msgspec.Raw])

_LEAST, _MOST = -(2**63), 2**64 - 1
_LONG = re.compile(rb"\d{19}")
"""What an integer of more than 64 bits has; few bodies have it."""

_CONTAINERS = (dict, list, tuple, msgspec.Struct)

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
    # Names are put together for a culprit only, and only what is open is held: a body
    # may have millions of parts.
    path: list[object] = []
    opened: list[Iterator[tuple[object, object]]] = [iter([("", body)])]
    while opened:
        for name, part in opened[-1]:
            if type(part) is int:
                if not _LEAST <= part <= _MOST:
                    raise _too_long([*path, name][1:])
            elif isinstance(part, _CONTAINERS):
                path.append(name)
                opened.append(_parts(part))
                break
        else:
            opened.pop()
            del path[-1:]  # the outermost has no name


def _parts(container: object) -> Iterator[tuple[object, object]]:
    match container:
        case msgspec.Struct():
            names = zip(
                container.__struct_encode_fields__,
                container.__struct_fields__,
                strict=True,
            )
            return ((name, getattr(container, field)) for name, field in names)
        case dict():
            return iter(container.items())
        case list() | tuple():
            return enumerate(container)
    raise TypeError(container)


def _too_long(path: Sequence[object]) -> InvalidRequestError:
    named = (f"[{name}]" if isinstance(name, int) else f".{name}" for name in path)
    field = "".join(named).removeprefix(".")
    where = f" in '{field}'" if field else ""
    return InvalidRequestError(
        f"An integer{where} has more than 64 bits.", param=field or None
    )


def _invalid(problem: str) -> InvalidRequestError:
    path = _PATH.search(problem)
    missing = _MISSING.search(problem)
    field = path["path"] if path else missing["field"] if missing else None
    what = _PATH.sub("", problem)
    where = f" in '{field}'" if path else ""
    return InvalidRequestError(f"{what}{where}.", param=field)
