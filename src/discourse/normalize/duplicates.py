"""Near-duplicates: texts that share most of their three-word sequences, found by MinHash and verified exactly.

Method: Broder (1997), resemblance of shingle sets; banded locality-sensitive hashing for the candidates. Texts pass by
once; their signatures wait on disk until the last is in.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

# Compiled, so that no names of it are known beforehand.
from rensa import RMinHash  # pyright: ignore[reportAttributeAccessIssue] - see above

from discourse.normalize.pile import Pile
from discourse.normalize.similar_pairs import BANDS, PERMUTATIONS, Hashes, Indices, Texts, band_keys, lead

MIN_WORDS = 6
_SEED = 20_240_229
_BATCH = 2_000  # texts; rensa hands signatures over as lists of Python numbers


class _Signatures(Protocol):
    """What rensa returns: one MinHash signature a text."""

    def to_rows(self) -> list[list[int]]: ...


def near_duplicates(comments: pl.DataFrame) -> pl.Series:
    """Name for each comment the first of its near-duplicates, see `Duplicates`.

    Args:
        comments: in the order in which the first of a cluster is looked for; columns comment_id and text (null: left
            out).

    Returns:
        `duplicate_of`: comment_id, null for a text without near-duplicates and for the first of them.
    """
    found = Duplicates(None)
    found.add(comments["text"], pl.repeat(None, len(comments), dtype=pl.Int64, eager=True))
    first = found.firsts()
    return comments.select(pl.when(pl.Series(first >= 0)).then(pl.col("comment_id").gather(pl.Series(first))))[
        "comment_id"
    ].alias("duplicate_of")


class Duplicates:
    """Texts that pass by in batches, and which of them resemble an earlier one.

    A text is compared with the first text of each cluster, never with later ones, so that a chain of small changes does
    not join texts that have little in common.
    """

    def __init__(self, folder: Path | None) -> None:
        """Begin with no texts.

        Args:
            folder: where hashes and signatures wait, None to keep them in memory.
        """
        self._shingles = Pile(np.uint64, folder and folder / ".partial-shingles")
        self._signatures = Pile(np.uint32, folder and folder / ".partial-signatures")
        self._keys = Pile(np.uint64, folder and folder / ".partial-keys")
        self._sizes = list[int]()  # long texts of each batch
        self._same = list[Hashes]()
        self._created = list[Indices]()
        self._rows = list[Indices]()
        self._lengths = list[Indices]()
        self._seen = 0

    def add(self, texts: pl.Series, created_at: pl.Series) -> None:
        """Take in a batch of texts (null and short ones are left out) with their times in µs (null: last)."""
        self.take(len(texts), *fingerprints(texts, created_at))

    def take(self, number: int, long: pl.DataFrame, shingles: pl.DataFrame) -> None:
        """Take in the fingerprints of a batch of so many texts."""
        rows = long["row"].to_numpy().astype(np.int64) + self._seen
        self._seen += number
        if not len(long):
            return
        self._rows.append(rows)
        self._same.append(long["same"].to_numpy())
        self._created.append(long["created"].fill_null(np.iinfo(np.int64).max).to_numpy())
        signatures = long["signature"].to_numpy()
        self._shingles.add(shingles["shingle"].to_numpy())
        self._lengths.append(long["length"].to_numpy())
        self._signatures.add(signatures)
        self._keys.add(np.ascontiguousarray(band_keys(signatures).T))
        self._sizes.append(len(long))

    def firsts(self) -> Indices:
        """Return for each text, numbered as they were added, the number of the first of its near-duplicates.

        First is who has the earliest time, of equal times who was added first. -1 stands for none.
        """
        found = np.full(self._seen, -1, dtype=np.int64)
        if not self._sizes:
            return found
        same, rows = np.concatenate(self._same), np.concatenate(self._rows)
        order = np.argsort(np.concatenate(self._created), kind="stable")
        # Equal word sequences first: a sticky text in a thousand threads is compared once.
        _, first, group = np.unique(same[order], return_index=True, return_inverse=True)
        places = np.sort(first)  # of those compared, in order
        number = np.searchsorted(places, first)[group]
        starts = np.cumsum(np.concatenate([np.zeros(1, dtype=np.int64), *self._lengths]))
        signatures = self._signatures.all().reshape(-1, PERMUTATIONS)
        leader = lead(self._bands(), Texts(signatures, self._shingles.all(), starts, order[places]))
        leaders = order[places[leader[number]]]
        duplicates = leaders != order
        found[rows[order[duplicates]]] = rows[leaders[duplicates]]
        for pile in (self._shingles, self._signatures, self._keys):
            pile.remove()
        return found

    def _bands(self) -> Iterator[Hashes]:
        """Yield the keys of all texts, one band after the other."""
        keys = self._keys.all()
        starts = BANDS * np.cumsum([0, *self._sizes[:-1]])
        for band in range(BANDS):
            places = ((start + band * size, size) for start, size in zip(starts, self._sizes, strict=True))
            yield np.concatenate([keys[place : place + size] for place, size in places])


def fingerprints(texts: pl.Series, created_at: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what texts are compared by, whatever others there are.

    Args:
        texts: String; null and short ones are left out.
        created_at: when each was written.

    Returns:
        For each long text its `row`, time (`created`, µs or null), hash of all its words (`same`), MinHash `signature`
        (Array of PERMUTATIONS) and number of three-word sequences (`length`); and the hashes of these (`shingle`), end
        to end.
    """
    words = pl.col("text").str.to_lowercase().str.extract_all(r"[\p{L}\p{M}\p{N}]+").alias("words")
    long = (
        pl.DataFrame({"text": texts, "created": created_at.cast(pl.Int64)})
        .select(words, "created")
        .with_row_index("row")
        .filter(pl.col("words").list.len() >= MIN_WORDS)
    )
    hashes, lengths = _shingle(long["words"]) if len(long) else (np.empty(0, np.uint64), np.empty(0, np.int64))
    signatures = pl.Series(_sign(hashes, lengths), dtype=pl.Array(pl.UInt32, PERMUTATIONS))
    found = long.select(
        "row",
        "created",
        pl.col("words").list.join(" ").hash(_SEED).alias("same"),
        signatures.alias("signature"),
        pl.Series("length", lengths),
    )
    return found, pl.DataFrame({"shingle": hashes})


def _sign(shingles: Hashes, lengths: Indices) -> NDArray[np.uint32]:
    """Return one MinHash signature a text, shape (texts, PERMUTATIONS)."""
    ends = np.append(0, np.cumsum(lengths))
    found = np.empty((len(lengths), PERMUTATIONS), dtype=np.uint32)
    for begin in range(0, len(lengths), _BATCH):
        some = ends[begin : begin + _BATCH + 1]
        digest: _Signatures = RMinHash.digest_matrix_from_flat_token_hashes(
            shingles[some[0] : some[-1]], (some - some[0]).astype(np.uint64), PERMUTATIONS, _SEED
        )
        found[begin : begin + _BATCH] = digest.to_rows()
    return found


def _shingle(words: pl.Series) -> tuple[Hashes, Indices]:
    """Hash the three-word sequences of each text: all hashes end to end, and how many each text has."""
    flat = words.explode().hash(_SEED).to_numpy()
    counts = words.list.len().to_numpy().astype(np.int64)
    ends = np.cumsum(counts)
    with np.errstate(over="ignore"):
        triples = flat[:-2] * np.uint64(0x9E3779B97F4A7C15) + flat[1:-1]
        triples = (triples ^ (triples >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9) + flat[2:]
    within = np.ones(len(triples), dtype=np.bool_)
    for last in (1, 2):
        within[ends[:-1] - last] = False
    return triples[within], counts - 2
