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


def mark_excluded(
    comments: pl.LazyFrame, languages: Sequence[str], chosen: FilterConfig, attributes: pl.DataFrame | None = None
) -> pl.LazyFrame:
    """Add the column `excluded`: null for an eligible comment, else the first reason of `EXCLUSIONS` that holds.

    Args:
        comments: rows of the comments table.
        languages: ISO 639-1 codes that the bundle reads.
        chosen: the `[filter]` section; empty parts filter nothing.
        attributes: rows of the attributes table; needed where `chosen` names attributes.
    """
    reason = (
        pl.when(pl.col("reply_kind") == ReplyKind.OPENING.value)
        .then(pl.lit("opening"))
        .when(pl.col("state") != State.VISIBLE.value)
        .then(pl.lit("not_visible"))
        .when(pl.col("text").is_null() | (pl.col("text").str.len_chars() == 0))
        .then(pl.lit("no_text"))
        .when(pl.col("role").is_in([Role.BOT.value, Role.STAFF.value]))
        .then(pl.lit("staff_or_bot"))
        .when(outside(chosen, attributes))
        .then(pl.lit("filtered"))
        .when(~pl.col("language").is_in(list(languages)).fill_null(value=False))
        .then(pl.lit("language"))
    )
    return comments.with_columns(reason.alias("excluded"))


def outside(chosen: FilterConfig, attributes: pl.DataFrame | None = None) -> pl.Expr:
    """Return the expression that holds for comments outside a filter, never null.

    A comment whose date, language or attribute is unknown is outside a filter on it.

    Args:
        chosen: the `[filter]` section; empty parts filter nothing.
        attributes: rows of the attributes table, of comments and of threads; without them nothing has an attribute.
    """
    found = pl.lit(value=False)
    if chosen.threads:
        found |= ~pl.col("thread_id").is_in(list(chosen.threads))
    if chosen.roles:
        found |= ~pl.col("role").is_in([role.value for role in chosen.roles])
    if chosen.languages:
        found |= ~pl.col("language").is_in(list(chosen.languages)).fill_null(value=False)
    for name, values in chosen.attributes.items():
        ids = _having(attributes, name, values)
        found |= ~(pl.col("comment_id").is_in(ids["comment"]) | pl.col("thread_id").is_in(ids["thread"]))
    if chosen.dates:
        first, last = (datetime.combine(day, time.min, tzinfo=UTC) if day else None for day in chosen.dates)
        inside = pl.col("created_at").is_not_null()
        if first:
            inside &= (pl.col("created_at") >= first).fill_null(value=False)
        if last:
            inside &= (pl.col("created_at") < last + timedelta(days=1)).fill_null(value=False)
        found |= ~inside
    return found


def filter_words(chosen: FilterConfig) -> str:
    """Say what a filter lets through, such as `from 2026-01-01, language en`; empty for none."""
    said: list[str] = []
    if chosen.dates:
        said += [f"{word} {day}" for word, day in zip(("from", "to"), chosen.dates, strict=True) if day]
    lists = {"language": chosen.languages, "role": chosen.roles, "thread": chosen.threads, **chosen.attributes}
    said += [f"{name} {' or '.join(str(value) for value in values)}" for name, values in lists.items() if values]
    return ", ".join(said)


def _having(attributes: pl.DataFrame | None, name: str, values: Sequence[str]) -> dict[str, list[str]]:
    if attributes is None:
        return {"comment": [], "thread": []}
    rows = attributes.filter((pl.col("name") == name) & pl.col("value").is_in(list(values)))
    return {unit: rows.filter(pl.col("unit") == unit)["id"].to_list() for unit in ("comment", "thread")}
