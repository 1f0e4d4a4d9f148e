"""What a chat has read leaves the cache beside others, and comes back with its turn."""

from pathlib import Path

import openai
import pytest

from tests.conftest import LONG_CONTEXT
from tests.live import LiveServer, live_server
from tests.waiting import eventually

NOTES = " ".join(f"line {number} of the notes" for number in range(120))


def swapped(live: LiveServer) -> int:
    """Return the tokens that left the cache."""
    return int(live.model("babble")["engine"]["swapped"])


@pytest.mark.parametrize("prefix_memory", [10**8, 0])
def test_a_chat_goes_on_from_what_was_read_beside_another(
    tmp_path: Path, models: Path, prefix_memory: int
) -> None:
    """Wherever that was kept meanwhile: in memory of its own, or in the cache."""
    option = f"--LLMExt.prefix_memory={prefix_memory}"
    with (
        live_server(tmp_path, models, LONG_CONTEXT, option) as live,
        openai.OpenAI(
            base_url=f"{live.url}llm/v1", api_key="none", default_headers=live.headers
        ) as client,
    ):
        chat = [{"role": "user", "content": NOTES}]
        asked = {"model": "babble", "max_tokens": 4, "temperature": 0}
        first = client.chat.completions.create(messages=chat, **asked)  # type: ignore[call-overload]  # a list of dicts
        read = first.usage.prompt_tokens
        assert read > 500
        other = [{"role": "user", "content": "Hi"}]
        endless = {**asked, "max_tokens": 20_000, "stream": True}
        with client.chat.completions.create(messages=other, **endless) as stream:  # type: ignore[call-overload]  # likewise
            next(iter(stream))
            if prefix_memory:
                eventually(lambda: swapped(live) >= read)
            chat += [
                {"role": "assistant", "content": first.choices[0].message.content},
                {"role": "user", "content": "And then?"},
            ]
            again = client.chat.completions.create(messages=chat, **asked)  # type: ignore[call-overload]  # likewise
            assert again.usage.prompt_tokens_details.cached_tokens >= read - 8
            assert next(iter(stream)) is not None
        if not prefix_memory:
            assert swapped(live) == 0
    assert "Traceback" not in live.log, live.log
