"""Which comments are embedded in the file, in the order of their conversations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

EMBEDDED = 100_000


def embedded(outline: pl.DataFrame, needed: Sequence[str], labelled: Sequence[str], seed: int) -> pl.DataFrame:
    """Choose at most 100,000 comments: all, or a seeded sample with every quoted and labelled one.

    Args:
        outline: every comment without its text, in the order of threads and positions.
        needed: comment_ids that the report links to.
        labelled: comment_ids that people labelled.
        seed: of the sample.

    Returns:
        Rows of `outline` with `depth` (among the embedded), in the order of threads, each reply behind what it answers
        and before the next answer to that.
    """
    if outline.height > EMBEDDED:
        rank = pl.when(pl.col("comment_id").is_in(list(needed))).then(0)
        rank = rank.when(pl.col("comment_id").is_in(list(labelled))).then(1).otherwise(2)
        chance = pl.Series("chance", np.random.default_rng(seed).permutation(outline.height))
        ranked = outline.with_row_index("order").with_columns(chance, rank=rank)
        outline = ranked.sort("rank", "chance").head(EMBEDDED).sort("order").drop("order", "chance", "rank")
    places, depths = conversations(outline["comment_id"].to_list(), outline["parent_id"].to_list())
    return outline[places].with_columns(pl.Series("depth", depths, dtype=pl.UInt32))


def conversations(ids: Sequence[str], parents: Sequence[str | None]) -> tuple[list[int], list[int]]:
    """Order comments so that each is followed by all that hangs from it.

    Args:
        ids: comment_ids, in the order in which answers to one comment are to stand.
        parents: the comment that each answers; one that is not in `ids` counts as none.

    Returns:
        Places in `ids` in the new order, and the depth of each: 0 where nothing above it is in `ids`.
    """
    place_of = {name: place for place, name in enumerate(ids)}
    answers: list[list[int]] = [[] for _ in ids]
    roots: list[int] = []
    for place, parent in enumerate(parents):
        above = place_of.get(parent) if parent is not None else None
        (roots if above is None or above == place else answers[above]).append(place)
    order: list[int] = []
    depths: list[int] = []
    open_ends = [(place, 0) for place in reversed(roots)]
    while open_ends:
        place, depth = open_ends.pop()
        order.append(place)
        depths.append(depth)
        open_ends.extend((answer, depth + 1) for answer in reversed(answers[place]))
    if len(order) < len(ids):  # a ring of comments that answer one another hangs from nothing
        left = sorted(set(range(len(ids))) - set(order))
        return order + left, depths + [0] * len(left)
    return order, depths
