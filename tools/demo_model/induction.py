"""Weights to start from, with which a model copies what it reads before it is trained.

Small models learn to copy late: an induction head takes two layers that are of no use
without each other [1]. Here they are laid out by hand, and training goes on from there,
as it can from other weights that resemble trained ones [2]:

1. One coordinate of all embeddings is the same number, so that a head can attend to a
   place whatever stands there.
2. In the first layer, heads look one place back, and write a picture of the token there
   into coordinates that the embeddings leave free.
3. In the second layer, heads look for places whose token before is the token here, and
   write the token of that place back as an embedding: what came next the last time.

[1] Olsson et al., In-context Learning and Induction Heads, arXiv:2209.11895.
[2] Trockman and Kolter, Mimetic Initialization of Self-Attention Layers,
    arXiv:2305.09828.
"""

import torch
from torch import Tensor

from .model import Attention, Guide, Shape

_SCALE = 0.02
"""Standard deviation of an embedding's coordinates."""
_CONSTANT = 4.0
"""The coordinate that all tokens share, where a state's norm is the root of C."""
_PICTURES = 2
"""Heads of keys and values that look one place back."""
_BACK = 8.0
_BACK_PAIRS = 3
"""How sure they are, in logits for each pair of coordinates, and of how many pairs."""
_MATCH = 30.0
"""Logits of a place whose token before is the token here."""
_GAIN = 12.0
"""How much louder the copied token is than the token here."""
_REACH = 300
"""Places over which a match is still found."""


@torch.no_grad()
def prepare(model: Guide) -> None:
    """Lay out the heads of the first two layers of a model with random weights."""
    shape = model.shape
    free = _PICTURES * shape.head
    weight = model.embedding.weight
    weight[:, 1 : 1 + free] = 0
    weight[:, 0] = _SCALE * _CONSTANT  # 1
    first, second = (block.attention for block in model.blocks[:2])
    pictures = [_picture(shape, free) for _ in range(_PICTURES)]
    for number, picture in enumerate(pictures):
        _look_back(first, number, picture)
    seen = torch.cat(pictures)
    for number in range(shape.kv_heads):
        _look_up(second, number, seen, _picture(shape, free))


def _picture(shape: Shape, free: int) -> Tensor:
    """Return a random (D, C) projection of what an embedding has of its own."""
    own = shape.width - 1 - free
    picture = torch.zeros(shape.head, shape.width)
    picture[:, 1 + free :] = torch.linalg.qr(torch.randn(own, shape.head))[0].T
    return picture


def _look_back(attention: Attention, number: int, picture: Tensor) -> None:
    """Step 2: the key of the place before, turned on by one, is the query here."""
    shape = attention.shape
    query, key = _rows(shape, number)
    size = (_BACK * shape.head**0.5) ** 0.5 / _CONSTANT
    angles = _angles(shape)[:_BACK_PAIRS]
    pairs = 2 * torch.arange(_BACK_PAIRS)
    for weight in (attention.q.weight[query], attention.k.weight[key]):
        weight.zero_()
    attention.q.weight[query][pairs, 0] = size
    attention.k.weight[key][pairs, 0] = size * angles.cos()
    attention.k.weight[key][pairs + 1, 0] = size * angles.sin()
    attention.v.weight[key] = picture
    places = slice(1 + number * shape.head, 1 + (number + 1) * shape.head)
    attention.output.weight[:, query] = 0
    attention.output.weight[places, query] = _SCALE * torch.eye(shape.head)


def _look_up(attention: Attention, number: int, seen: Tensor, picture: Tensor) -> None:
    """Step 3, on the pairs of coordinates that turn too slowly to matter."""
    shape = attention.shape
    query, key = _rows(shape, number)
    slow = (_angles(shape) * _REACH < 1.5).nonzero().flatten()  # noqa: PLR2004  # a right angle
    places = torch.stack((2 * slow, 2 * slow + 1)).flatten()
    free = len(seen)
    mix = torch.linalg.qr(torch.randn(free, len(places)))[0].T
    own = shape.width - 1 - free
    length = (shape.width * len(places) / own) ** 0.5
    size = (_MATCH * shape.head**0.5) ** 0.5 / length
    for weight in (attention.q.weight[query], attention.k.weight[key]):
        weight.zero_()
    attention.q.weight[query][places] = size * mix @ seen
    attention.k.weight[key][places, 1 : 1 + free] = size * mix
    attention.v.weight[key] = picture
    attention.output.weight[:, query] = _SCALE * _GAIN * picture.T


def _rows(shape: Shape, number: int) -> tuple[slice, slice]:
    """Return the rows of the first head of queries of a group, and of its keys."""
    start = number * shape.head
    first = start * (shape.heads // shape.kv_heads)
    return slice(first, first + shape.head), slice(start, start + shape.head)


def _angles(shape: Shape) -> Tensor:
    """Return the angle by which each pair of coordinates turns a place, (D / 2,)."""
    pairs = torch.arange(0, shape.head, 2) / shape.head
    return shape.rope_base**-pairs
