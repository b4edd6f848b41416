"""Which comment a row answers and which row opens its thread, by the ids that the platform wrote."""

from __future__ import annotations

import polars as pl

_COMMENT, _POST = "t1_", "t3_"  # Reddit's prefixes of a comment and of a post
_POST_ID = r"^t3_[a-z0-9]+$"
_NONE_WORDS = ("", "0", "none", "null", "nan", "-1")


def mark_openings(rows: pl.DataFrame, *, first: bool) -> pl.DataFrame:
    """Add the Boolean column `opening`: the row whose id is its thread's id, at most one in a thread.

    Args:
        rows: with the String columns `thread_id`, `thread` (the platform's id of the thread, null if there is none) and
            `native_id`.
        first: take each thread's first row where no id says so.
    """
    thread, own = pl.col("thread"), pl.col("native_id")
    same = ((own == thread) | (own == _POST + thread) | (_POST + own == thread)).fill_null(value=False)
    opening = same & (same.cast(pl.Int64).cum_sum().over("thread_id") == 1)
    rows = rows.with_columns(opening=opening)
    if first:
        begins = (pl.int_range(pl.len()).over("thread_id") == 0) & ~pl.col("opening").any().over("thread_id")
        rows = rows.with_columns(opening=pl.col("opening") | begins)
    return rows


def resolve_parents(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the String column `native_parent`: the id of the comment that a row answers, null for a top comment.

    A row whose parent is its thread, its thread's opening row or, in a table without threads, a Reddit post is a top
    comment. Reddit's ``t1_`` may stand before the parent and not before the id, or the other way round.

    Args:
        rows: with `opening` of `mark_openings` and the String columns `thread_id`, `thread`, `native_id`, `parent_id`.
    """
    ids = rows["native_id"].drop_nulls().unique().implode()
    openings = rows.filter("opening").select("thread_id", opening_id="native_id")
    rows = rows.join(openings, on="thread_id", how="left", maintain_order="left")
    thread, named = pl.col("thread"), pl.col("parent_id").str.strip_chars()
    bare = named.str.strip_prefix(_COMMENT)
    known = named.is_in(ids)
    parent = (
        pl.when(known)
        .then(named)
        .when(bare.is_in(ids))
        .then(bare)
        .when((_COMMENT + named).is_in(ids))
        .then(_COMMENT + named)
        .otherwise(named)
    )
    post = named.str.strip_prefix(_POST) == thread.str.strip_prefix(_POST)
    unnamed = named.str.to_lowercase().is_in(_NONE_WORDS) | (thread.is_null() & named.str.contains(_POST_ID))
    top = post.fill_null(value=False) | (~known & unnamed) | (parent == pl.col("opening_id")).fill_null(value=False)
    answered = pl.when(~top & ~pl.col("opening")).then(parent)
    return rows.with_columns(native_parent=answered).drop("opening_id")
