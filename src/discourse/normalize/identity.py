"""Names for comments that stay the same when a longer file, or the same file in another order, is read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import polars as pl

_SEED = 7_351_904


def platform_of(thread_id: str = "thread_id", platform: str = "platform") -> pl.Expr:
    """The part of a thread_id before its first colon, or the platform where it has none."""
    return pl.coalesce(pl.col(thread_id).str.extract(r"^([^:]+):"), pl.col(platform))


def native_thread(thread_id: str = "thread_id") -> pl.Expr:
    """The thread's id at its platform: a thread_id without the part before its first colon."""
    return pl.col(thread_id).str.replace(r"^[^:]+:", "")


def repeated_ids() -> pl.Expr:
    """True for a comment whose native id an earlier row of its thread has."""
    named = pl.col("native_id").is_not_null()
    return named & ~pl.struct("thread_id", "native_id").is_first_distinct()


def native_keys(comments: pl.DataFrame) -> pl.Series:
    """Return a 64-bit key of platform and native id, null where there is none: equal where two threads share one."""
    return comments.select(
        pl.when(pl.col("native_id").is_not_null())
        .then(pl.struct(platform_of().alias("prefix"), "native_id").hash(_SEED))
        .alias("key")
    )["key"]


def id_keys(ids: pl.Series) -> pl.Series:
    """Return a 64-bit key of each comment_id."""
    return ids.hash(_SEED).alias("key")


def repeated_keys(keys: Sequence[pl.Series]) -> pl.Series:
    """Return the keys that stand more than once in all of `keys` together (at least one series)."""
    every = pl.concat(keys)
    return every.filter(every.is_duplicated()).unique()


def given_ids(comments: pl.DataFrame, shared: pl.Series) -> pl.Series:
    """Name each comment: `platform:native id`, else a hash of what and where it is.

    Threads that share a native id with another one have ids that hold only within them, so all their comments are
    named `platform:thread/native id`.

    Args:
        comments: whole threads in file order; columns thread_id, platform, native_id, native_parent, text, quotes. A
            native id stands once in a thread.
        shared: the keys, see `native_keys`, that stand in more than one thread of the whole table.

    Returns:
        String; two comments may still meet in one name by accident, see `comment_ids`.
    """
    named = comments.select("thread_id", "native_id", platform_of().alias("prefix"), native_thread().alias("thread"))
    elsewhere = native_keys(comments).is_in(shared.implode()).fill_null(value=False)
    named = named.with_columns(elsewhere.alias("shared")).with_columns(
        pl.col("shared").any().over("thread_id").alias("local")
    )
    given = named.select(
        pl.when("local")
        .then(pl.format("{}:{}/{}", "prefix", "thread", "native_id"))
        .otherwise(pl.format("{}:{}", "prefix", "native_id"))
        .alias("comment_id")
    )["comment_id"]
    nameless = comments["native_id"].is_null()
    if nameless.any():
        content = comments.filter(nameless).select(
            platform_of().alias("prefix"),
            "thread_id",
            pl.col("native_parent").fill_null(""),
            pl.coalesce("text", pl.col("quotes").list.join("\n")).fill_null("").alias("words"),
        )
        given = given.scatter(nameless.arg_true(), _hashes(content))
    return given


def comment_ids(comments: pl.DataFrame, shared: pl.Series, met: pl.Series) -> pl.Series:
    """Name each comment as `given_ids` does, and by a hash those whose names meet by accident.

    Args:
        comments: as for `given_ids`.
        shared: as for `given_ids`.
        met: the keys, see `id_keys`, of given ids that stand more than once in the whole table, such as "a/1" in one
            thread and "1" in thread "a".

    Returns:
        String, without repeats.
    """
    given = given_ids(comments, shared)
    again = id_keys(given).is_in(met.implode())
    if not again.any():
        return given
    rows = comments.with_columns(given.alias("comment_id")).filter(again)
    content = rows.select(platform_of().alias("prefix"), "thread_id", "comment_id", pl.col("native_id").fill_null(""))
    return given.scatter(again.arg_true(), _hashes(content))


def _hashes(content: pl.DataFrame) -> pl.Series:
    """Hash all columns but the first, with the occurrence among equal rows; the first is the prefix."""
    counted = content.with_columns(pl.int_range(pl.len()).over(content.columns).alias("occurrence"))
    names = [f"{prefix}:{hashlib.sha256(_joined(rest)).hexdigest()[:16]}" for prefix, *rest in counted.iter_rows()]
    return pl.Series("comment_id", names, dtype=pl.String)


def _joined(parts: list[object]) -> bytes:
    """Join parts unambiguously: texts hold no unit separator after clean-up."""
    return "\x1f".join(str(part) for part in parts).encode()
