"""A query and a document as one input, of which a reranker says how well they fit."""

import re

from .vocab import Vocab


def pair_tokens(
    vocab: Vocab, query: str, document: str, *, template: str | None = None
) -> list[int]:
    """Return the tokens of a pair, put together as llama-server does it.

    With the model's own template (``Model.rerank_template``) they are the tokens of
    the template with both texts in their places, in which special tokens are
    recognised. Without one they are ``bos query eos sep document eos``, each mark only
    where the vocabulary says that it adds it, and the separator in the place of a
    missing eos; special tokens in the texts are text. After ``format_prompt_rerank`` in
    llama.cpp's ``tools/server/server-common.cpp``.
    """
    if template is not None:
        return vocab.tokenize_part(_filled(template, query, document), special=True)
    end = vocab.sep_id if vocab.eos_id is None else vocab.eos_id
    tokens = [
        *_mark(vocab.bos_id, added=vocab.adds_bos),
        *vocab.tokenize_part(query, special=False),
        *_mark(end, added=vocab.adds_eos),
        *_mark(vocab.sep_id, added=vocab.adds_sep),
        *vocab.tokenize_part(document, special=False),
    ]
    return [*tokens, *_mark(end, added=vocab.adds_eos)]


def _filled(template: str, query: str, document: str) -> str:
    # In one pass, so that neither text is searched for the other's place.
    texts = {"{query}": query, "{document}": document}
    return re.sub("|".join(map(re.escape, texts)), lambda at: texts[at[0]], template)


def _mark(token: int | None, *, added: bool) -> list[int]:
    return [token] if added and token is not None else []
