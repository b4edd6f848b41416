"""Groups of comments by BERTopic's steps: nearest neighbours, UMAP, HDBSCAN, sized for the number of comments."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_FITTED = 20_000
# Up to twice as many comments are few, where a topic may hold half of them.
FEW = 400
BLOCK = 1_000
DIMENSIONS = 5
REACH = 0.1


@dataclass(frozen=True, slots=True)
class Sizes:
    """How fine the groups may be.

    `neighbours` of each comment that UMAP keeps near; `smallest` and `largest` number of comments that the clustering
    takes as a group; `core` neighbours that make a comment part of one.
    """

    neighbours: int
    smallest: int
    largest: int
    core: int


@dataclass(frozen=True, slots=True)
class Groups:
    """A clustering of comments.

    `labels` are numbers from 0, or -1 (int64, one for each comment); `fitted` tells which of them the
    clustering gave, the others were given to the nearest group afterwards; `strength` is the cosine to the centre of
    the nearest group (0–1); `centres` are unit vectors, groups × width; `reach` is the smallest cosine to each centre
    at which a comment still belongs to its group.
    """

    labels: NDArray[np.int64]
    fitted: NDArray[np.bool_]
    strength: NDArray[np.float64]
    centres: NDArray[np.float32]
    reach: NDArray[np.float64]


def sizes(n: int) -> Sizes:
    """Return sizes that suit `n` comments, at least 40: few comments give few topics, a large share of all each.

    The smallest group grows as the power 0.6 of `n`, so that the number of topics grows more slowly. No group may hold
    over half of few comments, or over a third of many: without a bound HDBSCAN's excess of mass often ends in one
    group of nearly everything and a small one beside it. docs/topics.md has the comparison that both were chosen by.
    """
    return Sizes(neighbours=15, smallest=max(5, round(0.4 * n**0.6)), largest=max(n // 3, min(n // 2, FEW)), core=5)


def group(
    vectors: NDArray[np.float32],
    seed: int,
    guide: NDArray[np.int64] | None = None,
    eligible: NDArray[np.bool_] | None = None,
) -> Groups:
    """Find groups of comments (Grootendorst 2022) and give what is left over to the nearest group that it is near to.

    A comment is near to a group if it is as near to its centre as all but the farthest tenth of the comments that
    the clustering put there. Beyond `MOST_FITTED` comments a seeded choice of so many is clustered, the others are
    given to the nearest group.

    Args:
        vectors: unit vectors, comments × width.
        seed: of UMAP and of the choice.
        guide: number of the topic looked for that each comment is likely to belong to, or -1; None without guidance.
        eligible: which comments may be given to a group that the clustering did not put them in; all by default.
    """
    n = len(vectors)
    rows = np.arange(n)
    if n > MOST_FITTED:
        rows = np.sort(np.random.default_rng(seed).choice(n, MOST_FITTED, replace=False))
    labels = np.full(n, -1, np.int64)
    labels[rows] = _clusters(vectors[rows], sizes(len(rows)), seed, None if guide is None else guide[rows])
    return settled(vectors, labels, eligible)


def settled(
    vectors: NDArray[np.float32], labels: NDArray[np.int64], eligible: NDArray[np.bool_] | None = None
) -> Groups:
    """Return the groups that `labels` (from 0, or -1) stand for, what is left over given to the nearest where near."""
    fitted = labels >= 0
    count = int(labels.max(initial=-1)) + 1
    if count == 0:
        nothing = np.zeros((0, vectors.shape[1]), np.float32)
        return Groups(labels, fitted, np.zeros(len(labels)), nothing, np.zeros(0))
    centres = centres_of(vectors, labels)
    near = vectors @ centres.T
    reach = np.array([np.quantile(near[labels == k, k], REACH) for k in range(count)], float)
    found = np.where(fitted, labels, nearest(near, reach, eligible))
    own = near[np.arange(len(labels)), np.where(found >= 0, found, near.argmax(1))]
    return Groups(found, fitted, np.clip(own.astype(float), 0, 1), centres, reach)


def nearest(
    near: NDArray[np.float32], reach: NDArray[np.float64], eligible: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Return the number of the nearest group of each comment, or -1 where even that one is out of reach.

    Args:
        near: cosines of comments and centres, comments × groups.
        reach: smallest cosine at which a comment belongs to each group.
        eligible: which comments may get a group; all by default.
    """
    first = near.argmax(1).astype(np.int64)
    within = near[np.arange(len(near)), first] >= reach[first]
    return np.where(within if eligible is None else within & eligible, first, -1)


def centres_of(vectors: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the unit vector in the middle of each group 0 … max(labels), groups × width."""
    means = np.stack([vectors[labels == k].mean(0) for k in range(int(labels.max()) + 1)])
    return (means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)).astype(np.float32)


def ranked(groups: Groups, weights: NDArray[np.int64]) -> Groups:
    """Number groups anew, largest first by the number of comments that their rows stand for (`weights`)."""
    inside = groups.labels >= 0
    count = np.bincount(groups.labels[inside], weights[inside], minlength=len(groups.centres))
    order = np.argsort(-count, kind="stable")
    number = np.append(np.argsort(order, kind="stable"), -1)
    return Groups(number[groups.labels], groups.fitted, groups.strength, groups.centres[order], groups.reach[order])


def neighbours(vectors: NDArray[np.float32], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the `k` nearest comments of each, itself first, and their cosine distances, both comments × k.

    Exact, in blocks, and rounded, so that the map of topics does not hang on the last bits of a sum.
    """
    places = np.zeros((len(vectors), k), np.int32)
    distances = np.zeros((len(vectors), k), np.float32)
    for start in range(0, len(vectors), BLOCK):
        apart = np.round(1 - vectors[start : start + BLOCK] @ vectors.T, 5)
        rows = np.arange(len(apart))
        apart[rows, rows + start] = -1
        chosen = np.sort(np.argpartition(apart, k - 1, axis=1)[:, :k], axis=1)
        found = np.take_along_axis(apart, chosen, axis=1)
        order = np.argsort(found, axis=1, kind="stable")
        places[start + rows] = np.take_along_axis(chosen, order, axis=1)
        distances[start + rows] = np.clip(np.take_along_axis(found, order, axis=1), 0, None)
    return places, distances


def _clusters(
    vectors: NDArray[np.float32], chosen: Sizes, seed: int, guide: NDArray[np.int64] | None
) -> NDArray[np.int64]:
    # Both compile code when imported, which takes seconds.
    from hdbscan import HDBSCAN
    from umap import UMAP

    k = min(chosen.neighbours, len(vectors) - 1)
    places, distances = neighbours(vectors, k)
    with warnings.catch_warnings():
        # UMAP warns that it cannot map new comments with ready-made neighbours, which nobody asks of it.
        warnings.simplefilter("ignore")
        flat: Any = UMAP(
            n_neighbors=k,
            n_components=DIMENSIONS,
            min_dist=0.0,
            metric="cosine",
            random_state=seed,
            n_jobs=1,
            precomputed_knn=(places, distances, None),
            force_approximation_algorithm=True,
        ).fit_transform(vectors, y=guide)
        labels: Any = HDBSCAN(
            min_cluster_size=chosen.smallest,
            min_samples=chosen.core,
            max_cluster_size=chosen.largest,
            core_dist_n_jobs=1,
        ).fit_predict(np.asarray(flat, np.float64))
    return np.asarray(labels, np.int64)
