"""What the routes that write an answer have in common."""

from typing import Any, Literal

import msgspec

from llm_ext.core.constraint import AnyJSON, Constraint, JSONSchema
from llm_ext.core.duration import kept_for
from llm_ext.core.requests import ChatRequest, CompletionRequest
from llm_ext.core.sampling import SamplingOptions
from llm_ext.errors import InvalidRequestError, NotSupportedError

from .context import Turn
from .options import Options, load_options, sampling

EFFORTS = ("low", "medium", "high", "max")


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed call.

    Attributes:
        model: As the client wrote it, and reads it in the answer.
        request: What to answer; None where the model is to be loaded or unloaded.
        stream: Whether the answer comes piece by piece.
        keep_alive: Seconds that the model stays loaded, negative for ever; None takes
            what is configured.
        load: How the model is to be loaded, by the fields of ``LoadOptions``.
        thinks: Whether the model has to be one that thinks.
        turns: What the conversation was so far, where the client wants it back.
    """

    model: str
    request: ChatRequest | CompletionRequest | None
    stream: bool = True
    keep_alive: float | None = None
    load: dict[str, Any] = {}
    thinks: bool = False
    turns: tuple[Turn, ...] | None = None


class ModelBody(msgspec.Struct, kw_only=True):
    """A model, and how it is to be there; null equals absent."""

    model: str
    keep_alive: float | str | None = None
    options: Options | None = None

    @property
    def kept(self) -> float | None:
        """The keep-alive in seconds.

        Raises:
            InvalidRequestError: It is no duration.
        """
        return kept_for(self.keep_alive)

    @property
    def load(self) -> dict[str, Any]:
        """How the model is to be loaded, by the fields of ``LoadOptions``."""
        return load_options(self.options or Options())


class AnswerBody(ModelBody, kw_only=True):
    """What can be said of an answer."""

    stream: bool | None = None
    format: str | dict[str, Any] | None = None
    think: bool | str | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None

    @property
    def sampling(self) -> SamplingOptions:
        """How the answer is drawn.

        Raises:
            InvalidRequestError: A value is out of its range; names the field.
        """
        told = self.top_logprobs or 0 if self.logprobs else None
        return sampling(self.options or Options(), logprobs=told)

    @property
    def constraint(self) -> Constraint | None:
        """What the answer must be.

        Raises:
            InvalidRequestError: It is no known format.
        """
        if not self.format:
            return None
        if isinstance(self.format, dict):
            return JSONSchema(
                schema=msgspec.json.encode(self.format).decode(), param="format"
            )
        if self.format == "json":
            return AnyJSON(param="format")
        raise InvalidRequestError(
            f"{self.format!r} is no format: write 'json', or a JSON schema as an "
            f"object.",
            param="format",
        )

    @property
    def template_options(self) -> dict[str, Any]:
        """What the chat template is told of thinking.

        Raises:
            InvalidRequestError: It is neither a yes or no nor a known effort.
        """
        if self.think is None:
            return {}
        if isinstance(self.think, bool):
            return {"enable_thinking": self.think}
        if self.think not in EFFORTS:
            raise InvalidRequestError(
                f"'think' is true, false or one of {', '.join(EFFORTS)}, not "
                f"{self.think!r}.",
                param="think",
            )
        return {"enable_thinking": True, "reasoning_effort": self.think}


def refuse_images(images: list[str] | None, *, param: str) -> None:
    """Refuse images, if there are any.

    Raises:
        NotSupportedError: There are.
    """
    if images:
        raise NotSupportedError(
            "Images are not supported: this version reads text. Leave 'images' out.",
            param=param,
        )


DoneReason = Literal["stop", "length", "load", "unload"]
