"""Rows of topics and topic_info from topics that were found or saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.models.text_vectors import TextReader, read_texts
from discourse.tables import TOPIC_INFO, TOPICS, Assignment, OutlierReason, TopicMark
from discourse.tag.evidence import carrying, strongest
from discourse.tag.topics.naming import representatives
from discourse.tag.topics.stability import UNSTABLE


@dataclass(frozen=True, slots=True)
class Read:
    """Comments that topics are found in, near-duplicates once.

    `comments` are eligible rows of the comments table; `row` is for each of them the place of its text in the other
    fields; `ids`, `texts`, `languages` and `vectors` (unit, texts × width) are those of the different texts; `wordy`
    tells which have words enough to carry a subject.
    """

    comments: pl.DataFrame
    row: NDArray[np.int64]
    ids: pl.Series
    texts: list[str]
    languages: list[str]
    vectors: NDArray[np.float32]
    wordy: NDArray[np.bool_]

    @property
    def weights(self) -> NDArray[np.int64]:
        """How many comments each text stands for."""
        return np.bincount(self.row, minlength=len(self.texts)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Described:
    """One topic as readers see it; `members` are the places of its texts, `centre` a unit vector."""

    number: int
    label: str
    keywords: Sequence[str]
    members: NDArray[np.int64]
    centre: NDArray[np.float32]
    stability: float | None
    parent: int | None


def topic_rows(
    read: Read,
    numbers: Sequence[int],
    labels: NDArray[np.int64],
    strength: NDArray[np.float64],
    how: NDArray[np.str_] | Sequence[str],
) -> pl.DataFrame:
    """Return a row of the topics table for each comment; near-duplicates get the topic of their original.

    Args:
        read: the comments.
        numbers: the topics' numbers, by place.
        labels: place of the topic of each text, or -1.
        strength: of the assignment of each text, 0–1.
        how: assignment of each text that has a topic.
    """
    name = np.array([*numbers, -1], np.int64)[labels]
    inside = labels >= 0
    frame = pl.DataFrame(
        {
            "topic": pl.Series(name),
            "probability": strength,
            "assignment": [str(way) if ok else Assignment.OUTLIER.value for way, ok in zip(how, inside, strict=True)],
            "reason": [
                None if ok else (OutlierReason.FAR if wordy else OutlierReason.NO_WORDS).value
                for ok, wordy in zip(inside, read.wordy, strict=True)
            ],
        },
        schema_overrides={"reason": pl.String},
    )[read.row]
    return TOPICS.conform(
        frame.with_columns(
            comment_id=read.comments["comment_id"], topic=pl.when(pl.col("topic") >= 0).then(pl.col("topic"))
        )
    )


def info_rows(
    read: Read, described: Sequence[Described], rename: Mapping[str, str], encoder: TextReader
) -> pl.DataFrame:
    """Return a row of the topic_info table for each topic.

    Args:
        read: the comments.
        described: topics and broad topics, in the order of the table.
        rename: labels that the user gives, by number.
        encoder: reads the sentences of the most central comments.
    """
    if not described:
        return TOPIC_INFO.empty()
    centres = np.stack([topic.centre for topic in described])
    labels = [np.where(np.isin(np.arange(len(read.texts)), topic.members), 0, -1) for topic in described]
    central = [
        representatives(read.vectors, label, centre[None])[0] for label, centre in zip(labels, centres, strict=True)
    ]
    spans = _sentences(read, central, centres, encoder)
    weights = read.weights
    return TOPIC_INFO.conform(
        pl.DataFrame(
            [
                {
                    "topic": topic.number,
                    "label": rename.get(str(topic.number), topic.label),
                    "keywords": list(topic.keywords),
                    "representatives": read.ids.gather(rows).to_list(),
                    "size": int(weights[topic.members].sum()),
                    "stability": topic.stability,
                    "parent": topic.parent,
                    "mark": _mark(topic.stability),
                    "sentence_start": span[0],
                    "sentence_end": span[1],
                }
                for topic, rows, span in zip(described, central, spans, strict=True)
            ],
            schema=TOPIC_INFO.schema,
        )
    )


def _mark(stability: float | None) -> str | None:
    return TopicMark.UNSTABLE.value if stability is not None and stability < UNSTABLE else None


def _sentences(
    read: Read, central: Sequence[NDArray[np.int64]], centres: NDArray[np.float32], encoder: TextReader
) -> list[tuple[int | None, int | None]]:
    """Return the span of the sentence nearest to each centre in the comment that is nearest to it."""
    spans: list[tuple[int | None, int | None]] = [(None, None)] * len(central)
    known = [k for k, rows in enumerate(central) if len(rows)]
    texts = [read.texts[central[k][0]] for k in known]
    for language in dict.fromkeys(read.languages[central[k][0]] for k in known):
        here = [i for i, k in enumerate(known) if read.languages[central[k][0]] == language]
        found = carrying(
            [texts[i] for i in here], language, lambda parts: (read_texts(encoder, parts) @ centres.T).astype(float)
        )
        for i, (places, values) in zip(here, found, strict=True):
            spans[known[i]] = strongest(places, values, known[i])
    return spans
