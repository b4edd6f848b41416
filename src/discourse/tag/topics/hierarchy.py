"""Broad topics: topics whose centres lie near to each other, under one parent."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

FEWEST_TOPICS = 6


def parents(centres: NDArray[np.float32]) -> dict[int, int]:
    """Return the broad topic of each topic that shares one, numbered on after the topics, largest family first.

    Complete linkage of the cosine distances of centres, cut into as many families as the square root of the number of
    topics; a topic that is alone in its family has no parent. Fewer than `FEWEST_TOPICS` topics stay as they are.

    Args:
        centres: unit vectors, topics × width.
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    count = len(centres)
    if count < FEWEST_TOPICS:
        return {}
    tree = linkage(centres.astype(float), method="complete", metric="cosine")
    family = fcluster(tree, int(np.ceil(count**0.5)), criterion="maxclust")
    members = [np.flatnonzero(family == name) for name in np.unique(family)]
    shared = sorted((rows for rows in members if len(rows) > 1), key=lambda rows: (-len(rows), rows[0]))
    return {int(topic): count + place for place, rows in enumerate(shared) for topic in rows}


def lifted(labels: NDArray[np.int64], parent: Mapping[int, int], first: int) -> NDArray[np.int64]:
    """Return the broad topic of each comment counted from 0, or -1.

    Args:
        labels: topic of each comment, or -1.
        parent: broad topic of topics, numbered from `first`.
        first: number of the first broad topic.
    """
    return np.array([parent.get(int(k), first - 1) - first for k in labels], np.int64)
