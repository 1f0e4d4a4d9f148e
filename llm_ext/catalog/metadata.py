"""A file's metadata, by the names and types that llama.cpp gives its keys."""

from collections.abc import Mapping, Sequence

from llm_ext.errors import ModelUnreadableError

from .gguf import LongArray, Value

MAX_LAYERS = 512
"""llama.cpp's limit."""

MAX_NUMBER = 2**32 - 1
"""llama.cpp keeps what it reads of a file in 32 bits."""


class Metadata:
    """Typed access. A value that the key cannot have counts as absent."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values
        self.architecture = self.text("general.architecture")

    def __contains__(self, key: str) -> bool:
        return self.name(key) in self._values

    def name(self, key: str) -> str:
        """Return the full key; a "%s" stands for the architecture, as in llama.cpp."""
        return key.replace("%s", self.architecture) if "%s" in key else key

    def text(self, key: str) -> str:
        """Return a string; "" without one."""
        value = self._values.get(self.name(key))
        return value if isinstance(value, str) else ""

    def number(self, key: str, default: int = 0) -> int:
        """Return an integer, not below 0; ``default`` without one."""
        found = _natural(self._values.get(self.name(key)))
        return default if found is None else found

    def required(self, key: str, *, most: int = MAX_NUMBER) -> int:
        """Return an integer from 1 to ``most``.

        Raises:
            ModelUnreadableError: There is none, and llama.cpp would load no such file.
        """
        number = self.number(key)
        if not 1 <= number <= most:
            raise ModelUnreadableError(
                f"Its metadata has no usable {self.name(key)!r}, without which "
                f"llama.cpp loads no model. Download another conversion of the model."
            )
        return number

    def truth(self, key: str, *, default: bool) -> bool:
        """Return a yes or no; ``default`` without one."""
        value = self._values.get(self.name(key))
        return value if isinstance(value, bool) else default

    def per_layer(self, key: str, layers: int, default: Sequence[int]) -> list[int]:
        """Return a number for each layer, of one for all or of an array.

        ``default`` stands where the file says nothing, and 0 beyond a short array.
        """
        value = self._values.get(self.name(key))
        if isinstance(value, list):
            numbers = [int(_natural(item) or 0) for item in value[:layers]]
            return numbers + [0] * (layers - len(numbers))
        one = _natural(value)
        return list(default) if one is None else [one] * layers

    def is_array(self, key: str) -> bool:
        """Whether the key's value is an array."""
        return isinstance(self._values.get(self.name(key)), (list, LongArray))

    def length(self, key: str) -> int:
        """Return how many elements an array has; 0 without one."""
        value = self._values.get(self.name(key))
        return len(value) if isinstance(value, (list, LongArray)) else 0

    def has_text(self, key: str, text: str) -> bool:
        """Whether ``text`` is among an array's strings."""
        value = self._values.get(self.name(key))
        if isinstance(value, LongArray):
            return value.has_text(text)
        return isinstance(value, list) and text in value


def _natural(value: Value | None) -> int | None:
    if isinstance(value, (bool, int)) and 0 <= value <= MAX_NUMBER:
        return int(value)
    return None
