"""One pass over tokens that lie side by side without padding: what reading comments costs is multiplications alone.

Rows are sorted by length. Linear steps run over the tokens of many rows at once; attention runs over rows of the same
length, so that no mask is needed. A row's result does not depend on the rows beside it: each of its numbers is summed
up in the same order whatever the batch, so that a resumed or distributed run gives what an undisturbed one gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from discourse.config import Precision
from discourse.models import bert
from discourse.models.adapters import Adapter
from discourse.models.device import CPU, Device

TOKENS_A_BATCH = 2_048
TOKENS_ON_GPU = 65_536
TILE = 512  # tokens whose inner layer, 4 × as wide, stays in a core's cache between its two steps
LEVELS, WEIGHT_LEVELS = 127, 63  # with 63 no sum of two products overflows 16 bits on processors without VNNI

SMALLEST = 1e-30  # a scale that zeros can be divided by

Step = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Sequences:
    """Model inputs: vocabulary numbers and segment numbers (0 or 1) of each row, special tokens included."""

    ids: list[NDArray[np.int32]]
    segments: list[NDArray[np.int32]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens in each row."""
        return np.fromiter(map(len, self.ids), np.int64, len(self.ids))


@dataclass(frozen=True, slots=True)
class Alike:
    """Rows of one length that follow each other in a batch: the first one's first token, how many, how long."""

    start: int
    rows: int
    length: int


@dataclass(frozen=True, slots=True)
class Packed:
    """The tokens of some rows, one row after the other, longest first.

    `rows` are their numbers, `starts` their first tokens; ids, segments and places (from 0 in each row) are int64,
    tokens; `alike` covers all rows.
    """

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    ids: Tensor
    segments: Tensor
    places: Tensor
    alike: tuple[Alike, ...]


def packed(sequences: Sequences, tokens: int | None = None, device: Device = CPU) -> Iterator[Packed]:
    """Yield batches of rows, longest first, of at most `tokens` tokens each or of a single row, on a device."""
    tokens = tokens or (TOKENS_A_BATCH if device.name == CPU.name else TOKENS_ON_GPU)
    lengths = sequences.lengths
    order = np.argsort(-lengths, kind="stable")
    ends = np.cumsum(lengths[order])
    start = 0
    while start < len(order):
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + tokens, side="right")))
        yield _packed(sequences, order[start:stop], lengths[order[start:stop]], device)
        start = stop


def _packed(sequences: Sequences, rows: NDArray[np.int64], lengths: NDArray[np.int64], device: Device) -> Packed:
    ids = np.concatenate([sequences.ids[row] for row in rows]).astype(np.int64)
    segments = np.concatenate([sequences.segments[row] for row in rows]).astype(np.int64)
    starts = np.cumsum(lengths) - lengths
    places = np.arange(len(ids)) - np.repeat(starts, lengths)
    firsts = np.flatnonzero(np.diff(lengths, prepend=-1))
    counts = np.diff(np.append(firsts, len(rows)))
    alike = tuple(Alike(int(starts[i]), int(n), int(lengths[i])) for i, n in zip(firsts, counts, strict=True))
    ids, segments, places = (torch.from_numpy(each).to(device.name) for each in (ids, segments, places))
    return Packed(rows, starts, ids, segments, places, alike)


@dataclass(frozen=True, slots=True)
class PackedLayer:
    """One layer: its linear steps, made for the machine, and what normalises their sums."""

    heads: int
    query_key_value: Step
    attended: Step
    seen: bert.Residual
    inner: Step
    activation: Step
    outer: Step
    last: bert.Residual

    def __call__(self, hidden: Tensor, alike: Sequence[Alike]) -> Tensor:
        """Return the next states, tokens × width."""
        hidden = _normalised(self.seen, self.attended(self._attention(hidden, alike)).add_(hidden))
        parts = [self._forward(part) for part in hidden.split(TILE if hidden.is_cpu else len(hidden))]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _attention(self, hidden: Tensor, alike: Sequence[Alike]) -> Tensor:
        found = torch.empty_like(hidden)
        both = self.query_key_value(hidden)
        for some in alike:
            here = slice(some.start, some.start + some.rows * some.length)
            query, key, value = both[here].view(some.rows, some.length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            seen = functional.scaled_dot_product_attention(query, key, value)
            found[here].view(some.rows, some.length, self.heads, -1).copy_(seen.transpose(1, 2))
        return found

    def _forward(self, hidden: Tensor) -> Tensor:
        return _normalised(self.last, self.outer(self.activation(self.inner(hidden))).add_(hidden))


def _normalised(residual: bert.Residual, total: Tensor) -> Tensor:
    norm = residual.LayerNorm
    return functional.layer_norm(total, norm.normalized_shape, norm.weight, norm.bias, norm.eps)


def packed_layer(layer: bert.Layer, precision: Precision = "fp32", device: Device = CPU) -> PackedLayer:
    """Make a layer ready; its weights are copied and must not change any more."""
    layer = device.placed(layer)
    linear_step = STEPS[precision]
    own = layer.attention.self
    weight = torch.cat([own.query.weight, own.key.weight, own.value.weight])
    bias = torch.cat([own.query.bias, own.key.bias, own.value.bias])
    return PackedLayer(
        own.heads,
        linear_step(weight, bias),
        linear_step(*_of(layer.attention.output.dense)),
        layer.attention.output,
        linear_step(*_of(layer.intermediate.dense)),
        layer.intermediate.activation,
        linear_step(*_of(layer.output.dense)),
        layer.output,
    )


def _of(linear: nn.Linear | Adapter) -> tuple[Tensor, Tensor]:
    return linear.weight, linear.bias


def single_step(weight: Tensor, bias: Tensor) -> Step:
    """Return x ↦ x · weightᵀ + bias by the fastest multiplication in single precision that torch has here.

    torch multiplies by MKL, which on processors of other makers than Intel leaves AVX-512 unused; oneDNN uses it, with
    weights laid out once.
    """
    weight, bias = weight.detach(), bias.detach()
    if not (torch.backends.mkldnn.is_available() and weight.is_cpu and weight.dtype == torch.float32):
        return lambda hidden: functional.linear(hidden, weight, bias)
    one_dnn: Any = torch.ops.mkldnn
    # torch.compile's own calls; they have no public name.
    laid_out = one_dnn._reorder_linear_weight(weight.contiguous(), TOKENS_A_BATCH)  # noqa: SLF001
    multiply = one_dnn._linear_pointwise  # noqa: SLF001
    return lambda hidden: multiply(hidden, laid_out, bias, "none", [], "")


def int8_step(weight: Tensor, bias: Tensor) -> Step:
    """Return about the same in whole numbers of 8 bits: each row of x and each output of the weight by its own scale.

    Symmetric dynamic quantisation with a scale for each token (Yao et al. 2022, ZeroQuant), so that a token's result
    does not depend on what is read beside it.
    """
    weight, bias = weight.detach(), bias.detach()
    scale = weight.abs().amax(1).clamp(min=SMALLEST) / WEIGHT_LEVELS
    whole = (weight / scale[:, None]).round_().to(torch.int8).t()
    # torch's only product of two int8 matrices; it has no public name.
    product: Any = torch.ops.aten._int_mm  # noqa: SLF001

    def step(hidden: Tensor) -> Tensor:
        found = hidden.new_empty(len(hidden), len(bias))
        for part, out in zip(hidden.split(TILE), found.split(TILE), strict=True):
            rows = part.abs().amax(1, keepdim=True).clamp_(min=SMALLEST).div_(LEVELS)
            summed = product((part / rows).round_().to(torch.int8), whole)
            torch.addcmul(bias, summed.float().mul_(rows), scale, out=out)
        return found

    return step


STEPS: dict[Precision, Callable[[Tensor, Tensor], Step]] = {"fp32": single_step, "int8": int8_step}


def embedded(embeddings: bert.Embeddings, batch: Packed) -> Tensor:
    """Return the input vectors of a batch, tokens × width."""
    total = embeddings.word_embeddings(batch.ids)
    total += embeddings.token_type_embeddings(batch.segments)
    total += embeddings.position_embeddings(batch.places)
    return embeddings.LayerNorm(total)


def through(layers: Sequence[PackedLayer], hidden: Tensor, batch: Packed) -> Tensor:
    """Return the states of a batch after some layers, tokens × width; `hidden` itself is left as it is."""
    for layer in layers:
        hidden = layer(hidden, batch.alike)
    return hidden


def pooled(hidden: Tensor, batch: Packed) -> Tensor:
    """Return the mean of each row's states, rows × width, in single precision."""
    rows = [
        hidden[some.start : some.start + some.rows * some.length].view(some.rows, some.length, -1)
        for some in batch.alike
    ]
    return torch.cat([states.mean(1, dtype=torch.float32) for states in rows])
