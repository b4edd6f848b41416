"""Topics of a saved bundle: new comments given to them, and topics of a workspace made into a bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.errors import BundleError
from discourse.models.bundle import Bundle
from discourse.models.text_vectors import TextReader
from discourse.models.topics_bundle import SavedTopic, SavedTopics, save_topics
from discourse.tables import COMMENTS, TOPIC_INFO, TOPICS, Assignment
from discourse.tag.topics.clustering import REACH, centres_of, nearest
from discourse.tag.topics.rows import Described
from discourse.tag.vectors import vectors_of
from discourse.workspace import Workspace

VECTOR_TOKENS = 256


def assigned(
    vectors: NDArray[np.float32], wordy: NDArray[np.bool_], saved: SavedTopics
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return for each comment the place of its topic, or -1 where none is near, and its cosine to the nearest centre.

    Args:
        vectors: unit vectors, comments × width.
        wordy: which comments have words enough to carry a subject.
        saved: the topics of a bundle.
    """
    near = vectors @ saved.centres.T
    return nearest(near, saved.reach, wordy), np.clip(near.max(1, initial=0.0).astype(float), 0, 1)


def described(saved: SavedTopics, labels: NDArray[np.int64]) -> tuple[list[Described], list[Described]]:
    """Return the topics of a bundle, and its broad topics, with the comments that were given to them."""
    of_topic = [np.flatnonzero(labels == k) for k in range(len(saved.topics))]
    topics = [
        Described(topic.topic, topic.label, topic.keywords, members, centre, topic.stability, topic.parent)
        for topic, members, centre in zip(saved.topics, of_topic, saved.centres, strict=True)
    ]
    broad: list[Described] = []
    for above in saved.broad:
        below = [k for k, topic in enumerate(saved.topics) if topic.parent == above.topic]
        members = np.sort(np.concatenate([of_topic[k] for k in below]))
        middle = saved.centres[below].mean(0)
        centre = (middle / max(float(np.linalg.norm(middle)), 1e-12)).astype(np.float32)
        broad.append(Described(above.topic, above.label, above.keywords, members, centre, above.stability, None))
    return topics, broad


def train_topics(workspace: Workspace, languages: tuple[str, ...], encoder: TextReader, output: Path) -> Bundle:
    """Save the topics of a workspace as a bundle: centres, reach and keywords, no text of any comment.

    Args:
        workspace: has topics.
        languages: those that its comments were read in.
        encoder: the one that gave its vectors.
        output: the folder to make; it must not exist.

    Raises:
        BundleError: `output` exists, or the workspace has no topics.
    """
    info = workspace.read(TOPIC_INFO)
    members = (
        workspace.read(TOPICS)
        .filter(pl.col("topic").is_not_null() & (pl.col("assignment") != Assignment.REASSIGNED.value))
        .join(workspace.read(COMMENTS).select("comment_id", "text"), on="comment_id", how="inner")
        .drop_nulls("text")
        .sort("comment_id")
    )
    numbers = sorted(members["topic"].unique().to_list())
    if not numbers:
        raise BundleError(f"{workspace.root}: has no topics to save; run the tagging on at least 40 comments first")
    vectors = vectors_of(workspace, encoder, members["text"].to_list(), VECTOR_TOKENS)
    labels = np.searchsorted(np.array(numbers), members["topic"].to_numpy()).astype(np.int64)
    centres = centres_of(vectors, labels)
    own = np.einsum("ij,ij->i", vectors, centres[labels])
    reach = np.array([np.quantile(own[labels == k], REACH) for k in range(len(numbers))], float)
    saved = [
        SavedTopic(
            topic=row["topic"],
            label=row["label"],
            keywords=tuple(row["keywords"]),
            stability=row["stability"],
            parent=row["parent"],
        )
        for row in info.sort("topic").iter_rows(named=True)
    ]
    return save_topics(
        SavedTopics(
            tuple(topic for topic in saved if topic.topic in numbers),
            tuple(topic for topic in saved if topic.topic in set(info["parent"].drop_nulls())),
            centres,
            reach,
        ),
        encoder,
        languages,
        members.height,
        output,
    )
