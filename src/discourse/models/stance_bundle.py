"""Train a stance bundle: gate and tuned encoder, judged on data sets that they did not see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression

from discourse.models.bundle import Calibration
from discourse.models.encoder import Encoder
from discourse.models.error_examples import tried_stance
from discourse.models.evaluation import measure_tags
from discourse.models.fit_training import keep_fit
from discourse.models.folds import training_log
from discourse.models.learners import tuning_settings
from discourse.models.recipe import Clean, Recipe
from discourse.models.stance import CLASSES, Gate, Reading, StanceModel, save_stance, stance_sequences
from discourse.models.stance_folds import (
    LEVELS,
    Answers,
    Numbers,
    gate_recall,
    heldout_rows,
    merged_f1,
    out_of_fold,
)
from discourse.models.stance_rows import StanceRows, stance_rows
from discourse.models.static import save_table
from discourse.models.text_vectors import GATE_FILE, StaticVectors
from discourse.models.training import Trained
from discourse.models.tuned import Inputs, TunedTop, inputs_of, score_inputs, take
from discourse.models.tuning import Loss, Tuned, TuningSettings, tune
from discourse.progress import bar
from discourse.tables import Path as TagPath

VARIANTS = 3  # how each row may be read: as it is, with some parents dropped, without parents


def train_stance(recipe: Recipe, encoder: Encoder, clean: Clean, folder: Path, checkpoints: Path) -> Trained:
    """Tune on all data sets together, after answering each by a model that never saw it (leave-one-source-out).

    Args:
        recipe: names data and settings.
        encoder: its top layers are tuned; it is not changed.
        clean: clean-up of texts.
        folder: where `weights.safetensors` is written.
        checkpoints: a folder of this very recipe; what lies there from a killed run is not computed again.

    Raises:
        BundleError: there are fewer than two data sets.
        InputError: a file lacks target or stance, or holds another value.
    """
    settings = tuning_settings(recipe, encoder)
    rows = stance_rows(recipe, encoder, clean)
    inputs = _inputs(recipe, encoder, rows, settings)
    logs: list[pl.DataFrame] = []

    def tuned(seen: Numbers, name: str) -> TunedTop:
        found = _tune(recipe, encoder, rows, inputs, settings, seen, checkpoints / f"{name}.safetensors")
        logs.append(training_log(name, found.log))
        return found.top

    def learn(seen: Numbers, name: str) -> Callable[[Numbers, TagPath], Answers]:
        top = tuned(seen, f"without {name}")
        gate = fit_gate(*_gate_rows(rows, seen))
        return lambda some, path: _answers(rows, inputs, top, gate, some, path)

    held = out_of_fold(recipe, rows, learn)
    exact = held.by_path[TagPath.EXACT]
    about = rows.about[held.rows] == 1
    threshold = float(np.quantile(exact.gate[about], 1 - recipe.stance.gate_recall))
    calibration = _calibration(threshold, _temperature(exact.classes, rows.labels[held.rows]))
    heldout = heldout_rows(rows, held, calibration)
    everything = np.arange(len(rows.readings))
    top, gate = tuned(everything, "whole"), fit_gate(*_gate_rows(rows, everything))
    save_stance(top, gate, folder / "weights.safetensors")
    if isinstance(rows.gate_reader, StaticVectors):
        save_table(rows.gate_reader.tier, folder / GATE_FILE)
    keep_fit(recipe, encoder, rows.table, CLASSES, folder)
    metrics = measure_tags(heldout.filter(path=TagPath.EXACT.value), LEVELS, recipe.seed)
    model = StanceModel(encoder, top, gate, recipe.max_length, rows.gate_reader)
    metrics["examples"] = tried_stance(model, calibration)
    metrics["macro_f1_merged"] = merged_f1(rows, held, TagPath.EXACT)
    metrics["macro_f1_merged_without_parents"] = merged_f1(rows, held, TagPath.TEXT_ONLY)
    metrics["gate_recall"] = gate_recall(rows, held, calibration)
    metrics["dropped"] = rows.dropped
    return Trained(
        labels=CLASSES,
        calibration=calibration,
        metrics=metrics,
        heldout=heldout,
        trained_on=rows.table["text_hash"].to_list(),
        settings={**recipe.tuning.model_dump(exclude_none=True), "layers": settings.shape.layers},
        log=pl.concat(logs),
    )


def _inputs(recipe: Recipe, encoder: Encoder, rows: StanceRows, settings: TuningSettings) -> Inputs:
    """Return what the tuned part reads: all rows as they are, then with some parents dropped, then without parents."""
    readings = [*rows.readings, *_without_some_parents(rows.readings, recipe), *rows.alone]
    sequences = stance_sequences(encoder, readings, recipe.max_length)
    with bar("lower layers", len(readings)) as advance:
        return inputs_of(encoder, sequences, settings.shape, advance)


def _tune(
    recipe: Recipe,
    encoder: Encoder,
    rows: StanceRows,
    inputs: Inputs,
    settings: TuningSettings,
    seen: Numbers,
    checkpoint: Path,
) -> Tuned:
    number = len(rows.readings)

    def read_in(epoch: int) -> Inputs:
        # Epochs alternate, row by row, between the reading as it is and the one that may have lost its parent.
        return take(inputs, seen + number * ((seen + epoch) % 2))

    with bar("tuning", settings.epochs * len(seen)) as advance:
        return tune(
            encoder,
            inputs.lengths[seen],
            read_in,
            len(CLASSES),
            _loss(rows.labels[seen], rows.table["importance"].to_numpy()[seen]),
            settings,
            recipe.seed,
            advance,
            checkpoint=checkpoint,
        )


def _answers(rows: StanceRows, inputs: Inputs, top: TunedTop, gate: Gate, some: Numbers, path: TagPath) -> Answers:
    whole = path is TagPath.EXACT
    logits = score_inputs(top, take(inputs, some if whole else some + (VARIANTS - 1) * len(rows.readings)))
    features = rows.features if whole else rows.features_alone
    return Answers(gate.scores(features[some]), logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))


def _without_some_parents(readings: list[Reading], recipe: Recipe) -> list[Reading]:
    """Drop a seeded share of the parents, so that missing context is no clue."""
    generator = np.random.default_rng(recipe.seed)
    dropped = generator.random(len(readings)) < recipe.stance.parent_dropout
    return [Reading(r.target, r.text) if r.parent and drop else r for r, drop in zip(readings, dropped, strict=True)]


def _loss(labels: NDArray[np.int64], importance: NDArray[np.float64]) -> Loss:
    """Return weighted cross-entropy where label -1 stands for neutral or off_target, whichever."""
    weights = torch.from_numpy(importance.astype(np.float32))

    def loss(logits: torch.Tensor, rows: NDArray[np.int64]) -> torch.Tensor:
        log_p, wanted = logits.log_softmax(1), torch.from_numpy(labels[rows])
        no_side = torch.logsumexp(log_p[:, CLASSES.index("neutral") :], 1)
        single = log_p.gather(1, wanted.clamp(min=0).unsqueeze(1)).squeeze(1)
        return -(torch.where(wanted < 0, no_side, single) * weights[rows]).mean()

    return loss


def fit_gate(features: NDArray[np.float64], about: NDArray[np.int8]) -> Gate:
    """Fit the gate on rows that are (1) or are not (0) about their target, both classes weighing the same."""
    model = LogisticRegression(class_weight="balanced", max_iter=1_000).fit(features, about)
    return Gate(np.ravel(model.coef_).astype(np.float32), float(np.ravel(model.intercept_)[0]))


def _gate_rows(rows: StanceRows, numbers: Numbers) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Return features and the about label of rows whose label says whether they are about their target."""
    known = numbers[rows.about[numbers] >= 0]
    return rows.features[known], rows.about[known]


def _temperature(log_p: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Return the temperature of least loss on out-of-fold rows (Guo et al. 2017)."""
    known = labels >= 0

    def loss(log_temperature: float) -> float:
        scaled = log_p[known] / np.exp(log_temperature)
        scaled = scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True)
        return -float(scaled[np.arange(known.sum()), labels[known]].mean())

    found: Any = minimize_scalar(loss, bounds=(-2, 3), method="bounded")
    return float(np.exp(found.x))


def _calibration(gate_threshold: float, temperature: float) -> dict[str, Calibration]:
    """Return the two steps of a decision: `gate`, and the temperature of `classes` as a slope.

    The answer is the likeliest class, so there is no threshold for single classes.
    """
    about = float(1 / (1 + np.exp(-gate_threshold)))
    return {
        "gate": Calibration(slope=1, intercept=0, threshold=about, unsure_low=about, unsure_high=about),
        "classes": Calibration(slope=1 / temperature, intercept=0, threshold=0, unsure_low=0, unsure_high=0),
    }
