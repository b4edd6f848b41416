"""What shares are shares of: the eligible comments of the workspace and of each thread, counted and in words."""

from __future__ import annotations

import hashlib
import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from discourse.aggregate.prevalence import clustering_effect, text_numbers
from discourse.aggregate.resampling import Counts, Reals
from discourse.config import FilterConfig
from discourse.denominator import EXCLUSIONS, filter_words, mark_excluded
from discourse.tables import ReplyKind


@dataclass(frozen=True, slots=True)
class Unit:
    """Comments that a number is of: all, one thread, or a part or another weighting of them.

    name: in the estimates. rows: int64, among the eligible comments. denominator: in words. variant, group_by, group:
    as in the estimates. weight: float64 beside `rows`, how much each comment counts; None: all alike.
    """

    name: str
    rows: Counts
    denominator: str
    variant: str = "main"
    group_by: str | None = None
    group: str | None = None
    weight: Reals | None = None

    @property
    def n(self) -> int:
        """How many comments are eligible."""
        return len(self.rows)

    def among(self, those: str) -> Unit:
        """Return the unit with a denominator that says which of the comments are meant."""
        return replace(self, denominator=f"{those} among {self.denominator}")


MOST_THREADS = 1_000
"""More threads have no numbers of their own: those of thousands of short threads are noise, and nobody reads them."""

KEPT = (
    "comment_id",
    "thread_id",
    "parent_id",
    "reply_kind",
    "depth",
    "position",
    "author",
    "role",
    "created_at",
    "created_precision",
    "text",
    "language",
    "score",
    "duplicate_of",
)


@dataclass(frozen=True, slots=True)
class _Fingerprint:
    rows: Counts
    checksum: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Eligible:
    """Eligible comments in table order, a number for each author, and the units.

    comments: `KEPT`, those of the columns that the comments table had.
    """

    comments: pl.DataFrame
    author: Counts
    units: tuple[Unit, ...]
    _texts: list[Counts] = field(default_factory=list[Counts], repr=False, compare=False)
    _effects: dict[bytes, float] = field(default_factory=dict[bytes, float], repr=False, compare=False)
    _seen: deque[_Fingerprint] = field(default_factory=lambda: deque(maxlen=4), repr=False, compare=False)

    @property
    def text(self) -> Counts:
        """A number for each comment's text, near-duplicates having the same."""
        if not self._texts:
            self._texts.append(text_numbers(self.comments))
        return self._texts[0]

    def clustering_effect(self, unit: Unit) -> float:
        """Return the design effect of a unit, see `prevalence.clustering_effect`; it is the same for all headlines."""
        weight = b"" if unit.weight is None else hashlib.blake2b(np.ascontiguousarray(unit.weight).data).digest()
        key = self._fingerprint(unit).digest + weight
        if key not in self._effects:
            self._effects[key] = clustering_effect(self.author[unit.rows], self.text[unit.rows], unit.weight)
        return self._effects[key]

    def checksum(self, unit: Unit) -> int:
        """Return the CRC-32 of a unit's rows, which draws are seeded with."""
        return self._fingerprint(unit).checksum

    def _fingerprint(self, unit: Unit) -> _Fingerprint:
        # The few units that are asked about in turn may hold a million rows each.
        for known in self._seen:
            if known.rows is unit.rows:
                return known
        rows = np.ascontiguousarray(unit.rows).data
        self._seen.append(_Fingerprint(unit.rows, zlib.crc32(rows), hashlib.blake2b(rows, digest_size=16).digest()))
        return self._seen[-1]


def eligible_comments(
    comments: pl.DataFrame, languages: Sequence[str], chosen: FilterConfig, attributes: pl.DataFrame | None = None
) -> Eligible:
    """Find the comments that count for models of these languages.

    Args:
        comments: rows of the comments table.
        languages: ISO 639-1 codes that the bundle reads.
        chosen: the `[filter]` section.
        attributes: rows of the attributes table, where `chosen` names attributes.
    """
    marked = mark_excluded(comments.lazy(), languages, chosen, attributes).collect()
    only = filter_words(chosen)
    kept = marked.filter(pl.col("excluded").is_null()).select(name for name in KEPT if name in marked.columns)
    reasons = marked.group_by("thread_id", "excluded").len()
    names = unit_threads(marked)
    units = [Unit("all", np.arange(kept.height), _denominator(reasons, only))]
    if len(names) > 1:
        number = {name: i for i, name in enumerate(names)}
        of_row = kept["thread_id"].replace_strict(number, default=len(names), return_dtype=pl.Int64).to_numpy()
        order = np.argsort(of_row, kind="stable")
        bounds = np.searchsorted(of_row[order], np.arange(len(names) + 1))
        own = reasons.filter(pl.col("thread_id").is_in(names))
        parts = {str(key[0]): part for key, part in own.group_by("thread_id")}
        units += [
            Unit(f"thread:{name}", order[bounds[i] : bounds[i + 1]], _denominator(parts[name], only))
            for i, name in enumerate(names)
        ]
    return Eligible(kept, author_numbers(kept["author"]), tuple(units))


def unit_threads(marked: pl.DataFrame) -> list[str]:
    """Return the threads that have numbers of their own, in the order of their first appearance.

    All of up to `MOST_THREADS`; of more, those with most eligible comments. A report shows fewer.

    Args:
        marked: rows of the comments table with `excluded`, see `denominator.mark_excluded`.
    """
    names = thread_names(marked)
    if len(names) <= MOST_THREADS:
        return names
    sizes = marked.group_by("thread_id").agg(pl.col("excluded").is_null().sum().alias("eligible"))
    largest = sizes.sort("eligible", "thread_id", descending=[True, False]).head(MOST_THREADS)["thread_id"]
    chosen = set(largest)
    return [name for name in names if name in chosen]


def thread_names(comments: pl.DataFrame) -> list[str]:
    """Return the thread_ids of the comments in the order of their first appearance."""
    return comments["thread_id"].unique(maintain_order=True).to_list()


def author_numbers(author: pl.Series) -> Counts:
    """Number the authors from 0; each comment without a known author is one of its own."""
    known = author.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    alone = known == 0
    return np.where(alone, known.max(initial=0) + np.cumsum(alone), known)


def _denominator(reasons: pl.DataFrame, only: str) -> str:
    """Say how many comments are eligible, of how many, and why the others are not; the opening post is no comment."""
    counts = dict(reasons.group_by("excluded").agg(pl.col("len").sum()).iter_rows())
    eligible = counts.get(None, 0)
    left_out = {reason: counts.get(reason, 0) for reason in EXCLUSIONS if reason != ReplyKind.OPENING.value}
    words = EXCLUSIONS | {"filtered": f"{EXCLUSIONS['filtered']} ({only})"}
    said = "; ".join(f"{left_out[reason]:,} {words[reason]}" for reason in left_out if left_out[reason])
    total = eligible + sum(left_out.values())
    return f"{eligible:,} eligible comments of {total:,}" + (f" ({said})" if said else "")
