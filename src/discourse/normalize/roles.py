"""Roles that only the whole table shows: texts that a machine puts into every thread, and the author of the article."""

from __future__ import annotations

import polars as pl

from discourse.tables import ReplyKind, Role

MIN_THREADS = 5
MIN_WORDS = 8
MIN_SHARE = 0.5


def roles(comments: pl.DataFrame) -> pl.Series:
    """Give each comment its role: the source's, but `bot` and `author` where the table shows it.

    A bot's text (letter case and white space aside, at least 8 words) stands in at least half of the threads, given at
    least 5. An author is who wrote the article or the thread's opening post, unless the source says staff or bot.

    Args:
        comments: columns thread_id, text, reply_kind, role, author, and article_author (both pseudonyms).
    """
    opening = pl.col("reply_kind") == ReplyKind.OPENING.value
    same = pl.col("text").str.to_lowercase().str.replace_all(r"\s+", " ").alias("same")
    marked = comments.with_columns(same, opening.alias("opens")).with_columns(
        (
            (pl.col("thread_id").n_unique().over("same") >= MIN_SHARE * pl.col("thread_id").n_unique())
            & (pl.col("thread_id").n_unique() >= MIN_THREADS)
            & (pl.col("same").str.count_matches(r"\S+") >= MIN_WORDS)
            & ~pl.col("opens")
        )
        .fill_null(value=False)
        .alias("bot"),
        pl.col("author").filter(pl.col("opens")).first().over("thread_id").alias("opener"),
    )
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
