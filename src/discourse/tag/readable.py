"""Which comments a bundle can read."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from discourse.tables import ReplyKind, State

SHARD = 2_000


def with_text(comments: pl.DataFrame) -> pl.DataFrame:
    """Return the visible comments that have text, without opening posts."""
    return comments.filter(
        pl.col("text").is_not_null()
        & (pl.col("text").str.len_chars() > 0)
        & (pl.col("state") == State.VISIBLE.value)
        & (pl.col("reply_kind") != ReplyKind.OPENING.value)
    )


def in_languages(languages: Sequence[str]) -> pl.Expr:
    """Tell whether a comment is in a language that the bundle reads."""
    return pl.col("language").is_in(list(languages)).fill_null(value=False)
