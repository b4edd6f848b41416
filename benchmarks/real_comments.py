"""Real comments for the benchmarks of the models: a seeded sample of those that lie beside the checkout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from discourse.models.frame_inputs import FrameInput

SHARED = Path(__file__).resolve().parents[2] / "shared"
FILES = ("reddit_conspiracy_2025", "mtcsd_reddit", "reddit_music_2025", "discourse_iitm_tds", "reddit_cmv")


def require() -> None:
    """Say it where the real comments do not lie beside the checkout, and stop."""
    if not (SHARED / "threads").is_dir():
        raise SystemExit(f"{SHARED}: the real comments are not here")


def read_comments(most: int, seed: int, shared: Path = SHARED) -> list[FrameInput]:
    """Return distinct comments of real threads with title and parent.

    Args:
        most: how many at most.
        seed: of the sample.
        shared: the folder that holds `threads`.
    """
    parts: list[pl.DataFrame] = []
    for name in FILES:
        frame = pl.read_parquet(shared / "threads" / f"{name}.parquet")
        above = frame.select(parent_id="comment_id", parent="text").unique("parent_id", keep="first")
        frame = frame.join(above, on="parent_id", how="left", maintain_order="left")
        title = pl.col("title").fill_null("") if "title" in frame.columns else pl.lit("")
        parts.append(frame.select("text", title.alias("title"), pl.col("parent").fill_null("")))
    rows = pl.concat(parts).filter(pl.col("text").str.len_chars() > 0).unique("text", maintain_order=True)
    return [FrameInput(*row) for row in rows.sample(min(most, rows.height), seed=seed).iter_rows()]


def labelled_comments(levels: tuple[str, ...], shared: Path = SHARED) -> tuple[list[FrameInput], np.ndarray, pl.Series]:
    """Return the comments that were labelled by hand, whether each level holds (rows × levels), and their sources."""
    rows = pl.read_parquet(shared / "data" / "frames" / "real.parquet")
    parts = rows.select("text", pl.col("title").fill_null(""), pl.col("parent").fill_null(""))
    return [FrameInput(*row) for row in parts.iter_rows()], rows.select(levels).to_numpy() == 1, rows["source"]


def said_of_lengths(lengths: np.ndarray) -> str:
    """Describe the tokens of some comments."""
    median, high = np.quantile(lengths, [0.5, 0.9])
    return f"{len(lengths):,} comments, {lengths.sum():,} tokens (median {median:.0f}, 90 % at most {high:.0f})"
