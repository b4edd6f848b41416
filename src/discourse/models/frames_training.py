"""Train a frames bundle and judge it on sources that it did not see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.codebook import load_codebook
from discourse.models.bundle import Calibration
from discourse.models.calibration import calibrate, probability
from discourse.models.encoder import Encoder
from discourse.models.evaluation import Scored, quality
from discourse.models.folds import out_of_fold, training_log
from discourse.models.labelled_frames import labelled_rows
from discourse.models.learners import learner, tuning_settings
from discourse.models.recipe import Clean, Recipe
from discourse.models.training import Trained
from discourse.progress import say
from discourse.tables import Path as TagPath
from discourse.tables import Tier


def train_frames(recipe: Recipe, encoder: Encoder, clean: Clean, folder: Path, checkpoints: Path) -> Trained:
    """Fit on all rows, after scoring each source by a model that never saw it (leave-one-source-out).

    Args:
        recipe: names data, codebook and settings.
        encoder: what is tuned or read frozen; it is not changed.
        clean: clean-up of texts.
        folder: where `weights.safetensors` is written.
        checkpoints: a folder of this very recipe; what lies there from a killed run is not computed again.

    Raises:
        BundleError: a frame has one class only, or there are fewer than two sources to hold out.
        InputError: a file lacks the column of a frame.
    """
    book = load_codebook(recipe.codebook)
    levels = tuple(book.frame(name).name for name in recipe.levels) or book.names
    rows = labelled_rows(recipe, levels, clean)
    fit = learner(recipe, encoder, rows, levels)
    folds = out_of_fold(recipe, rows, fit, checkpoints)
    held = rows.filter(~pl.col("training_only"))
    y = held.select(levels).to_numpy().astype(np.int8)
    calibration = _calibrations(folds.scores[TagPath.EXACT], y, held, levels)
    heldout = pl.concat([_heldout(path, scores, y, held, calibration, levels) for path, scores in folds.scores.items()])
    say("training on all rows")
    fitted = fit(np.arange(rows.height), checkpoints / "whole.safetensors")
    fitted.save(folder / "weights.safetensors")
    settings = recipe.heads.model_dump() if recipe.method == "heads" else recipe.tuning.model_dump(exclude_none=True)
    if recipe.method != "heads":
        settings["layers"] = tuning_settings(recipe, encoder).shape.layers
    return Trained(
        labels=levels,
        calibration=calibration,
        metrics=measure(heldout.filter(pl.col("path") == TagPath.EXACT.value), calibration, recipe.seed),
        heldout=heldout,
        trained_on=rows["text_hash"].to_list(),
        settings=settings,
        log=pl.concat([folds.log, training_log("whole", fitted.log)]),
    )


def measure(heldout: pl.DataFrame, calibration: dict[str, Calibration], seed: int) -> dict[str, Any]:
    """Return the quality of each level over rows of known weight (if there are none, over all), and by source."""
    found: dict[str, Any] = {"judged_by": "leave-one-source-out", "by_label": {}, "by_source": {}}
    for level, value in calibration.items():
        rows = heldout.filter(pl.col("level") == level)
        weighted = rows.filter(pl.col("weight").is_not_null())
        if weighted.is_empty():
            weighted = rows.with_columns(weight=1.0)
        found["by_label"][level] = quality(scored(weighted, value), value.slope, seed).as_json()
        found["by_source"][level] = {
            str(source): quality(scored(part.with_columns(weight=1.0), value), value.slope, seed, draws=100).as_json()
            for (source,), part in rows.group_by("source", maintain_order=True)
        }
    return found


def scored(rows: pl.DataFrame, calibration: Calibration) -> Scored:
    """Turn held-out rows of one level into arrays."""
    return Scored(
        rows["label"].to_numpy(),
        rows["tag"].to_numpy(),
        probability(rows["score"].to_numpy(), calibration),
        rows["weight"].to_numpy(),
        rows["source"].to_numpy().astype(str),
        rows["thread"].to_numpy().astype(str),
    )


def _calibrations(
    scores: NDArray[np.float64], y: NDArray[np.int8], held: pl.DataFrame, levels: tuple[str, ...]
) -> dict[str, Calibration]:
    weights = held["weight"].fill_null(0.0).to_numpy()
    if not (weights > 0).any():
        weights = np.ones(len(weights))
    return {level: calibrate(scores[:, k], y[:, k], weights) for k, level in enumerate(levels)}


def _heldout(
    path: TagPath,
    scores: NDArray[np.float64],
    y: NDArray[np.int8],
    held: pl.DataFrame,
    calibration: dict[str, Calibration],
    levels: tuple[str, ...],
) -> pl.DataFrame:
    parts: list[pl.DataFrame] = []
    for k, level in enumerate(levels):
        tags = probability(scores[:, k], calibration[level]) >= calibration[level].threshold
        parts.append(
            held.select("text_hash", "source", "thread", "weight").with_columns(
                level=pl.lit(level),
                path=pl.lit(path.value),
                label=pl.Series(y[:, k]),
                score=pl.Series(scores[:, k]),
                tag=pl.Series(tags.astype(np.int8)),
                tier=pl.lit(Tier.ENCODER.value),
            )
        )
    return pl.concat(parts)
