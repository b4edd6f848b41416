"""How much of a topic other random seeds, and other samples of the comments, find again (Hennig 2007)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discourse.progress import Advance
from discourse.tag.topics.clustering import Groups, group

PART = 0.8
# Hennig (2007): below 0.6 a cluster is not to be trusted.
UNSTABLE = 0.6


@dataclass(frozen=True, slots=True)
class Run:
    """One clustering that is set beside the topics shown: of `comments` comments, with `topics` groups."""

    kind: str
    seed: int
    comments: int
    topics: int
    adjusted_rand: float | None


@dataclass(frozen=True, slots=True)
class Stability:
    """The mean Jaccard overlap of each topic with its best match over all runs, and the runs."""

    overlap: NDArray[np.float64]
    runs: tuple[Run, ...]


def stability(
    vectors: NDArray[np.float32],
    shown: Groups,
    seeds: Sequence[int],
    guide: NDArray[np.int64] | None = None,
    eligible: NDArray[np.bool_] | None = None,
    advance: Advance | None = None,
) -> Stability | None:
    """Cluster again with each seed, all comments and 80 % of them, and match what is found with the topics shown.

    Args:
        vectors: unit vectors, comments × width, as `shown` was found from.
        shown: the topics.
        seeds: other seeds than that of `shown`.
        guide: as in `clustering.group`.
        eligible: as in `clustering.group`.
        advance: called after each clustering, of which there are two for each seed.

    Returns:
        None where there are no seeds or no topics.
    """
    if not seeds or not len(shown.centres):
        return None
    overlaps: list[NDArray[np.float64]] = []
    runs: list[Run] = []
    for kind, seed, rows in _choices(len(vectors), seeds):
        again = group(
            vectors[rows], seed, None if guide is None else guide[rows], None if eligible is None else eligible[rows]
        )
        overlaps.append(jaccard(shown.labels[rows], again.labels, len(shown.centres)))
        runs.append(Run(kind, seed, len(rows), len(again.centres), adjusted_rand(shown.labels[rows], again.labels)))
        if advance is not None:
            advance()
    # A topic that lies wholly outside of a subsample says nothing about it.
    known = np.ma.masked_invalid(np.stack(overlaps))
    return Stability(np.asarray(known.mean(0).filled(0.0), float), tuple(runs))


def jaccard(shown: NDArray[np.int64], again: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Return for each topic the Jaccard overlap with its best match in another clustering of the same comments.

    Args:
        shown: topic of each comment, or -1.
        again: group of each comment in the other clustering, or -1.
        count: number of topics shown.

    Returns:
        Overlaps from 0 to 1; NaN for a topic that no comment has.
    """
    best = np.full(count, np.nan)
    for k in range(count):
        mine = shown == k
        if not mine.any():
            continue
        groups, both = np.unique(again[mine & (again >= 0)], return_counts=True)
        whole = np.array([mine.sum() + (again == g).sum() for g in groups])
        best[k] = float((both / (whole - both)).max(initial=0.0))
    return best


def adjusted_rand(one: NDArray[np.int64], other: NDArray[np.int64]) -> float | None:
    """Return the adjusted Rand index (Hubert & Arabie 1985); comments without a topic count as one class."""
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(one, other)) if len(one) > 1 else None


def _choices(n: int, seeds: Sequence[int]) -> Iterator[tuple[str, int, NDArray[np.int64]]]:
    for seed in seeds:
        yield "seed", seed, np.arange(n)
        yield "subsample", seed, np.sort(np.random.default_rng(seed).choice(n, round(PART * n), replace=False))
