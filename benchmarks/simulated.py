"""Comments whose labels are known: real threads and authors, simulated labels, a bundle's real out-of-fold scores.

Each draw gives every comment a label, then a score: that of a held-out row with the same label. Which row is decided
by a rank between 0 and 1 that is alike within an author and within a source (a Gaussian copula), so that mistakes come
in clusters while the scores themselves stay those of the bundle. The held-out set is drawn anew each time, too:
sources from the bundle's own with replacement, threads within them with replacement, ranks of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from discourse.aggregate.error_rates import Outcomes
from discourse.aggregate.resampling import Clusters
from discourse.aggregate.units import Eligible, eligible_comments
from discourse.config import FilterConfig
from discourse.models.bundle import Bundle
from discourse.models.calibration import probability

Reals = NDArray[np.float64]
Counts = NDArray[np.int64]

BY_SOURCE = (0.10, 0.05)  # correlation of ranks within a source among no and yes; about that of frames-minilm
BY_AUTHOR = 0.2  # of ranks within an author
ALIKE_AUTHOR, ALIKE_THREAD = 0.3, 0.1  # how much of a label's liability its author and its thread explain
COPIED_TEXTS = 8


@dataclass(frozen=True, slots=True)
class Place:
    """Eligible comments of some real threads: the thread of each, and which comment's copy it is (its own number)."""

    eligible: Eligible
    thread: Counts
    first: Counts

    @property
    def size(self) -> int:
        """How many comments there are."""
        return len(self.thread)


@dataclass(frozen=True, slots=True)
class Comments:
    """One draw of a place: label and tag (0 or 1) and the calibrated score of each comment."""

    label: Reals
    tag: NDArray[np.bool_]
    score: Reals


class Level:
    """One frame's out-of-fold rows of known weight: scores by label, and the sources and threads they stand in."""

    def __init__(self, bundle: Bundle, name: str, path: str = "exact") -> None:
        """Sort the rows of one level and path by source and thread."""
        rows = (
            bundle.heldout()
            .filter((pl.col("level") == name) & (pl.col("path") == path) & (pl.col("weight") > 0))
            .with_columns(pl.col("source").fill_null(""), thread=pl.coalesce("thread", "text_hash"))
            .sort("source", "thread", "text_hash")
        )
        self.label = rows["label"].cast(pl.Int64).to_numpy()
        self.weight = rows["weight"].to_numpy()
        self._by_label = tuple(_ordered(rows.filter(pl.col("label") == value)) for value in (0, 1))
        self._calibration = bundle.calibration()[name]
        starts = rows.with_row_index("row").group_by("source", "thread", maintain_order=True)
        self._threads = starts.agg(pl.col("row").min().cast(pl.Int64), pl.len().cast(pl.Int64).alias("size"))
        sources = self._threads["source"].unique(maintain_order=True).to_list()
        self._of_source = [np.flatnonzero((self._threads["source"] == each).to_numpy()) for each in sources]

    @property
    def separation(self) -> float:
        """Sensitivity less false-positive rate of the whole superpopulation."""
        no, yes = (float(share @ tag) for _, tag, share in self._by_label)
        return yes - no

    def answers(self, label: Counts, rank: Reals) -> tuple[Reals, NDArray[np.bool_]]:
        """Return the calibrated score and the tag of the held-out row at each rank among those of the same label."""
        raw, tag = np.zeros(len(label)), np.zeros(len(label))
        for value, (scores, tags, share) in enumerate(self._by_label):
            here = label == value
            found = np.minimum(np.searchsorted(np.cumsum(share), rank[here]), len(scores) - 1)
            raw[here], tag[here] = scores[found], tags[found]
        return probability(raw, self._calibration), tag > 0

    def heldout(self, rng: np.random.Generator) -> Outcomes:
        """Draw a held-out set: as many sources as the bundle has, and as many threads in each, with replacement."""
        start, size = (self._threads[name].to_numpy() for name in ("row", "size"))
        taken: list[Counts] = []
        of_cluster: list[Counts] = []
        for number, source in enumerate(rng.integers(len(self._of_source), size=len(self._of_source))):
            members = self._of_source[source]
            taken.append(rng.choice(members, len(members)))
            of_cluster.append(np.full(len(members), number))
        threads, source_of = np.concatenate(taken), np.concatenate(of_cluster)
        cluster = np.repeat(np.arange(len(threads)), size[threads])
        first = np.repeat(np.cumsum(size[threads]) - size[threads], size[threads])
        rows = np.repeat(start[threads], size[threads]) + np.arange(len(cluster)) - first
        label = self.label[rows]
        rank = ranks(label, source_of[cluster], np.arange(len(label)), rng)
        return Outcomes(
            label.astype(float),
            self.answers(label, rank)[1].astype(float),
            self.weight[rows],
            Clusters(cluster, source_of),
        )


def ranks(label: Counts, source: Counts, author: Counts, rng: np.random.Generator, shift: float = 0.0) -> Reals:
    """Draw uniform ranks that are alike within a source and an author, for each label on its own.

    Args:
        label: int64 (n,), 0 or 1.
        source: int64 (n,), from 0.
        author: int64 (n,), from 0.
        rng: the seeded generator.
        shift: how many standard deviations the ranks of yes are lower, and those of no higher, than elsewhere.
    """
    by_source = np.array(BY_SOURCE)[label]
    effect = rng.standard_normal((int(source.max()) + 1, 2))[source, label]
    habit = rng.standard_normal((int(author.max()) + 1, 2))[author, label]
    own = rng.standard_normal(len(label))
    liability = np.sqrt(by_source) * effect + np.sqrt(BY_AUTHOR) * habit + np.sqrt(1 - by_source - BY_AUTHOR) * own
    return ndtr(liability - shift * np.where(label == 1, 1, -1))


def draw(
    place: Place, level: Level, prevalence: float, rng: np.random.Generator, shift: float = 0.0, alike: bool = False
) -> Comments:
    """Draw labels, scores and tags of all comments of a place; copies get what their first has.

    Args:
        place: the threads.
        level: whose scores.
        prevalence: the expected share of yes.
        rng: the seeded generator.
        shift: see `ranks`.
        alike: whether mistakes are alike within a thread instead of within an author.
    """
    author = place.eligible.author
    liability = (
        np.sqrt(ALIKE_AUTHOR) * rng.standard_normal(int(author.max()) + 1)[author]
        + np.sqrt(ALIKE_THREAD) * rng.standard_normal(int(place.thread.max()) + 1)[place.thread]
        + np.sqrt(1 - ALIKE_AUTHOR - ALIKE_THREAD) * rng.standard_normal(place.size)
    )
    label = (liability < ndtri(prevalence)).astype(np.int64)
    rank = ranks(label, np.zeros(place.size, dtype=np.int64), place.thread if alike else author, rng, shift)
    score, tag = level.answers(label, rank)
    return Comments(label[place.first].astype(float), tag[place.first], score[place.first])


def read_place(file: Path, threads: int | None, copied: float, rng: np.random.Generator) -> Place:
    """Read real threads; make some of the comments near-duplicates of a few.

    Args:
        file: a Parquet file with comment_id, thread_id, author and text.
        threads: the largest one and then every so many, so that sizes are unequal; None for all.
        copied: the share of comments that become copies.
        rng: the seeded generator.
    """
    comments = pl.read_parquet(file).unique("comment_id", keep="first", maintain_order=True)
    # A moderator's sticky text under most threads is no comment.
    spread = comments.group_by("text").agg(pl.col("thread_id").n_unique() / comments["thread_id"].n_unique())
    sticky = spread.filter(pl.col("thread_id") > 0.5).select("text")
    comments = comments.join(sticky, on="text", how="anti", maintain_order="left")
    sizes = comments.group_by("thread_id").len().sort("len", "thread_id", descending=[True, False])["thread_id"]
    if threads is not None:
        kept = sizes.gather_every(max(len(sizes) // (4 * threads), 1)).head(threads)
        comments = comments.filter(pl.col("thread_id").is_in(kept.to_list()))
    first = np.arange(comments.height)
    if copied > 0:
        copies = rng.choice(comments.height, round(copied * comments.height), replace=False)
        copies.sort()
        originals, rest = copies[:COPIED_TEXTS], copies[COPIED_TEXTS:]
        # Those nearer to the end of `originals` are copied less; a flood is seldom even.
        chance = 1 / np.arange(1, len(originals) + 1)
        first[rest] = rng.choice(originals, len(rest), p=chance / chance.sum())
    ids = comments["comment_id"]
    copy_of = pl.Series(ids.gather(first)).set(pl.Series(first == np.arange(len(first))), None)
    table = comments.select("comment_id", "thread_id", "author", "text").with_columns(
        duplicate_of=copy_of,
        reply_kind=pl.lit("reply"),
        state=pl.lit("visible"),
        role=pl.lit("user"),
        language=pl.lit("en"),
        created_at=pl.lit(None, dtype=pl.Datetime("us", "UTC")),
    )
    eligible = eligible_comments(table, ["en"], FilterConfig())
    thread = eligible.comments["thread_id"].rank("dense").cast(pl.Int64).to_numpy() - 1
    return Place(eligible, thread, first)


def _ordered(rows: pl.DataFrame) -> tuple[Reals, Reals, Reals]:
    """Return scores in ascending order with their tags and shares of the weight."""
    ordered = rows.sort("score", "text_hash")
    weight = ordered["weight"].to_numpy()
    return ordered["score"].to_numpy(), ordered["tag"].cast(pl.Float64).to_numpy(), weight / weight.sum()
