"""Topics over time: how many comments of each topic fall into equal spans, and which words are typical then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.tables import TOPIC_TIMES
from discourse.tag.topics.naming import Words, keywords

MOST_SPANS = 24
SPANS = {
    "1h": timedelta(hours=1),
    "1d": timedelta(days=1),
    "1w": timedelta(weeks=1),
    "1mo": timedelta(days=31),
    "1y": timedelta(days=366),
}


@dataclass(frozen=True, slots=True)
class Counted:
    """Comments that are counted: created_at (UTC) of each, and its topic, or -1."""

    times: pl.Series
    labels: NDArray[np.int64]


def topic_times(counted: Counted, read: Counted, topics: list[int], words: Words) -> pl.DataFrame:
    """Return rows of the topic_times table; none where no time is known or all fall into one hour.

    The span is the shortest of an hour, day, week, month and year that needs at most `MOST_SPANS`; comments without a
    time are left out.

    Args:
        counted: all comments.
        read: those that the typical words are taken from, the same or some of them.
        topics: numbers of the topics, without broad ones.
        words: of the comments that are read.
    """
    known = counted.times.drop_nulls()
    if known.is_empty() or not topics:
        return TOPIC_TIMES.empty()
    first, last = known.dt.epoch("us").min(), known.dt.epoch("us").max()
    if not isinstance(first, int) or not isinstance(last, int):
        return TOPIC_TIMES.empty()
    whole = timedelta(microseconds=last - first)
    span = next((name for name, length in SPANS.items() if whole <= MOST_SPANS * length), "1y")
    starts = counted.times.dt.truncate(span)
    distinct = starts.drop_nulls().unique().sort()
    if len(distinct) < 2:
        return TOPIC_TIMES.empty()
    every, own = _numbered(counted.labels, topics), _numbered(read.labels, topics)
    read_starts = read.times.dt.truncate(span)
    rows: list[tuple[object, ...]] = []
    for start in distinct:
        inside = _at(starts, start)
        here = every[inside]
        typical = keywords(words, np.where(_at(read_starts, start), own, -1), len(topics))
        sizes = np.bincount(here[here >= 0], minlength=len(topics))
        total = int(inside.sum())
        rows += [(topic, start, span, int(sizes[k]), total, typical[k]) for k, topic in enumerate(topics)]
    return pl.DataFrame(rows, schema=TOPIC_TIMES.schema, orient="row").sort("topic", "starts_at")


def _numbered(labels: NDArray[np.int64], topics: list[int]) -> NDArray[np.int64]:
    place = np.full(max(*topics, int(labels.max(initial=-1)), 0) + 2, -1, np.int64)
    place[topics] = np.arange(len(topics))
    # -1, which stands for no topic, reads the last place.
    return place[labels]


def _at(starts: pl.Series, start: datetime) -> NDArray[np.bool_]:
    return (starts == start).fill_null(value=False).to_numpy()
