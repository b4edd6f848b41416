"""From a raw score to a probability and a tag, fitted on out-of-fold scores only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from discourse.models.bundle import Calibration


def probability(scores: NDArray[np.float64], calibration: Calibration) -> NDArray[np.float64]:
    """Return calibrated probabilities of raw log-odds (Platt 1999)."""
    return expit(calibration.slope * scores + calibration.intercept)


def calibrate(
    scores: NDArray[np.float64], labels: NDArray[np.int8], weights: NDArray[np.float64], penalty: float = 1.0
) -> Calibration:
    """Fit a slope, an intercept and the threshold at which tags are as many as labels.

    Args:
        scores: out-of-fold log-odds, one a row.
        labels: 0 or 1.
        weights: how many comments a row stands for.
        penalty: inverse L2 penalty on the slope, so that few yes do not make it extreme.

    Returns:
        The calibration. It does not abstain: `unsure_low` and `unsure_high` equal the threshold.
    """
    rows = weights > 0
    scores, labels, weights = scores[rows], labels[rows], weights[rows]
    scale = weights / weights.mean()
    model = LogisticRegression(C=penalty, max_iter=1_000).fit(scores[:, None], labels, sample_weight=scale)
    # A negative slope would turn the model round on the strength of noise.
    slope = max(float(np.ravel(model.coef_)[0]), 1e-3)
    intercept = float(np.ravel(model.intercept_)[0])
    raw = prevalence_threshold(scores, labels, weights)
    threshold = float(expit(slope * raw + intercept))
    return Calibration(
        slope=slope, intercept=intercept, threshold=threshold, unsure_low=threshold, unsure_high=threshold
    )


def prevalence_threshold(scores: NDArray[np.float64], labels: NDArray[np.int8], weights: NDArray[np.float64]) -> float:
    """Return the score above which as much weight is tagged as is labelled yes, so that tags count right on average.

    With few yes this is steadier than the threshold of the best F1; precision and recall are about equal there.
    """
    order = np.argsort(-scores, kind="stable")
    tagged = np.cumsum(weights[order])
    place = int(np.searchsorted(tagged, float((weights * labels).sum())))
    return float(scores[order][min(place, len(order) - 1)])
