"""What leaves the workspace in an export, under each setting of `[report] quotes`."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from discourse.privacy import hidden_estimates, pseudonym
from discourse.tables import RAW_ATTRIBUTES, RAW_COMMENTS, RAW_THREADS, Table

# What was delivered holds names as authors wrote them; it never leaves the workspace.
KEPT_BACK = (RAW_THREADS, RAW_COMMENTS, RAW_ATTRIBUTES)
# An input key is a hash of a text and lets one look for it.
KEYED_BY_TEXT = ("embeddings", "scores")
IDS = ("comment_id", "thread_id", "parent_id", "duplicate_of", "id", "representatives")
LEFT_OUT = {
    "threads": ("site", "community", "url", "title", "article", "source", "reason"),
    "comments": ("text", "quotes", "links", "url", "raw"),
    "quarantine": ("source", "location", "excerpt"),
    "topic_info": ("label",),
    "topic_names": ("label", "text"),
}


def restricted(table: Table, frame: pl.DataFrame, key: bytes, attributes: Sequence[str]) -> pl.DataFrame | None:
    """Return a table without native ids, addresses, exact times and text; None if nothing of it may leave.

    Ids become the first 12 hexadecimal digits of HMAC(author key, id), so that tables still join; times become the
    first of their month; of the user's attributes only those compared by are kept.

    Args:
        table: which table.
        frame: its rows.
        key: the workspace's author key.
        attributes: names in `[compare] groups`.
    """
    if table.name in KEYED_BY_TEXT:
        return None
    if table.name == "attributes":
        frame = frame.filter(pl.col("name").is_in(list(attributes)))
    if table.name == "quarantine":
        frame = frame.select("thread_id", "reason")
    frame = frame.drop([name for name in LEFT_OUT.get(table.name, ()) if name in frame.columns])
    for name in IDS:
        if name in frame.columns:
            frame = frame.with_columns(_renamed(frame[name], key))
    if table.name == "estimates":
        frame = hidden_estimates(frame, key)
    times = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Datetime | pl.Date)]
    return frame.with_columns(pl.col(name).dt.truncate("1mo") for name in times)


def _renamed(ids: pl.Series, key: bytes) -> pl.Series:
    if ids.dtype == pl.List(pl.String):
        found = [None if each is None else [pseudonym(key, value) for value in each] for each in ids.to_list()]
        return pl.Series(ids.name, found, dtype=ids.dtype)
    return pl.Series(ids.name, [None if each is None else pseudonym(key, each) for each in ids], dtype=pl.String)
