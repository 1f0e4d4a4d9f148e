"""``v1/responses``: items while they are written, and the events that tell of it."""

from collections.abc import Iterator
from typing import Protocol

from llm_ext.wire.openai.chat_reply import LikelyToken

from .output import (
    CallItem,
    MessageItem,
    OutputItem,
    OutputText,
    ReasoningItem,
    ReasoningText,
    Status,
)
from .response import (
    ArgumentsAdded,
    ArgumentsDone,
    ItemAdded,
    ItemDone,
    PartAdded,
    PartDone,
    StreamEvent,
    TextAdded,
    TextDone,
    ThoughtAdded,
    ThoughtDone,
)


class Growing(Protocol):
    """An item of which more may come."""

    def begin(self) -> Iterator[StreamEvent]:
        """Yield the events of its beginning."""

    def end(self, status: Status) -> Iterator[StreamEvent]:
        """Yield the events of its end."""

    def item(self, status: Status) -> OutputItem:
        """Return what there is of it."""


class GrowingMessage:
    """What the answer says.

    Attributes:
        prefix: What its id begins with.
    """

    prefix = "msg"

    def __init__(self, index: int, item_id: str) -> None:
        self._index = index
        self._id = item_id
        self._text = ""
        self._logprobs: tuple[LikelyToken, ...] = ()

    def begin(self) -> Iterator[StreamEvent]:
        """See Growing."""
        yield ItemAdded(output_index=self._index, item=MessageItem(id=self._id))
        yield PartAdded(output_index=self._index, item_id=self._id, part=OutputText())

    def grow(self, text: str, logprobs: tuple[LikelyToken, ...]) -> StreamEvent:
        """Return the event of some more text."""
        self._text += text
        self._logprobs += logprobs
        return TextAdded(
            output_index=self._index, item_id=self._id, delta=text, logprobs=logprobs
        )

    def end(self, status: Status) -> Iterator[StreamEvent]:
        """See Growing."""
        yield TextDone(
            output_index=self._index,
            item_id=self._id,
            text=self._text,
            logprobs=self._logprobs,
        )
        yield PartDone(output_index=self._index, item_id=self._id, part=self._part)
        yield ItemDone(output_index=self._index, item=self.item(status))

    def item(self, status: Status) -> MessageItem:
        """See Growing."""
        return MessageItem(id=self._id, status=status, content=(self._part,))

    @property
    def _part(self) -> OutputText:
        return OutputText(text=self._text, logprobs=self._logprobs)


class GrowingThought:
    """What is thought before.

    Attributes:
        prefix: What its id begins with.
    """

    prefix = "rs"

    def __init__(self, index: int, item_id: str) -> None:
        self._index = index
        self._id = item_id
        self._text = ""

    def begin(self) -> Iterator[StreamEvent]:
        """See Growing."""
        yield ItemAdded(output_index=self._index, item=ReasoningItem(id=self._id))
        part = ReasoningText()
        yield PartAdded(output_index=self._index, item_id=self._id, part=part)

    def grow(self, text: str) -> StreamEvent:
        """Return the event of some more text."""
        self._text += text
        return ThoughtAdded(output_index=self._index, item_id=self._id, delta=text)

    def end(self, status: Status) -> Iterator[StreamEvent]:
        """See Growing."""
        yield ThoughtDone(output_index=self._index, item_id=self._id, text=self._text)
        part = ReasoningText(text=self._text)
        yield PartDone(output_index=self._index, item_id=self._id, part=part)
        yield ItemDone(output_index=self._index, item=self.item(status))

    def item(self, status: Status) -> ReasoningItem:
        """See Growing."""
        content = (ReasoningText(text=self._text),)
        return ReasoningItem(id=self._id, status=status, content=content)


class GrowingCall:
    """A call of a function.

    Attributes:
        prefix: What its id begins with.
    """

    prefix = "fc"

    def __init__(self, index: int, item_id: str, *, call_id: str, name: str) -> None:
        self._index = index
        self._id = item_id
        self._call_id = call_id
        self._name = name
        self._arguments = ""

    def begin(self) -> Iterator[StreamEvent]:
        """See Growing."""
        yield ItemAdded(output_index=self._index, item=self.item("in_progress"))

    def grow(self, arguments: str) -> StreamEvent:
        """Return the event of some more of the arguments."""
        self._arguments += arguments
        return ArgumentsAdded(
            output_index=self._index, item_id=self._id, delta=arguments
        )

    def end(self, status: Status) -> Iterator[StreamEvent]:
        """See Growing; the arguments of a call that came to nothing are never done."""
        if status == "completed":
            yield ArgumentsDone(
                output_index=self._index,
                item_id=self._id,
                name=self._name,
                arguments=self._arguments,
            )
        yield ItemDone(output_index=self._index, item=self.item(status))

    def item(self, status: Status) -> CallItem:
        """See Growing."""
        return CallItem(
            id=self._id,
            call_id=self._call_id,
            name=self._name,
            status=status,
            arguments=self._arguments,
        )
