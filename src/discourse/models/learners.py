"""The ways to learn frames from some of the labelled rows: heads on frozen vectors, or tuned layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score
from torch.nn.functional import binary_cross_entropy_with_logits

from discourse.codebook import load_codebook
from discourse.models.encoder import Encoder
from discourse.models.frame_inputs import FrameInput, frame_sequences, without_some_context
from discourse.models.frames import FramesModel
from discourse.models.heads import Heads, HeadSettings, fit_heads, save_heads
from discourse.models.labelled_frames import development_rows, inputs_of_rows, learned_rows
from discourse.models.recipe import Recipe
from discourse.models.tuned import Inputs, Shape, TunedTop, inputs_of, save_top, score_inputs, take
from discourse.models.tuning import Epoch, TuningSettings, tune
from discourse.models.zero_shot import zero_shot_heads
from discourse.progress import Advance, bar

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A trained scorer.

    `model` reads any comment; `score` gives log-odds of labelled rows by number, rows × frames, with their context or
    (`text_only`) without; `save` writes the weights; `log` has an entry for each epoch.
    """

    model: FramesModel
    score: Callable[[Numbers, bool], NDArray[np.float64]]
    save: Callable[[Path], None]
    log: list[Epoch] = field(default_factory=list[Epoch])


Fit = Callable[[Numbers, Path | None], Fitted]


def learner(recipe: Recipe, encoder: Encoder, rows: pl.DataFrame, levels: tuple[str, ...]) -> Fit:
    """Return a function that learns from the rows of the given numbers, with a file for its checkpoints.

    Args:
        recipe: method and settings.
        encoder: not changed.
        rows: see `labelled_frames.labelled_rows`.
        levels: the frames, columns of `rows`.
    """
    y = rows.select(levels).to_numpy().astype(np.int8)
    if recipe.method == "heads":
        return _heads(recipe, encoder, rows, y, levels)
    return _tuned(recipe, encoder, rows, y, levels)


def tuning_settings(recipe: Recipe, encoder: Encoder) -> TuningSettings:
    """Return what a recipe says about tuning this encoder."""
    given = recipe.tuning
    layers = encoder.depth if recipe.method == "full" else min(given.layers, encoder.depth)
    part = Shape(layers, given.rank if recipe.method == "lora" else None, recipe.method == "full")
    return TuningSettings(part, epochs=given.epochs, batch=given.batch, rate=given.rate, patience=given.patience)


def _heads(recipe: Recipe, encoder: Encoder, rows: pl.DataFrame, y: NDArray[np.int8], levels: tuple[str, ...]) -> Fit:
    whole = inputs_of_rows(rows, recipe.context)
    alone = inputs_of_rows(rows, ())
    with bar("reading", 2 * rows.height) as advance:
        nothing = Heads((), np.zeros((0, encoder.width), np.float32), np.zeros(0, np.float32))
        reader = FramesModel(encoder, nothing, (), recipe.max_length, recipe.context)
        vectors = _vectors(reader, [*whole, *alone], advance)
        x, x_alone = vectors[: rows.height], vectors[rows.height :]
    importance = rows["importance"].to_numpy()
    settings = HeadSettings(recipe.heads.penalty, recipe.heads.positive_weight, recipe.heads.definition)
    definitions = None
    if settings.definition:
        book = load_codebook(recipe.codebook)
        definitions = zero_shot_heads(encoder, [book.frame(name) for name in levels])

    def fit(numbers: Numbers, checkpoint: Path | None) -> Fitted:
        del checkpoint
        heads = fit_heads(levels, x[numbers], y[numbers], importance[numbers], settings, definitions)
        model = FramesModel(encoder, heads, levels, recipe.max_length, recipe.context)

        def score(some: Numbers, text_only: bool) -> NDArray[np.float64]:
            return heads.scores((x_alone if text_only else x)[some])

        return Fitted(model, score, lambda path: save_heads(heads, path))

    return fit


def _vectors(reader: FramesModel, inputs: list[FrameInput], advance: Advance) -> NDArray[np.float32]:
    distinct = list(dict.fromkeys(inputs))
    place = {row: i for i, row in enumerate(distinct)}
    advance(len(inputs) - len(distinct))
    return reader.vectors(distinct, advance)[[place[row] for row in inputs]]


def _tuned(recipe: Recipe, encoder: Encoder, rows: pl.DataFrame, y: NDArray[np.int8], levels: tuple[str, ...]) -> Fit:
    """Tune on the rows' states, where they are kept, else on their tokens; rare yes weigh more."""
    settings = tuning_settings(recipe, encoder)
    whole, alone = inputs_of_rows(rows, recipe.context), inputs_of_rows(rows, ())
    readings = [whole, without_some_context(whole, recipe.context_dropout, recipe.seed), alone]
    sequences = frame_sequences(encoder, [row for reading in readings for row in reading], recipe.max_length)

    @cache
    def inputs() -> Inputs:
        # Only when it is needed: a run that finds all its folds finished does not read the rows again.
        with bar("lower layers", len(sequences.ids)) as advance:
            return inputs_of(encoder, sequences, settings.shape, advance)

    importance = torch.from_numpy(rows["importance"].to_numpy().astype(np.float32))
    wanted = torch.from_numpy(y.astype(np.float32))
    positive = torch.tensor([recipe.tuning.positive_weight])
    written = rows["training_only"].to_numpy()
    development = development_rows(rows, recipe.tuning.development, recipe.seed)

    def fit(numbers: Numbers, checkpoint: Path | None) -> Fitted:
        watched = numbers[development[numbers]]
        others = numbers[~development[numbers]]
        learned = learned_rows(y, written, others, recipe.tuning.without_frame, recipe.seed)

        def loss(logits: torch.Tensor, batch: Numbers) -> torch.Tensor:
            some = learned[batch]
            each = binary_cross_entropy_with_logits(logits, wanted[some], pos_weight=positive, reduction="none")
            return (each.sum(1) * importance[some]).mean()

        def watch(top: TunedTop) -> float:
            return macro_average_precision(y[watched], score_inputs(top, take(inputs(), watched)))

        def read_in(epoch: int) -> Inputs:
            # Epochs alternate between the two readings that training knows, by row, so that each row is met as both.
            return take(inputs(), learned + rows.height * ((learned + epoch) % 2))

        with bar("tuning", settings.epochs * len(learned)) as advance:
            tuned = tune(
                encoder,
                sequences.lengths[learned],
                read_in,
                y.shape[1],
                loss,
                settings,
                recipe.seed,
                advance,
                watch if len(watched) else None,
                checkpoint,
            )
        model = FramesModel(encoder, tuned.top, levels, recipe.max_length, recipe.context)

        def score(some: Numbers, text_only: bool) -> NDArray[np.float64]:
            return score_inputs(tuned.top, take(inputs(), some + rows.height * (2 if text_only else 0)))

        return Fitted(model, score, lambda path: save_top(tuned.top, path), tuned.log)

    return fit


def macro_average_precision(labels: NDArray[np.int8], scores: NDArray[np.float64]) -> float:
    """Return the mean average precision over the levels that have a yes; 0 where none has."""
    found = [
        float(average_precision_score(labels[:, k], scores[:, k])) for k in range(labels.shape[1]) if labels[:, k].any()
    ]
    return float(np.mean(found)) if found else 0.0
