"""From comments to topics: grouped, tested for stability, guided and merged as the user wants, under broad topics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discourse.config import TopicsConfig
from discourse.progress import bar
from discourse.tag.topics.clustering import Groups, centres_of, group, ranked
from discourse.tag.topics.edits import check, merged
from discourse.tag.topics.guided import claimed, guide, joined
from discourse.tag.topics.hierarchy import parents
from discourse.tag.topics.stability import Run, stability


@dataclass(frozen=True, slots=True)
class Topics:
    """Topics of comments.

    `numbers` name the topics, in the order of the other fields; `labels` hold for each comment the place of its topic
    in that order, or -1; `fitted` tells whether the clustering itself put it there; `strength` is its cosine to the
    centre of its topic, else of the nearest; `centres` are unit vectors, topics × width; `stability` is 0–1 by place,
    None if not computed; `given` are labels by place that are no keywords; `parent` is the number of the broad topic,
    by place; `runs` are the clusterings that stability rests on; `missing` are topics looked for and not found.
    """

    numbers: tuple[int, ...]
    labels: NDArray[np.int64]
    fitted: NDArray[np.bool_]
    strength: NDArray[np.float64]
    centres: NDArray[np.float32]
    stability: NDArray[np.float64] | None
    given: Mapping[int, str]
    parent: Mapping[int, int]
    runs: tuple[Run, ...]
    missing: tuple[str, ...]


def find_topics(
    vectors: NDArray[np.float32],
    weights: NDArray[np.int64],
    wordy: NDArray[np.bool_],
    wanted: Mapping[str, NDArray[np.float32]],
    config: TopicsConfig,
) -> Topics:
    """Find the topics of different comments.

    Args:
        vectors: unit vectors, comments × width.
        weights: how many comments each row stands for (near-duplicates are read once).
        wordy: which comments have words enough to be given to a topic that the clustering did not put them in.
        wanted: unit vector of each topic that the user looks for.
        config: seeds, merge, rename and hide.

    Raises:
        UsageError: merge, rename or hide names a topic that does not exist.
    """
    first, *others = config.random_seeds
    sought = np.stack(list(wanted.values())) if wanted else None
    drawn = None if sought is None else guide(vectors, sought)
    near, read = (drawn.near, drawn.vectors) if drawn else (None, vectors)
    with bar("topics", 1 + 2 * len(others)) as advance:
        found = ranked(group(read, first, near, wordy), weights)
        advance()
        stable = stability(read, found, others, near, wordy, advance)
    names = list(wanted)
    labels, claims = found.labels, dict[int, int]()
    if sought is not None and len(found.centres):
        labels, claims = joined(labels, claimed(centres_of(vectors, labels), sought))
    as_found = np.unique(labels[labels >= 0])
    labels = merged(labels, [group for group in config.merge if set(group) <= set(as_found.tolist())])
    kept = np.unique(labels[labels >= 0])
    place = {int(number): k for k, number in enumerate(kept)}
    dense = np.array([place.get(int(k), -1) for k in labels], np.int64)
    centres = centres_of(vectors, dense) if len(kept) else found.centres
    count = len(found.centres)
    parent = {k: count + family - len(kept) for k, family in parents(centres).items()}
    check(config, as_found.tolist(), set(parent.values()))
    return Topics(
        numbers=tuple(int(number) for number in kept),
        labels=dense,
        fitted=found.fitted,
        strength=_strength(vectors, dense, centres),
        centres=centres,
        stability=None if stable is None else _pooled(stable.overlap, found, dense, len(kept)),
        given={place[k]: names[topic] for k, topic in claims.items() if k in place},
        parent=parent,
        runs=() if stable is None else stable.runs,
        missing=tuple(name for k, name in enumerate(names) if k not in set(claims.values())),
    )


def _strength(
    vectors: NDArray[np.float32], labels: NDArray[np.int64], centres: NDArray[np.float32]
) -> NDArray[np.float64]:
    if not len(centres):
        return np.zeros(len(labels))
    near = vectors @ centres.T
    own = np.where(labels >= 0, labels, near.argmax(1))
    return np.clip(near[np.arange(len(labels)), own].astype(float), 0, 1)


def _pooled(overlap: NDArray[np.float64], found: Groups, dense: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Return the stability of topics that may have been merged: the mean of their parts, weighted by comments."""
    return np.array([overlap[found.labels[dense == k]].mean() for k in range(count)], float)
