"""Near-duplicates: texts that share most of their three-word sequences, found by MinHash and verified exactly.

Method: Broder (1997), resemblance of shingle sets; banded locality-sensitive hashing for the candidates.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

# Compiled, so that no names of it are known beforehand.
from rensa import RMinHash, RMinHashLSH  # pyright: ignore[reportAttributeAccessIssue] - see above

MIN_WORDS = 6
# Jaccard. A changed word takes three sequences with it: campaign letters of 40 words that differ in four are at 0.6.
SIMILARITY = 0.55

# A pair at the threshold shares none of 40 bands of 3 rows with probability 0.0007.
_BANDS, _BAND_ROWS = 40, 3
_PERMUTATIONS = _BANDS * _BAND_ROWS
_SEED = 20_240_229
_BATCH = 20_000
# Leaders that are alike without being near-duplicates could fill a bucket without end in a hostile table.
_MAX_LEADERS = 16
# Share of equal signature rows below which a pair is not counted exactly: four standard errors under the threshold.
_LIKELY = 0.37

Hashes = NDArray[np.uint64]


class _Signatures(Protocol):
    """What rensa returns: one MinHash signature a text."""

    def to_rows(self) -> list[list[int]]: ...


def near_duplicates(comments: pl.DataFrame) -> pl.Series:
    """Name for each comment the first of its near-duplicates.

    A text is compared with the first text of each cluster, never with later ones, so that a chain of small changes does
    not join texts that have little in common.

    Args:
        comments: in the order in which the first of a cluster is looked for; columns comment_id and text (null: left
            out).

    Returns:
        `duplicate_of`: comment_id, null for a text without near-duplicates and for the first of them.
    """
    words = pl.col("text").str.to_lowercase().str.extract_all(r"[\p{L}\p{M}\p{N}]+").alias("words")
    long = (
        comments.select("comment_id", words)
        .with_row_index("row")
        .filter(pl.col("words").list.len() >= MIN_WORDS)
        .with_columns(pl.col("words").list.join(" ").alias("same"))
    )
    # Equal word sequences first: a sticky text in a thousand threads is compared once.
    firsts = long.unique("same", keep="first", maintain_order=True)
    leader = _lead(*_shingles(firsts["words"]))
    ids = firsts.select("same", firsts["comment_id"].gather(pl.Series(leader)).alias("first_id"))
    found = long.join(ids, on="same", how="left", maintain_order="left").select("row", "first_id")
    return (
        comments.select("comment_id")
        .with_row_index("row")
        .join(found, on="row", how="left", maintain_order="left")
        .select(pl.when(pl.col("first_id") != pl.col("comment_id")).then("first_id").alias("duplicate_of"))
    )["duplicate_of"]


def _shingles(words: pl.Series) -> tuple[Hashes, NDArray[np.int64]]:
    """Hash the three-word sequences of each text: all hashes end to end, and where each text's begin."""
    flat = words.explode().hash(_SEED).to_numpy()
    counts = words.list.len().to_numpy().astype(np.int64)
    ends = np.cumsum(counts)
    with np.errstate(over="ignore"):
        triples = flat[:-2] * np.uint64(0x9E3779B97F4A7C15) + flat[1:-1]
        triples = (triples ^ (triples >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9) + flat[2:]
    within = np.ones(len(triples), dtype=np.bool_)
    for last in (1, 2):
        within[ends[:-1] - last] = False
    return triples[within], np.append(0, np.cumsum(counts - 2))


def _lead(shingles: Hashes, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each text the index of the first of its cluster: itself, or an earlier leader that it is like."""
    leader = np.arange(len(starts) - 1)
    candidates = _sharing_a_band(shingles, starts)
    signatures = np.zeros((len(candidates), _PERMUTATIONS), dtype=np.uint32)
    buckets: dict[int, list[int]] = {}
    for begin in range(0, len(candidates), _BATCH):
        some = candidates[begin : begin + _BATCH]
        signatures[begin : begin + len(some)] = _digest(shingles, starts, some).to_rows()
        for place, bands in enumerate(_band_keys(signatures[begin : begin + len(some)]).tolist(), begin):
            others = np.array(sorted({other for band in bands for other in buckets.get(band, ())}), dtype=np.int64)
            likely = others[(signatures[others] == signatures[place]).mean(axis=1) >= _LIKELY]
            own = shingles[starts[candidates[place]] : starts[candidates[place] + 1]]
            for other in candidates[likely].tolist():
                if _alike(own, shingles[starts[other] : starts[other + 1]]):
                    leader[candidates[place]] = other
                    break
            else:
                for band in bands:
                    bucket = buckets.setdefault(band, [])
                    if len(bucket) < _MAX_LEADERS:
                        bucket.append(place)
    return leader


def _alike(one: Hashes, other: Hashes) -> bool:
    """Tell whether two texts share enough of their shingles, counted exactly."""
    left, right = set(one.tolist()), set(other.tolist())
    shared = len(left & right)
    return shared >= SIMILARITY * (len(left) + len(right) - shared)


def _band_keys(signatures: NDArray[np.uint32]) -> Hashes:
    """Fold the rows of each band, and its number, into one key, shape (texts, bands)."""
    rows = signatures.astype(np.uint64).reshape(len(signatures), _BANDS, _BAND_ROWS)
    keys = np.tile(np.arange(_BANDS, dtype=np.uint64), (len(signatures), 1))
    with np.errstate(over="ignore"):
        for row in range(_BAND_ROWS):
            keys = (keys ^ rows[:, :, row]) * np.uint64(0x9E3779B97F4A7C15)
            keys ^= keys >> np.uint64(32)
    return keys


def _sharing_a_band(shingles: Hashes, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the texts that share a band with any other: few, so that only they are looked at one by one."""
    every = np.arange(len(starts) - 1)
    if not len(every):
        return every
    index = RMinHashLSH(SIMILARITY, _PERMUTATIONS, _BANDS)
    flags = index.query_duplicate_flags_matrix_one_shot(_digest(shingles, starts, every))
    return every[np.array(flags, dtype=np.bool_)]


def _digest(shingles: Hashes, starts: NDArray[np.int64], some: NDArray[np.int64]) -> _Signatures:
    lengths = (starts[1:] - starts[:-1])[some]
    offsets = np.append(0, np.cumsum(lengths))
    # Positions of the chosen texts' shingles in the flat array.
    places = np.arange(offsets[-1]) + np.repeat(starts[some] - offsets[:-1], lengths)
    return RMinHash.digest_matrix_from_flat_token_hashes(
        np.ascontiguousarray(shingles[places]), offsets.astype(np.uint64), _PERMUTATIONS, _SEED
    )
