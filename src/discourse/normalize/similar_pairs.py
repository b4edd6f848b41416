"""Which texts resemble an earlier one, from their MinHash signatures: candidates by bands, then counted exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Jaccard. A changed word takes three sequences with it: campaign letters of 40 words that differ in four are at 0.6.
SIMILARITY = 0.55
# A pair at the threshold shares none of 40 bands of 3 rows with probability 0.0007.
BANDS, _BAND_ROWS = 40, 3
PERMUTATIONS = BANDS * _BAND_ROWS

# Leaders that are alike without being near-duplicates could fill a bucket without end in a hostile table.
_MAX_LEADERS = 16
# Share of equal signature rows below which a pair is not counted exactly: four standard errors under the threshold.
_LIKELY = 0.37
# Compared at a time.
_PAIRS, _SHINGLES = 100_000, 2_000_000

Hashes = NDArray[np.uint64]
Indices = NDArray[np.int64]
Signatures = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Texts:
    """What texts are compared by.

    Attributes:
        signatures: one row of PERMUTATIONS numbers a text, in the order in which texts came.
        sets: hashes of their three-word sequences, end to end.
        starts: where each text's hashes begin in `sets`, and at last where they end.
        order: which texts are compared, the first first.
    """

    signatures: Signatures
    sets: Hashes
    starts: Indices
    order: Indices

    def likely(self, pairs: Indices) -> NDArray[np.bool_]:
        """Tell which pairs, given by their places in the order, have enough of their signatures in common."""
        one, other = self.signatures[self.order[pairs[:, 0]]], self.signatures[self.order[pairs[:, 1]]]
        return (one == other).mean(axis=1) >= _LIKELY

    def alike(self, pairs: Indices) -> NDArray[np.bool_]:
        """Tell which pairs share enough of their shingles, counted exactly."""
        found = np.zeros(len(pairs), dtype=np.bool_)
        if not len(pairs):
            return found
        # Some pairs at a time, by the number of shingles that they hold.
        held = np.cumsum(np.diff(self.starts)[self.order[pairs]].sum(axis=1))
        cuts = np.unique(np.searchsorted(held, np.arange(0, held[-1], _SHINGLES)))
        for begin, end in zip(cuts, np.append(cuts[1:], len(pairs)), strict=True):
            found[begin:end] = self._share_enough(pairs[begin:end])
        return found

    def first_like(self, place: int, others: list[int]) -> list[int]:
        """Return the first of `others`, which stand in order, that the text at `place` is like, or nothing."""
        pairs = np.column_stack([np.array(others, dtype=np.int64), np.full(len(others), place)])
        pairs = pairs[self.likely(pairs)]
        return pairs[self.alike(pairs), 0][:1].tolist()

    def _share_enough(self, pairs: Indices) -> NDArray[np.bool_]:
        number = len(pairs)
        texts = self.order[pairs].ravel()
        lengths = np.diff(self.starts)[texts]
        ends = np.cumsum(lengths)
        flat = self.sets[np.arange(ends[-1]) + np.repeat(self.starts[texts] - (ends - lengths), lengths)]
        side = np.repeat(np.arange(2 * number), lengths)
        rows = np.lexsort((side, flat, side // 2))
        flat, side = flat[rows], side[rows]
        # Within a pair equal hashes stand together, those of one text before those of the other: what both have
        # changes sides once.
        again = (flat[1:] == flat[:-1]) & (side[1:] // 2 == side[:-1] // 2)
        distinct = np.bincount(side[np.append(True, ~again)] // 2, minlength=number)
        common = np.bincount(side[1:][again & (side[1:] != side[:-1])] // 2, minlength=number)
        return common >= SIMILARITY * distinct


def band_keys(signatures: Signatures) -> Hashes:
    """Fold the rows of each band, and its number, into one key, shape (texts, bands)."""
    rows = signatures.astype(np.uint64).reshape(len(signatures), BANDS, _BAND_ROWS)
    keys = np.tile(np.arange(BANDS, dtype=np.uint64), (len(signatures), 1))
    with np.errstate(over="ignore"):
        for row in range(_BAND_ROWS):
            keys = (keys ^ rows[:, :, row]) * np.uint64(0x9E3779B97F4A7C15)
            keys ^= keys >> np.uint64(32)
    return keys


def lead(bands: Iterable[Hashes], texts: Texts) -> Indices:
    """Return for each text the first of its cluster: itself, or the earliest leader that it is like.

    A bucket is the texts that share a band's key. In small ones all pairs are compared at once; of large ones each text
    is compared with the first 16 leaders, so that a flood of texts that are alike, yet no duplicates, ends.

    Args:
        bands: the keys of all texts, in the order in which they came, for each band.
        texts: what they are compared by, and in which order.

    Returns:
        Places in the order, one for each text of the order.
    """
    large = dict[int, list[int]]()  # place in the order: its large buckets
    likely = [np.empty((0, 2), dtype=np.int64)]
    buckets = 0
    for every in bands:
        keys = every[texts.order]
        by_key = np.argsort(keys, kind="stable")
        starts = np.flatnonzero(np.append(True, keys[by_key][1:] != keys[by_key][:-1]))
        sizes = np.diff(np.append(starts, len(keys)))
        for start, size in zip(starts[sizes > _MAX_LEADERS + 1], sizes[sizes > _MAX_LEADERS + 1], strict=True):
            for place in by_key[start : start + size].tolist():
                large.setdefault(place, []).append(buckets)
            buckets += 1
        likely += [pairs[texts.likely(pairs)] for pairs in _pairs(by_key, starts, sizes)]
    pairs = np.unique(np.concatenate(likely), axis=0)
    return _follow(pairs[texts.alike(pairs)], large, texts)


def _follow(alike: Indices, large: dict[int, list[int]], texts: Texts) -> Indices:
    """Walk through the texts that are like another, or in a large bucket, in order, and give each its leader."""
    leader = np.arange(len(texts.order))
    earlier = dict[int, list[int]]()
    for one, other in alike.tolist():
        earlier.setdefault(other, []).append(one)
    filled = dict[int, list[int]]()
    for place in sorted(earlier.keys() | large.keys()):
        known = [one for one in earlier.get(place, ()) if leader[one] == one]
        others = {one for bucket in large.get(place, ()) for one in filled.get(bucket, ())}
        if others:
            known += texts.first_like(place, sorted(others))
        if known:
            leader[place] = min(known)
            continue
        for bucket in large.get(place, ()):
            leaders = filled.setdefault(bucket, [])
            if len(leaders) < _MAX_LEADERS:
                leaders.append(place)
    return leader


def _pairs(by_key: Indices, starts: Indices, sizes: Indices) -> Iterator[Indices]:
    """Yield the pairs (earlier, later) of all buckets that are not large, some at a time."""
    for size in range(2, _MAX_LEADERS + 2):
        at = starts[sizes == size]
        one, other = np.triu_indices(size, 1)
        step = max(_PAIRS // len(one), 1)
        for begin in range(0, len(at), step):
            members = by_key[at[begin : begin + step, None] + np.arange(size)]
            yield np.column_stack([members[:, one].ravel(), members[:, other].ravel()])
