"""A small Llama-architecture decoder, as llama.cpp computes it.

Sizes in the docstrings: B rows, T tokens a row, H heads, K heads of keys and values,
D the width of a head, C the width of the model.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # what everyone calls it

UNLEARNT = -100
"""A target that counts for nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """The sizes of the model."""

    vocabulary: int
    width: int = 256
    layers: int = 5
    heads: int = 8
    kv_heads: int = 4
    feed_forward: int = 640
    context: int = 2048
    rope_base: float = 500_000.0
    epsilon: float = 1e-5

    @property
    def head(self) -> int:
        """Width of one attention head."""
        return self.width // self.heads


class Attention(nn.Module):
    """Grouped-query attention; every ``H / K`` heads share keys and values."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        kv = shape.kv_heads * shape.head
        self.q = nn.Linear(shape.width, shape.width, bias=False)
        self.k = nn.Linear(shape.width, kv, bias=False)
        self.v = nn.Linear(shape.width, kv, bias=False)
        self.output = nn.Linear(shape.width, shape.width, bias=False)

    def forward(self, x: Tensor, turn: Tensor, mask: Tensor) -> Tensor:
        """Map (B, T, C) to (B, T, C); ``mask`` is (B, 1, T, T), true where seen."""
        rows, length, width = x.shape
        q, k, v = (
            part.view(rows, length, -1, self.shape.head).transpose(1, 2)
            for part in (self.q(x), self.k(x), self.v(x))
        )
        groups = self.shape.heads // self.shape.kv_heads
        k = rotate(k, turn).repeat_interleave(groups, dim=1)
        v = v.repeat_interleave(groups, dim=1)
        seen = F.scaled_dot_product_attention(rotate(q, turn), k, v, attn_mask=mask)
        out: Tensor = self.output(seen.transpose(1, 2).reshape(rows, length, width))
        return out


class FeedForward(nn.Module):
    """SwiGLU."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.up = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.down = nn.Linear(shape.feed_forward, shape.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, C) to (B, T, C)."""
        out: Tensor = self.down(F.silu(self.gate(x)) * self.up(x))
        return out


class Block(nn.Module):
    """One layer: attention, then the feed-forward part, each added to its input."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.attention = Attention(shape)
        self.feed_forward_norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.feed_forward = FeedForward(shape)

    def forward(self, x: Tensor, turn: Tensor, mask: Tensor) -> Tensor:
        """Map (B, T, C) to (B, T, C)."""
        x = x + self.attention(self.attention_norm(x), turn, mask)
        out: Tensor = x + self.feed_forward(self.feed_forward_norm(x))
        return out


class Guide(nn.Module):
    """The decoder; its output matrix is the transposed embedding."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.turns: Tensor
        self.register_buffer("turns", rotations(shape), persistent=False)
        for name, weight in self.named_parameters():
            if weight.ndim > 1:
                last = name.endswith(("output.weight", "down.weight"))
                scale = (2 * shape.layers) ** -0.5 if last else 1.0
                nn.init.normal_(weight, std=0.02 * scale)

    def forward(self, tokens: Tensor, documents: Tensor) -> Tensor:
        """Return the last layer's states, normalised.

        Args:
            tokens: Token ids, (B, T).
            documents: The number of each token's document, (B, T); a token sees what
                comes before it in its own.

        Returns:
            (B, T, C).
        """
        length = tokens.shape[1]
        same = documents[:, None, :, None] == documents[:, None, None, :]
        mask = same & torch.ones(length, length, dtype=torch.bool).tril()
        x: Tensor = self.embedding(tokens)
        for block in self.blocks:
            x = block(x, self.turns[:length], mask)
        out: Tensor = self.norm(x)
        return out

    def loss(self, tokens: Tensor, documents: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy over the targets that are learnt.

        The output matrix, a fifth of the work, is applied to these tokens alone.
        """
        learnt = targets != UNLEARNT
        logits = self.logits(self(tokens, documents)[learnt])
        return F.cross_entropy(logits.float(), targets[learnt])

    def logits(self, states: Tensor) -> Tensor:
        """Map states (..., C) to the logits of every token."""
        return F.linear(states, self.embedding.weight)

    @torch.no_grad()
    def greedy(self, tokens: list[int], *, ends: set[int], most: int) -> list[int]:
        """Return the likeliest continuation, without the token that ends it."""
        text = list(tokens)
        while len(text) < len(tokens) + most:
            row = torch.tensor([text])
            states = self(row, torch.zeros_like(row))
            token = int(self.logits(states[0, -1]).argmax())
            if token in ends:
                break
            text.append(token)
        return text[len(tokens) :]


def rotations(shape: Shape) -> Tensor:
    """Return the cosines and sines of every position, (context, D / 2, 2)."""
    pairs = torch.arange(0, shape.head, 2, dtype=torch.float64) / shape.head
    angles = torch.outer(torch.arange(shape.context), shape.rope_base**-pairs)
    return torch.stack((angles.cos(), angles.sin()), dim=-1).float()


def rotate(x: Tensor, turn: Tensor) -> Tensor:
    """Turn each pair of neighbours in a head by its position's angle.

    llama.cpp pairs neighbours for this architecture, and not, as others do, the first
    half of a head with the second.

    Args:
        x: (B, H, T, D).
        turn: (T, D / 2, 2).
    """
    even, odd = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    cosine, sine = turn.unbind(-1)
    pairs = (even * cosine - odd * sine, even * sine + odd * cosine)
    return torch.stack(pairs, dim=-1).flatten(-2).to(x.dtype)
