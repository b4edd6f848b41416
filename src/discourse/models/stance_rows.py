"""The labelled rows of a stance recipe: read, checked, with the features that the gate decides by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.models.encoder import Encoder
from discourse.models.frames import FramesModel
from discourse.models.heads import Heads
from discourse.models.recipe import Clean, DataFile, Recipe, read_labelled
from discourse.models.stance import CLASSES, Reading, gate_features
from discourse.models.static_training import fit_table, piece_states
from discourse.models.text_vectors import StaticVectors, TextReader, read_texts
from discourse.models.training_checks import Checked, agreed, check_stance_classes, with_stances
from discourse.progress import bar, say

EITHER = "either"
COLUMNS = ("text", "target", "stance", "parent", "source", "thread", "text_hash", "importance", "training_only")


@dataclass(frozen=True, slots=True)
class StanceRows:
    """Rows to learn stance from.

    `readings` are read with their parents, `alone` are the same without. `labels` number `stance.CLASSES`, -1 where
    neutral and off_target are one. `features` and `features_alone` are the gate's, rows × `stance.GATE_FEATURES`.
    `table` has `COLUMNS`; `dropped` counts rows that cannot be learned from, by reason. `gate_reader` gave the vectors.
    """

    readings: list[Reading]
    alone: list[Reading]
    labels: NDArray[np.int64]
    source: NDArray[np.str_]
    features: NDArray[np.float64]
    features_alone: NDArray[np.float64]
    table: pl.DataFrame
    dropped: dict[str, int]
    gate_reader: TextReader

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Whether each row may be held out; the others are for training only."""
        return ~self.table["training_only"].to_numpy()

    @property
    def about(self) -> NDArray[np.int8]:
        """1 where a row is about its target, 0 where not, -1 where its label does not say."""
        off = (self.labels != CLASSES.index("off_target")).astype(np.int8)
        return np.where(self.labels >= 0, off, -1).astype(np.int8)


def stance_rows(recipe: Recipe, encoder: Encoder, clean: Clean) -> StanceRows:
    """Read the files of a recipe.

    Raises:
        InputError: a file lacks target or stance, or holds another value.
        BundleError: there are too few rows of a class.
    """
    files = [_read(data, clean, recipe.seed) for data in recipe.data]
    table, dropped = pl.concat([file.rows for file in files]), Counter[str]()
    for file in files:
        dropped.update(file.dropped)
        for note in file.notes:
            say(note)
    check_stance_classes(table["stance"])
    readings = [Reading(*row) for row in table.select("target", "text", "parent").iter_rows()]
    alone = [Reading(row.target, row.text) for row in readings]
    texts = list(dict.fromkeys(text for r in readings for text in (r.target, r.text, r.parent)))
    reader = _gate_reader(recipe, encoder, texts)
    with bar("vectors", len(texts)) as advance:
        vectors = read_texts(reader, texts, recipe.max_length, advance)
    place = {text: i for i, text in enumerate(texts)}
    target, text, parent = (
        vectors[[place[part] for part in parts]]
        for parts in zip(*((r.target, r.text, r.parent) for r in readings), strict=True)
    )
    labels = np.array([-1 if s == EITHER else CLASSES.index(s) for s in table["stance"]], np.int64)
    return StanceRows(
        readings,
        alone,
        labels,
        table["source"].to_numpy().astype(str),
        gate_features(readings, target, text, parent),
        gate_features(alone, target, text, parent),
        table,
        dict(dropped),
        reader,
    )


def _gate_reader(recipe: Recipe, encoder: Encoder, texts: Sequence[str]) -> TextReader:
    if recipe.stance.gate == "encoder":
        return encoder
    nothing = Heads((), np.zeros((0, encoder.width), np.float32), np.zeros(0, np.float32))
    with bar("word pieces", encoder.tokenizer.get_vocab_size()) as advance:
        pieces = piece_states(FramesModel(encoder, nothing, (), recipe.max_length), advance)
    return StaticVectors(f"{recipe.name}/gate", "", fit_table(encoder, texts, recipe.max_length, pieces))


def _read(data: DataFile, clean: Clean, seed: int) -> Checked:
    where = Path(data.file).name
    checked = read_labelled(data, clean)
    checked = checked.then(with_stances(checked.rows, where))
    checked = checked.then(agreed(checked.rows, ("stance",), where, same=("target", "parent")))
    frame = checked.rows.with_columns(pl.col("stance").replace({"neutral": data.neutral_means}))
    foreign = _foreign_pairs(frame, data.foreign_pairs, seed)
    return Checked(pl.concat([frame.select(COLUMNS), foreign.select(COLUMNS)]), checked.dropped, checked.notes)


def _foreign_pairs(frame: pl.DataFrame, share: float, seed: int) -> pl.DataFrame:
    """Pair a share of the rows with another target of the same file: comments that are not about it."""
    targets = frame["target"].unique().sort().to_list()
    chosen = frame.sample(fraction=share, seed=seed)
    if len(targets) < 2:
        return chosen.clear()
    following = {target: targets[(i + 1) % len(targets)] for i, target in enumerate(targets)}
    return chosen.with_columns(pl.col("target").replace_strict(following), pl.lit("off_target").alias("stance"))
