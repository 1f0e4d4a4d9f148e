"""What came back from a model."""

import json
from dataclasses import dataclass, field
from typing import Any

from .errors import SchemaError
from .fences import code_of, without_fences
from .inert import inert
from .pieces import ToolResult


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Tokens of all requests that an answer took.

    Attributes:
        prompt_tokens: That the model was given.
        completion_tokens: That it wrote.
        cached_tokens: Of the prompt's, those that had been computed before.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, kw_only=True)
class Timings:
    """How long an answer took, in seconds, as seen from here.

    Attributes:
        first: From the question to the first text; None if there was none.
        total: From the question to the end.
        tokens_per_second: Of the answer, once it had begun; None if unknown.
        server: The server's own figures of the last request, in llama-server's shape.
    """

    first: float | None
    total: float
    tokens_per_second: float | None = None
    server: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer; as a string, and in a notebook, it is its text.

    Attributes:
        text: What the model wrote.
        model: The model that wrote it.
        value: What the text says, where a schema was asked for; else the text.
        reasoning: What the model thought, where it tells.
        calls: The functions that it had called, in order.
        finish_reason: "stop"; "length" where the text was cut; "stopped" where it was
            interrupted.
        usage: Tokens.
        timings: Seconds.
    """

    text: str
    model: str = ""
    value: Any = None
    reasoning: str = ""
    calls: tuple[ToolResult, ...] = ()
    finish_reason: str = "stop"
    usage: Usage = Usage()
    timings: Timings = Timings(first=None, total=0.0)

    @property
    def json(self) -> Any:  # noqa: ANN401  # any JSON
        """The text read as JSON; code fences around it are overlooked.

        Raises:
            SchemaError: It is no JSON.
        """
        try:
            return json.loads(without_fences(self.text))
        except ValueError as error:
            raise SchemaError(
                f"the answer is no JSON: {error}. With schema=... it is certain to be."
            ) from error

    @property
    def code(self) -> str:
        """The first block of code in the text; the whole text where there is none."""
        return code_of(self.text)

    @property
    def statistics(self) -> str:
        """Tokens and times in one line."""
        usage, timings = self.usage, self.timings
        cached = f" ({usage.cached_tokens} cached)" if usage.cached_tokens else ""
        parts = [
            self.model,
            f"{usage.prompt_tokens} prompt tokens{cached}",
            f"{usage.completion_tokens} answer tokens",
        ]
        if timings.tokens_per_second is not None:
            parts.append(f"{timings.tokens_per_second:.1f} tokens/s")
        if timings.first is not None:
            parts.append(f"first word after {timings.first:.2f} s")
        parts.append(f"{timings.total:.2f} s in all")
        return " · ".join(part for part in parts if part)

    def __str__(self) -> str:
        """The text."""
        return self.text

    def __format__(self, spec: str) -> str:
        """The text, so that f-strings hold what the model wrote."""
        return format(self.text, spec)

    def _repr_markdown_(self) -> str:
        return inert(self.text)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ANN401, FBT001  # IPython's signature
        del cycle
        printer.text(self.text)
