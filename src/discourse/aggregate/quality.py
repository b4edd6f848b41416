"""Data quality as counts: from records in to comments used, with each loss, and who writes how much."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from discourse.aggregate.estimates import Estimate
from discourse.aggregate.units import thread_names, unit_threads
from discourse.denominator import EXCLUSIONS
from discourse.privacy import count_traces
from discourse.tables import Measure, Reason, ReplyKind, State

COUNTED = "A plain count; nothing is estimated."


def quality_estimates(
    marked: pl.DataFrame, quarantine: pl.DataFrame, resolved: pl.DataFrame, threads: pl.DataFrame
) -> list[Estimate]:
    """Count what was collected, lost, excluded and labelled.

    `data:records` = comments + opening posts + quarantined; `data:comments` leaves the opening posts out, and
    `data:eligible` plus all other `data:excluded:…` is `data:comments`.

    Args:
        marked: rows of the comments table with `excluded`, see `denominator.mark_excluded`.
        quarantine: rows of the quarantine table.
        resolved: labels, one for each comment and level, see `labels.resolve`.
        threads: rows of the threads table, whose completeness is counted where the platform tells.
    """
    comments = marked.filter(pl.col("reply_kind") != ReplyKind.OPENING.value)
    counts = {**_funnel(marked, comments, quarantine), **_states(comments), **_people(comments)}
    counts |= {f"language:{code}": number for code, number in _tally(comments, "language").items()}
    counts["duplicates"] = comments.height - comments["duplicate_of"].null_count()
    counts["orphans"] = comments.filter(pl.col("reply_kind") == ReplyKind.ORPHAN.value).height
    names = thread_names(marked)
    counts["threads"] = len(names)
    counts |= _labelled(comments, resolved)
    shown = comments.filter(pl.col("state") == State.VISIBLE.value)
    counts |= {f"scrubbed:{kind}": number for kind, number in count_traces(shown["text"]).items()}
    said = f"{counts['comments']:,} comments and {quarantine.height:,} quarantined records"
    counts |= _completeness(threads)
    rows = [_row("all", name, number, said, counts["records"]) for name, number in counts.items()]
    if len(names) == 1:
        return rows
    shown = unit_threads(marked)
    missing = [
        _row(f"thread:{thread_id}", name, number, "comments that the platform knows of", number)
        for (thread_id,), told in threads.filter(pl.col("thread_id").is_in(shown)).group_by(
            "thread_id", maintain_order=True
        )
        for name, number in _completeness(told).items()
    ]
    return rows + _by_thread(shown, comments, quarantine) + missing


def _completeness(threads: pl.DataFrame) -> dict[str, int]:
    """Sum what platforms declare, where they do; what is unreachable or capped only where anything is."""
    told = threads["declared"].drop_nulls()
    found = {"declared": int(told.sum())} if len(told) else {}
    return found | {name: total for name in ("unreachable", "capped") if (total := int(threads[name].sum()))}


def _funnel(marked: pl.DataFrame, comments: pl.DataFrame, quarantine: pl.DataFrame) -> dict[str, int]:
    lost = _tally(quarantine, "reason")
    excluded = _tally(marked, "excluded")
    return {
        "records": marked.height + quarantine.height,
        "comments": comments.height,
        "quarantined": quarantine.height,
        **{f"quarantined:{reason.value}": lost[reason.value] for reason in Reason if reason.value in lost},
        "eligible": marked["excluded"].null_count(),
        **{f"excluded:{reason}": excluded.get(reason, 0) for reason in EXCLUSIONS},
    }


def _states(comments: pl.DataFrame) -> dict[str, int]:
    found = _tally(comments, "state")
    return {f"state:{state.value}": found.get(state.value, 0) for state in State}


def _people(comments: pl.DataFrame) -> dict[str, int]:
    """Count authors, and the loudest 1 % of those with eligible comments (at least one) with what they wrote."""
    written = (
        comments.filter(pl.col("excluded").is_null() & pl.col("author").is_not_null())
        .group_by("author")
        .len()
        .sort("len", "author", descending=[True, False])
    )
    loud = written.head(max(1, written.height // 100))
    return {
        "authors": comments["author"].drop_nulls().n_unique(),
        "loud_authors": loud.height,
        "loud_comments": int(loud["len"].sum()),
    }


def _labelled(comments: pl.DataFrame, resolved: pl.DataFrame) -> dict[str, int]:
    eligible = comments.filter(pl.col("excluded").is_null()).select("comment_id")
    given = resolved.filter((pl.col("kind") == "frame") & pl.col("value").is_not_null() & ~pl.col("by_model"))
    frames = given.join(eligible, on="comment_id", how="semi")
    return {f"labelled:{level}": number for level, number in _tally(frames, "level").items()}


def _by_thread(names: list[str], comments: pl.DataFrame, quarantine: pl.DataFrame) -> list[Estimate]:
    states = {state.value: pl.col("state") == state.value for state in State}
    counted = comments.group_by("thread_id").agg(
        pl.len().cast(pl.Int64).alias("comments"),
        pl.col("excluded").is_null().sum().cast(pl.Int64).alias("eligible"),
        *(flag.sum().cast(pl.Int64).alias(f"state:{state}") for state, flag in states.items()),
    )
    lost = quarantine.group_by("thread_id").agg(pl.len().cast(pl.Int64).alias("quarantined"))
    whole = (
        pl.DataFrame({"thread_id": names}, schema={"thread_id": pl.String()})
        .join(counted, on="thread_id", how="left", maintain_order="left")
        .join(lost, on="thread_id", how="left", maintain_order="left")
        .fill_null(0)
    )
    return [
        _row(f"thread:{row['thread_id']}", name, number, f"{row['comments']:,} comments", row["comments"])
        for row in whole.iter_rows(named=True)
        for name, number in row.items()
        if name != "thread_id"
    ]


def _tally(frame: pl.DataFrame, column: str) -> Mapping[str, int]:
    found = frame[column].drop_nulls().value_counts().sort("count", column, descending=[True, False])
    return dict(found.iter_rows())


def _row(unit: str, name: str, number: int, denominator: str, n: int) -> Estimate:
    return Estimate(unit, Measure.COUNT, f"data:{name}", denominator, n, "data_count", COUNTED, estimate=float(number))
