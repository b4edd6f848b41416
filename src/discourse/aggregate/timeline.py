"""Where a tag entered a thread: the first comment tagged so, how deep, and how much of the thread before it."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from discourse.aggregate.estimates import Estimate, caution
from discourse.aggregate.reply_pairs import roots
from discourse.tables import Measure, Precision, ReplyKind

CLOCK = (Precision.EXACT.value, Precision.MINUTE.value)
FIRST = (
    "The first comment that the model tagged so, by its text alone; an earlier one may have been missed. Whether "
    "others took it from there is not said."
)


def first_uses(marked: pl.DataFrame, tags: pl.DataFrame, levels: Sequence[str]) -> list[Estimate]:
    """Find the first comment of each thread with each tag.

    Comments of a thread stand in the order of time where all their times are known to the minute, else in the order of
    the thread, parents first.

    Args:
        marked: rows of the comments table with `excluded`.
        tags: comment_id, level, tagged (Boolean) of the comments that were read by text alone.
        levels: names as in the estimates.

    Returns:
        For each thread and level that occurs in it `position` (as in comments), `before` (how many eligible comments
        stand before), `depth` and `branch` (which one of the thread, from 1); for all threads together how many use
        the level, and in how many of those it came in by a comment at the top.
    """
    ordered = _ordered(marked, tags)
    first = (
        ordered.join(tags.filter("tagged").select("comment_id", "level"), on="comment_id")
        .sort("before")
        .unique(["thread_id", "level"], keep="first", maintain_order=True)
    )
    found = {(row["thread_id"], row["level"]): row for row in first.iter_rows(named=True)}
    threads = ordered["thread_id"].unique(maintain_order=True).to_list()
    single = marked["thread_id"].n_unique() == 1
    rows: list[Estimate] = []
    for level in levels:
        for thread in threads:
            if (thread, level) in found:
                rows += _entry("all" if single else f"thread:{thread}", level, found[thread, level])
        if not single:
            used = [found[thread, level] for thread in threads if (thread, level) in found]
            rows += _together(level, len(threads), len(used), sum(row["depth"] == 0 for row in used))
    return rows


def _ordered(marked: pl.DataFrame, tags: pl.DataFrame) -> pl.DataFrame:
    """Return eligible comments of the threads read, with `before`, `size` of the thread, `timed` and `branch`."""
    rows = marked.with_row_index("row")
    above = rows.select(parent_id="comment_id", at=pl.col("row").cast(pl.Int64))
    parent = rows.join(above, on="parent_id", how="left", maintain_order="left")["at"].fill_null(-1).to_numpy()
    root = rows["position"].gather(pl.Series(roots(parent)))
    # The opening post is no branch: what answers it has no parent.
    branching = pl.when(pl.col("reply_kind") != ReplyKind.OPENING.value).then("root")
    timed = pl.col("created_at").is_not_null() & pl.col("created_precision").is_in(CLOCK)
    eligible = (
        rows.with_columns(root.alias("root"))
        .with_columns(branch=branching.rank("dense").over("thread_id").cast(pl.Int64))
        .filter(pl.col("excluded").is_null())
    )
    read = eligible.join(tags.select("comment_id").unique(), on="comment_id", how="semi")["thread_id"].unique()
    return (
        eligible.filter(pl.col("thread_id").is_in(read.implode()))
        .with_columns(timed=timed.all().over("thread_id"))
        .with_columns(moment=pl.when("timed").then("created_at"))
        .sort("thread_id", "moment", "position", maintain_order=True)
        .with_columns(before=pl.int_range(pl.len()).over("thread_id"), size=pl.len().over("thread_id"))
        .sort("row")
    )


def _entry(unit: str, level: str, first: dict[str, object]) -> list[Estimate]:
    n = int(str(first["size"]))
    order = "of time" if first["timed"] else "of the thread, as not all times are known to the minute"
    return [
        Estimate(
            unit,
            Measure.COUNT,
            level,
            f"{n:,} eligible comments of the thread, in the order {order}",
            n,
            "first_use",
            FIRST,
            estimate=float(str(first[name])),
            group_by="first_use",
            group=name,
        )
        for name in ("position", "before", "depth", "branch")
    ]


def _together(level: str, threads: int, used: int, at_top: int) -> list[Estimate]:
    counts = {
        "threads": (used, threads, f"{threads:,} threads read by text alone"),
        "top_level": (at_top, used, f"{used:,} threads with a comment tagged so"),
    }
    return [
        Estimate(
            "all",
            Measure.COUNT,
            level,
            said,
            n,
            "first_use",
            FIRST,
            estimate=float(number),
            group_by="first_use",
            group=name,
            mark=caution(n),
        )
        for name, (number, n, said) in counts.items()
    ]
