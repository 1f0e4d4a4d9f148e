"""Which releases of llama-cpp-python this package may use: pure."""

import re

TESTED = ((0, 3, 36), (0, 3, 37))
"""From, and below. Its low-level structs change between releases."""

_RELEASE = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def version_problem(version: str) -> str | None:
    """Return why ``version`` of llama-cpp-python cannot be used; None if it can."""
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
