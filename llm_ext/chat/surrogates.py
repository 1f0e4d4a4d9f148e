"""Halves of characters, which are no text: nothing can encode them."""


def without_surrogates(text: str) -> str:
    r"""Return ``text`` with pairs of halves joined, and ``U+FFFD`` for each other one.

    Python makes halves of escapes such as ``\ud83d``, which anybody can write.
    """
    data = text.encode("utf-16-le", errors="surrogatepass")
    return data.decode("utf-16-le", errors="replace")
