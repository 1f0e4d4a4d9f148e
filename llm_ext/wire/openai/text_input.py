"""Texts to read, in the four shapes in which OpenAI's clients send them."""

from typing import TypeAlias

from llm_ext.errors import InvalidRequestError

TextInput: TypeAlias = str | list[str | int | list[int]]


def texts_or_tokens(
    given: TextInput, *, param: str
) -> tuple[str | tuple[int, ...], ...]:
    """Return one shape: a text, texts, tokens, lists of tokens.

    Raises:
        InvalidRequestError: Tokens are mixed with others; names ``param``.
    """
    if isinstance(given, str):
        return (given,)
    tokens = [part for part in given if isinstance(part, int)]
    if not tokens:
        return tuple(
            part if isinstance(part, str) else tuple(part)
            for part in given
            if not isinstance(part, int)
        )
    if len(tokens) < len(given):
        raise InvalidRequestError(
            f"'{param}' mixes tokens with texts or lists.", param=param
        )
    return (tuple(tokens),)
