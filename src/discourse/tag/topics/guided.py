"""Topics that the user looks for (guided BERTopic): comments near to a topic's words are drawn together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discourse.models.encoder import unit

# Parts of a comment's own vector for one part of the topic's.
OWN = np.float32(3)
# Between centres of groups and words in the default encoder's vectors: on discussions of three subjects, groups about
# what the words name had 0.46–0.66, all others at most 0.29.
CLAIM = 0.4


@dataclass(frozen=True, slots=True)
class Guide:
    """`near`: the topic looked for that each comment is nearest to, or -1; `vectors`: the comments', nudged to it."""

    near: NDArray[np.int64]
    vectors: NDArray[np.float32]


def guide(vectors: NDArray[np.float32], wanted: NDArray[np.float32]) -> Guide:
    """Nudge comments towards the topics that the user looks for.

    A comment is drawn to the nearest of them unless the mean of all comments is nearer, and its vector becomes three
    parts its own and one part that of the topic's words; UMAP is told the same numbers as classes. This is what
    BERTopic does with `seed_topic_list`.

    Args:
        vectors: unit vectors, comments × width.
        wanted: unit vectors of the topics' words, topics × width.
    """
    mean = unit(vectors.mean(0, keepdims=True))
    best = (vectors @ np.concatenate([wanted, mean]).T).argmax(1).astype(np.int64)
    near = np.where(best < len(wanted), best, -1)
    drawn = near >= 0
    nudged = vectors.copy()
    nudged[drawn] = unit((OWN * vectors[drawn] + wanted[near[drawn]]) / (OWN + 1))
    return Guide(near, nudged)


def claimed(centres: NDArray[np.float32], wanted: NDArray[np.float32]) -> dict[int, int]:
    """Return for each group whose centre is near to a topic looked for the number of that topic.

    Args:
        centres: unit vectors of the groups' comments, not nudged, groups × width.
        wanted: unit vectors of the topics' words, topics × width.
    """
    near = centres @ wanted.T
    return {k: int(row.argmax()) for k, row in enumerate(near) if row.max() >= CLAIM}


def joined(labels: NDArray[np.int64], claims: dict[int, int]) -> tuple[NDArray[np.int64], dict[int, int]]:
    """Make one group of all that the same topic claims; return the groups and, for the kept ones, their claims."""
    first: dict[int, int] = {}
    for k, topic in sorted(claims.items()):
        first.setdefault(topic, k)
    kept = {k: topic for topic, k in first.items()}
    moved = {k: first[topic] for k, topic in claims.items()}
    return np.array([moved.get(int(k), int(k)) for k in labels], np.int64), kept
