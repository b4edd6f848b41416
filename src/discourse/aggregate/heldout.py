"""A bundle's out-of-fold answers: its error rates, and what stands in for its tags on texts it was trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import expit

from discourse.aggregate.error_rates import Outcomes
from discourse.aggregate.resampling import Clusters, Counts, Reals, resample
from discourse.models.bundle import Bundle, text_hash
from discourse.models.calibration import probability
from discourse.models.cascade import load_cascade
from discourse.models.reader import TagReader
from discourse.tables import Tier


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Out-of-fold rows of one path, and bootstrap draws of their clusters that all levels share.

    rows: the columns of `HELDOUT_SCHEMA` with `cluster`; weights may be null. source: int64 (clusters,).
    taken: float64 (draws, clusters).
    """

    rows: pl.DataFrame
    source: Counts
    taken: Reals

    def scored(self, level: str) -> tuple[Outcomes, Reals]:
        """Return a level's rows of known weight, and their scores as float64 (rows,)."""
        rows = self.rows.filter((pl.col("level") == level) & (pl.col("weight") > 0))
        label, tag, weight, score = (
            rows[name].cast(pl.Float64).to_numpy() for name in ("label", "tag", "weight", "score")
        )
        return Outcomes(label, tag, weight, Clusters(rows["cluster"].to_numpy(), self.source)), score


def read_heldout(bundle: TagReader, path: str, rng: np.random.Generator) -> HeldOut:
    """Read a bundle's out-of-fold rows of one path and draw bootstrap samples of their sources and threads.

    A row without a source belongs to one unnamed source; a row without a thread is a thread of its own.
    """
    rows = (
        bundle.heldout()
        .filter((pl.col("path") == path) & pl.col("label").is_not_null() & pl.col("tag").is_not_null())
        .with_columns(pl.col("source").fill_null(""), thread=pl.coalesce("thread", "text_hash"))
        .sort("level", "source", "thread", "text_hash")
    )
    clusters = rows.filter(pl.col("weight") > 0).select("source", "thread").unique().sort("source", "thread")
    numbered = clusters.with_row_index("cluster").with_columns(pl.col("cluster").cast(pl.Int64))
    source = (clusters["source"].rank("dense").cast(pl.Int64) - 1).to_numpy()
    return HeldOut(
        rows.join(numbered, on=["source", "thread"], how="left", maintain_order="left"), source, resample(source, rng)
    )


def cross_fitted(comments: pl.DataFrame, bundle: TagReader, held: HeldOut) -> pl.DataFrame:
    """Return the out-of-fold answers for those comments whose text the bundle was trained on.

    Args:
        comments: with comment_id and text.
        bundle: the bundle that tagged them.
        held: its out-of-fold rows.

    Returns:
        comment_id, level, tag (Boolean) and probability (calibrated where the bundle calibrates the level).
    """
    trained = bundle.trained_on()
    schema = {"comment_id": pl.String(), "level": pl.String(), "tag": pl.Boolean(), "probability": pl.Float64()}
    if not trained or not comments.height:
        return pl.DataFrame(schema=schema)
    hashed = comments.select("comment_id", text_hash=pl.Series([text_hash(text) for text in comments["text"]]))
    hashed = hashed.filter(pl.col("text_hash").is_in(list(trained)))
    found = hashed.join(held.rows.unique(["text_hash", "level"], keep="first", maintain_order=True), on="text_hash")
    fitted = {(level, Tier.ENCODER.value): value for level, value in bundle.calibration().items()}
    cascade = load_cascade(bundle) if isinstance(bundle, Bundle) else None
    if cascade is not None:
        fitted |= {(level, Tier.STATIC.value): value for level, value in cascade.calibration.items()}
    score, p = found["score"].to_numpy(), np.zeros(found.height)
    kind = found.select(pl.concat_str("level", "tier", separator="\x1f")).to_series().to_numpy()
    for name in np.unique(kind):
        here = kind == name
        level, tier = str(name).split("\x1f")
        known = fitted.get((level, tier))
        p[here] = expit(score[here]) if known is None else probability(score[here], known)
    return found.select("comment_id", "level", tag=pl.col("tag") == 1).with_columns(
        probability=pl.Series(np.nan_to_num(p), dtype=pl.Float64)
    )
