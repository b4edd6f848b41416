"""More comments than topics are found in at once: a sample from every thread, and all others given to its topics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.progress import bar
from discourse.tables import TOPICS, Assignment, OutlierReason
from discourse.tag.topics.clustering import nearest
from discourse.tag.topics.naming import subject_words
from discourse.tag.vectors import VECTORS_AT_ONCE, Vectors


@dataclass(frozen=True, slots=True)
class Centres:
    """What comments are given to: numbers of topics, their unit vectors, and the smallest cosine that belongs to each.

    Attributes:
        numbers: of the topics.
        vectors: topics × width.
        reach: topics.
        fewest_words: that carry a subject; comments with fewer are given to no topic.
    """

    numbers: tuple[int, ...]
    vectors: NDArray[np.float32]
    reach: NDArray[np.float64]
    fewest_words: int


@dataclass(frozen=True, slots=True)
class OriginalTexts:
    """The texts of eligible comments that are near-duplicates of no other."""

    batches: Iterable[pl.DataFrame]

    def __iter__(self) -> Iterator[pl.Series]:
        """Yield them batch by batch."""
        for comments in self.batches:
            yield comments.filter(pl.col("duplicate_of").is_null())["text"]


def spread_sample(batches: Iterable[pl.DataFrame], size: int, seed: int) -> pl.DataFrame:
    """Return a sample of different comments in which every thread has its share, rounded up or down.

    Comments that are near-duplicates of another one are left out. Within a thread comments are drawn at random; over
    threads, every k-th comment is taken from a random start (systematic sampling of a sorted list: Cochran 1977, §8).

    Args:
        batches: eligible rows of the comments table, whole threads, gone through twice.
        size: how many; at most as many as there are.
        seed: of the draw.
    """
    parts, threads = list[NDArray[np.int64]](), 0
    for comments in batches:
        own = comments.filter(pl.col("duplicate_of").is_null())["thread_id"].rank("dense").cast(pl.Int64).to_numpy()
        parts.append(own + threads)
        threads = int(parts[-1].max(initial=threads))
    thread = np.concatenate(parts)
    rng = np.random.default_rng(seed)
    order = np.lexsort((rng.random(len(thread)), thread))
    size = min(size, len(thread))
    taken = np.zeros(len(thread), np.bool_)
    taken[order[np.floor((np.arange(size) + rng.random()) * len(thread) / max(size, 1)).astype(np.int64)]] = True
    chosen, begin = list[pl.DataFrame](), 0
    for comments, own in zip(batches, parts, strict=True):
        first = comments.filter(pl.col("duplicate_of").is_null())
        chosen.append(first.filter(pl.Series(taken[begin : begin + len(own)])))
        begin += len(own)
    return pl.concat(chosen)


def given(
    batches: Iterable[pl.DataFrame], kept: pl.DataFrame, centres: Centres, vectors: Vectors, way: Assignment, total: int
) -> Iterator[pl.DataFrame]:
    """Yield rows of the topics table for comments that have none yet, and at last for near-duplicates.

    A near-duplicate gets the topic of its original, if that is eligible.

    Args:
        batches: eligible rows of the comments table, gone through once.
        kept: rows of the topics table that comments have already.
        centres: what comments are given to.
        vectors: of the texts.
        way: what their assignment is called.
        total: how many there are, for the bar.
    """
    copies, originals = list[pl.DataFrame](), [kept]
    with bar("topics of all comments", total) as advance:
        for comments in batches:
            named = comments.join(kept.select("comment_id"), on="comment_id", how="anti", maintain_order="left")
            copy = pl.col("duplicate_of").is_not_null()
            copies.append(named.filter(copy).select("comment_id", "duplicate_of", "text"))
            for some in named.filter(~copy).iter_slices(VECTORS_AT_ONCE):
                rows = _nearest(some, centres, vectors, way)
                originals.append(rows)
                yield rows
            advance(comments.height)
    every = pl.concat(copies)
    known = pl.concat(
        rows.filter(pl.col("comment_id").is_in(every["duplicate_of"].implode())) for rows in originals
    ).rename({"comment_id": "duplicate_of"})
    found = every.join(known, on="duplicate_of", how="left", maintain_order="left")
    alone = pl.col("assignment").is_null()
    yield TOPICS.conform(found.filter(~alone).drop("duplicate_of", "text"))
    for some in found.filter(alone).iter_slices(VECTORS_AT_ONCE):
        yield _nearest(some, centres, vectors, way)


def _nearest(comments: pl.DataFrame, centres: Centres, vectors: Vectors, way: Assignment) -> pl.DataFrame:
    near = vectors.of(comments["text"].to_list()) @ centres.vectors.T
    wordy = subject_words(comments["text"]) >= centres.fewest_words
    label = nearest(near, centres.reach, wordy)
    number = np.append(np.array(centres.numbers, np.int64), -1)[label]
    inside, has_words = pl.Series(label >= 0, dtype=pl.Boolean), pl.Series(wordy, dtype=pl.Boolean)
    reason = pl.when(has_words).then(pl.lit(OutlierReason.FAR.value)).otherwise(pl.lit(OutlierReason.NO_WORDS.value))
    return TOPICS.conform(
        comments.select(
            "comment_id",
            pl.when(inside).then(pl.Series(number)).alias("topic"),
            pl.Series("probability", np.clip(near.max(1, initial=0.0).astype(float), 0, 1)),
            pl.when(inside).then(pl.lit(way.value)).otherwise(pl.lit(Assignment.OUTLIER.value)).alias("assignment"),
            pl.when(~inside).then(reason).alias("reason"),
        )
    )
