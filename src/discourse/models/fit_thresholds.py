"""Where the fit check draws its lines: the effects of training comments that the statistics did not see.

Threads are held out in turn, and sets of their comments are measured against the other threads of all sources. A set
fits while it is no farther than nearly all of these. Sources are then left out whole, to see what a new one gets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from discourse.models.fit_measures import (
    LEAST_VARIANCE,
    Floats,
    Names,
    describe_space,
    distance,
    knows_threads,
    length_difference,
    length_percentiles,
    more_than_usual,
    threads_of_words,
    unknown_share,
)

MEASURED = ("distance", "vocabulary", "style", "length")
SIZES = (20, 50, 100, 200)
FOLDS = 3
DRAWS = 60
# Of five checks, each lets one held-out set in a hundred go wrong.
QUANTILE = 0.99
# Comments and threads that it takes to speak of single threads.
LEAST_OF_THREAD = 10
LEAST_THREADS = 10

# Sampling errors add up by their variances: those of a share or a delta as they are, those of a distance as squares.
POWERS = {"distance": 4, "vocabulary": 2, "style": 4, "length": 2}

# Smaller effects are no reason to warn, however alike the training comments are: half a standard deviation, Cohen's h
# of a tenth, and what Romano et al. (2006) call a medium delta.
LEAST = {"distance": 0.5, "vocabulary": 0.1, "style": 0.5, "length": 0.33}

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Features:
    """Training rows as numbers, all aligned.

    Attributes:
        vectors: rows × width.
        marks: see `fit_measures.marks`.
        words: see `fit_measures.words`.
        unknown: rows × (unknown words, words); a word is unknown in a row if fewer than two other threads have it.
        lengths: code points.
        sources: of each row.
        threads: of each row.
        weights: how many comments a row stands for, NaN where unknown; or None.
    """

    vectors: NDArray[np.float32]
    marks: NDArray[np.float32]
    words: Sequence[frozenset[str]]
    unknown: NDArray[np.int64]
    lengths: NDArray[np.int64]
    sources: Names
    threads: Names
    weights: Floats | None

    @property
    def usual(self) -> float:
        """The share of unknown words in comments of threads that were not seen."""
        return unknown_share(self.unknown)


@dataclass(frozen=True, slots=True)
class Threshold:
    """The largest effect that still fits.

    Attributes:
        sizes: numbers of comments, ascending.
        many: for each size the threshold for comments of many threads.
        thread: what the subject of a single thread adds; None where the training rows do not show how threads vary.
        power: in which power the two add up, see `POWERS`.
    """

    sizes: tuple[int, ...]
    many: tuple[float, ...]
    thread: float | None
    power: int

    def at(self, comments: int, threads: float) -> float | None:
        """Return the threshold for a number of comments of an effective number of threads; None if it is unknown.

        What the subjects of threads add to a squared effect shrinks with their number.
        """
        many = self.of_many(comments)
        if self.thread is None:
            return many if threads >= LEAST_THREADS else None
        subject = self.thread / np.sqrt(max(1.0, threads))
        return float((many**self.power + subject**self.power) ** (1 / self.power))

    def of_many(self, comments: int) -> float:
        """Return the threshold for a number of comments of many threads."""
        return float(np.interp(np.log(comments), np.log(self.sizes), self.many))


def unknown_elsewhere(texts: Sequence[frozenset[str]], threads: Names) -> NDArray[np.int64]:
    """Return for each row how many words fewer than two other threads have, and how many words it has; rows × 2."""
    found = threads_of_words(texts, threads)
    # Its own thread is one of those counted.
    return np.array([(sum(found[word] < 3 for word in row), len(row)) for row in texts], np.int64).reshape(-1, 2)


def effective_threads(threads: Names) -> float:
    """Return Kish's number of threads: 1 / the sum of squared shares."""
    sizes = np.unique(threads, return_counts=True)[1]
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def fix_thresholds(features: Features, seed: int) -> dict[str, Threshold]:
    """Hold threads out in turn and return the threshold of each check that compares with training comments.

    For every source, sets of its held-out comments are drawn in each of `SIZES` (all of them where there are between
    half as many and as many); the threshold is the largest of the sources' 99 % quantiles, so that each source fits.
    Single threads are measured whole, and lose what the sampling of so few comments adds.
    """
    generator = np.random.default_rng(seed)
    fold = _folds(features, generator)
    drawn: list[_Drawn] = []
    for number in range(FOLDS):
        held = np.flatnonzero(fold == number)
        measure = _measure(features, np.flatnonzero(fold != number), held)
        for source in (None, *np.unique(features.sources)):
            pool = held if source is None else held[features.sources[held] == source]
            for size in SIZES:
                for kind, rows in _draws(features, pool, size, generator):
                    drawn.append(_Drawn(str(source), kind, size, measure(rows)))
        for thread, count in zip(*np.unique(features.threads[held], return_counts=True), strict=True):
            if count >= LEAST_OF_THREAD:
                drawn.append(_Drawn("", "thread", int(count), measure(held[features.threads[held] == thread])))
    return {check: _threshold(drawn, check, features) for check in MEASURED}


def leave_sources_out(features: Features, seed: int) -> dict[str, dict[str, float]]:
    """Return for each source the median effects of sets of its comments against all other sources, by check."""
    generator = np.random.default_rng(seed)
    names = np.unique(features.sources)
    found: dict[str, dict[str, float]] = {}
    for source in names if len(names) > 1 else ():
        out = np.flatnonzero(features.sources == source)
        rest = np.flatnonzero(features.sources != source)
        if len(out) < SIZES[0] or len(rest) < SIZES[-1]:
            continue
        unknown = features.unknown.copy()
        unknown[out] = _unknown_in(features, rest, out)
        measure = _measure(replace(features, unknown=unknown), rest, out)
        size = min(len(out), SIZES[-1])
        effects = np.median([measure(generator.choice(out, size, replace=False)) for _ in range(20)], axis=0)
        found[str(source)] = {check: float(effect) for check, effect in zip(MEASURED, effects, strict=True)}
    return found


def _folds(features: Features, generator: np.random.Generator) -> Rows:
    """Return the fold of each row: threads of each source are dealt out in random order."""
    names, first, place = np.unique(features.threads, return_index=True, return_inverse=True)
    order = generator.permutation(len(names))
    by_source = order[np.argsort(features.sources[first][order], kind="stable")]
    of_thread = np.zeros(len(names), np.int64)
    of_thread[by_source] = np.arange(len(names)) % FOLDS
    return of_thread[place]


def _unknown_in(features: Features, seen: Rows, rows: Rows) -> NDArray[np.int64]:
    """Return for rows how many words fewer than two threads of the seen rows have, and how many they have."""
    found = threads_of_words([features.words[row] for row in seen.tolist()], features.threads[seen])
    read = [features.words[row] for row in rows.tolist()]
    return np.array([(sum(found.get(word, 0) < 2 for word in row), len(row)) for row in read], np.int64)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """One set of held-out comments: of which source, drawn how (`labelled`, `weighted`, `thread`), and its effects."""

    source: str
    kind: str
    size: int
    effects: Floats


def _draws(features: Features, pool: Rows, size: int, generator: np.random.Generator) -> Iterator[tuple[str, Rows]]:
    """Yield sets of held-out rows: as they were labelled and, where that is known, as often as they occur.

    A row that stands for many comments is then drawn several times; such a set varies more than as many comments
    would, which makes the threshold wider. Pools that are much smaller than the set give none.
    """
    taken = min(size, len(pool))
    if taken >= size / 2:
        for _ in range(DRAWS):
            yield "labelled", generator.choice(pool, taken, replace=False)
    weights = np.zeros(len(pool)) if features.weights is None else np.nan_to_num(features.weights[pool], nan=0.0)
    if weights.sum() > 0 and np.ptp(weights) > 0 and weights.sum() ** 2 / (weights**2).sum() >= size / 4:
        for _ in range(DRAWS):
            yield "weighted", generator.choice(pool, size, p=weights / weights.sum())


def _measure(features: Features, seen: Rows, held: Rows) -> Callable[[Rows], Floats]:
    """Return a function that measures some of the held-out rows against the seen ones, in the order of `MEASURED`."""
    sources, threads = features.sources[seen], features.threads[seen]
    weights = None if features.weights is None else features.weights[seen]
    space = describe_space(features.vectors[seen], sources, threads, weights)
    style = describe_space(features.marks[seen], sources, threads, weights, LEAST_VARIANCE)
    percentiles = length_percentiles(features.lengths[seen], sources, weights)
    usual = unknown_share(features.unknown[seen])
    place = np.zeros(len(features.sources), np.int64)
    place[held] = np.arange(len(held))
    coordinates, manner = space.project(features.vectors[held]), style.project(features.marks[held])

    def measure(rows: Rows) -> Floats:
        some = place[rows]
        return np.array(
            [
                distance(space, coordinates[some]),
                more_than_usual(unknown_share(features.unknown[rows]), usual),
                distance(style, manner[some]),
                length_difference(percentiles, features.lengths[rows]),
            ]
        )

    return measure


def _threshold(drawn: list[_Drawn], check: str, features: Features) -> Threshold:
    power = POWERS[check]
    many = _lines(drawn, check, ("labelled", "weighted"))
    thread = None
    single = [one for one in drawn if one.kind == "thread"]
    if len(single) >= LEAST_THREADS and knows_threads(features.threads):
        whole = float(np.quantile([one.effects[MEASURED.index(check)] for one in single], QUANTILE))
        fewer = np.sqrt(SIZES[0] / np.median([one.size for one in single]))
        noise = float(fewer * _lines(drawn, check, ("labelled",))[SIZES[0]])
        thread = float(max(0.0, whole**power - noise**power) ** (1 / power))
    return Threshold(tuple(many), tuple(max(line, LEAST[check]) for line in many.values()), thread, power)


def _lines(drawn: list[_Drawn], check: str, kinds: tuple[str, ...]) -> dict[int, float]:
    """Return for each size the largest quantile of a source, never smaller than that of a larger size."""
    place = MEASURED.index(check)
    effects: dict[tuple[int, str, str], list[float]] = {}
    for one in drawn:
        if one.kind in kinds:
            effects.setdefault((one.size, one.source, one.kind), []).append(float(one.effects[place]))
    lines: dict[int, float] = {}
    for (size, _, _), values in sorted(effects.items(), reverse=True):
        lines[size] = max(float(np.quantile(values, QUANTILE)), *lines.values(), 0.0)
    return dict(sorted(lines.items()))
