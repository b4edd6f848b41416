"""Sensitivity and false-positive rate of a bundle on held-out comments, with draws of what they may be elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from discourse.aggregate.resampling import Clusters, Reals, drawn_sums, kish

MIN_SPREAD = 1e-6  # below this correlation within sources, sources do not differ
PRIOR_SCALE = 0.3
SPREAD_GRID = np.linspace(0, 6, 241)  # in standard deviations of the prior


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Held-out comments of one level: the label and the tag (0 or 1), and how many comments each row stands for."""

    label: Reals
    tag: Reals
    weight: Reals
    clusters: Clusters


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of tagged comments among those of one label.

    point: over all rows. pooled: float64 (draws,), of the held-out comments themselves. draws: float64 (draws,), of a
    source yet unseen. effective: equally weighted rows that are worth as much.
    """

    point: float
    pooled: Reals
    draws: Reals
    effective: float


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """Sensitivity (tagged among yes) and false-positive rate (tagged among no) of one level."""

    sensitivity: Rate
    false_positive: Rate
    sources: int

    @property
    def known(self) -> bool:
        """Whether there are held-out comments of both labels."""
        return self.sensitivity.effective > 0 and self.false_positive.effective > 0


def error_rates(outcomes: Outcomes, taken: Reals, rng: np.random.Generator) -> ErrorRates:
    """Estimate both error rates, and draw what they may be in a source that is not among the held-out ones.

    Args:
        outcomes: the held-out comments, float64 (rows,).
        taken: float64 (draws, clusters), see `resample`; shared by all levels of a bundle.
        rng: the seeded generator.
    """
    return ErrorRates(
        _rate(outcomes, outcomes.weight * outcomes.label, taken, rng),
        _rate(outcomes, outcomes.weight * (1 - outcomes.label), taken, rng),
        len(np.unique(outcomes.clusters.source[outcomes.clusters.of_row])),
    )


def smoothed_share(part: Reals, whole: Reals, scale: float, rng: np.random.Generator) -> Reals:
    """Return `part` / `whole` of each draw with half a pseudo-comment on either side.

    The two pseudo-comments weigh `scale` times a Gamma(1/2) draw each, as they do in the Bayesian bootstrap (Rubin
    1981) under Jeffreys' prior: a draw with few comments is spread out, one with none is Beta(1/2, 1/2), and
    where all comments are tagged alike the draws still end about where the Jeffreys interval does (Brown, Cai &
    DasGupta 2001).
    """
    inside, outside = scale * rng.standard_gamma(0.5, (2, len(whole)))
    return (part + inside) / np.maximum(whole + inside + outside, np.finfo(float).tiny)


def source_spread(share: Reals, effective: Reals) -> tuple[float, float]:
    """Measure how much a rate differs between sources, beyond what chance does.

    Args:
        share: float64 (sources,), the rate in each.
        effective: float64 (sources,), effective rows behind it, above 0.

    Returns:
        Pearson's statistic X² = Σ n (r_s − r)² / (r (1 − r)), and the number d for which the moment estimator of the
        correlation within sources is (X² − (S − 1)) / d; d is 0 where it cannot be told.

    Source: Kleinman 1973; Williams 1982 (moment estimators of the beta-binomial model).
    """
    total = float(effective.sum())
    # A pseudo-comment keeps a rate of exactly 0 or 1 from dividing by zero.
    pooled = (float(effective @ share) + 0.5) / (total + 1)
    statistic = float(effective @ np.square(share - pooled)) / (pooled * (1 - pooled))
    return statistic, max(total - float(np.square(effective).sum()) / total - (len(share) - 1), 0.0)


def _rate(outcomes: Outcomes, weight: Reals, taken: Reals, rng: np.random.Generator) -> Rate:
    clusters, tagged = outcomes.clusters, weight * outcomes.tag
    effective = kish(weight)
    total = float(weight.sum())
    if effective == 0:
        nothing = rng.beta(0.5, 0.5, len(taken))
        return Rate(0.0, nothing, nothing, 0.0)
    part, whole = (drawn_sums(taken, clusters, value) for value in (tagged, weight))
    pooled = smoothed_share(part, whole, total / effective, rng)
    unseen = _new_source(pooled, tagged, weight, clusters, rng)
    return Rate(float(tagged.sum()) / total, pooled, unseen, effective)


def _new_source(draws: Reals, tagged: Reals, weight: Reals, clusters: Clusters, rng: np.random.Generator) -> Reals:
    """Move each draw to a source yet unseen: a beta draw around it, spread as the held-out sources are.

    The spread is itself uncertain with few sources, so each draw has a spread of its own, see `spread_draws`.
    """
    source = clusters.source[clusters.of_row]
    sums, squares = (np.bincount(source, values, clusters.sources) for values in (weight, np.square(weight)))
    seen = sums > 0
    if seen.sum() < 2:
        return draws
    share = np.bincount(source, tagged, clusters.sources)[seen] / sums[seen]
    spread = spread_draws(share, np.square(sums[seen]) / squares[seen], len(draws), rng)
    centre = np.clip(draws, 1e-6, 1 - 1e-6)
    precision = (1 - spread) / np.maximum(spread, MIN_SPREAD)
    return np.where(spread > MIN_SPREAD, rng.beta(centre * precision, (1 - centre) * precision), draws)


def spread_draws(share: Reals, effective: Reals, number: int, rng: np.random.Generator) -> Reals:
    """Draw the correlation within sources from its posterior given how much the held-out sources differ.

    X² over its expectation is taken as chi-square. Sources are thought to differ in that all scores of a label lie
    higher or lower there, while the threshold stays: a rate c becomes Φ(Φ⁻¹(c) + shift), and small rates vary more in
    proportion than middling ones. The prior of the shift's standard deviation τ is half-normal with the standard
    deviation `PRIOR_SCALE`; around c it stands for a correlation of v / (1 + v), v = τ²φ(Φ⁻¹(c))² / (c(1 − c)). With
    few sources the data alone would leave any spread possible.

    Args:
        share: float64 (sources,), the rate in each.
        effective: float64 (sources,), effective rows behind it, above 0.
        number: of draws.
        rng: the seeded generator.

    Returns:
        float64 (draws,), at least 0.

    Source: Rutter & Gatsonis 2001 (studies of one test that differ in their threshold); Röver, Bender, Dias et al.
    2021 (weakly informative priors for the spread between few studies; half-normal, 0.5 on the scale of log-odds, which
    is about 0.3 here).
    """
    statistic, information = source_spread(share, effective)
    if information == 0:
        return np.zeros(number)
    freedom = len(share) - 1
    pooled = (float(effective @ share) + 0.5) / (float(effective.sum()) + 1)
    density_there = float(stats.norm.pdf(stats.norm.ppf(pooled)))
    variance = np.square(PRIOR_SCALE * SPREAD_GRID * density_there) / (pooled * (1 - pooled))
    spread = variance / (1 + variance)
    expected = 1 + spread * information / freedom
    density = (
        stats.chi2.logpdf(max(statistic, 1e-3) / expected, freedom) - np.log(expected) - np.square(SPREAD_GRID) / 2
    )
    chance = np.exp(density - density.max())
    return rng.choice(spread, number, p=chance / chance.sum())
