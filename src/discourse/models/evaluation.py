"""How good a model is: point values with intervals from resampling sources and threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

DRAWS = 500


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
