"""Whose labels count: those of people, or an external coder's where people gave none."""

from __future__ import annotations

import polars as pl

from discourse.tables import by_people


def one_kind(labels: pl.DataFrame) -> pl.DataFrame:
    """Keep for each level the labels of people if any of them is of known inclusion, else those of one external coder.

    Labels of both are never mixed: people's correct the shares of what people read, a coder's those of what it reads.
    Of several coders the one with most labels counts.

    Args:
        labels: rows of the labels table.

    Returns:
        Those rows with `by_model`.
    """
    level = ["kind", "level"]
    marked = labels.with_columns(by_model=~by_people())
    known = (~pl.col("by_model") & pl.col("value").is_not_null() & pl.col("inclusion").is_not_null()).any().over(level)
    no_coder = (~pl.col("by_model")).all().over(level)
    counts = (
        marked.filter("by_model")
        .group_by(*level, "annotator")
        .agg(pl.col("value").count().alias("given"))
        .sort("given", "annotator", descending=[True, False])
        .unique(level, keep="first", maintain_order=True)
        .select(*level, chosen="annotator")
    )
    joined = marked.with_columns(people=known | no_coder).join(counts, on=level, how="left", maintain_order="left")
    kept = pl.when("people").then(~pl.col("by_model")).otherwise(pl.col("annotator") == pl.col("chosen"))
    return joined.filter(kept).drop("people", "chosen")
