"""Train a frames bundle: heads on frozen vectors or tuned layers, judged on sources that they did not see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from discourse.codebook import load_codebook
from discourse.errors import BundleError, InputError
from discourse.models.bundle import Calibration
from discourse.models.calibration import calibrate, probability
from discourse.models.encoder import Encoder
from discourse.models.evaluation import Scored, quality
from discourse.models.frames import embed, text_sequences
from discourse.models.heads import HeadSettings, fit_heads, save_heads
from discourse.models.recipe import Clean, Recipe, join_threads, read_labelled
from discourse.models.training import Trained
from discourse.models.tuned import TuningSettings, lower_states, save_top, score_states, tune
from discourse.progress import bar, say
from discourse.tables import Path as TagPath
from discourse.tables import Tier

Numbers = NDArray[np.int64]


def train_frames(recipe: Recipe, encoder: Encoder, clean: Clean, folder: Path) -> Trained:
    """Fit on all rows, after scoring each source by a model that never saw it (leave-one-source-out).

    Args:
        recipe: names data, codebook and settings.
        encoder: frozen; gives one vector a text.
        clean: clean-up of texts.
        folder: where `weights.safetensors` is written.

    Raises:
        BundleError: a frame has one class only, or there are fewer than two sources to hold out.
        InputError: a file lacks the column of a frame.
    """
    book = load_codebook(recipe.codebook)
    levels = tuple(book.frame(name).name for name in recipe.levels) or book.names
    rows = _rows(recipe, levels, clean)
    y = rows.select(levels).to_numpy().astype(np.int8)
    _check_classes(y, levels)
    fit = _heads(recipe, encoder, rows, y, levels) if recipe.method == "heads" else _layers(recipe, encoder, rows, y)
    judged = ~rows["training_only"].to_numpy()
    scores = _out_of_fold(recipe, rows, judged, len(levels), fit)
    held = rows.filter(~pl.col("training_only"))
    calibration = _calibrations(scores[judged], y[judged], held, levels)
    heldout = _heldout(scores[judged], y[judged], held, calibration, levels)
    fit(np.arange(rows.height)).save(folder / "weights.safetensors")
    settings = recipe.heads if recipe.method == "heads" else recipe.tuning
    return Trained(
        labels=levels,
        calibration=calibration,
        metrics=measure(heldout, calibration, recipe.seed),
        heldout=heldout,
        trained_on=rows["text_hash"].to_list(),
        settings=settings.model_dump(exclude_none=True),
    )


@dataclass(frozen=True, slots=True)
class Fitted:
    """A trained scorer: log-odds of given rows (rows × frames), and how its weights are written."""

    score: Callable[[Numbers], NDArray[np.float64]]
    save: Callable[[Path], None]


def _heads(
    recipe: Recipe, encoder: Encoder, rows: pl.DataFrame, y: NDArray[np.int8], levels: tuple[str, ...]
) -> Callable[[Numbers], Fitted]:
    """Return a function that fits heads on some rows' frozen vectors."""
    texts = rows["text"].unique(maintain_order=True)
    with bar("reading", len(texts)) as advance:
        vectors = embed(encoder, texts.to_list(), recipe.max_length, advance)
    place = {text: i for i, text in enumerate(texts)}
    x = vectors[[place[text] for text in rows["text"]]]
    importance = rows["importance"].to_numpy()
    settings = HeadSettings(recipe.heads.penalty, recipe.heads.positive_weight)

    def fit(numbers: Numbers) -> Fitted:
        heads = fit_heads(levels, x[numbers], y[numbers], importance[numbers], settings)
        return Fitted(lambda some: heads.scores(x[some]), lambda path: save_heads(heads, path))

    return fit


def _layers(recipe: Recipe, encoder: Encoder, rows: pl.DataFrame, y: NDArray[np.int8]) -> Callable[[Numbers], Fitted]:
    """Return a function that tunes the top layers on some rows' states; rare yes weigh more, as with heads."""
    settings = TuningSettings(layers=recipe.tuning.layers, epochs=recipe.tuning.epochs, rate=recipe.tuning.rate)
    sequences = text_sequences(encoder, rows["text"].to_list(), recipe.max_length)
    with bar("lower layers", rows.height) as advance:
        states = lower_states(encoder, sequences, settings.layers, advance)
    importance = torch.from_numpy(rows["importance"].to_numpy().astype(np.float32))
    wanted = torch.from_numpy(y.astype(np.float32))
    positive = torch.tensor([recipe.heads.positive_weight])

    def fit(numbers: Numbers) -> Fitted:
        def loss(logits: torch.Tensor, batch: Numbers) -> torch.Tensor:
            some = numbers[batch]
            each = binary_cross_entropy_with_logits(logits, wanted[some], pos_weight=positive, reduction="none")
            return (each.sum(1) * importance[some]).mean()

        with bar("tuning", settings.epochs * len(numbers)) as advance:
            top = tune(encoder, states.take(numbers), y.shape[1], loss, settings, recipe.seed, advance)
        return Fitted(lambda some: score_states(top, states.take(some)), lambda path: save_top(top, path))

    return fit


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


def _rows(recipe: Recipe, levels: tuple[str, ...], clean: Clean) -> pl.DataFrame:
    columns = ["text", "text_hash", "source", "thread", "weight", "importance", "training_only", "original_hash"]
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
        parts.append(frame.select(*columns, *levels))
    return join_threads(pl.concat(parts, how="vertical_relaxed"), recipe.threads)


def _check_classes(y: NDArray[np.int8], levels: tuple[str, ...]) -> None:
    for level, column in zip(levels, y.T, strict=True):
        if len(np.unique(column)) < 2:
            raise BundleError(f'"{level}" has only one class in {len(y)} training rows; label some of the other too')


def _out_of_fold(
    recipe: Recipe, rows: pl.DataFrame, judged: NDArray[np.bool_], levels: int, fit: Callable[[Numbers], Fitted]
) -> NDArray[np.float64]:
    source = rows["source"].to_numpy().astype(str)
    folds = _folds(recipe, source[judged])
    if len(folds) < 2:
        raise BundleError(f"only one source ({folds[0][0]}) can be held out; label comments of at least two")
    generator = np.random.default_rng(recipe.seed)
    found = np.zeros((rows.height, levels))
    for fold in folds:
        say(f"fold: {', '.join(fold)} held out")
        out = judged & np.isin(source, fold)
        seen = generator.permutation(np.flatnonzero(~out))[: recipe.tuning.fold_rows]
        found[out] = fit(np.sort(seen)).score(np.flatnonzero(out))
    return found


def _folds(recipe: Recipe, source: NDArray[np.str_]) -> list[tuple[str, ...]]:
    """Return the sources that are held out in each fold; each is scored by a model that saw none of the fold's."""
    names = [str(name) for name in np.unique(source)]
    together = [tuple(name for name in group if name in names) for group in recipe.held_out_together]
    single = [(name,) for name in names if not any(name in group for group in together)]
    return [group for group in together if group] + single


def _calibrations(
    scores: NDArray[np.float64], y: NDArray[np.int8], held: pl.DataFrame, levels: tuple[str, ...]
) -> dict[str, Calibration]:
    weights = held["weight"].fill_null(0.0).to_numpy()
    if not (weights > 0).any():
        weights = np.ones(len(weights))
    return {level: calibrate(scores[:, k], y[:, k], weights) for k, level in enumerate(levels)}


def _heldout(
    scores: NDArray[np.float64],
    y: NDArray[np.int8],
    held: pl.DataFrame,
    calibration: dict[str, Calibration],
    levels: tuple[str, ...],
) -> pl.DataFrame:
    parts = [
        held.select("text_hash", "source", "thread", "weight").with_columns(
            level=pl.lit(level),
            path=pl.lit(TagPath.EXACT.value),
            label=pl.Series(y[:, k]),
            score=pl.Series(scores[:, k]),
            tag=pl.Series(
                (probability(scores[:, k], calibration[level]) >= calibration[level].threshold).astype(np.int8)
            ),
            tier=pl.lit(Tier.ENCODER.value),
        )
        for k, level in enumerate(levels)
    ]
    return pl.concat(parts)
