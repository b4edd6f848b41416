"""How good a model is: figures of held-out rows with intervals from resampling sources and threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit

from discourse.models.bundle import Calibration
from discourse.models.calibration import cross_fit, decide_level
from discourse.models.cluster_draws import cluster_draws
from discourse.models.decisions import Decisions
from discourse.models.figures import (
    average_precision,
    brier,
    brier_skill,
    calibration_error,
    calibration_slope,
    effective,
    reliability,
    tagging,
)
from discourse.models.fold_parts import fold_parts

DRAWS = 500
SOURCE_DRAWS = 200
PROVEN = 25  # effective yes below which every figure of a label is unproven
BY_SOURCE = (
    "f1",
    "precision",
    "recall",
    "average_precision",
    "f1_answered",
    "unsure_share",
    "coverage_yes",
    "coverage_no",
)
Figures = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows with a known label of one level.

    `label` and `tag` are 0 or 1, `score` ranks the rows, `probability` is 0–1, `unsure` marks what is not answered.
    `weight`: how many comments a row stands for, 0 or NaN where unknown. `keeps_yes` and `keeps_no`, if given, are the
    conformal sets before the threshold had its say.
    """

    label: NDArray[np.int8]
    score: NDArray[np.float64]
    probability: NDArray[np.float64]
    tag: NDArray[np.int8]
    unsure: NDArray[np.bool_]
    weight: NDArray[np.float64]
    source: NDArray[np.str_]
    thread: NDArray[np.str_]
    keeps_yes: NDArray[np.bool_] | None = None
    keeps_no: NDArray[np.bool_] | None = None

    def take(self, rows: NDArray[np.bool_]) -> Judged:
        """Return the rows that are marked."""
        return Judged(
            self.label[rows],
            self.score[rows],
            self.probability[rows],
            self.tag[rows],
            self.unsure[rows],
            self.weight[rows],
            self.source[rows],
            self.thread[rows],
            None if self.keeps_yes is None else self.keeps_yes[rows],
            None if self.keeps_no is None else self.keeps_no[rows],
        )


def measured(
    levels: Mapping[str, Judged], seed: int = 0, draws: int = DRAWS, *, by_source: bool = True
) -> dict[str, Any]:
    """Return the figures of each level, overall and by source, and their means over levels, as plain values.

    `f1`, `precision`, `recall`, `average_precision` and `f1_answered` (of the rows that are not unsure) pool all rows,
    each once. Error rates (`sensitivity`, `false_positive_rate`), calibration (`brier`, `brier_skill`, `ece`, `slope`,
    `reliability`), `unsure_share` and coverage (the share of yes that are not answered no, `coverage_yes`, and the
    reverse, `coverage_no`; `set_coverage_yes` and `set_coverage_no` of the conformal sets before the threshold had its
    say), and what ends in `_weighted`, rest on the rows of known weight alone, or, if there are none, on all. What the
    rows do not determine is None. `intervals` holds 95 % percentile intervals, see `cluster_draws`.

    Args:
        levels: the rows of each level.
        seed: of the draws.
        draws: how many resamples.
        by_source: whether each source is measured alone, too.
    """
    by_label: dict[str, Any] = {}
    drawn: dict[str, dict[str, list[float | None]]] = {}
    for level, given in levels.items():
        rows = _with_weights(given)
        points, drawn[level] = _figures(rows), _drawn(rows, seed, draws)
        known = rows.take(rows.weight > 0)
        yes = effective(known.weight * known.label)
        bars = reliability(known.label, known.probability, known.weight)
        by_label[level] = {
            "n": len(rows.label),
            "n_weighted": len(known.label),
            "yes": int(rows.label.sum()),
            "yes_effective": round(yes, 1),
            "proven": yes >= PROVEN,
            **_rounded(points),
            "reliability": [_rounded(asdict(bar)) for bar in bars],
            "intervals": _intervals(drawn[level], draws),
        }
    sources = _by_source(levels, seed) if by_source else {}
    return {**_means(by_label, drawn, draws), "by_label": by_label, "by_source": sources}


def measure_frames(
    heldout: pl.DataFrame, decisions: Mapping[str, Decisions], calibration: Mapping[str, Calibration], seed: int
) -> dict[str, Any]:
    """Return the figures of a frames bundle from its held-out rows of one path.

    Calibration, threshold and cut-offs that decide on the rows of a source (with one source: on a part of the threads)
    are fitted on those of the others, so that no figure rests on rows that it was fitted to. Thresholds and stated
    errors are those that ship.

    Args:
        heldout: columns of `bundle.HELDOUT_SCHEMA`.
        decisions: how each level is decided.
        calibration: what ships.
        seed: of the draws.
    """
    levels: dict[str, Judged] = {}
    shipped: dict[str, dict[str, Any]] = {}
    for level, stated in decisions.items():
        rows = heldout.filter(pl.col("level") == level)
        label, score = rows["label"].to_numpy().astype(np.int8), rows["score"].to_numpy()
        weight = rows["weight"].fill_null(0.0).to_numpy()
        source, thread = (rows[name].to_numpy().astype(str) for name in ("source", "thread"))
        apart = _apart(source, thread, rows["text_hash"].to_numpy().astype(str), label)
        found = cross_fit(score, label, weight, apart, thread, stated)
        levels[level] = Judged(
            label,
            score,
            found.probability,
            found.tag,
            found.unsure,
            weight,
            source,
            thread,
            found.keeps_yes,
            found.keeps_no,
        )
        cut = decide_level(score, label, weight, thread, stated).cutoffs
        shipped[level] = {
            "threshold": calibration[level].threshold,
            "aim": calibration[level].aim,
            "unsure_low": calibration[level].unsure_low,
            "unsure_high": calibration[level].unsure_high,
            "calibration": stated.method,
            "error": stated.error,
            "error_yes": round(cut.error_yes, 4),
            "error_no": round(cut.error_no, 4),
            "borrowed": int(found.borrowed.sum()),
            "tagged": int(rows["tag"].sum()),
        }
    metrics = measured(levels, seed)
    for level, row in shipped.items():
        metrics["by_label"][level] |= row
    return {"judged_by": "leave-one-source-out", **metrics}


def measure_tags(heldout: pl.DataFrame, labels: Sequence[str], seed: int) -> dict[str, Any]:
    """Return the figures of held-out rows whose scores are log-odds of calibrated probabilities and that have a tag.

    Args:
        heldout: columns of `bundle.HELDOUT_SCHEMA`.
        labels: the levels to measure.
        seed: of the draws.
    """
    levels: dict[str, Judged] = {}
    for level in labels:
        rows = heldout.filter(pl.col("level") == level)
        score, tag = rows["score"].to_numpy(), rows["tag"].to_numpy().astype(np.int8)
        levels[level] = Judged(
            rows["label"].to_numpy().astype(np.int8),
            score,
            expit(score),
            tag,
            np.zeros(len(tag), bool),
            rows["weight"].fill_null(0.0).to_numpy(),
            rows["source"].to_numpy().astype(str),
            rows["thread"].to_numpy().astype(str),
        )
    return {"judged_by": "leave-one-source-out", **measured(levels, seed)}


def _apart(
    source: NDArray[np.str_], thread: NDArray[np.str_], text: NDArray[np.str_], label: NDArray[np.int8]
) -> NDArray[np.str_]:
    """Return what each row is held out with: its source, or if there is but one, a part of the threads or texts."""
    if len(np.unique(source)) > 1:
        return source
    part = np.zeros(len(source), np.int64)
    for number, each in enumerate(fold_parts(source, thread, text, label[:, None]).parts):
        part[each.rows] = number
    return part.astype(str)


def _with_weights(rows: Judged) -> Judged:
    """Let each row count once where no weight is known."""
    weight = np.nan_to_num(rows.weight, nan=0.0)
    return replace(rows, weight=weight if (weight > 0).any() else np.ones(len(weight)))


def _figures(rows: Judged, times: NDArray[np.float64] | None = None, *, calibration: bool = True) -> Figures:
    """Return all figures of rows, each of which is there `times` times; those of calibration if they are wanted."""
    times = np.ones(len(rows.label)) if times is None else times
    pooled = tagging(rows.label, rows.tag, times)
    answered = times * ~rows.unsure
    found: Figures = {
        **pooled,
        "average_precision": average_precision(rows.label, rows.score, times),
        "f1_answered": tagging(rows.label, rows.tag, answered)["f1"],
    }
    counted = (rows.weight > 0) & (times > 0)
    if not counted.any():
        return found
    known, weight = rows.take(counted), (rows.weight * times)[counted]
    found |= _rates(known, weight)
    return found | _calibration(known, weight) if calibration else found


def _calibration(rows: Judged, weight: NDArray[np.float64]) -> Figures:
    label, p = rows.label, rows.probability
    return {
        "brier": brier(label, p, weight),
        "brier_skill": brier_skill(label, p, weight),
        "ece": calibration_error(label, p, weight),
        "slope": calibration_slope(label, p, weight),
    }


def _rates(rows: Judged, weight: NDArray[np.float64]) -> Figures:
    label, tag = rows.label, rows.tag == 1
    yes, no = label == 1, label == 0
    rates = tagging(label, rows.tag, weight)
    found: Figures = {
        "base_rate": float(np.average(yes, weights=weight)),
        "f1_weighted": rates["f1"],
        "average_precision_weighted": average_precision(label, rows.score, weight),
        "sensitivity": rates["recall"],
        "false_positive_rate": _share(tag, no, weight),
        "unsure_share": float(np.average(rows.unsure, weights=weight)),
        "coverage_yes": _share(tag | rows.unsure, yes, weight),
        "coverage_no": _share(~tag | rows.unsure, no, weight),
    }
    if rows.keeps_yes is not None and rows.keeps_no is not None:
        found["set_coverage_yes"] = _share(rows.keeps_yes, yes, weight)
        found["set_coverage_no"] = _share(rows.keeps_no, no, weight)
        found["set_unsure_share"] = float(np.average(rows.keeps_yes & rows.keeps_no, weights=weight))
    return found


def _share(of: NDArray[np.bool_], among: NDArray[np.bool_], weight: NDArray[np.float64]) -> float | None:
    total = float(weight[among].sum())
    return float(weight[among & of].sum()) / total if total > 0 else None


def _drawn(rows: Judged, seed: int, draws: int, *, calibration: bool = True) -> dict[str, list[float | None]]:
    found: dict[str, list[float | None]] = {}
    for times in cluster_draws(rows.source, rows.thread, seed, draws):
        for name, value in _figures(rows, times, calibration=calibration).items():
            found.setdefault(name, []).append(value)
    return found


def _intervals(drawn: Mapping[str, list[float | None]], draws: int) -> dict[str, list[float]]:
    """Return the middle 95 % of the draws of each figure that at least half of the draws determine."""
    found: dict[str, list[float]] = {}
    for name, values in drawn.items():
        real = [value for value in values if value is not None]
        if len(real) >= draws / 2:
            found[name] = [round(float(end), 4) for end in np.quantile(real, [0.025, 0.975])]
    return found


def _means(by_label: dict[str, Any], drawn: dict[str, dict[str, list[float | None]]], draws: int) -> dict[str, Any]:
    """Return means over the levels that have the figure; None where none has."""
    names = {"macro_f1": "f1", "macro_average_precision": "average_precision", "ece": "ece", "brier": "brier"}
    found: dict[str, Any] = {"n": max((row["n"] for row in by_label.values()), default=0)}
    means: dict[str, list[float | None]] = {}
    for mean, figure in names.items():
        real = [level for level, row in by_label.items() if row.get(figure) is not None]
        found[mean] = _mean([by_label[level][figure] for level in real])
        means[mean] = [_mean(list(values)) for values in zip(*(drawn[level][figure] for level in real), strict=False)]
    return {**_rounded(found), "intervals": _intervals(means, draws)}


def _mean(values: list[float | None]) -> float | None:
    real = [value for value in values if value is not None]
    return sum(real) / len(real) if real and len(real) == len(values) else None


def _by_source(levels: Mapping[str, Judged], seed: int) -> dict[str, dict[str, Any]]:
    """Return the main figures of each source alone, each row once; intervals from resampling its threads."""
    found: dict[str, dict[str, Any]] = {}
    for level, given in levels.items():
        rows = _with_weights(given)
        yes = rows.weight * rows.label
        found[level] = {}
        for source in np.unique(rows.source):
            own = rows.take(rows.source == source)
            own = replace(own, weight=np.ones(len(own.label)))
            points, drawn = _figures(own), _drawn(own, seed, SOURCE_DRAWS, calibration=False)
            found[level][str(source)] = {
                "n": len(own.label),
                "yes": int(own.label.sum()),
                "yes_effective_without": round(effective(yes[rows.source != source]), 1),
                **_rounded({name: points[name] for name in BY_SOURCE}),
                "intervals": _intervals({name: drawn[name] for name in BY_SOURCE}, SOURCE_DRAWS),
            }
    return found


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}
