"""Train a frames bundle and judge it on sources that it did not see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.codebook import load_codebook
from discourse.models.bundle import Calibration
from discourse.models.calibration import calibrate, probability
from discourse.models.cascade_cost import cascade_cost
from discourse.models.decisions import Decisions, decisions_by_label
from discourse.models.encoder import Encoder
from discourse.models.error_examples import tried_frames
from discourse.models.evaluation import measure_frames
from discourse.models.fit_training import keep_fit
from discourse.models.folds import out_of_fold, training_log
from discourse.models.labelled_frames import labelled_rows
from discourse.models.learners import learner, tuning_settings
from discourse.models.recipe import Clean, Recipe
from discourse.models.static_folds import cascade_of, save_tier, static_rows, with_cascade
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
        BundleError: a frame has fewer than two yes or two no.
        InputError: a file lacks the column of a frame, or a value there is no label.
    """
    book = load_codebook(recipe.codebook)
    levels = tuple(book.frame(name).name for name in recipe.levels) or book.names
    checked = labelled_rows(recipe, levels, clean)
    rows = checked.rows
    decisions = decisions_by_label(recipe.calibration, recipe.thresholds, recipe.unsure, levels)
    fit = learner(recipe, encoder, rows, levels)
    static = static_rows(recipe, rows, clean)
    folds = out_of_fold(recipe, rows, levels, fit, checkpoints, static)
    held = rows.filter(~pl.col("training_only"))
    y = held.select(levels).to_numpy().astype(np.int8)
    calibration = calibrations(folds.scores[TagPath.EXACT], y, held, decisions)
    parts = [heldout_rows(path, scores, y, held, calibration, levels) for path, scores in folds.scores.items()]
    heldout = pl.concat(parts)
    say("training on all rows")
    fitted = fit(np.arange(rows.height), checkpoints / "whole.safetensors")
    fitted.save(folder / "weights.safetensors")
    if static is not None and folds.tiers is not None:
        cascade = cascade_of(recipe, held, folds.scores, folds.tiers, calibration)
        say(cascade.said)
        heldout = with_cascade(heldout, folds.tiers.static, cascade)
        save_tier(folder, static.whole(fitted), cascade)
    keep_fit(recipe, encoder, rows, levels, folder)
    settings = recipe.heads.model_dump() if recipe.method == "heads" else recipe.tuning.model_dump(exclude_none=True)
    if recipe.method != "heads":
        settings["layers"] = tuning_settings(recipe, encoder).shape.layers
    metrics = measure_frames(heldout.filter(pl.col("path") == TagPath.EXACT.value), decisions, calibration, recipe.seed)
    if TagPath.CASCADE.value in heldout["path"]:
        metrics["cascade"] = cascade_cost(heldout, recipe.seed)
    read = recipe.heads.definition > 0  # the codebook's examples were learned from
    metrics["examples"] = tried_frames(fitted.model, calibration, book, examples=not read)
    return Trained(
        labels=levels,
        calibration=calibration,
        metrics={
            **metrics,
            "judged_by": folds.judged_by,
            "dropped": checked.dropped,
        },
        heldout=heldout,
        trained_on=rows["text_hash"].to_list(),
        settings=settings,
        log=pl.concat([folds.log, training_log("whole", fitted.log)]),
    )


def calibrations(
    scores: NDArray[np.float64], y: NDArray[np.int8], held: pl.DataFrame, decisions: dict[str, Decisions]
) -> dict[str, Calibration]:
    """Return what ships for each level, fitted on out-of-fold scores (rows × levels) of held-out rows."""
    weights, threads = held["weight"].fill_null(0.0).to_numpy(), held["thread"].to_numpy().astype(str)
    return {
        level: calibrate(scores[:, k], y[:, k], weights, threads, stated)
        for k, (level, stated) in enumerate(decisions.items())
    }


def heldout_rows(
    path: TagPath,
    scores: NDArray[np.float64],
    y: NDArray[np.int8],
    held: pl.DataFrame,
    calibration: dict[str, Calibration],
    levels: tuple[str, ...],
) -> pl.DataFrame:
    """Return rows of a bundle's `heldout.parquet` for one path, from out-of-fold scores, rows × levels."""
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
