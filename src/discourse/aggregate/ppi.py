"""Prediction-powered inference for a mean: a few labels, many scores, and how far the scores are to be trusted."""

from __future__ import annotations

import numpy as np
from scipy import stats

from discourse.aggregate.prevalence import Interval
from discourse.aggregate.resampling import Reals


def tuned(label: Reals, score: Reals, unlabelled: Reals, weight: Reals | None = None) -> float:
    """Return the λ of least variance, Cov(y, f) / ((1 + n/N) · Var(f)), within 0–1.

    Args:
        label: float64 (n,).
        score: float64 (n,), the model's for the labelled.
        unlabelled: float64 (N,), the model's for the others.
        weight: float64 (n,), how much each labelled one counts, on any scale; all alike by default.

    Returns:
        0 where nothing is left unlabelled or the scores are all alike: then they cannot help.

    Source: Angelopoulos, Duchi & Zrnic 2023 (PPI++), equation 8 and proposition 2.
    """
    if not len(unlabelled):
        return 0.0
    weight = _scaled(weight, len(label))
    untuned = float(unlabelled.mean() + (weight * (label - score)).mean())
    pull, guess = weight * (label - untuned), weight * (score - untuned)
    together = float(((pull - pull.mean()) * (guess - guess.mean())).mean())
    spread = float(np.var(np.concatenate([guess, unlabelled - untuned]), ddof=1))
    ratio = len(label) / len(unlabelled)
    return float(np.clip(together / ((1 + ratio) * spread), 0, 1)) if spread > 1e-12 else 0.0


def ppi_mean(label: Reals, score: Reals, unlabelled: Reals, weight: Reals | None = None) -> Interval:
    """Return λ·mean(f of the unlabelled) + mean(y − λ·f) with its normal 95 % interval, all comments independent.

    Args:
        label: float64 (n,), n at least 2.
        score: float64 (n,).
        unlabelled: float64 (N,), N at least 1.
        weight: as in `tuned`.
    """
    weight = _scaled(weight, len(label))
    slope = tuned(label, score, unlabelled, weight)
    difference = weight * (label - slope * score)
    point = float(slope * unlabelled.mean() + difference.mean())
    variance = slope**2 * float(unlabelled.var()) / len(unlabelled) + float(difference.var()) / len(label)
    reach = float(stats.norm.ppf(0.975)) * np.sqrt(variance)
    return Interval(point, point - float(reach), point + float(reach))


def _scaled(weight: Reals | None, size: int) -> Reals:
    return np.ones(size) if weight is None else weight * (size / weight.sum())
