"""Frames and messages between server and worker."""

import io

import msgspec
import pytest

from llm_ext.core.events import Accepted, Failed, Finished, TextDelta, Usage
from llm_ext.core.load_options import LoadOptions
from llm_ext.core.messages import ChatMessage
from llm_ext.core.requests import ChatRequest
from llm_ext.core.sampling import SamplingOptions
from llm_ext.ipc.channel import ChannelError, read_frame, write_frame
from llm_ext.ipc.codec import decode_command, decode_report, encode
from llm_ext.ipc.messages import (
    Cancel,
    Command,
    EngineStatus,
    Generate,
    Load,
    Loaded,
    LoadFailed,
    Progress,
    Published,
    Report,
)

STATUS = EngineStatus(steps=3, slots=4, busy=1)
REQUEST = ChatRequest(
    model="m",
    messages=(ChatMessage(role="user", content="é"),),
    sampling=SamplingOptions(stop=("x",), seed=7),
)
COMMANDS: list[Command] = [
    Load(path="/m.gguf", options=LoadOptions(slots=2)),
    Generate(request_id=1, request=REQUEST),
    Cancel(request_id=1),
]
REPORTS: list[Report] = [
    Progress(stage="reading", fraction=0.5),
    Loaded(description="d", context_length=8, memory_kind="attention", status=STATUS),
    LoadFailed(code="model_unreadable", message="Why."),
    Published(
        events=[
            (1, Accepted(prompt_tokens=2)),
            (1, TextDelta(text="a")),
            (
                1,
                Finished(
                    reason="stop", usage=Usage(prompt_tokens=2, completion_tokens=1)
                ),
            ),
            (2, Failed(code="engine_error", message="Why.")),
        ],
        status=STATUS,
    ),
]


@pytest.mark.parametrize("message", COMMANDS, ids=lambda m: type(m).__name__)
def test_commands_arrive_as_they_were_sent(message: Command) -> None:
    assert decode_command(encode(message)) == message


@pytest.mark.parametrize("message", REPORTS, ids=lambda m: type(m).__name__)
def test_reports_arrive_as_they_were_sent(message: Report) -> None:
    assert decode_report(encode(message)) == message


def test_a_message_of_the_other_direction_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_command(encode(REPORTS[0]))


def test_frames_come_out_one_by_one_and_then_the_end() -> None:
    pipe = io.BytesIO()
    for data in (b"one", b"", b"three"):
        write_frame(pipe, data)
    pipe.seek(0)
    assert [read_frame(pipe) for _ in range(4)] == [b"one", b"", b"three", None]


@pytest.mark.parametrize("cut", [1, 3, 5])
def test_a_frame_that_was_cut_is_the_end(cut: int) -> None:
    """The other side died while it wrote."""
    pipe = io.BytesIO()
    write_frame(pipe, b"data")
    assert read_frame(io.BytesIO(pipe.getvalue()[:cut])) is None


def test_an_impossible_length_is_an_error() -> None:
    with pytest.raises(ChannelError):
        read_frame(io.BytesIO(b"\xff\xff\xff\xffx"))
