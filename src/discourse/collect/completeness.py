"""The completeness statement: what a platform declares of each thread, what came, and what is missing and why."""

from __future__ import annotations

import polars as pl

from discourse.tables import RAW_COMMENTS, RAW_THREADS, ReplyKind, State
from discourse.workspace import Workspace

STATEMENT = (
    "thread_id",
    "title",
    "declared",
    "collected",
    "deleted",
    "removed",
    "held",
    "unreachable",
    "capped",
    "quarantined",
    "reason",
)
_SHOWN = 10
_STATES = ("deleted", "removed", "held", "unreachable", "capped", "quarantined")


def completeness(workspace: Workspace) -> pl.DataFrame:
    """Return the statement of what was collected, one row a thread with the columns of `STATEMENT`.

    It is made from the raw tables. `normalize` counts again, with what only it can find (empty texts, repeated ids).
    """
    threads, comments = workspace.read(RAW_THREADS), workspace.scan(RAW_COMMENTS)
    refused = pl.col("reason").is_not_null()
    counted = ~refused & pl.col("reply_kind").ne_missing(pl.lit(ReplyKind.OPENING.value))
    counts = (
        comments.group_by("thread_id")
        .agg(
            counted.sum().alias("collected"),
            *(
                (counted & (pl.col("state") == one.value)).sum().alias(one.value)
                for one in (State.DELETED, State.REMOVED, State.HELD)
            ),
            refused.sum().alias("quarantined"),
        )
        .collect(engine="streaming")
    )
    numbers = ("collected", "deleted", "removed", "held", "quarantined")
    return (
        threads.join(counts, on="thread_id", how="left", maintain_order="left")
        .with_columns(pl.col(name).fill_null(0).cast(pl.Int64) for name in numbers)
        .select(STATEMENT)
    )


def in_words(statement: pl.DataFrame) -> list[str]:
    """Say for each thread, of many only the first ten, what is declared, what came and what is missing."""
    told = statement.filter(pl.col("declared").is_not_null() | pl.col("reason").is_not_null())
    said: list[str] = []
    for row in told.head(_SHOWN).iter_rows(named=True):
        parts = [f"declared {row['declared']:,}"] if row["declared"] is not None else []
        parts += [f"collected {row['collected']:,}", *(f"{row[name]:,} {name}" for name in _STATES if row[name])]
        gap = (row["declared"] or 0) - row["collected"] - row["unreachable"] - row["capped"]
        if gap > 0:
            parts.append(f"{gap:,} of which the platform says no more")
        said.append(f"{row['thread_id']}: {', '.join(parts)}" + (f"; {row['reason']}" if row["reason"] else ""))
    if told.height > _SHOWN:
        said.append(f"and {told.height - _SHOWN:,} more threads; see: discourse status WS")
    return said
