"""From a raw score to a probability, a tag and `unsure`, fitted on out-of-fold scores only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from discourse.models.bundle import Calibration
from discourse.models.conformal import Cutoffs, cutoffs
from discourse.models.decisions import Decisions, Method
from discourse.models.thresholds import threshold

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]
Names = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Curve:
    """A rising function from log-odds to probability: slope and intercept, or knots (score, probability)."""

    slope: float = 1.0
    intercept: float = 0.0
    knots: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Decided:
    """How one label is decided, and the conformal cut-offs (on probabilities) before they make room for the threshold.

    `calibration.unsure_low` is at most the threshold and `unsure_high` at least: no decision contradicts the forced
    answer, and where both answers are ruled out the forced answer stands.
    """

    calibration: Calibration
    cutoffs: Cutoffs


@dataclass(frozen=True, slots=True)
class CrossFitted:
    """What each row gets when its source had no part in calibration, threshold and cut-offs.

    `keeps_yes` and `keeps_no` tell which answers the conformal set of a row holds before the threshold has its say.
    `borrowed`: rows whose other sources have one class only, so that the calibration of all rows stands in.
    """

    probability: Floats
    tag: Labels
    unsure: NDArray[np.bool_]
    keeps_yes: NDArray[np.bool_]
    keeps_no: NDArray[np.bool_]
    borrowed: NDArray[np.bool_]


def probability(scores: Floats, calibration: Calibration | Curve) -> Floats:
    """Return calibrated probabilities of raw log-odds: by slope and intercept (Platt 1999), or between knots."""
    if calibration.knots:
        at, values = np.array(calibration.knots).T
        return np.interp(scores, at, values)
    return expit(calibration.slope * scores + calibration.intercept)


def calibrate(
    scores: Floats,
    labels: Labels,
    weights: Floats | None = None,
    threads: Names | None = None,
    decisions: Decisions | None = None,
) -> Calibration:
    """Return the calibration, threshold and unsure range of one label, see `decide_level`."""
    return decide_level(scores, labels, weights, threads, decisions).calibration


def decide_level(
    scores: Floats,
    labels: Labels,
    weights: Floats | None = None,
    threads: Names | None = None,
    decisions: Decisions | None = None,
) -> Decided:
    """Fit calibration, threshold and conformal cut-offs of one label.

    Args:
        scores: out-of-fold log-odds, one a row.
        labels: 0 or 1; both occur among the rows used.
        weights: how many comments a row stands for; 0, negative or NaN: unknown, and such rows are left out unless
            all are so or both classes would not be left, in which case every row counts once.
        threads: the thread of each row; None: each row is its own.
        decisions: method, aim and error; the defaults if None.
    """
    decisions = decisions or Decisions()
    threads = np.arange(len(scores)).astype(str) if threads is None else threads
    rows, known = known_rows(labels, weights)
    curve = fit_curve(scores[rows], labels[rows], known[rows], decisions.method)
    p = probability(scores, curve)
    aimed = (rows, known) if decisions.aim.weighted else (np.ones(len(scores), bool), np.ones(len(scores)))
    cut = threshold(p[aimed[0]], scores[aimed[0]], labels[aimed[0]], aimed[1][aimed[0]], decisions.aim)
    found = cutoffs(p[rows], labels[rows], known[rows], threads[rows], decisions.error)
    found = _between_rows(found, p[rows])
    calibration = Calibration(
        slope=curve.slope,
        intercept=curve.intercept,
        knots=curve.knots,
        threshold=cut,
        unsure_low=min(found.low, cut),
        unsure_high=max(found.high, cut),
        aim=str(decisions.aim),
    )
    return Decided(calibration, found)


def cross_fit(
    scores: Floats,
    labels: Labels,
    weights: Floats | None,
    sources: Names,
    threads: Names | None = None,
    decisions: Decisions | None = None,
) -> CrossFitted:
    """Decide on the rows of each source by what was fitted on those of all others (leave-one-source-out).

    Args:
        scores: out-of-fold log-odds, of models that did not see the row's source either.
        labels: 0 or 1.
        weights: see `decide_level`.
        sources: the source of each row.
        threads: see `decide_level`.
        decisions: see `decide_level`.
    """
    threads = np.arange(len(scores)).astype(str) if threads is None else threads
    p, borrowed = np.zeros(len(scores)), np.zeros(len(scores), bool)
    tag, unsure, keeps_yes, keeps_no = (np.zeros(len(scores), bool) for _ in range(4))
    for source in np.unique(sources):
        own = sources == source
        rest = ~own
        if len(np.unique(labels[rest])) < 2:
            borrowed[own], rest = True, np.ones(len(scores), bool)
        others = None if weights is None else weights[rest]
        found = decide_level(scores[rest], labels[rest], others, threads[rest], decisions)
        p[own] = probability(scores[own], found.calibration)
        tag[own] = p[own] >= found.calibration.threshold
        unsure[own] = (p[own] >= found.calibration.unsure_low) & (p[own] < found.calibration.unsure_high)
        keeps_yes[own], keeps_no[own] = _kept(p[own], tag[own], found.cutoffs)
    return CrossFitted(p, tag.astype(np.int8), unsure, keeps_yes, keeps_no, borrowed)


def known_rows(labels: Labels, weights: Floats | None) -> tuple[NDArray[np.bool_], Floats]:
    """Return which rows count, and with what weight; see `decide_level`."""
    if weights is not None:
        known = np.nan_to_num(weights, nan=0.0) > 0
        if len(np.unique(labels[known])) == 2:
            return known, np.where(known, np.nan_to_num(weights, nan=0.0), 0.0)
    return np.ones(len(labels), bool), np.ones(len(labels))


def fit_curve(scores: Floats, labels: Labels, weights: Floats, method: Method) -> Curve:
    """Fit a rising function from log-odds to probability.

    Args:
        scores: log-odds.
        labels: 0 or 1; both occur.
        weights: above 0.
        method: `platt`: slope and intercept with an L2 penalty of 1 on the slope (Platt 1999); `temperature`: a slope
            alone (Guo et al. 2017), for scores of unweighted training; `isotonic`: see `_isotonic`.
    """
    # scikit-learn takes longer to import than a comment takes to be tagged.
    from sklearn.linear_model import LogisticRegression

    if method == "isotonic":
        return Curve(knots=_isotonic(scores, labels, weights))
    scale = weights / weights.mean()
    if method == "temperature":
        return Curve(slope=_temperature_slope(scores, labels, scale))
    # The penalty keeps few yes from making the slope extreme.
    model = LogisticRegression(C=1.0, max_iter=1_000).fit(scores[:, None], labels, sample_weight=scale)
    # A negative slope would turn the model round on the strength of noise.
    return Curve(max(float(np.ravel(model.coef_)[0]), 1e-3), float(np.ravel(model.intercept_)[0]))


def _temperature_slope(scores: Floats, labels: Labels, weights: Floats) -> float:
    from scipy.optimize import minimize_scalar

    def loss(log_slope: float) -> float:
        scaled = np.exp(log_slope) * scores
        return float(np.average(np.logaddexp(0, scaled) - labels * scaled, weights=weights))

    found: Any = minimize_scalar(loss, bounds=(-6, 4), method="bounded")
    return float(np.exp(found.x))


def _isotonic(scores: Floats, labels: Labels, weights: Floats) -> tuple[tuple[float, float], ...]:
    """Return knots of a centred isotonic regression (Oron & Flournoy 2017), which rises strictly between its ends.

    Each flat stretch of the isotonic regression becomes one knot at its mean score. The ends are kept from 0 and 1 by
    the rule of succession: with k effective rows in the outermost stretch, by at least 1 / (k + 2).
    """
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression().fit(scores, labels, sample_weight=weights).predict(scores)
    values, stretch = np.unique(np.round(fitted, 12), return_inverse=True)
    mass = np.bincount(stretch, weights)
    centre = np.bincount(stretch, weights * scores) / mass
    effective = mass**2 / np.bincount(stretch, weights**2)
    least, most = 1 / (effective[0] + 2), 1 - 1 / (effective[-1] + 2)
    values = np.clip(values, min(least, most), max(least, most))
    kept = np.append(True, np.diff(centre) > 0)
    return tuple((float(x), float(y)) for x, y in zip(centre[kept], values[kept], strict=True))


def _between_rows(found: Cutoffs, p: Floats) -> Cutoffs:
    """Move both cut-offs halfway to the next row outside, so that rounding decides nothing; 0 or 1 where none is."""
    below, above = p[p < found.low], p[p > found.high]
    low = (found.low + float(below.max())) / 2 if len(below) else 0.0
    high = (found.high + float(above.min())) / 2 if len(above) else 1.0
    return Cutoffs(low, high, found.error_yes, found.error_no)


def _kept(p: Floats, tag: NDArray[np.bool_], found: Cutoffs) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which rows keep yes and which keep no; a row that would lose both keeps the likelier, its tag."""
    yes, no = p >= found.low, p < found.high
    neither = ~yes & ~no
    return yes | (neither & tag), no | (neither & ~tag)
