"""What the magics do with a question, over a client that says what a test wants."""

from collections.abc import Generator, Sequence
from types import SimpleNamespace
from typing import Any

from kernel_magics.conversation import Conversation
from kernel_magics.errors import RefusedError
from kernel_magics.functions import Toolbox
from kernel_magics.magics.asking import Asked, show_answer
from kernel_magics.pieces import End, Piece, Text, ToolCall
from kernel_magics.render.bundles import Bundle

CALL = ToolCall(id="1", name="add", arguments='{"a": 1, "b": 2}')


class Shown:
    """Remembers how it was left."""

    def __init__(self) -> None:
        self.ends: list[Bundle] = []

    def progress(self, text: str, fraction: float | None, detail: str = "") -> None:
        pass

    def text(self, markdown: str, plain: str | None = None) -> None:
        pass

    def finish(self, bundle: Bundle) -> None:
        self.ends.append(bundle)

    below = finish


class Small:
    """Has room for four messages once a result is among them, and for six before."""

    def __init__(self) -> None:
        self.asked: list[Sequence[dict[str, Any]]] = []

    def chat(
        self,
        model: str,
        messages: Sequence[dict[str, Any]],
        **_options: Any,  # noqa: ANN401  # not looked at
    ) -> Generator[Piece, None, None]:
        self.asked.append([dict(message) for message in messages])
        is_second = messages[-1]["role"] == "tool"
        if len(messages) > (4 if is_second else 6):
            raise RefusedError("too long", code="context_length_exceeded")
        if is_second:
            yield Text(text="3")
            yield End(reason="stop", model=model)
        else:
            yield CALL
            yield End(reason="tool_calls", model=model)


def session(client: object, shown: Shown, turns: int) -> Any:  # noqa: ANN401  # what the magics need of one
    conversation = Conversation()
    for number in range(turns):
        conversation.add(f"q{number}", f"a{number}")
    return SimpleNamespace(
        client=client, conversation=conversation, values={}, output=lambda: shown
    )


def test_leaving_out_earlier_turns_calls_no_function_again() -> None:
    """Only the request that is too long is sent anew, the system message with it."""
    called = []

    def add(a: int, b: int) -> int:
        called.append((a, b))
        return a + b

    client, shown = Small(), Shown()
    asked = Asked(
        question="1 + 2?",
        prompt="1 + 2?",
        model="m",
        system="Brief.",
        history=4,
        toolbox=Toolbox([add]),
        allowed=True,
    )
    answer = show_answer(session(client, shown, 4), asked)

    assert (answer.text, called) == ("3", [(1, 2)])
    assert len(shown.ends) == 1
    contents = [[message["content"] for message in sent] for sent in client.asked]
    assert [len(sent) for sent in contents] == [10, 6, 8, 6, 4]
    assert contents[-1] == ["Brief.", "1 + 2?", "", "3"]
    assert contents[1] == ["Brief.", "q2", "a2", "q3", "a3", "1 + 2?"]
