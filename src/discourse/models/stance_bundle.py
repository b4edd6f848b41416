"""Train a stance bundle: gate and tuned encoder, judged on data sets that they did not see."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from discourse.errors import BundleError
from discourse.models.bundle import Calibration
from discourse.models.encoder import Encoder
from discourse.models.error_examples import tried_stance
from discourse.models.evaluation import measure_tags
from discourse.models.fit_training import keep_fit
from discourse.models.folds import training_log
from discourse.models.frames import embed
from discourse.models.learners import tuning_settings
from discourse.models.recipe import Clean, DataFile, Recipe, read_labelled
from discourse.models.stance import (
    CLASSES,
    Gate,
    Reading,
    StanceModel,
    decide,
    gate_features,
    save_stance,
    stance_sequences,
)
from discourse.models.training import Trained
from discourse.models.training_checks import Checked, agreed, check_stance_classes, with_stances
from discourse.models.tuned import Inputs, inputs_of, score_inputs, take
from discourse.models.tuning import Loss, TuningSettings, tune
from discourse.progress import bar, say
from discourse.tables import Path as TagPath
from discourse.tables import Tier

EITHER = "either"
LEVELS = ("about", "favor", "against", "neutral")


@dataclass(frozen=True, slots=True)
class Rows:
    """Training rows: what is read, its class (-1 where neutral and off_target are one), source, gate features."""

    readings: list[Reading]
    labels: NDArray[np.int64]
    source: NDArray[np.str_]
    features: NDArray[np.float64]
    table: pl.DataFrame
    dropped: dict[str, int]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Out-of-fold answers for some rows: their numbers, gate log-odds and class log-probabilities."""

    rows: NDArray[np.int64]
    gate: NDArray[np.float64]
    classes: NDArray[np.float64]


def train_stance(recipe: Recipe, encoder: Encoder, clean: Clean, folder: Path, checkpoints: Path) -> Trained:
    """Tune on all data sets together, after scoring each by a model that never saw it (leave-one-source-out).

    Args:
        recipe: names data and settings.
        encoder: its top layers are tuned; the rest stays frozen.
        clean: clean-up of texts.
        folder: where `weights.safetensors` is written.
        checkpoints: a folder of this very recipe; what lies there from a killed run is not computed again.

    Raises:
        BundleError: there are fewer than two data sets.
        InputError: a file lacks target or stance, or holds another value.
    """
    settings = tuning_settings(recipe, encoder)
    rows = _rows(recipe, encoder, clean)
    with bar("lower layers", len(rows.readings)) as advance:
        sequences = stance_sequences(encoder, _without_some_parents(rows.readings, recipe), recipe.max_length)
        states = inputs_of(encoder, sequences, settings.shape, advance)
    held, log = _out_of_fold(recipe, encoder, rows, states, settings, checkpoints)
    threshold = _gate_threshold(held.gate, rows.labels[held.rows], recipe.stance.gate_recall)
    temperature = _temperature(held.classes, rows.labels[held.rows])
    calibration = _calibration(threshold, temperature)
    heldout = _heldout(rows, held, calibration)
    gate = fit_gate(*_gate_rows(rows, np.arange(len(rows.readings))))
    with bar("training", settings.epochs * len(rows.readings)) as advance:
        tuned = tune(
            encoder,
            sequences.lengths,
            lambda _: states,
            len(CLASSES),
            _loss(rows.labels),
            settings,
            recipe.seed,
            advance,
            checkpoint=checkpoints / "whole.safetensors",
        )
    save_stance(tuned.top, gate, folder / "weights.safetensors")
    keep_fit(recipe, encoder, rows.table, folder)
    metrics = measure_tags(heldout, LEVELS, recipe.seed)
    metrics["examples"] = tried_stance(StanceModel(encoder, tuned.top, gate, recipe.max_length), calibration)
    metrics["macro_f1_merged"] = _merged_f1(rows, held)
    metrics["dropped"] = rows.dropped
    return Trained(
        labels=CLASSES,
        calibration=calibration,
        metrics=metrics,
        heldout=heldout,
        trained_on=rows.table["text_hash"].to_list(),
        settings={**recipe.tuning.model_dump(exclude_none=True), "layers": settings.shape.layers},
        log=pl.concat([log, training_log("whole", tuned.log)]),
    )


def _rows(recipe: Recipe, encoder: Encoder, clean: Clean) -> Rows:
    files = [_read(data, clean, recipe.seed) for data in recipe.data]
    table, dropped = pl.concat([file.rows for file in files]), Counter[str]()
    for file in files:
        dropped.update(file.dropped)
        for note in file.notes:
            say(note)
    check_stance_classes(table["stance"])
    readings = [Reading(*row) for row in table.select("target", "text", "parent").iter_rows()]
    texts = list(dict.fromkeys(text for r in readings for text in (r.target, r.text, r.parent)))
    with bar("vectors", len(texts)) as advance:
        vectors = embed(encoder, texts, recipe.max_length, advance)
    place = {text: i for i, text in enumerate(texts)}
    target, text, parent = (
        vectors[[place[part] for part in parts]]
        for parts in zip(*((r.target, r.text, r.parent) for r in readings), strict=True)
    )
    labels = np.array([-1 if s == EITHER else CLASSES.index(s) for s in table["stance"]], np.int64)
    features = gate_features(readings, target, text, parent)
    return Rows(readings, labels, table["source"].to_numpy().astype(str), features, table, dict(dropped))


def _read(data: DataFile, clean: Clean, seed: int) -> Checked:
    where = Path(data.file).name
    checked = read_labelled(data, clean)
    checked = checked.then(with_stances(checked.rows, where))
    checked = checked.then(agreed(checked.rows, ("stance",), where, same=("target", "parent")))
    frame = checked.rows.with_columns(pl.col("stance").replace({"neutral": data.neutral_means}))
    columns = ["text", "target", "stance", "parent", "source", "thread", "text_hash"]
    foreign = _foreign_pairs(frame, data.foreign_pairs, seed)
    return Checked(pl.concat([frame.select(columns), foreign.select(columns)]), checked.dropped, checked.notes)


def _foreign_pairs(frame: pl.DataFrame, share: float, seed: int) -> pl.DataFrame:
    """Pair a share of the rows with another target of the same file: comments that are not about it."""
    targets = frame["target"].unique().sort().to_list()
    chosen = frame.sample(fraction=share, seed=seed)
    if len(targets) < 2:
        return chosen.clear()
    following = {target: targets[(i + 1) % len(targets)] for i, target in enumerate(targets)}
    return chosen.with_columns(pl.col("target").replace_strict(following), pl.lit("off_target").alias("stance"))


def _out_of_fold(
    recipe: Recipe, encoder: Encoder, rows: Rows, states: Inputs, settings: TuningSettings, checkpoints: Path
) -> tuple[HeldOut, pl.DataFrame]:
    names = np.unique(rows.source)
    if len(names) < 2:
        raise BundleError("stance needs at least two data sets, so that one can be held out")
    generator = np.random.default_rng(recipe.seed)
    numbers: list[NDArray[np.int64]] = []
    gates: list[NDArray[np.float64]] = []
    classes: list[NDArray[np.float64]] = []
    logs: list[pl.DataFrame] = []
    for name in names:
        say(f"fold: {name} held out")
        seen, unseen = np.flatnonzero(rows.source != name), np.flatnonzero(rows.source == name)
        seen = generator.permutation(seen)[: recipe.tuning.fold_rows]
        unseen = np.sort(generator.permutation(unseen)[: recipe.stance.fold_scored])
        with bar(f"fold {name}", settings.epochs * len(seen)) as advance:
            tuned = tune(
                encoder,
                states.lengths[seen],
                lambda _, seen=seen: take(states, seen),
                len(CLASSES),
                _loss(rows.labels[seen]),
                settings,
                recipe.seed,
                advance,
                checkpoint=checkpoints / f"fold-{name}.safetensors",
            )
        logs.append(training_log(f"without {name}", tuned.log))
        logits = score_inputs(tuned.top, take(states, unseen))
        classes.append(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
        gates.append(fit_gate(*_gate_rows(rows, seen)).scores(rows.features[unseen]))
        numbers.append(unseen)
    return HeldOut(np.concatenate(numbers), np.concatenate(gates), np.concatenate(classes)), pl.concat(logs)


def _without_some_parents(readings: list[Reading], recipe: Recipe) -> list[Reading]:
    """Drop a seeded share of the parents, so that missing context is no clue."""
    generator = np.random.default_rng(recipe.seed)
    dropped = generator.random(len(readings)) < recipe.stance.parent_dropout
    return [Reading(r.target, r.text) if r.parent and drop else r for r, drop in zip(readings, dropped, strict=True)]


def _loss(labels: NDArray[np.int64]) -> Loss:
    """Return cross-entropy where label -1 stands for neutral or off_target, whichever."""

    def loss(logits: torch.Tensor, rows: NDArray[np.int64]) -> torch.Tensor:
        log_p, wanted = logits.log_softmax(1), torch.from_numpy(labels[rows])
        no_side = torch.logsumexp(log_p[:, CLASSES.index("neutral") :], 1)
        single = log_p.gather(1, wanted.clamp(min=0).unsqueeze(1)).squeeze(1)
        return -torch.where(wanted < 0, no_side, single).mean()

    return loss


def fit_gate(features: NDArray[np.float64], about: NDArray[np.int8]) -> Gate:
    """Fit the gate on rows that are (1) or are not (0) about their target, both classes weighing the same."""
    model = LogisticRegression(class_weight="balanced", max_iter=1_000).fit(features, about)
    return Gate(np.ravel(model.coef_).astype(np.float32), float(np.ravel(model.intercept_)[0]))


def _gate_rows(rows: Rows, numbers: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Return features and the about label of rows whose label says whether they are about their target."""
    known = numbers[rows.labels[numbers] >= 0]
    return rows.features[known], (rows.labels[known] != CLASSES.index("off_target")).astype(np.int8)


def _gate_threshold(scores: NDArray[np.float64], labels: NDArray[np.int64], recall: float) -> float:
    about = scores[(labels >= 0) & (labels != CLASSES.index("off_target"))]
    return float(np.quantile(about, 1 - recall))


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


def _heldout(rows: Rows, held: HeldOut, calibration: dict[str, Calibration]) -> pl.DataFrame:
    passed, p, answer = decide(held.gate, held.classes, calibration)
    p = np.where(passed[:, None], p, np.eye(4)[CLASSES.index("off_target")])
    labels = rows.labels[held.rows]
    off = CLASSES.index("off_target")
    unknown = labels < 0
    answers = {
        "about": (labels != off, answer != off, 1 - p[:, off], ~unknown),
        "favor": (labels == 0, answer == 0, p[:, 0], np.ones(len(labels), bool)),
        "against": (labels == 1, answer == 1, p[:, 1], np.ones(len(labels), bool)),
        "neutral": (labels == CLASSES.index("neutral"), answer == CLASSES.index("neutral"), p[:, 2], ~unknown),
    }
    base = rows.table[held.rows].select("text_hash", "source", "thread")
    parts: list[pl.DataFrame] = []
    for level, (label, tag, probability, known) in answers.items():
        clipped = np.clip(probability, 1e-6, 1 - 1e-6)
        parts.append(
            base.with_columns(
                level=pl.lit(level),
                path=pl.lit(TagPath.EXACT.value),
                label=pl.Series(label.astype(np.int8)),
                score=pl.Series(np.log(clipped / (1 - clipped))),
                tag=pl.Series(tag.astype(np.int8)),
                tier=pl.lit(Tier.ENCODER.value),
                weight=pl.lit(1.0),
            ).filter(pl.Series(known))
        )
    return pl.concat(parts)


def _merged_f1(rows: Rows, held: HeldOut) -> dict[str, float]:
    """Return macro-F1 over favor, against and no side by held-out source, neutral and off_target as one."""
    true = np.where(rows.labels[held.rows] < 0, 2, np.minimum(rows.labels[held.rows], 2))
    p = np.exp(held.classes)
    answer = np.column_stack([p[:, 0], p[:, 1], p[:, 2] + p[:, 3]]).argmax(1)
    source = rows.source[held.rows]
    return {
        str(name): round(float(f1_score(true[source == name], answer[source == name], average="macro")), 4)
        for name in np.unique(source)
    }
