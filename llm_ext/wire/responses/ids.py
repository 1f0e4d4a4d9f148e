"""``v1/responses``: ids. That of an item says which response it is of."""

_PLACE = 2
"""Digits of an item's place in its response."""


def response_id(reply_id: str) -> str:
    """Return the id of a response."""
    return f"resp_{reply_id}"


def item_id(prefix: str, reply_id: str, place: int) -> str:
    """Return the id of the item at a place of a response."""
    return f"{prefix}_{reply_id}{place:0{_PLACE}}"


def response_of(item: str) -> str:
    """Return the id of the response that the item with this id is of."""
    return response_id(item.partition("_")[2][:-_PLACE])
