"""Roles that only the whole table shows: texts that a machine puts into every thread, and the author of the article."""

from __future__ import annotations

import polars as pl

from discourse.tables import ReplyKind, Role

MIN_THREADS = 5
MIN_WORDS = 8
MIN_SHARE = 0.5

_SEED = 40_961


def text_threads(comments: pl.DataFrame) -> pl.DataFrame:
    """Count in how many threads each text of at least 8 words stands, letter case and white space aside.

    Args:
        comments: whole threads; columns thread_id and text.

    Returns:
        `key` of the text (UInt64) and `threads` (UInt32).
    """
    texts = comments.filter(pl.col("text").is_not_null()).select("thread_id", same=_same())
    long = texts.filter(pl.col("same").str.count_matches(r"\S+") >= MIN_WORDS)
    return (
        long.select("thread_id", key=pl.col("same").hash(_SEED))
        .unique()
        .group_by("key")
        .agg(pl.len().cast(pl.UInt32).alias("threads"))
    )


def bot_texts(counted: pl.DataFrame, threads: int) -> pl.Series:
    """Return the keys of the texts that stand in at least half of the threads, given at least 5.

    Args:
        counted: rows of `text_threads`; a key may stand in several, of different threads.
        threads: how many there are with comments.
    """
    if threads < MIN_THREADS:
        return counted["key"].clear()
    summed = counted.group_by("key").agg(pl.col("threads").sum())
    return summed.filter(pl.col("threads") >= MIN_SHARE * threads)["key"]


def roles(comments: pl.DataFrame, bots: pl.Series) -> pl.Series:
    """Give each comment its role: the source's, but `bot` and `author` where the table shows it.

    An author is who wrote the article or the thread's opening post, unless the source says staff or bot.

    Args:
        comments: whole threads; columns thread_id, text, reply_kind, role, author, and article_author (both
            pseudonyms).
        bots: keys of texts that a machine writes, see `bot_texts`.
    """
    opening = pl.col("reply_kind") == ReplyKind.OPENING.value
    marked = comments.with_columns(opening.alias("opens")).with_columns(
        pl.col("author").filter(pl.col("opens")).first().over("thread_id").alias("opener"), bot=pl.lit(value=False)
    )
    if len(bots):
        bot = _same().hash(_SEED).is_in(bots.implode()) & pl.col("text").is_not_null() & ~pl.col("opens")
        marked = marked.with_columns(bot=bot)
    wrote_it = (pl.col("author") == pl.col("article_author")) | (pl.col("author") == pl.col("opener"))
    person = pl.col("role").is_in([Role.USER.value, Role.UNKNOWN.value])
    return marked.select(
        pl.when("bot")
        .then(pl.lit(Role.BOT.value))
        .when(person & wrote_it.fill_null(value=False))
        .then(pl.lit(Role.AUTHOR.value))
        .otherwise("role")
        .alias("role")
    )["role"]


def _same() -> pl.Expr:
    return pl.col("text").str.to_lowercase().str.replace_all(r"\s+", " ")
