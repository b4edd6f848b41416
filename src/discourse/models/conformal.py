"""When to say `unsure`: label-conditional conformal prediction with threads as units.

A yes is ruled out below one cut-off and a no above another, each set so that, in expectation over threads like those
seen, at most a stated part of the yes (of the no) is wrongly ruled out: Mondrian conformal prediction (Vovk 2012,
"Conditional validity of inductive conformal predictors"). Comments of one thread are not exchangeable, threads are
(Dunn, Wasserman & Ramdas 2023, "Distribution-free prediction sets for two-layer hierarchical models"; Lee, Barber &
Willett 2023, "Distribution-free inference with hierarchical data"). So that long threads and drawn comments count with
what they stand for, the loss of a thread is the weight of its yes that is ruled out, less the permitted part of all
its yes; its expectation is kept at or below 0 by conformal risk control (Angelopoulos et al. 2024).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """Where an answer is ruled out: yes below `low`, no above `high`, on the scale of the scores.

    `error_yes` and `error_no` are the error that the threads seen can vouch for: the one asked for, or, where there
    are too few of them, the least that can be stated; then the cut-off is the outermost score seen.
    """

    low: float
    high: float
    error_yes: float
    error_no: float


@dataclass(frozen=True, slots=True)
class Cutoff:
    """One cut-off and the error that it can be stated with."""

    score: float
    error: float


def cutoffs(
    scores: NDArray[np.float64],
    labels: NDArray[np.int8],
    weights: NDArray[np.float64],
    threads: NDArray[np.str_],
    error: float = 0.1,
) -> Cutoffs:
    """Return where yes and no are ruled out.

    Args:
        scores: out-of-fold scores, higher for yes; log-odds or probabilities.
        labels: 0 or 1; both occur.
        weights: how many comments a row stands for, above 0.
        threads: the thread of each row.
        error: the share of yes, and of no, that may be ruled out in expectation.
    """
    yes = labels == 1
    low = lowest_kept(scores[yes], weights[yes], threads[yes], error)
    high = lowest_kept(-scores[~yes], weights[~yes], threads[~yes], error)
    return Cutoffs(low.score, -high.score, low.error, high.error)


def lowest_kept(
    scores: NDArray[np.float64], weights: NDArray[np.float64], threads: NDArray[np.str_], error: float
) -> Cutoff:
    """Return the highest score below which an answer may be ruled out, for rows that all have this answer.

    With loss of thread k = ruled-out weight - error × weight, the sum over threads plus the greatest loss of one more
    thread, (1 - error) × its weight, must not exceed 0. The weight of the new thread is not known. That of the thread
    which a comment is in, ΣW² / ΣW over threads, stands for it, which to first order is the same in expectation; the
    threads then count as (ΣW)² / ΣW² equal ones (Kish 1965), and an error can be stated from (1 - error) / error of
    them on: 9 for 0.1. For single comments of equal weight this is the usual quantile of (n + 1) × error.
    """
    _, inverse = np.unique(threads, return_inverse=True)
    each, total = np.bincount(inverse, weights), float(weights.sum())
    one_more = float((each**2).sum()) / total
    # A rounding error decides neither whether the error can be stated nor which row is lost.
    may_be_lost = error * (total + one_more) - one_more + 1e-9 * total
    order = np.argsort(scores, kind="stable")
    if may_be_lost < 0:
        return Cutoff(float(scores[order[0]]), one_more / (total + one_more))
    lost = np.cumsum(weights[order])
    # The first row whose loss would be too much is the lowest that is kept.
    first = int(np.searchsorted(lost, may_be_lost, side="right"))
    return Cutoff(float(scores[order[min(first, len(order) - 1)]]), error)
