"""Exact intervals for shares where few comments were labelled yes (or few no), by counting rather than by normality."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import gammaln

from discourse.aggregate.prevalence import Interval
from discourse.aggregate.resampling import Counts, Reals, kish

TAIL = 0.025
GRID = 300  # possible numbers of yes that are tried in one stratum; more are stepped over, outwards


@dataclass(frozen=True, slots=True)
class Stratum:
    """A part of a finite population, sampled uniformly without replacement: its size, the sample and the yes in it."""

    size: int
    sampled: int
    yes: int


def exact_share(first: Stratum, second: Stratum) -> Interval:
    """Return the share of yes in two strata together, with an interval that covers it at least 95 % of the time.

    The interval holds every total for which some split (K₁, K₂) of it between the strata makes a stratified estimate
    as large, and one as small, as the one seen likelier than 2.5 % (hypergeometric tails; Clopper & Pearson 1934 for
    one stratum, Buehler 1957 for the ordering by the estimate and the worst case over splits). In strata of more than
    `GRID` comments the possible K are tried in steps and rounded outwards.

    Args:
        first: such as the tagged comments; sampled at least once, or `second` is.
        second: the others.
    """
    total = first.size + second.size
    sampled = first.sampled + second.sampled
    pooled = (first.yes + second.yes) / sampled if sampled else 0.5
    means = [part.yes / part.sampled if part.sampled else pooled for part in (first, second)]
    point = (means[0] * first.size + means[1] * second.size) / total
    high = _most(first, second) / total
    # The fewest yes are all less the most no.
    low = 1 - _most(_turned(first), _turned(second)) / total
    return Interval(point, min(max(low, 0.0), point), max(min(high, 1.0), point))


def weighted_share(label: Reals, weight: Reals) -> Interval:
    """Return a weighted share with a Clopper–Pearson interval for its effective number of labels.

    Args:
        label: float64 (n,), 0 or 1; n at least 1.
        weight: float64 (n,), 1 / inclusion.

    Source: Korn & Graubard 1998; with equal weights Clopper & Pearson 1934, on the safe side in a finite population.
    """
    size = kish(weight)
    point = float(weight @ label / weight.sum())
    yes, no = point * size, (1 - point) * size
    low = float(stats.beta.ppf(TAIL, yes, no + 1)) if yes > 0 else 0.0
    high = float(stats.beta.ppf(1 - TAIL, yes + 1, no)) if no > 0 else 1.0
    return Interval(point, min(low, point), max(high, point))


def _turned(part: Stratum) -> Stratum:
    return Stratum(part.size, part.sampled, part.sampled - part.yes)


def _most(first: Stratum, second: Stratum) -> int:
    """Return the largest total of yes under which an estimate this small is likelier than `TAIL`."""
    seen = _expanded(first, np.array(first.yes)) + _expanded(second, np.array(second.yes))
    # All counts of the first stratum that leave room for some count of the second, and how much room.
    ours = np.arange(first.sampled + 1)
    room = seen - _expanded(first, ours)
    ours, room = ours[room >= -1e-9], room[room >= -1e-9]
    if second.sampled:
        theirs = np.minimum(np.floor(room * second.sampled / second.size + 1e-9), second.sampled).astype(np.int64)
    else:
        theirs = np.zeros(len(ours), dtype=np.int64)
    here, above_here = _candidates(first)
    there, above_there = _candidates(second)
    chance = _chances(first, here, int(ours.max(initial=0)))[:, ours]
    below = _chances(second, there, int(theirs.max(initial=0))).cumsum(axis=1)[:, theirs].T
    likely = chance @ below > TAIL
    totals = np.where(likely, above_here[:, None] + above_there[None, :], 0)
    return int(max(totals.max(initial=0), first.yes + second.yes))


def _chances(part: Stratum, yes: Counts, most: int) -> Reals:
    """Return the hypergeometric chance of each number of yes in the sample, float64 (len(yes), most + 1).

    Args:
        part: the stratum; its own yes do not matter.
        yes: int64 (K,), how many yes there may be in it.
        most: the largest number of yes in the sample that is asked for.
    """
    drawn = np.arange(most + 1)[None, :]
    inside, outside = yes[:, None], part.size - yes[:, None]
    left = part.sampled - drawn
    possible = (drawn <= inside) & (left >= 0) & (left <= outside)
    log = _log_choose(inside, drawn) + _log_choose(outside, left) - _log_choose(part.size, part.sampled)
    return np.where(possible, np.exp(np.where(possible, log, 0.0)), 0.0)


def _log_choose(whole: Counts | int, part: Counts | int) -> Reals:
    # Impossible pairs are masked by the caller; they must only not warn.
    rest = np.maximum(np.subtract(whole, part), 0)
    return gammaln(np.add(whole, 1.0)) - gammaln(np.maximum(part, 0) + 1.0) - gammaln(rest + 1.0)


def _expanded(part: Stratum, yes: Counts) -> Reals:
    scale = part.size / part.sampled if part.sampled else 0.0
    return yes.astype(np.float64) * scale


def _candidates(part: Stratum) -> tuple[Counts, Counts]:
    """Return numbers of yes that the sample allows, and for each the largest number it stands for."""
    most = part.size - (part.sampled - part.yes)
    tried = np.unique(np.linspace(part.yes, most, min(most - part.yes + 1, GRID)).astype(np.int64))
    return tried, np.append(tried[1:] - 1, most)
