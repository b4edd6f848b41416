"""Which comments count, and why the others do not: every share in a report is a share of these."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

import polars as pl

from discourse.config import FilterConfig
from discourse.tables import ReplyKind, Role, State

EXCLUSIONS: dict[str, str] = {
    "opening": "opening post",
    "not_visible": "deleted, removed or held",
    "no_text": "no text of its own",
    "staff_or_bot": "written by staff or a bot",
    "filtered": "outside the chosen filter",
    "language": "in a language the models do not read",
}


def mark_excluded(comments: pl.LazyFrame, languages: Sequence[str], chosen: FilterConfig) -> pl.LazyFrame:
    """Add the column `excluded`: null for an eligible comment, else the first reason of `EXCLUSIONS` that holds.

    Args:
        comments: rows of the comments table.
        languages: ISO 639-1 codes that the bundle reads.
        chosen: the `[filter]` section; empty parts filter nothing.
    """
    outside = pl.lit(value=False)
    if chosen.threads:
        outside |= ~pl.col("thread_id").is_in(list(chosen.threads))
    if chosen.roles:
        outside |= ~pl.col("role").is_in([role.value for role in chosen.roles])
    if chosen.languages:
        outside |= ~pl.col("language").is_in(list(chosen.languages)).fill_null(value=False)
    if chosen.dates:
        first, last = (datetime.combine(day, time.min, tzinfo=UTC) for day in chosen.dates)
        inside = (pl.col("created_at") >= first) & (pl.col("created_at") < last + timedelta(days=1))
        outside |= ~inside.fill_null(value=False)
    reason = (
        pl.when(pl.col("reply_kind") == ReplyKind.OPENING.value)
        .then(pl.lit("opening"))
        .when(pl.col("state") != State.VISIBLE.value)
        .then(pl.lit("not_visible"))
        .when(pl.col("text").is_null() | (pl.col("text").str.len_chars() == 0))
        .then(pl.lit("no_text"))
        .when(pl.col("role").is_in([Role.BOT.value, Role.STAFF.value]))
        .then(pl.lit("staff_or_bot"))
        .when(outside)
        .then(pl.lit("filtered"))
        .when(~pl.col("language").is_in(list(languages)).fill_null(value=False))
        .then(pl.lit("language"))
    )
    return comments.with_columns(reason.alias("excluded"))
