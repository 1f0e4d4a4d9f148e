"""Reading a request's body, with errors that name the field."""

import re
from typing import TypeVar

import msgspec

from llm_ext.errors import InvalidRequestError

_Body = TypeVar("_Body")

_PATH = re.compile(r" - at `\$\.(?P<path>[^`]+)`$")
_MISSING = re.compile(r"missing required field `(?P<field>\w+)`")


def decode(decoder: "msgspec.json.Decoder[_Body]", data: bytes) -> _Body:
    """Return what a body says.

    Raises:
        InvalidRequestError: It is no JSON, lacks a field, or holds one of a wrong
            type; names the field.
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error
    except msgspec.DecodeError as error:
        raise InvalidRequestError(
            f"The request's body is not JSON: {error}."
        ) from error


def _invalid(problem: str) -> InvalidRequestError:
    path = _PATH.search(problem)
    missing = _MISSING.search(problem)
    field = path["path"] if path else missing["field"] if missing else None
    what = _PATH.sub("", problem)
    where = f" in '{field}'" if path else ""
    return InvalidRequestError(f"{what}{where}.", param=field)
