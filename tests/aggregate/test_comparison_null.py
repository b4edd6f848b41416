"""False alarms, coverage and power of comparisons where mistakes cling to authors, for frames, stances and labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pytest

from discourse.aggregate.comparison import Compared, compare
from discourse.aggregate.error_rates import ErrorRates, Outcomes, error_rates
from discourse.aggregate.from_labels import Reading
from discourse.aggregate.headline import Headline
from discourse.aggregate.labels import Coding
from discourse.aggregate.prevalence import AUTHOR_CORRELATION
from discourse.aggregate.resampling import Clusters, resample
from discourse.aggregate.units import Eligible, Unit

SOURCES, THREADS = 6, 10


@dataclass(frozen=True, slots=True)
class Setting:
    """Two sides with their sizes and shares, by so many authors, compared by tags, labels or tags of a stance."""

    kind: str
    sizes: tuple[int, int]
    shares: tuple[float, float]
    authors: int


NULLS = {
    "tags": Setting("tags", (300, 200), (0.3, 0.3), 10_000),
    "tags of few authors": Setting("tags", (300, 200), (0.3, 0.3), 60),
    "a small side": Setting("tags", (2000, 60), (0.1, 0.1), 500),
    "labels of few authors": Setting("labels", (400, 300), (0.3, 0.3), 60),
    "few labelled yes": Setting("labels", (400, 300), (0.06, 0.06), 500),
    "stance": Setting("stance", (500, 400), (0.4, 0.4), 500),
    "stance of few authors": Setting("stance", (200, 200), (0.2, 0.2), 100),
}
PLANTED = {
    "tags": Setting("tags", (300, 200), (0.45, 0.25), 10_000),
    "labels": Setting("labels", (400, 300), (0.45, 0.25), 500),
    "stance": Setting("stance", (500, 400), (0.6, 0.3), 500),
}
RATES = {"frame": (0.85, 0.1), "side": (0.7, 0.08)}


def _rates(name: str) -> ErrorRates:
    """Return error rates from 300 held-out comments in each of six sources, of ten threads each."""
    rng = np.random.default_rng(7)
    clusters = Clusters(np.repeat(np.arange(SOURCES * THREADS), 50), np.repeat(np.arange(SOURCES), THREADS))
    label = np.tile(np.repeat([1.0, 0.0], [10, 40]), SOURCES * THREADS)
    tag = (rng.random(len(label)) < np.where(label == 1, *RATES[name])).astype(np.float64)
    taken = resample(clusters.source, np.random.default_rng(8))
    return error_rates(Outcomes(label, tag, np.ones(len(label)), clusters), taken, rng)


def _tags(truth: np.ndarray, name: str, author: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Tag with mistakes that are alike within an author: a share of the comments takes its author's luck."""
    of_author = rng.random(author.max() + 1)[author]
    luck = np.where(rng.random(len(author)) < np.sqrt(AUTHOR_CORRELATION), of_author, rng.random(len(author)))
    return luck < np.where(truth, *RATES[name])


def _truth(sizes: tuple[int, int], shares: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    return np.concatenate(
        [rng.permutation(size) < round(share * size) for size, share in zip(sizes, shares, strict=True)]
    )


def _draw(setting: Setting, rates: dict[str, ErrorRates], rng: np.random.Generator) -> Compared:
    first, total = setting.sizes[0], sum(setting.sizes)
    comments = pl.DataFrame({"comment_id": [str(i) for i in range(total)]})
    comments = comments.with_columns(duplicate_of=pl.lit(None, dtype=pl.String))
    author = rng.integers(0, setting.authors, total)
    units = (Unit("thread:a", np.arange(first), ""), Unit("thread:b", np.arange(first, total), ""))
    eligible = Eligible(comments, author, units)
    none = np.zeros(total, bool)

    def headline(level: str, truth: np.ndarray, name: str) -> Headline:
        tagged = _tags(truth, name, author, rng)
        reading = Reading(tagged, np.where(tagged, 0.8, 0.1))
        return Headline(level, eligible, tagged, none, reading, rates[name], None, None, 0)

    if setting.kind == "stance":
        about = _truth(setting.sizes, (0.4, 0.6), rng)
        side = np.zeros(total, bool)
        for unit, share in zip(units, setting.shares, strict=True):
            inside = rng.permutation(unit.rows[about[unit.rows]])
            side[inside[: round(share * len(inside))]] = True
        whole = headline("stance:t:about", about, "frame")
        return compare(replace(headline("stance:t:favor", side, "side"), whole=whole), *units)
    truth = _truth(setting.sizes, setting.shares, rng)
    found = headline("frame:f", truth, "frame")
    if setting.kind == "labels":
        used = rng.random(total) < 0.3
        value = pl.Series(np.where(truth, "yes", "no")).zip_with(pl.Series(used), pl.Series([None], dtype=pl.String))
        labels = Coding(value, used, np.where(used, 0.3, np.nan), np.ones(total, bool), none)
        found = replace(found, labels=labels, yes=labels.where("yes"))
    return compare(found, *units)


def _drawn(setting: Setting, draws: int, seed: int) -> tuple[float, float]:
    """Return how often p is below 0.05, and how often the interval holds the true difference."""
    rng = np.random.default_rng(seed)
    rates = {name: _rates(name) for name in RATES}
    found = [_draw(setting, rates, rng) for _ in range(draws)]
    differences = [each.difference for each in found if each.difference is not None]
    assert len(differences) == draws
    true = setting.shares[0] - setting.shares[1]
    inside = np.mean([each.low - 1e-9 <= true <= each.high + 1e-9 for each in differences])
    return float(np.mean([(each.p or 0.0) < 0.05 for each in found])), float(inside)


def _holds(setting: Setting, draws: int) -> None:
    alarms, inside = _drawn(setting, draws, 1)
    error = 3 * np.sqrt(0.05 * 0.95 / draws)
    assert alarms <= 0.05 + error
    assert inside >= 0.95 - error


@pytest.mark.parametrize("name", NULLS)
def test_false_alarms_and_coverage(name: str) -> None:
    """Where nothing differs, p is below 0.05 about as rarely as stated, and intervals hold 0."""
    _holds(NULLS[name], 80)


@pytest.mark.soak
@pytest.mark.parametrize("name", NULLS)
def test_false_alarms_and_coverage_over_many_draws(name: str) -> None:
    """The same over 500 draws, in all settings."""
    _holds(NULLS[name], 500)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_difference_is_found_and_held(name: str) -> None:
    """A difference of twenty points and more is found nine times in ten, and lies inside its intervals."""
    found, inside = _drawn(PLANTED[name], 40, 2)
    assert found >= 0.9
    assert inside >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / 40)
