"""Topics over time: how many comments of each topic fall into equal spans, and which words are typical then."""

from __future__ import annotations

from datetime import timedelta

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


def topic_times(times: pl.Series, labels: NDArray[np.int64], topics: list[int], words: Words) -> pl.DataFrame:
    """Return rows of the topic_times table; none where no time is known or all fall into one hour.

    The span is the shortest of an hour, day, week, month and year that needs at most `MOST_SPANS`; comments without a
    time are left out.

    Args:
        times: created_at of each comment, UTC.
        labels: topic of each comment, or -1.
        topics: numbers of the topics, without broad ones.
        words: of the comments.
    """
    known = times.drop_nulls()
    if known.is_empty() or not topics:
        return TOPIC_TIMES.empty()
    first, last = known.dt.epoch("us").min(), known.dt.epoch("us").max()
    if not isinstance(first, int) or not isinstance(last, int):
        return TOPIC_TIMES.empty()
    whole = timedelta(microseconds=last - first)
    span = next((name for name, length in SPANS.items() if whole <= MOST_SPANS * length), "1y")
    starts = times.dt.truncate(span)
    distinct = starts.drop_nulls().unique().sort()
    if len(distinct) < 2:
        return TOPIC_TIMES.empty()
    place = {topic: k for k, topic in enumerate(topics)}
    numbered = np.array([place.get(int(label), -1) for label in labels], np.int64)
    rows: list[tuple[object, ...]] = []
    for start in distinct:
        inside = (starts == start).fill_null(value=False).to_numpy()
        here = np.where(inside, numbered, -1)
        typical = keywords(words, here, len(topics))
        sizes = np.bincount(here[here >= 0], minlength=len(topics))
        total = int(inside.sum())
        rows += [(topic, start, span, int(sizes[k]), total, typical[k]) for k, topic in enumerate(topics)]
    return pl.DataFrame(rows, schema=TOPIC_TIMES.schema, orient="row").sort("topic", "starts_at")
