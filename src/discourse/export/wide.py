"""Tags side by side: one row for each comment, a column for each answer."""

from __future__ import annotations

import polars as pl

from discourse.tables import Path


def wide_tags(comments: pl.DataFrame, frames: pl.DataFrame, stance: pl.DataFrame, topics: pl.DataFrame) -> pl.DataFrame:
    """Return each comment with a decision and a probability for each frame, a stance for each target, and its topic.

    Args:
        comments: comment_id and thread_id, one row each.
        frames, stance, topics: rows of those tables; tags read for the reply tree alone are left out.
    """
    found = comments.select("comment_id", "thread_id")
    main = frames.filter(pl.col("path") != Path.TEXT_ONLY.value)
    for name in main["frame"].unique(maintain_order=True):
        part = main.filter(pl.col("frame") == name).unique("comment_id", keep="last", maintain_order=True)
        named = part.select(
            "comment_id",
            pl.col("decision").alias(f"frame:{name}"),
            pl.col("probability").alias(f"frame:{name}:probability"),
        )
        found = found.join(named, on="comment_id", how="left", maintain_order="left")
    shown = stance.filter(pl.col("path") != Path.TEXT_ONLY.value)
    for name in shown["target"].unique(maintain_order=True):
        part = shown.filter(pl.col("target") == name).unique("comment_id", keep="last", maintain_order=True)
        named = part.select(
            "comment_id",
            pl.col("stance").alias(f"stance:{name}"),
            *(pl.col(f"p_{value}").alias(f"stance:{name}:p_{value}") for value in ("favor", "against", "neutral")),
        )
        found = found.join(named, on="comment_id", how="left", maintain_order="left")
    if topics.height:
        found = found.join(topics.select("comment_id", "topic"), on="comment_id", how="left", maintain_order="left")
    return found
