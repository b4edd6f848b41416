"""Which comments a bundle can read, and the keys under which its answers are kept."""

from __future__ import annotations

import hashlib
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


def input_key(*parts: str) -> str:
    """Return the SHA-256 of what is read and by which bundle; parts cannot run into each other."""
    return hashlib.sha256("\x00".join(part.replace("\x00", "") for part in parts).encode()).hexdigest()
