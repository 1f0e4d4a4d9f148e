"""What every dialect's request becomes."""

from typing import Any, TypeAlias

import msgspec

from .constraint import Constraint
from .messages import ChatMessage
from .sampling import SamplingOptions
from .tools import Tool, ToolChoice


class _Request(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    model: str


class ChatRequest(_Request, frozen=True, kw_only=True):
    """Answer the last of ``messages`` with the model that has the id ``model``.

    Attributes:
        messages: The turns so far.
        sampling: How the answer is drawn.
        constraint: What the answer must be.
        tools: What the model may call.
        tool_choice: Whether it calls them.
        template_name: Which of the model's chat templates is used; None takes the one
            for tools where there are tools and such a template, else the default.
        template_options: Further variables for the chat template.
        continue_final: Whether the last message, the assistant's, is to be gone on
            with rather than answered.
        generation_prompt: Whether the prompt ends with the opening of an assistant's
            turn; has no meaning with ``continue_final``.
        reasoning: Whether what the model thinks is told apart from what it answers;
            otherwise all that it writes is the answer.
    """

    messages: tuple[ChatMessage, ...]
    sampling: SamplingOptions
    constraint: Constraint | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = ToolChoice()
    template_name: str | None = None
    template_options: dict[str, Any] = {}
    continue_final: bool = False
    generation_prompt: bool = True
    reasoning: bool = True

    @property
    def constrained(self) -> bool:
        """Whether an answer has to keep to a grammar."""
        return self.constraint is not None or self.tool_choice.mode == "required"


class ContextFile(msgspec.Struct, frozen=True, kw_only=True):
    """A text that lies beside the one with the gap: its name, and what is in it."""

    name: str
    text: str


class CompletionRequest(_Request, frozen=True, kw_only=True):
    """Go on with each of ``prompts`` as it is, without a chat template.

    The answers are numbered prompt by prompt: with ``n`` of 2, those to the second
    prompt are the choices 2 and 3.

    Attributes:
        prompts: Texts, or the tokens of texts.
        sampling: How the answers are drawn; ``n`` is for each prompt.
        constraint: What an answer must be.
        suffix: What follows the gap that an answer fills, and whose beginning is the
            prompt; None where there is no gap.
        files: What else the model is to know when it fills a gap.
        echo: Whether an answer begins with its prompt.
    """

    prompts: tuple[str | tuple[int, ...], ...]
    sampling: SamplingOptions
    constraint: Constraint | None = None
    suffix: str | None = None
    files: tuple[ContextFile, ...] = ()
    echo: bool = False

    @property
    def constrained(self) -> bool:
        """Whether an answer has to keep to a grammar."""
        return self.constraint is not None


class EmbedRequest(_Request, frozen=True, kw_only=True):
    """Turn each of ``inputs`` into a vector of length 1.

    Attributes:
        inputs: Texts, or the tokens of texts.
        dimensions: Components to keep; None keeps all.
        truncate: Whether the end of a longer text than the model can read is left out;
            otherwise it is refused.
    """

    inputs: tuple[str | tuple[int, ...], ...]
    dimensions: int | None = None
    truncate: bool = False


class RankRequest(_Request, frozen=True, kw_only=True):
    """Say how well each of ``documents`` answers ``query``."""

    query: str
    documents: tuple[str, ...]


Request: TypeAlias = ChatRequest | CompletionRequest | EmbedRequest | RankRequest
