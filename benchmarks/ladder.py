"""What each step buys on sources that no model saw: frozen heads by input and by number of labels, then recipes.

    python benchmarks/ladder.py                       # frozen heads, minutes
    python benchmarks/ladder.py RECIPE.toml …         # the folds of other recipes, hours; a killed run goes on

Needs the shared data beside the checkout. Each line pools the held-out scores of all sources. F1 is at thresholds that
other sources gave; F1 and average precision count each row once; intervals resample sources and threads.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.codebook import load_codebook
from discourse.models.decisions import ThresholdsSection, decisions_by_label
from discourse.models.encoder import load_encoder
from discourse.models.evaluation import measure_frames
from discourse.models.folds import out_of_fold
from discourse.models.frames_training import calibrations, heldout_rows
from discourse.models.labelled_frames import labelled_rows
from discourse.models.learners import Fit, Fitted, learner
from discourse.models.recipe import Recipe, load_recipe
from discourse.normalize import clean_text
from discourse.tables import Path as TagPath

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "configs" / "recipes" / "frames-minilm-context.toml"
CHECKPOINTS = ROOT / "reports" / "ladder"

Numbers = NDArray[np.int64]


def main() -> None:
    """Print the ladder as a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", type=Path)
    recipes = parser.parse_args().recipes
    print("| what | real rows | S | C | K | macro-F1 | average precision S / C / K | macro |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    if not recipes:
        for name, metrics, real in frozen(load_recipe(SHIPPED)):
            print(line(name, metrics, real), flush=True)
    for path in recipes:
        recipe = load_recipe(path)
        rows = read(recipe)
        fit = learner(recipe, load_encoder(recipe.encoder), rows, levels_of(recipe))
        metrics = judged(recipe, rows, fit, path.stem)
        print(line(path.stem, metrics, int((~rows["training_only"]).sum())), flush=True)


def frozen(shipped: Recipe) -> Iterator[tuple[str, dict[str, Any], int]]:
    """Yield figures of frozen heads: by what is read, without written comments, and by thousands of labels."""
    base = shipped.model_copy(update={"method": "heads"})
    encoder, levels = load_encoder(base.encoder), levels_of(base)
    rows = read(base)
    real = ~rows["training_only"].to_numpy()
    order = np.random.default_rng(0).permutation(np.flatnonzero(real))
    fits = {
        context: learner(base.model_copy(update={"context": context}), encoder, rows, levels)
        for context in ((), ("title", "parent"))
    }
    yield "heads, text alone", judged(base, rows, fits[()], None), int(real.sum())
    whole = fits["title", "parent"]
    yield "heads, with title and parent", judged(base, rows, whole, None), int(real.sum())
    unwritten = only(whole, np.flatnonzero(real))
    yield "the same without written comments", judged(base, rows, unwritten, None), int(real.sum())
    for thousand in range(1, len(order) // 1_000 + 1, 2):
        some = np.sort(np.concatenate([order[: thousand * 1_000], np.flatnonzero(~real)]))
        yield f"the same, {thousand},000 labels", judged(base, rows, only(whole, some), None), thousand * 1_000


def only(fit: Fit, some: Numbers) -> Fit:
    """Return a learner that sees these rows and no others."""

    def fitted(numbers: Numbers, checkpoint: Path | None) -> Fitted:
        return fit(np.intersect1d(numbers, some), checkpoint)

    return fitted


def judged(recipe: Recipe, rows: pl.DataFrame, fit: Fit, name: str | None) -> dict[str, Any]:
    """Return the figures of a learner, each source held out in turn."""
    levels = levels_of(recipe)
    folder = CHECKPOINTS / (name or "frozen")
    folder.mkdir(parents=True, exist_ok=True)
    if name is None:
        for kept in folder.glob("*.safetensors"):
            kept.unlink()
    folds = out_of_fold(recipe, rows, levels, fit, folder)
    held = rows.filter(~pl.col("training_only"))
    y = held.select(levels).to_numpy().astype(np.int8)
    stated = decisions_by_label(recipe.calibration, ThresholdsSection(aim="f1", weighted=False), recipe.unsure, levels)
    scores = folds.scores[TagPath.EXACT]
    calibration = calibrations(scores, y, held, stated)
    heldout = heldout_rows(TagPath.EXACT, scores, y, held, calibration, levels)
    return measure_frames(heldout.with_columns(weight=1.0), stated, calibration, recipe.seed)


def read(recipe: Recipe) -> pl.DataFrame:
    """Return the labelled rows of a recipe."""
    return labelled_rows(recipe, levels_of(recipe), lambda texts: clean_text(texts, "auto")["text"]).rows


def levels_of(recipe: Recipe) -> tuple[str, ...]:
    """Return the frames of a recipe."""
    return recipe.levels or load_codebook(recipe.codebook).names


def line(name: str, metrics: dict[str, Any], real: int) -> str:
    """Return one row of the table."""
    by_label = metrics["by_label"]
    f1 = [row["f1"] or 0.0 for row in by_label.values()]
    ap = [row["average_precision"] or 0.0 for row in by_label.values()]
    spans = [row["intervals"].get("f1") for row in by_label.values()]
    cells = [
        f"{value:.2f}" + (f" [{span[0]:.2f}–{span[1]:.2f}]" if span else "")
        for value, span in zip(f1, spans, strict=True)
    ]
    shown = " / ".join(f"{value:.2f}" for value in ap)
    return f"| {name} | {real:,} | {' | '.join(cells)} | {np.mean(f1):.2f} | {shown} | {np.mean(ap):.2f} |"


if __name__ == "__main__":
    main()
