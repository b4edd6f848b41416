"""With what chance each labelled comment came to be labelled, over all rounds of samples."""

from __future__ import annotations

import polars as pl

from discourse.tables import Design

ABOUT = ("kind", "level")


def reached(samples: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Say how far each round's sheet was answered: up to the last item with an answer or a skip.

    Args:
        samples: rows of the samples table.
        labels: rows of the labels table; skipped items (null value) were reached.

    Returns:
        round, kind, level, last (rank of the last item reached, -1 for none), part (k/m: items reached of those drawn).
    """
    drawn = samples.filter(pl.col("rank").is_not_null())
    answered = labels.select("round", "comment_id", *ABOUT).unique()
    last = (
        drawn.join(answered, on=["round", "comment_id", *ABOUT], how="inner")
        .group_by("round", *ABOUT)
        .agg(pl.col("rank").max().alias("last"))
    )
    return (
        drawn.join(last, on=["round", *ABOUT], how="left")
        .with_columns(pl.col("last").fill_null(-1))
        .group_by("round", *ABOUT, "last")
        .agg(part=(pl.col("rank") <= pl.col("last")).mean())
    )


def inclusions(samples: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Return the chance over all rounds, 1 − Π(1 − probability · k/m), of the comments that were drawn and reached.

    A sheet stopped after k of m items is a sample of probabilities × k/m, because items stand in random order.

    Returns:
        comment_id, kind, level, inclusion, design (uniform if every round was, else that of the latest other one).
    """
    far = reached(samples, labels)
    rounds = samples.join(far, on=["round", *ABOUT], how="inner").filter(pl.col("part") > 0)
    uniform = pl.col("design") == Design.UNIFORM.value
    whole = (
        rounds.sort("round")
        .group_by("comment_id", *ABOUT)
        .agg(
            inclusion=1 - (1 - pl.col("probability") * pl.col("part")).product(),
            design=pl.coalesce(pl.col("design").filter(~uniform).last(), pl.lit(Design.UNIFORM.value)),
            seen=(pl.col("rank").is_not_null() & (pl.col("rank") <= pl.col("last"))).any(),
        )
    )
    return whole.filter("seen").drop("seen")


def with_inclusion(labels: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Return labels with the inclusion and design of drawn comments replaced; a census and others stay as they are."""
    joined = labels.join(found, on=["comment_id", *ABOUT], how="left", suffix="_drawn", maintain_order="left")
    drawn = pl.col("inclusion_drawn").is_not_null() & (pl.col("design") != Design.CENSUS.value)
    return joined.with_columns(
        inclusion=pl.when(drawn).then("inclusion_drawn").otherwise("inclusion"),
        design=pl.when(drawn).then("design_drawn").otherwise("design"),
    ).drop("inclusion_drawn", "design_drawn")
