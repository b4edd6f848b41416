"""What goes on in the reply tree: what replies and the comments they answer are tagged, and where a tag came in."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from discourse.aggregate.estimates import Estimate
from discourse.aggregate.replies import SIDES, frame_reply_estimates, stance_reply_estimates
from discourse.aggregate.timeline import first_uses
from discourse.models.reader import TagReader
from discourse.tables import Path


def frame_dynamics(marked: pl.DataFrame, frames: pl.DataFrame, bundle: TagReader, seed: int) -> list[Estimate]:
    """Return the rows on frames in replies, and on their first uses.

    Args:
        marked: rows of the comments table with `excluded` under the bundle's languages.
        frames: rows of the frames table; those of the bundle by path `text_only` count.
        bundle: the frames bundle.
        seed: of the exchanges.
    """
    alone = frames.filter((pl.col("bundle") == bundle.id) & (pl.col("path") == Path.TEXT_ONLY.value))
    tags = alone.select("comment_id", level="frame:" + pl.col("frame"), tagged="above_threshold")
    levels = [f"frame:{name}" for name in bundle.manifest.labels]
    return frame_reply_estimates(marked, alone, bundle.manifest.labels, seed) + first_uses(marked, tags, levels)


def stance_dynamics(
    marked: pl.DataFrame, stances: pl.DataFrame, targets: Sequence[str], bundle: TagReader, seed: int
) -> list[Estimate]:
    """Return the rows on who answers whom with which stance, and on the first uses of each stance.

    Args:
        marked: rows of the comments table with `excluded` under the bundle's languages.
        stances: rows of the stance table; those of the bundle by path `text_only` count.
        targets: as configured.
        bundle: the stance bundle.
        seed: of the exchanges.
    """
    alone = stances.filter((pl.col("bundle") == bundle.id) & (pl.col("path") == Path.TEXT_ONLY.value))
    rows: list[Estimate] = []
    for number, target in enumerate(targets):
        own = alone.filter(pl.col("target") == target)
        rows += stance_reply_estimates(marked, own, target, [seed, 6, number])
        level = f"stance:{target}:" + pl.col("stance")
        tags = own.select("comment_id", level=level, tagged=pl.col("stance").is_in(SIDES))
        rows += first_uses(marked, tags, [f"stance:{target}:{side}" for side in SIDES])
    return rows
