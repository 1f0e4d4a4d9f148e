"""Which releases of llama-cpp-python this package may use."""

import importlib.metadata
import re

TESTED = ((0, 3, 36), (0, 3, 37))
"""From, and below. Its low-level structs change between releases."""

_RELEASE = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def installed_version() -> str | None:
    """Return the release of llama-cpp-python that is installed, if one is."""
    try:
        return importlib.metadata.version("llama-cpp-python")
    except importlib.metadata.PackageNotFoundError:
        return None


def version_problem(version: str | None) -> str | None:
    """Return why ``version`` of llama-cpp-python cannot be used; None if it can.

    A ``version`` of None is one that is not installed.
    """
    if version is None:
        return (
            "llama-cpp-python is not installed. Install it with 'pip install "
            "llama-cpp-python'."
        )
    low, high = TESTED
    found = _RELEASE.match(version)
    if found is not None and low <= tuple(map(int, found.groups())) < high:
        return None
    wanted = f">={_dotted(low)},<{_dotted(high)}"
    return (
        f"llama-cpp-python {version} is installed, but jupyter-llm-ext was tested with "
        f"{wanted}. Install that: pip install 'llama-cpp-python{wanted}'."
    )


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in numbers)
