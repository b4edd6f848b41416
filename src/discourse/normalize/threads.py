"""The rows of the threads table: titles and articles cleaned, with the account of what was collected."""

from __future__ import annotations

import polars as pl

from discourse.normalize.ledger import account, thread_counts
from discourse.normalize.summary import Summary
from discourse.normalize.text import clean_text
from discourse.tables import THREADS


def thread_rows(raw_threads: pl.DataFrame, summary: Summary) -> pl.DataFrame:
    """Return the threads table.

    Args:
        raw_threads: all threads in their order, article_author as a pseudonym.
        summary: of all comments.
    """
    threads = raw_threads.join(pl.concat(summary.openings), on="thread_id", how="left", maintain_order="left").join(
        thread_counts(pl.concat(summary.collected), summary.quarantine),
        on="thread_id",
        how="left",
        maintain_order="left",
    )
    counts = ("collected", "deleted", "removed", "held", "quarantined")
    return threads.with_columns(
        _whole(threads["title"], "auto").alias("title"),
        _whole(threads["article"], threads["markup"]).alias("article"),
        *(pl.col(count).fill_null(0) for count in counts),
    ).select(
        *(name for name in THREADS.columns if name not in {"reason", "article"}),
        pl.coalesce("article", "opening_text").alias("article"),
        account().alias("reason"),
    )


def _whole(texts: pl.Series, markup: pl.Series | str) -> pl.Series:
    """Clean texts in which a quote alone is still worth reading, as in a title that begins with ``>``."""
    cleaned = clean_text(texts, markup)
    passages = pl.col("quotes").list.join("\n\n")
    return cleaned.select(pl.coalesce("text", pl.when(passages != "").then(passages)).alias(texts.name)).to_series()
