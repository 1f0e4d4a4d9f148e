"""The prompt by which a model fills a gap in a text.

As llama-server puts it together, of the model's own special tokens: other files before
the text, then what is before the gap, then what is after it.
"""

from collections.abc import Iterable, Sequence

from llama_cpp import llama_cpp as lib

from llm_ext.core.requests import ContextFile
from llm_ext.errors import NotSupportedError

from .vocab import Vocab

_REPOSITORY = "myproject\n"
_FILE = "filename\n"
"""Names that llama-server gives the project and the text; models were trained to see
some."""

_APART = "\n\n--- snippet ---\n\n"
"""What stands between files for a model that has no token for that."""


def infill_tokens(
    vocab: Vocab,
    before: Sequence[int],
    after: str,
    files: Iterable[ContextFile] = (),
) -> list[int]:
    """Return the prompt whose answer goes between ``before`` and ``after``.

    Raises:
        NotSupportedError: The model was not made for that.
    """
    prefix = lib.llama_vocab_fim_pre(vocab.pointer)
    suffix = lib.llama_vocab_fim_suf(vocab.pointer)
    middle = lib.llama_vocab_fim_mid(vocab.pointer)
    if min(prefix, suffix, middle) < 0:
        raise NotSupportedError(
            "This model cannot fill gaps: its vocabulary has no tokens for what is "
            "before and after one. Leave the suffix out, or use a model made for code, "
            "such as Qwen2.5-Coder.",
            param="suffix",
        )
    start = [vocab.bos_id] if vocab.adds_bos and vocab.bos_id is not None else []
    return [
        *start,
        *_files(vocab, files),
        prefix,
        *before,
        suffix,
        *vocab.tokenize_part(after, special=False),
        middle,
    ]


def _files(vocab: Vocab, files: Iterable[ContextFile]) -> list[int]:
    """Return the tokens of other files; those of their names where there is a mark."""
    files = tuple(files)
    if not files:
        return []
    repository = lib.llama_vocab_fim_rep(vocab.pointer)
    mark = lib.llama_vocab_fim_sep(vocab.pointer)
    found: list[int] = []
    if repository >= 0:
        found += [repository, *_plain(vocab, _REPOSITORY)]
    for file in files:
        if mark >= 0:
            found += [mark, *_plain(vocab, f"{file.name}\n")]
        else:
            found += _plain(vocab, _APART)
        found += _plain(vocab, file.text)
    if mark >= 0:
        found += [mark, *_plain(vocab, _FILE)]
    return found


def _plain(vocab: Vocab, text: str) -> list[int]:
    return vocab.tokenize_part(text, special=False)
