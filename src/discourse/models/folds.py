"""Out-of-fold scores: each part is scored by a model that never saw it, and finished folds survive a kill."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from discourse.errors import BundleError
from discourse.models.fold_parts import FoldParts, fold_parts
from discourse.models.learners import Fit, Numbers
from discourse.models.recipe import Recipe
from discourse.models.static_folds import BothTiers, StaticRows, joined
from discourse.models.tuning import Epoch
from discourse.progress import say
from discourse.tables import Path as TagPath

LOG = pl.Schema({"model": pl.String, "epoch": pl.Int64, "loss": pl.Float64, "development": pl.Float64})


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Log-odds of the rows that are not for training only, rows × frames, by path; the training log (`LOG`).

    `judged_by` says what was held out together, see `fold_parts.FoldParts`; `tiers` has the scores of both tiers, None
    where there is no static one.
    """

    scores: dict[TagPath, NDArray[np.float64]]
    log: pl.DataFrame
    judged_by: str
    tiers: BothTiers | None = None


def out_of_fold(
    recipe: Recipe,
    rows: pl.DataFrame,
    levels: tuple[str, ...],
    fit: Fit,
    checkpoints: Path,
    static: StaticRows | None = None,
) -> OutOfFold:
    """Score each row, with its context and without, by a model that was trained without the row's fold.

    Args:
        recipe: which sources are held out together, and how many rows a fold may train on.
        rows: see `labelled_frames.labelled_rows`.
        levels: the frames, columns of `rows`.
        fit: from `learners.learner`.
        checkpoints: a folder for finished folds and for the one that is being trained.
        static: what each fold's static tier is learned from, None for no such tier.
    """
    judged = ~rows["training_only"].to_numpy()
    numbers = np.flatnonzero(judged)
    parts = _parts(recipe, rows, levels)
    if parts.unit != "source":
        say(f"there are no sources that could be held out one by one, so {parts.unit}s are")
    generator = np.random.default_rng(recipe.seed)
    whole, alone, logs = {}, {}, [pl.DataFrame(schema=LOG)]
    both: list[dict[str, NDArray[np.float64]]] = []
    for number, part in enumerate(parts.parts):
        out = numbers[part.rows]
        seen = np.setdiff1d(np.arange(rows.height), out)
        seen = np.sort(generator.permutation(seen)[: recipe.tuning.fold_rows])
        kept = checkpoints / f"fold-{number}-scores.safetensors"
        found = _kept(kept)
        if found is None:
            say(f"fold {number + 1} of {len(parts.parts)}: {part.name} held out, {len(seen):,} rows to learn from")
            found = _scored(fit, seen, out, checkpoints / f"fold-{number}.safetensors", kept, static, parts.unit)
        whole |= dict(zip(out, found["exact"], strict=True))
        alone |= dict(zip(out, found["text_only"], strict=True))
        logs.append(_log("without " + part.name, found["log"]))
        both.append(found)
    scores = {
        path: np.array([part[row] for row in numbers])
        for path, part in ((TagPath.EXACT, whole), (TagPath.TEXT_ONLY, alone))
    }
    if recipe.context:
        # Whoever turns context off gets the reading of the text alone as the main path.
        scores[TagPath.NO_CONTEXT] = scores[TagPath.TEXT_ONLY]
    tiers = joined(both, [part.rows for part in parts.parts], static.unlabelled) if static is not None else None
    return OutOfFold(scores, pl.concat(logs), parts.judged_by, tiers)


def _parts(recipe: Recipe, rows: pl.DataFrame, levels: tuple[str, ...]) -> FoldParts:
    held = rows.filter(~pl.col("training_only"))
    source, thread, text = (held[name].to_numpy().astype(str) for name in ("source", "thread", "text_hash"))
    labels, always = (
        part.select(levels).to_numpy().astype(np.int8) for part in (held, rows.filter(pl.col("training_only")))
    )
    return fold_parts(source, thread, text, labels, recipe.held_out_together, always, recipe.seed)


def training_log(model: str, epochs: list[Epoch]) -> pl.DataFrame:
    """Return rows of the training log, see `LOG`."""
    return pl.DataFrame([(model, each.epoch, each.loss, each.development) for each in epochs], schema=LOG, orient="row")


def _scored(
    fit: Fit, seen: Numbers, out: Numbers, checkpoint: Path, kept: Path, static: StaticRows | None, unit: str
) -> dict[str, NDArray[np.float64]]:
    fitted = fit(seen, checkpoint)
    nothing = float("nan")
    log = [(each.epoch, each.loss, nothing if each.development is None else each.development) for each in fitted.log]
    found = {
        "exact": fitted.score(out, False),
        "text_only": fitted.score(out, True),
        "log": np.array(log, np.float64).reshape(-1, 3),
    }
    if static is not None:
        found |= static.fold(fitted, seen, out, unit)
    partial = kept.with_name(kept.name + ".partial")
    save_file(found, str(partial))
    partial.replace(kept)
    checkpoint.unlink(missing_ok=True)
    return found


def _kept(path: Path) -> dict[str, NDArray[np.float64]] | None:
    if not path.exists():
        return None
    try:
        return load_file(str(path))
    except (SafetensorError, OSError) as e:
        raise BundleError(f"{path}: is a damaged checkpoint; remove it to train this fold again") from e


def _log(model: str, values: NDArray[np.float64]) -> pl.DataFrame:
    epochs = [Epoch(int(a), float(b), None if np.isnan(c) else float(c)) for a, b, c in values]
    return training_log(model, epochs)
