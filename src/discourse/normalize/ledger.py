"""What became of every record: rows in quarantine, and the account of each thread."""

from __future__ import annotations

import polars as pl

from discourse.tables import RAW_THREADS, Reason, ReplyKind, State

EXCERPT = 200  # characters

_IN_WORDS = {
    Reason.FURNITURE: "page furniture",
    Reason.EMPTY: "empty",
    Reason.NO_TEXT_FIELD: "without a text field",
    Reason.MALFORMED: "malformed",
    Reason.UNDECODABLE: "undecodable",
    Reason.TOO_LARGE: "too large",
    Reason.TOO_DEEP: "nested too deep",
    Reason.DUPLICATE_ID: "with a repeated id",
    Reason.WRONG_TYPE: "of a wrong type",
    Reason.NOT_A_COMMENT: "not a comment",
    Reason.OTHER_THREAD: "of another thread",
}


def put_aside(records: pl.DataFrame) -> pl.DataFrame:
    """Keep of records that cannot become comments what `quarantine_rows` needs.

    Args:
        records: rows of raw_comments, each with a reason.
    """
    excerpt = pl.coalesce("excerpt", "text").str.replace_all(r"[\p{Cc}\u{202A}-\u{202E}\u{2066}-\u{2069}]+", " ")
    return records.select(
        "file",
        "offset",
        "location",
        "thread_id",
        "reason",
        excerpt.str.strip_chars().str.slice(0, EXCERPT).alias("excerpt"),
    )


def quarantine_rows(aside: pl.DataFrame) -> pl.DataFrame:
    """Turn all that was put aside into the quarantine table, in the order of files.

    Returns:
        One row a record; a location that a file names twice gets the record's number behind it.
    """
    again = ~pl.struct("file", "location").is_first_distinct()
    return aside.sort("file", "offset").select(
        pl.col("file").alias("source"),
        pl.when(again).then(pl.format("{} (record {})", "location", "offset")).otherwise("location").alias("location"),
        "thread_id",
        "reason",
        "excerpt",
    )


def count_reasons(quarantine: pl.DataFrame) -> str:
    """Say how many rows are in quarantine for which reason, such as ``12 empty, 3 with a repeated id``."""
    counts = quarantine.group_by("reason").len().sort(-pl.col("len").cast(pl.Int64), "reason")
    return ", ".join(f"{number:,} {_IN_WORDS[Reason(reason)]}" for reason, number in counts.iter_rows())


def bare_threads(first: pl.DataFrame) -> pl.DataFrame:
    """Make a bare row for each thread that only comments speak of, so that every comment has its thread.

    Args:
        first: thread_id, platform and file of the first record of each.
    """
    rows = first.rename({"file": "source"}).with_columns(unreachable=pl.lit(0), capped=pl.lit(0))
    return RAW_THREADS.conform(rows)


def comment_counts(comments: pl.DataFrame) -> pl.DataFrame:
    """Count for each thread what was collected (opening post left out) by state.

    Args:
        comments: whole threads; columns thread_id, reply_kind and state.

    Returns:
        thread_id, collected, deleted, removed and held.
    """
    state = pl.col("state")
    return (
        comments.filter(pl.col("reply_kind") != ReplyKind.OPENING.value)
        .group_by("thread_id")
        .agg(
            pl.len().alias("collected"),
            *((state == one.value).sum().alias(one.value) for one in (State.DELETED, State.REMOVED, State.HELD)),
        )
    )


def thread_counts(collected: pl.DataFrame, quarantine: pl.DataFrame) -> pl.DataFrame:
    """Add to `comment_counts` of all comments what is in quarantine.

    Returns:
        thread_id, collected, deleted, removed, held, quarantined and `reasons` (in words, null if none is).
    """
    aside = quarantine.group_by("thread_id").len("quarantined")
    words = pl.DataFrame({"reason": [one.value for one in _IN_WORDS], "words": list(_IN_WORDS.values())})
    reasons = (
        quarantine.group_by("thread_id", "reason")
        .len("number")
        .join(words, on="reason")
        .sort("thread_id", -pl.col("number").cast(pl.Int64), "reason")
        .group_by("thread_id", maintain_order=True)
        .agg(pl.format("{} {}", "number", "words").str.join(", ").alias("reasons"))
    )
    return collected.join(aside, on="thread_id", how="full", coalesce=True).join(reasons, on="thread_id", how="left")


def account() -> pl.Expr:
    """Say in words why a thread's declared and collected comments differ, and what is in quarantine; null if nothing.

    Read are the columns reason, declared, collected, unreachable, capped, quarantined and reasons.
    """
    differs = pl.col("declared").is_not_null() & (pl.col("declared") != pl.col("collected"))
    words = pl.concat_str(
        "reason",
        pl.when(differs).then(pl.format("the platform declares {} comments, {} collected", "declared", "collected")),
        pl.when(pl.col("unreachable") > 0).then(pl.format("{} could not be reached", "unreachable")),
        pl.when(pl.col("capped") > 0).then(pl.format("{} are beyond a limit", "capped")),
        pl.when(pl.col("quarantined") > 0).then(pl.format("{} in quarantine ({})", "quarantined", "reasons")),
        separator="; ",
        ignore_nulls=True,
    )
    return pl.when(words != "").then(words)
