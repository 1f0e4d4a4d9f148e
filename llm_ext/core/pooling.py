"""How a model's rows, one a token, become one result for a text."""

from typing import Literal, TypeAlias

Pooling: TypeAlias = Literal["mean", "cls", "last", "rank"]
"""One vector: the rows' mean, the first token's row, or the last one's. Rank gives a
score instead, from a head that only rerankers have."""
