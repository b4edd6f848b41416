"""Topics by BERTopic on kept vectors, seeded, and sized for the thread."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.config import Config
from discourse.denominator import mark_excluded
from discourse.models.encoder import Encoder
from discourse.progress import say
from discourse.tables import TOPIC_INFO, TOPICS, Assignment
from discourse.tag.vectors import vectors_of
from discourse.workspace import Workspace

if TYPE_CHECKING:
    from bertopic import BERTopic

FEWEST_COMMENTS = 40
REPRESENTATIVES = 5
KEYWORDS = 8
WORD = r"(?u)\b[^\W\d_]{3,}\b"
VECTOR_TOKENS = 256


@dataclass(frozen=True, slots=True)
class TopicTables:
    """Rows of topics and topic_info, and what to tell the person who runs this."""

    topics: pl.DataFrame
    info: pl.DataFrame
    notes: tuple[str, ...] = ()


def tag_topics(
    workspace: Workspace, comments: pl.DataFrame, languages: Sequence[str], encoder: Encoder, config: Config
) -> TopicTables:
    """Find topics among the eligible comments (Grootendorst 2022: UMAP, HDBSCAN, class-based TF-IDF).

    Args:
        workspace: keeps the vectors.
        comments: rows of the comments table.
        languages: those that the frames bundle reads.
        encoder: gives the vectors of the text alone.
        config: seeds and filter.

    Returns:
        No topics, and a note that says so, where fewer than `FEWEST_COMMENTS` comments are eligible.
    """
    marked = mark_excluded(comments.lazy(), languages, config.filter).collect()
    eligible = marked.filter(pl.col("excluded").is_null()).sort("comment_id")
    if eligible.height < FEWEST_COMMENTS:
        note = f"no topics: they need at least {FEWEST_COMMENTS} comments with text, there are {eligible.height}"
        return TopicTables(TOPICS.empty(), TOPIC_INFO.empty(), (note,))
    texts = eligible["text"].to_list()
    vectors = vectors_of(workspace, encoder, texts, VECTOR_TOKENS)
    say(f"topics: {len(texts):,} comments")
    model = _fit(texts, vectors, config.topics.random_seeds[0])
    assigned = np.array(model.topics_, np.int64)
    sizes = {int(topic): int((assigned == topic).sum()) for topic in np.unique(assigned) if topic >= 0}
    if not sizes:
        note = f"no topics: {len(texts)} comments have no groups that stand out"
        return TopicTables(TOPICS.empty(), TOPIC_INFO.empty(), (note,))
    ranked = sorted(sizes, key=lambda topic: (-sizes[topic], topic))
    number = {topic: rank for rank, topic in enumerate(ranked)}
    info = [_info(model, number[topic], topic, assigned, vectors, eligible) for topic in ranked]
    topics = pl.DataFrame(
        {
            "comment_id": eligible["comment_id"],
            "topic": pl.Series([number.get(int(topic)) for topic in assigned], dtype=pl.Int64),
            "probability": pl.Series(np.asarray(model.probabilities_, float)),
            "assignment": [(Assignment.FITTED if t >= 0 else Assignment.OUTLIER).value for t in assigned],
        }
    )
    return TopicTables(topics, pl.DataFrame(info, schema=TOPIC_INFO.schema))


def _fit(texts: list[str], vectors: NDArray[np.float32], seed: int) -> BERTopic:
    """Fit BERTopic with sizes that suit the number of comments: few comments give fewer and larger topics."""
    from bertopic import BERTopic
    from bertopic.vectorizers import ClassTfidfTransformer
    from hdbscan import HDBSCAN
    from sklearn.feature_extraction.text import CountVectorizer
    from umap import UMAP

    n = len(texts)
    model = BERTopic(
        embedding_model=None,
        umap_model=UMAP(
            n_neighbors=min(15, n - 1),
            n_components=5,
            min_dist=0.0,
            metric="cosine",
            random_state=seed,
            low_memory=False,
        ),
        hdbscan_model=HDBSCAN(min_cluster_size=max(5, round(n**0.5 / 2)), min_samples=3, prediction_data=False),
        vectorizer_model=CountVectorizer(stop_words="english", token_pattern=WORD),
        ctfidf_model=ClassTfidfTransformer(reduce_frequent_words=True),
        top_n_words=KEYWORDS,
        calculate_probabilities=False,
    )
    with warnings.catch_warnings():
        # UMAP warns that a seed costs it parallel threads, which is what we ask for.
        warnings.simplefilter("ignore")
        model.fit(texts, embeddings=vectors)
    return model


def _info(
    model: BERTopic,
    number: int,
    topic: int,
    assigned: NDArray[np.int64],
    vectors: NDArray[np.float32],
    eligible: pl.DataFrame,
) -> dict[str, object]:
    words = model.get_topic(topic)
    keywords = [str(word) for word, weight in words if word and weight > 0] if isinstance(words, list) else []
    rows = np.flatnonzero(assigned == topic)
    centre = vectors[rows].mean(0)
    nearest = rows[np.argsort(-(vectors[rows] @ centre), kind="stable")[:REPRESENTATIVES]]
    return {
        "topic": number,
        "label": ", ".join(keywords[:3]) or f"topic {number + 1}",
        "keywords": keywords,
        "representatives": eligible["comment_id"].gather(nearest).to_list(),
        "size": len(rows),
        "stability": None,
        "parent": None,
    }
