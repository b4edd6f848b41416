"""The labelled rows of a frames recipe, checked and joined."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.errors import BundleError, InputError
from discourse.models.frame_inputs import FrameInput
from discourse.models.recipe import Clean, Recipe, join_threads, read_labelled

COLUMNS = ("text", "title", "parent", "text_hash", "source", "thread", "weight", "importance", "training_only")


def labelled_rows(recipe: Recipe, levels: tuple[str, ...], clean: Clean) -> pl.DataFrame:
    """Read the files of a recipe.

    Returns:
        `COLUMNS` and one column of 0 or 1 for each level.

    Raises:
        InputError: a file lacks the column of a frame, or a value there is neither 0 nor 1.
        BundleError: a frame has one class only.
    """
    parts: list[pl.DataFrame] = []
    for data in recipe.data:
        frame = read_labelled(data, clean)
        missing = [level for level in levels if level not in frame.columns]
        if missing:
            raise InputError(f"{data.file}: lacks the column of the frame {missing[0]}; columns: {frame.columns}")
        strange = frame.filter(
            pl.any_horizontal(~pl.col(level).is_in([0, 1]).fill_null(value=False) for level in levels)
        )
        if strange.height:
            raise InputError(f"{data.file}: {strange.height} rows have a frame that is neither 0 nor 1; mend them")
        parts.append(frame.select(*COLUMNS, "original_hash", *(pl.col(level).cast(pl.Int8) for level in levels)))
    rows = join_threads(pl.concat(parts, how="vertical_relaxed"), recipe.threads).drop("original_hash")
    for level in levels:
        if rows[level].n_unique() < 2:
            raise BundleError(
                f'"{level}" has only one class in {rows.height} training rows; label some of the other too'
            )
    return rows


def inputs_of_rows(rows: pl.DataFrame, context: tuple[str, ...]) -> list[FrameInput]:
    """Return what a bundle with this context reads of labelled rows."""
    return [FrameInput(*row).as_read(context) for row in rows.select("text", "title", "parent").iter_rows()]


def development_rows(rows: pl.DataFrame, share: float, seed: int) -> NDArray[np.bool_]:
    """Choose whole threads, a seeded share of them, for deciding when to stop; rows for training only are never there.

    Args:
        rows: labelled rows with `source`, `thread` and `training_only`.
        share: of the threads, 0 for none.
        seed: of the choice.

    Returns:
        Whether each row is in the development part.
    """
    names = rows.select((pl.col("source") + "\x1f" + pl.col("thread")).alias("name"))["name"]
    threads = names.unique().sort()
    chosen = np.random.default_rng(seed).random(len(threads)) < share
    return names.is_in(threads.filter(pl.Series(chosen)).implode()).to_numpy() & ~rows["training_only"].to_numpy()
