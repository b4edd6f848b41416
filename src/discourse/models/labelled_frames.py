"""The labelled rows of a frames recipe, checked and joined."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.codebook import load_codebook
from discourse.models.frame_inputs import FrameInput
from discourse.models.recipe import Clean, DataFile, Recipe, join_threads, read_labelled
from discourse.models.training_checks import Checked, agreed, check_classes, few_yes, unknown_frames, with_labels
from discourse.progress import say, warn

COLUMNS = ("text", "title", "parent", "text_hash", "source", "thread", "weight", "importance", "training_only")


def labelled_rows(recipe: Recipe, levels: tuple[str, ...], clean: Clean) -> Checked:
    """Read the files of a recipe; what cannot be learned from is left out, counted and said.

    Returns:
        `COLUMNS` and one column of 0 or 1 for each level; what was left out of all files, by reason.

    Raises:
        InputError: a file lacks the column of a frame, or a value there is no label.
        BundleError: a frame has fewer than two yes or two no to be judged by.
    """
    names = load_codebook(recipe.codebook).names
    files = [_file(data, levels, names, clean) for data in recipe.data]
    whole = files[0]
    for file in files[1:]:
        whole = whole.then(file)
    for note in whole.notes:
        say(note)
    joined = pl.concat([file.rows for file in files], how="vertical_relaxed")
    rows = join_threads(joined, recipe.threads).drop("original_hash", "row")
    judged = rows.filter(~pl.col("training_only"))
    check_classes(judged, levels)
    for warning in few_yes(judged, levels):
        warn(warning)
    return Checked(rows, whole.dropped, whole.notes)


def _file(data: DataFile, levels: tuple[str, ...], names: tuple[str, ...], clean: Clean) -> Checked:
    where = Path(data.file).name
    checked = read_labelled(data, clean)
    strange = unknown_frames(checked.rows, names, where)
    checked = checked.then(with_labels(checked.rows, levels, where))
    checked = checked.then(agreed(checked.rows, levels, where, same=("title", "parent")))
    return Checked(
        checked.rows.select(*COLUMNS, "original_hash", "row", *levels), checked.dropped, (*strange, *checked.notes)
    )


def inputs_of_rows(rows: pl.DataFrame, context: tuple[str, ...]) -> list[FrameInput]:
    """Return what a bundle with this context reads of labelled rows."""
    return [FrameInput(*row).as_read(context) for row in rows.select("text", "title", "parent").iter_rows()]


def learned_rows(
    y: NDArray[np.int8], always: NDArray[np.bool_], numbers: NDArray[np.int64], without_frame: int | None, seed: int
) -> NDArray[np.int64]:
    """Choose the rows to learn from: all that have a frame or are in `always`, and a seeded part of the others.

    Args:
        y: 0 or 1, rows × levels.
        always: rows that are kept though they have no frame, such as those written for training.
        numbers: the rows to choose from.
        without_frame: how many others are kept; None keeps all.
        seed: of the choice.

    Returns:
        Row numbers in rising order.
    """
    plain = ~y[numbers].any(1) & ~always[numbers]
    if without_frame is None or plain.sum() <= without_frame:
        return np.sort(numbers)
    chosen = np.random.default_rng(seed).permutation(numbers[plain])[:without_frame]
    return np.sort(np.concatenate([numbers[~plain], chosen]))


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
