"""How good a model is: figures of held-out rows with intervals from resampling sources and threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

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

    Calibration, threshold and cut-offs that decide on the rows of a source are fitted on those of the others, so that
    no figure rests on rows that it was fitted to. Thresholds and stated errors are those that ship.

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
        found = cross_fit(score, label, weight, source, thread, stated)
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
            "calibration": stated.method,
            "error": stated.error,
            "error_yes": round(cut.error_yes, 4),
            "error_no": round(cut.error_no, 4),
            "borrowed": int(found.borrowed.sum()),
        }
    metrics = measured(levels, seed)
    for level, row in shipped.items():
        metrics["by_label"][level] |= row
    return {"judged_by": "leave-one-source-out", **metrics}


def _with_weights(rows: Judged) -> Judged:
    """Let each row count once where no weight is known."""
    weight = np.nan_to_num(rows.weight, nan=0.0)
    return replace(rows, weight=weight if (weight > 0).any() else np.ones(len(weight)))


def _figures(rows: Judged, times: NDArray[np.float64] | None = None) -> Figures:
    """Return all figures of rows, each of which is there `times` times."""
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
    return found | _weighted_figures(known, weight)


def _weighted_figures(rows: Judged, weight: NDArray[np.float64]) -> Figures:
    label, tag, p = rows.label, rows.tag == 1, rows.probability
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
        "brier": brier(label, p, weight),
        "brier_skill": brier_skill(label, p, weight),
        "ece": calibration_error(label, p, weight),
        "slope": calibration_slope(label, p, weight),
    }
    if rows.keeps_yes is not None and rows.keeps_no is not None:
        found["set_coverage_yes"] = _share(rows.keeps_yes, yes, weight)
        found["set_coverage_no"] = _share(rows.keeps_no, no, weight)
        found["set_unsure_share"] = float(np.average(rows.keeps_yes & rows.keeps_no, weights=weight))
    return found


def _share(of: NDArray[np.bool_], among: NDArray[np.bool_], weight: NDArray[np.float64]) -> float | None:
    total = float(weight[among].sum())
    return float(weight[among & of].sum()) / total if total > 0 else None


def _drawn(rows: Judged, seed: int, draws: int) -> dict[str, list[float | None]]:
    found: dict[str, list[float | None]] = {}
    for times in cluster_draws(rows.source, rows.thread, seed, draws):
        for name, value in _figures(rows, times).items():
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
    for level, rows in levels.items():
        found[level] = {}
        for source in np.unique(rows.source):
            own = rows.take(rows.source == source)
            own = replace(own, weight=np.ones(len(own.label)))
            points, drawn = _figures(own), _drawn(own, seed, SOURCE_DRAWS)
            found[level][str(source)] = {
                "n": len(own.label),
                "yes": int(own.label.sum()),
                **_rounded({name: points[name] for name in BY_SOURCE}),
                "intervals": _intervals({name: drawn[name] for name in BY_SOURCE}, SOURCE_DRAWS),
            }
    return found


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class Scored:
    """Rows with a known label: label and tag 0 or 1, probability 0–1, weight, and the cluster each row belongs to."""

    label: NDArray[np.int8]
    tag: NDArray[np.int8]
    probability: NDArray[np.float64]
    weight: NDArray[np.float64]
    source: NDArray[np.str_]
    thread: NDArray[np.str_]

    def take(self, rows: NDArray[np.int64]) -> Scored:
        """Return the given rows, repeated as often as they are named."""
        return Scored(
            self.label[rows],
            self.tag[rows],
            self.probability[rows],
            self.weight[rows],
            self.source[rows],
            self.thread[rows],
        )


@dataclass(frozen=True, slots=True)
class Quality:
    """Weighted quality of one level; `intervals` holds 95 % percentile intervals of the figures that have one."""

    n: int
    yes: int
    yes_effective: float
    precision: float
    recall: float
    f1: float
    average_precision: float
    brier: float
    brier_skill: float
    ece: float
    slope: float | None
    intervals: dict[str, tuple[float, float]]

    def as_json(self) -> dict[str, object]:
        """Return plain values, rounded to four digits."""
        plain: dict[str, object] = {
            name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()
        }
        plain["intervals"] = {name: [round(low, 4), round(high, 4)] for name, (low, high) in self.intervals.items()}
        return plain


def quality(scored: Scored, slope: float | None = None, seed: int = 0, draws: int = DRAWS) -> Quality:
    """Measure precision, recall, F1, average precision, Brier score and calibration error, weighted.

    The intervals resample sources with replacement, then threads within each drawn source, so that they cover the
    spread between sources. Effective yes: Kish (1965), (Σw)² / Σw².

    Args:
        scored: rows with their labels; weight 1 where rows stand for themselves.
        slope: of the calibration on these scores, if known.
        seed: of the resampling.
        draws: how many resamples.
    """
    yes = scored.weight * (scored.label == 1)
    effective = float(yes.sum() ** 2 / max((yes**2).sum(), 1e-12))
    figures: dict[str, Callable[[Scored], float]] = {
        "f1": _f1,
        "average_precision": _average_precision,
        "brier": _brier,
        "ece": expected_calibration_error,
    }
    sampled: dict[str, list[float]] = {name: [] for name in figures}
    for rows in cluster_resamples(scored.source, scored.thread, seed, draws):
        part = scored.take(rows)
        if part.label.any() and part.weight.sum() > 0:
            for name, figure in figures.items():
                sampled[name].append(figure(part))
    intervals = {
        name: (float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975)))
        for name, values in sampled.items()
        if len(values) >= draws // 2
    }
    brier, base = _brier(scored), float(np.average(scored.label, weights=scored.weight))
    precision, recall = _precision_recall(scored)
    return Quality(
        n=len(scored.label),
        yes=int((scored.label == 1).sum()),
        yes_effective=effective,
        precision=precision,
        recall=recall,
        f1=_f1(scored),
        average_precision=_average_precision(scored),
        brier=brier,
        brier_skill=1 - brier / max(base * (1 - base), 1e-12),
        ece=expected_calibration_error(scored),
        slope=slope,
        intervals=intervals,
    )


def cluster_resamples(
    source: NDArray[np.str_], thread: NDArray[np.str_], seed: int, draws: int
) -> list[NDArray[np.int64]]:
    """Return row numbers of `draws` resamples: sources with replacement, then threads within each drawn source."""
    generator = np.random.default_rng(seed)
    groups: list[list[NDArray[np.int64]]] = []
    for name in np.unique(source):
        rows = np.flatnonzero(source == name)
        _, inverse = np.unique(thread[rows], return_inverse=True)
        order = np.argsort(inverse, kind="stable")
        groups.append(np.split(rows[order], np.flatnonzero(np.diff(inverse[order])) + 1))
    resamples: list[NDArray[np.int64]] = []
    for _ in range(draws):
        parts: list[NDArray[np.int64]] = []
        for g in generator.integers(0, len(groups), len(groups)):
            clusters = groups[g]
            parts += [clusters[c] for c in generator.integers(0, len(clusters), len(clusters))]
        resamples.append(np.concatenate(parts))
    return resamples


def expected_calibration_error(scored: Scored, bins: int = 10) -> float:
    """Return the weighted mean gap between probability and share of yes over bins of equal weight (Naeini 2015)."""
    order = np.argsort(scored.probability, kind="stable")
    weight = scored.weight[order]
    place = np.cumsum(weight) / max(float(weight.sum()), 1e-12)
    numbers = np.minimum((place * bins).astype(int), bins - 1)
    totals = np.bincount(numbers, weight, bins)
    gap = np.bincount(numbers, weight * (scored.label[order] - scored.probability[order]), bins)
    return float(np.abs(gap).sum() / max(float(totals.sum()), 1e-12))


def _precision_recall(scored: Scored) -> tuple[float, float]:
    hits = float((scored.weight * scored.tag * scored.label).sum())
    return (
        hits / max(float((scored.weight * scored.tag).sum()), 1e-12),
        hits / max(float((scored.weight * scored.label).sum()), 1e-12),
    )


def _f1(scored: Scored) -> float:
    precision, recall = _precision_recall(scored)
    return 2 * precision * recall / max(precision + recall, 1e-12)


def _average_precision(scored: Scored) -> float:
    if not scored.label.any():
        return 0.0
    return float(average_precision_score(scored.label, scored.probability, sample_weight=scored.weight))


def _brier(scored: Scored) -> float:
    return float(np.average((scored.probability - scored.label) ** 2, weights=scored.weight))
