"""Stance out of fold: each data set is answered by a model that never saw it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from discourse.errors import BundleError
from discourse.models.bundle import Calibration
from discourse.models.recipe import Recipe
from discourse.models.stance import CLASSES, decide
from discourse.models.stance_rows import StanceRows
from discourse.progress import say
from discourse.tables import Path as TagPath
from discourse.tables import Tier

Numbers = NDArray[np.int64]
LEVELS = ("about", "favor", "against", "neutral")


@dataclass(frozen=True, slots=True)
class Answers:
    """What models say of some rows: gate log-odds, and log-probabilities of `stance.CLASSES`, rows × 4."""

    gate: NDArray[np.float64]
    classes: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Out-of-fold answers by path, for the rows of these numbers."""

    rows: Numbers
    by_path: dict[TagPath, Answers]


Learn = Callable[[Numbers, str], Callable[[Numbers, TagPath], Answers]]


def out_of_fold(recipe: Recipe, rows: StanceRows, learn: Learn) -> HeldOut:
    """Hold out each data set in turn; rows for training only are learned from in every fold.

    Args:
        recipe: how many rows a fold learns from (`tuning.fold_rows`) and answers (`stance.fold_scored`).
        rows: all of them.
        learn: from row numbers and a name to what answers row numbers by a path.

    Raises:
        BundleError: there are fewer than two data sets to hold out.
    """
    judged = rows.judged
    names = np.unique(rows.source[judged])
    if len(names) < 2:
        raise BundleError("stance needs at least two data sets, so that one can be held out")
    generator = np.random.default_rng(recipe.seed)
    numbers: list[Numbers] = []
    found: dict[TagPath, list[Answers]] = {TagPath.EXACT: [], TagPath.TEXT_ONLY: []}
    for name in names:
        say(f"fold: {name} held out")
        held = judged & (rows.source == name)
        seen = generator.permutation(np.flatnonzero(~held))[: recipe.tuning.fold_rows]
        unseen = np.sort(generator.permutation(np.flatnonzero(held))[: recipe.stance.fold_scored])
        answer = learn(np.sort(seen), str(name))
        numbers.append(unseen)
        for path, answers in found.items():
            answers.append(answer(unseen, path))
    by_path = {
        path: Answers(np.concatenate([a.gate for a in answers]), np.concatenate([a.classes for a in answers]))
        for path, answers in found.items()
    }
    # Whoever turns context off gets the reading without parents as the main path.
    by_path[TagPath.NO_CONTEXT] = by_path[TagPath.TEXT_ONLY]
    return HeldOut(np.concatenate(numbers), by_path)


def heldout_rows(rows: StanceRows, held: HeldOut, calibration: dict[str, Calibration]) -> pl.DataFrame:
    """Return the rows of a bundle's `heldout.parquet` for every path."""
    return pl.concat([_of_path(rows, held.rows, path, answers, calibration) for path, answers in held.by_path.items()])


def _of_path(
    rows: StanceRows, numbers: Numbers, path: TagPath, answers: Answers, calibration: dict[str, Calibration]
) -> pl.DataFrame:
    passed, p, answer = decide(answers.gate, answers.classes, calibration)
    off, neutral = CLASSES.index("off_target"), CLASSES.index("neutral")
    p = np.where(passed[:, None], p, np.eye(4)[off])
    labels = rows.labels[numbers]
    told, always = labels >= 0, np.ones(len(labels), bool)
    by_level = {
        "about": (labels != off, answer != off, 1 - p[:, off], told),
        "favor": (labels == 0, answer == 0, p[:, 0], always),
        "against": (labels == 1, answer == 1, p[:, 1], always),
        "neutral": (labels == neutral, answer == neutral, p[:, 2], told),
    }
    base = rows.table[numbers].select("text_hash", "source", "thread")
    parts: list[pl.DataFrame] = []
    for level, (label, tag, probability, known) in by_level.items():
        clipped = np.clip(probability, 1e-6, 1 - 1e-6)
        parts.append(
            base.with_columns(
                level=pl.lit(level),
                path=pl.lit(path.value),
                label=pl.Series(label.astype(np.int8)),
                score=pl.Series(np.log(clipped / (1 - clipped))),
                tag=pl.Series(tag.astype(np.int8)),
                tier=pl.lit(Tier.ENCODER.value),
                weight=pl.lit(1.0),
            ).filter(pl.Series(known))
        )
    return pl.concat(parts)


def merged_f1(rows: StanceRows, held: HeldOut, path: TagPath) -> dict[str, float]:
    """Return macro-F1 over favor, against and no side by held-out set, neutral and off_target as one, without gate."""
    labels = rows.labels[held.rows]
    true = np.where(labels < 0, 2, np.minimum(labels, 2))
    p = np.exp(held.by_path[path].classes)
    answer = np.column_stack([p[:, 0], p[:, 1], p[:, 2] + p[:, 3]]).argmax(1)
    source = rows.source[held.rows]
    return {
        str(name): round(float(f1_score(true[source == name], answer[source == name], average="macro")), 4)
        for name in np.unique(source)
    }


def gate_recall(rows: StanceRows, held: HeldOut, calibration: dict[str, Calibration]) -> dict[str, float]:
    """Return the share of the held-out comments about their target that the gate lets through, by data set."""
    passed, _, _ = decide(held.by_path[TagPath.EXACT].gate, held.by_path[TagPath.EXACT].classes, calibration)
    about, source = rows.about[held.rows] == 1, rows.source[held.rows]
    return {
        str(name): round(float(passed[about & (source == name)].mean()), 4)
        for name in np.unique(source)
        if (about & (source == name)).any()
    }
