"""The names models go by.

A model's id is derived from its file's name, so that it is the same on every machine
and needs no quoting in a URL::

    id    = part *("-" part)
    part  = 1*(lowercase letter / digit)

``Llama-3.2-1B-Instruct-Q4_K_M.gguf`` becomes ``llama-3-2-1b-instruct-q4-k-m``. What a
person types is brought to the same form, so any spelling of the file's name finds it.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable

_SUFFIX = ".gguf"
_SEPARATORS = re.compile(r"[^a-z0-9]+")


def model_id(name: str) -> str:
    """Return the id for a file name or for what a person typed ("" if nothing is left).

    A trailing ``.gguf`` is dropped, letters are lowercased, accents removed and every
    run of other characters becomes one hyphen.
    """
    plain = unicodedata.normalize("NFKD", name.strip())
    plain = plain.encode("ascii", "ignore").decode().lower()
    return _SEPARATORS.sub("-", plain.removesuffix(_SUFFIX)).strip("-")


def near_matches(name: str, known: Iterable[str]) -> list[str]:
    """Return up to three known ids that a mistyped ``name`` may have meant."""
    wanted = model_id(name)
    ids = sorted(known)
    contained = [known_id for known_id in ids if wanted and wanted in known_id]
    similar = difflib.get_close_matches(wanted, ids, n=3, cutoff=0.5)
    return list(dict.fromkeys([*contained, *similar]))[:3]
