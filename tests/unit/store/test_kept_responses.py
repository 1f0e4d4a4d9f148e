"""Responses that can be gone on from: whose they are, and how many are kept."""

import pytest

from llm_ext.core.messages import ChatMessage, ToolCall
from llm_ext.errors import ResponseNotFoundError
from llm_ext.store.responses import KeptResponse, Responses


def response(text: str) -> KeptResponse:
    return KeptResponse((ChatMessage(role="assistant", content=text),), b"{}")


def known(kept: Responses, user: str, *ids: str) -> list[bool]:
    return [knows(kept, user, response_id) for response_id in ids]


def knows(kept: Responses, user: str, response_id: str) -> bool:
    try:
        kept.find(user, response_id)
    except ResponseNotFoundError:
        return False
    return True


def test_a_response_is_its_users_alone() -> None:
    kept = Responses()
    kept.keep("ada", "r1", response("x"))
    assert kept.find("ada", "r1") == response("x")
    with pytest.raises(ResponseNotFoundError, match="r1"):
        kept.find("bob", "r1")
    with pytest.raises(ResponseNotFoundError):
        kept.delete("bob", "r1")
    assert known(kept, "ada", "r1") == [True]


def test_a_deleted_response_is_gone() -> None:
    kept = Responses()
    kept.keep("ada", "r1", response("x"))
    kept.delete("ada", "r1")
    assert known(kept, "ada", "r1") == [False]


def test_those_not_gone_on_from_for_longest_go_first() -> None:
    kept = Responses(most=2)
    kept.keep("ada", "r1", response("x"))
    kept.keep("ada", "r2", response("x"))
    kept.find("ada", "r1")
    kept.keep("ada", "r3", response("x"))
    assert known(kept, "ada", "r1", "r2", "r3") == [True, False, True]


def test_their_text_is_bounded_too() -> None:
    """Deleted ones no longer count."""
    kept = Responses(most_characters=30)
    for name in ("r1", "r2"):
        kept.keep("ada", name, response("x" * 10))
    kept.delete("ada", "r1")
    kept.keep("ada", "r3", response("x" * 10))
    assert known(kept, "ada", "r2", "r3") == [True, True]
    kept.keep("ada", "r4", response("x" * 10))
    assert known(kept, "ada", "r2", "r3", "r4") == [False, True, True]


def test_one_larger_than_all_may_be_drives_no_other_out() -> None:
    kept = Responses(most_characters=30)
    kept.keep("ada", "r1", response("x"))
    kept.keep("ada", "r2", response("x" * 40))
    assert known(kept, "ada", "r1", "r2") == [True, False]


def test_thoughts_and_calls_count() -> None:
    call = ToolCall(id="a", name="look", arguments="x" * 10)
    turn = ChatMessage(
        role="assistant", content="x", reasoning="x" * 20, tool_calls=(call,)
    )
    assert KeptResponse((turn,), b"{}").size == 33
