"""What OpenAI's clients want a stream to carry beside the answer."""

import msgspec


class StreamOptions(msgspec.Struct):
    """``stream_options``.

    Attributes:
        include_usage: Whether it ends with a chunk of token counts.
        include_progress: Whether the queue, the load and the prompt's progress are
            ``status`` events (an extension; other clients get comments).
    """

    include_usage: bool | None = None
    include_progress: bool | None = None
