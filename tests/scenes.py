"""What can happen to a request, as every dialect has to tell it."""

from llm_ext.core.events import (
    Accepted,
    ChoiceEnded,
    Event,
    Failed,
    Finished,
    FinishReason,
    Loading,
    PromptProgress,
    Queued,
    Ready,
    ReasoningDelta,
    Rerouted,
    TextDelta,
    ToolCallBroken,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)

COUNTS = Usage(
    prompt_tokens=12, completion_tokens=5, cached_tokens=4, reasoning_tokens=2
)


def _end(reason: FinishReason, stop: str | None = None) -> list[Event]:
    return [ChoiceEnded(0, reason, stop), Finished(reason, COUNTS)]


_ACCEPTED: list[Event] = [Accepted(12)]
_TEXT: list[Event] = [TextDelta("Hel"), TextDelta("lo.")]

SCENES: dict[str, list[Event]] = {
    "text": [*_ACCEPTED, *_TEXT, *_end("stop")],
    "cold": [
        Loading("starting", 0.0),
        Loading("loading", 0.5),
        Ready(),
        *_ACCEPTED,
        Queued(1),
        PromptProgress(8, 12),
        *_TEXT,
        *_end("stop"),
    ],
    "length": [*_ACCEPTED, *_TEXT, *_end("length")],
    "stop_string": [*_ACCEPTED, *_TEXT, *_end("stop", "###")],
    "nothing": [*_ACCEPTED, *_end("stop")],
    "thought": [
        *_ACCEPTED,
        ReasoningDelta("Who is "),
        ReasoningDelta("there?"),
        *_TEXT,
        *_end("stop"),
    ],
    "calls": [
        *_ACCEPTED,
        TextDelta("Let me look."),
        ToolCallStarted(0, "call_a", "look"),
        ToolCallDelta(0, '{"at": '),
        ToolCallDelta(0, '"the sky"}'),
        ToolCallStarted(1, "call_b", "wait"),
        ToolCallDelta(1, "{}"),
        *_end("tool_calls"),
    ],
    "broken_call": [
        *_ACCEPTED,
        ToolCallStarted(0, "call_a", "look"),
        ToolCallDelta(0, '{"at": "th'),
        ToolCallBroken(0),
        TextDelta('{"name": "look", "arguments": {"at": "th'),
        *_end("length"),
    ],
    "no_load": [
        Loading("starting", 0.0),
        Failed("model_load_failed", "llama.cpp refused the file."),
    ],
    "rerouted": [
        Loading("starting", 0.0),
        Rerouted("lab/m", "It does not fit into memory."),
        Accepted(0),
        *_TEXT,
        *_end("stop"),
    ],
    "death": [
        *_ACCEPTED,
        *_TEXT,
        Failed("worker_died", "The model's process ended."),
    ],
}
"""By a name; each is one request from its beginning to its end."""
