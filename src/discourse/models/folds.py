"""Out-of-fold scores: each source is scored by a model that never saw it, and finished folds survive a kill."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from discourse.errors import BundleError
from discourse.models.learners import Fit, Numbers
from discourse.models.recipe import Recipe
from discourse.models.tuning import Epoch
from discourse.progress import say
from discourse.tables import Path as TagPath

LOG = pl.Schema({"model": pl.String, "epoch": pl.Int64, "loss": pl.Float64, "development": pl.Float64})


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Log-odds of the rows that are not for training only, rows × frames, by path; and the training log (`LOG`)."""

    scores: dict[TagPath, NDArray[np.float64]]
    log: pl.DataFrame


def out_of_fold(recipe: Recipe, rows: pl.DataFrame, fit: Fit, checkpoints: Path) -> OutOfFold:
    """Score each row, with its context and without, by a model that was trained without the row's fold.

    Args:
        recipe: which sources are held out together, and how many rows a fold may train on.
        rows: see `labelled_frames.labelled_rows`.
        fit: from `learners.learner`.
        checkpoints: a folder for finished folds and for the one that is being trained.

    Raises:
        BundleError: there are fewer than two sources to hold out.
    """
    judged = ~rows["training_only"].to_numpy()
    source = rows["source"].to_numpy().astype(str)
    folds = folds_of(recipe, source[judged])
    if len(folds) < 2:
        raise BundleError(f"only one source ({folds[0][0]}) can be held out; label comments of at least two")
    generator = np.random.default_rng(recipe.seed)
    whole, alone, logs = {}, {}, [pl.DataFrame(schema=LOG)]
    for number, fold in enumerate(folds):
        out = np.flatnonzero(judged & np.isin(source, fold))
        seen = np.flatnonzero(~(judged & np.isin(source, fold)))
        seen = np.sort(generator.permutation(seen)[: recipe.tuning.fold_rows])
        kept = checkpoints / f"fold-{number}-scores.safetensors"
        found = _kept(kept)
        if found is None:
            say(f"fold {number + 1} of {len(folds)}: {', '.join(fold)} held out, {len(seen):,} rows to learn from")
            found = _scored(fit, seen, out, checkpoints / f"fold-{number}.safetensors", kept)
        whole |= dict(zip(out, found["exact"], strict=True))
        alone |= dict(zip(out, found["text_only"], strict=True))
        logs.append(_log("without " + ", ".join(fold), found["log"]))
    numbers = np.flatnonzero(judged)
    scores = {
        path: np.array([part[row] for row in numbers])
        for path, part in ((TagPath.EXACT, whole), (TagPath.TEXT_ONLY, alone))
    }
    if recipe.context:
        # Whoever turns context off gets the reading of the text alone as the main path.
        scores[TagPath.NO_CONTEXT] = scores[TagPath.TEXT_ONLY]
    return OutOfFold(scores, pl.concat(logs))


def folds_of(recipe: Recipe, source: NDArray[np.str_]) -> list[tuple[str, ...]]:
    """Return the sources that are held out in each fold; each is scored by a model that saw none of the fold's."""
    names = [str(name) for name in np.unique(source)]
    together = [tuple(name for name in group if name in names) for group in recipe.held_out_together]
    single = [(name,) for name in names if not any(name in group for group in together)]
    return [group for group in together if group] + single


def training_log(model: str, epochs: list[Epoch]) -> pl.DataFrame:
    """Return rows of the training log, see `LOG`."""
    return pl.DataFrame([(model, each.epoch, each.loss, each.development) for each in epochs], schema=LOG, orient="row")


def _scored(fit: Fit, seen: Numbers, out: Numbers, checkpoint: Path, kept: Path) -> dict[str, NDArray[np.float64]]:
    fitted = fit(seen, checkpoint)
    nothing = float("nan")
    log = [(each.epoch, each.loss, nothing if each.development is None else each.development) for each in fitted.log]
    found = {
        "exact": fitted.score(out, False),
        "text_only": fitted.score(out, True),
        "log": np.array(log, np.float64).reshape(-1, 3),
    }
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
