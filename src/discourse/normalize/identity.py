"""Names for comments that stay the same when a longer file, or the same file in another order, is read."""

from __future__ import annotations

import hashlib

import polars as pl


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


def comment_ids(comments: pl.DataFrame) -> pl.Series:
    """Name each comment: `platform:native id`, else a hash of what and where it is.

    Threads that share a native id with another one have ids that hold only within them, so all their comments are
    named `platform:thread/native id`.

    Args:
        comments: in file order; columns thread_id, platform, native_id, native_parent, text, quotes. A native id
            stands once in a thread.

    Returns:
        String, without repeats.
    """
    named = (
        comments.select("thread_id", "native_id", platform_of().alias("prefix"), native_thread().alias("native_thread"))
        .with_columns((pl.col("thread_id").n_unique().over("prefix", "native_id") > 1).alias("shared"))
        .with_columns((pl.col("shared") & pl.col("native_id").is_not_null()).any().over("thread_id").alias("local"))
    )
    given = named.select(
        pl.when("local")
        .then(pl.format("{}:{}/{}", "prefix", "native_thread", "native_id"))
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
    return _without_repeats(given, named)


def _without_repeats(given: pl.Series, named: pl.DataFrame) -> pl.Series:
    """Rename by a hash the ids that meet by accident, such as "a/1" in one thread and "1" in thread "a"."""
    met = given.is_duplicated()
    if not met.any():
        return given
    rows = named.with_columns(given.alias("comment_id")).filter(met)
    content = rows.select("prefix", "thread_id", "comment_id", pl.col("native_id").fill_null(""))
    return given.scatter(met.arg_true(), _hashes(content))


def _hashes(content: pl.DataFrame) -> pl.Series:
    """Hash all columns but the first, with the occurrence among equal rows; the first is the prefix."""
    counted = content.with_columns(pl.int_range(pl.len()).over(content.columns).alias("occurrence"))
    names = [f"{prefix}:{hashlib.sha256(_joined(rest)).hexdigest()[:16]}" for prefix, *rest in counted.iter_rows()]
    return pl.Series("comment_id", names, dtype=pl.String)


def _joined(parts: list[object]) -> bytes:
    """Join parts unambiguously: texts hold no unit separator after clean-up."""
    return "\x1f".join(str(part) for part in parts).encode()
