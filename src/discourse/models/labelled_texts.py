"""Texts found again by the hash under which their labels are published: labels may be shared where texts may not."""

from __future__ import annotations

import hashlib
from pathlib import Path

import polars as pl


def short_sha1(text: str) -> str:
    """Return the first ten hexadecimal digits of the SHA-1 of a text with white space collapsed."""
    return hashlib.sha1(" ".join(text.split()).encode(), usedforsecurity=False).hexdigest()[:10]


def texts_by_id(patterns: tuple[str, ...]) -> pl.DataFrame:
    """Read Parquet files of threads (columns thread_id, comment_id, parent_id, text) or of debates (text, target).

    A thread without title is named by its opening post, whose id is the thread's.

    Args:
        patterns: paths, whose last part may hold ``*``.

    Returns:
        `id` (see `short_sha1`), `text`, `title`, `parent` and `thread`, the first of each id.
    """
    files = sorted({file for pattern in patterns for file in Path(pattern).parent.glob(Path(pattern).name)})
    parts = [_of_file(pl.read_parquet(file)) for file in files]
    empty = pl.DataFrame(schema={"text": pl.String, "title": pl.String, "parent": pl.String, "thread": pl.String})
    found = pl.concat([empty, *parts])
    ids = pl.Series("id", [short_sha1(text) for text in found["text"]], dtype=pl.String)
    return found.with_columns(ids).unique("id", keep="first", maintain_order=True)


def _of_file(frame: pl.DataFrame) -> pl.DataFrame:
    frame = frame.filter(pl.col("text").is_not_null())
    if "thread_id" not in frame.columns:
        topic = pl.lit("debate: ") + pl.col("target")
        return frame.select("text", topic.alias("title"), pl.lit("").alias("parent"), pl.col("target").alias("thread"))
    parents = frame.select(parent_id="comment_id", parent="text").unique("parent_id", keep="first")
    openings = parents.rename({"parent_id": "thread_id", "parent": "opening"})
    found = frame.join(parents, on="parent_id", how="left", maintain_order="left")
    found = found.join(openings, on="thread_id", how="left", maintain_order="left")
    title = pl.coalesce("title", "opening") if "title" in frame.columns else pl.col("opening")
    return found.select(
        "text",
        title.fill_null("").alias("title"),
        pl.col("parent").fill_null("").alias("parent"),
        pl.col("thread_id").alias("thread"),
    )
