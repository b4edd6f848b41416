"""Tags that owe nothing to title or parent, for whole threads: what replies may be compared with parents by."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from discourse.tag.readable import with_text

MOST_COMMENTS = 20_000


def in_chosen_threads(comments: pl.DataFrame, tags: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return the comments that have tags and stand in `chosen_threads`; the same threads for frames and stances."""
    tagged = comments.join(tags.select("comment_id").unique(), on="comment_id", how="semi", maintain_order="left")
    return tagged.filter(pl.col("thread_id").is_in(chosen_threads(tagged["thread_id"], seed)))


def read_alone(batches: Iterable[pl.DataFrame], seed: int) -> pl.DataFrame:
    """Return the comments with text of `chosen_threads`.

    Args:
        batches: rows of the comments table, gone through twice.
        seed: of the choice.
    """
    sizes = [with_text(comments)["thread_id"].value_counts(name="count") for comments in batches]
    counted = pl.concat(sizes).group_by("thread_id").agg(pl.col("count").sum())
    chosen = pl.Series(_chosen(counted.sort("thread_id"), seed, MOST_COMMENTS), dtype=pl.String)
    return pl.concat(with_text(comments).filter(pl.col("thread_id").is_in(chosen.implode())) for comments in batches)


def chosen_threads(thread_ids: pl.Series, seed: int, most: int = MOST_COMMENTS) -> list[str]:
    """Return the threads to read: all where they have at most `most` comments, else a seeded choice of whole ones.

    Args:
        thread_ids: thread of each comment that is tagged.
        seed: of the order in which threads are taken, as long as they fit.
        most: comments in all threads together.
    """
    return _chosen(thread_ids.alias("thread_id").value_counts(name="count").sort("thread_id"), seed, most)


def _chosen(sizes: pl.DataFrame, seed: int, most: int) -> list[str]:
    if sizes["count"].sum() <= most:
        return sizes["thread_id"].to_list()
    chosen: list[str] = []
    left = most
    for row in np.random.default_rng(seed).permutation(sizes.height):
        name, count = sizes.row(int(row))
        if count <= left:
            chosen.append(name)
            left -= count
    return chosen
