"""Frames as headlines, and how well the bundle reads held-out comments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from discourse.aggregate.error_rates import ErrorRates, Rate, error_rates
from discourse.aggregate.estimates import Estimate, caution, ends
from discourse.aggregate.from_labels import Reading
from discourse.aggregate.headline import Headline
from discourse.aggregate.heldout import HeldOut, cross_fitted, read_heldout
from discourse.aggregate.labels import coding
from discourse.aggregate.performance import average_precision, f1
from discourse.aggregate.prevalence import Interval
from discourse.aggregate.resampling import interval
from discourse.aggregate.tags import of_bundle, wanted_path
from discourse.aggregate.tiers import tier_counts
from discourse.aggregate.units import Eligible
from discourse.config import TaggingConfig
from discourse.models.reader import TagReader
from discourse.tables import Decision, Mark, Measure

HELDOUT = "Held-out comments, weighted; the interval resamples sources and threads."


def frame_headlines(
    eligible: Eligible,
    frames: pl.DataFrame,
    resolved: pl.DataFrame,
    bundle: TagReader,
    tagging: TaggingConfig,
    seed: int,
) -> tuple[list[Headline], list[Estimate]]:
    """Lay tags, labels and error rates of every frame beside the eligible comments.

    Args:
        eligible: comments and units under the bundle's languages.
        frames: rows of the frames table.
        resolved: labels, one for each comment and level, see `labels.resolve`.
        bundle: the frames bundle.
        tagging: tells which path was asked for.
        seed: of the draws.

    Returns:
        The frames of the bundle and then those that only people labelled; and the rows on held-out comments and tiers.

    Raises:
        WorkspaceError: the tags were made with another bundle.
    """
    rng = np.random.default_rng([seed, 1])
    tags = of_bundle(frames, bundle)
    path = wanted_path(tags, tagging)
    held = read_heldout(bundle, path, rng)
    out_of_fold = cross_fitted(eligible.comments, bundle, held)
    chosen = tags.filter(pl.col("path") == path)
    labelled = resolved.filter(pl.col("kind") == "frame")["level"].unique().sort().to_list()
    names = [*bundle.manifest.labels, *(name for name in labelled if name not in bundle.manifest.labels)]
    headlines: list[Headline] = []
    quality: list[Estimate] = []
    for name in names:
        rates = error_rates(held.scored(name)[0], held.taken, rng)
        own = chosen.filter(pl.col("frame") == name)
        beside = _beside(eligible, own, out_of_fold.filter(pl.col("level") == name))
        labels = coding(resolved, "frame", name, eligible.comments)
        tagged = beside["above_threshold"].fill_null(value=False)
        reading = Reading(
            beside.select(pl.coalesce("tag", tagged)).to_series().to_numpy(),
            beside.select(pl.coalesce("probability_oof", "probability").fill_null(0.0)).to_series().to_numpy(),
        )
        headlines.append(
            Headline(
                f"frame:{name}",
                eligible,
                tagged.to_numpy() if own.height else None,
                (beside["decision"] == Decision.UNSURE.value).fill_null(value=False).to_numpy(),
                reading,
                rates,
                labels,
                labels.where("yes") if labels is not None else None,
                seed,
            )
        )
        quality += _quality(f"frame:{name}", name, held, rates) + _calibration(f"frame:{name}", name, bundle)
    return headlines, quality + tier_counts(eligible, tags, tagging)


def _beside(eligible: Eligible, tags: pl.DataFrame, out_of_fold: pl.DataFrame) -> pl.DataFrame:
    return (
        eligible.comments.select("comment_id")
        .join(tags, on="comment_id", how="left", maintain_order="left")
        .join(out_of_fold, on="comment_id", how="left", maintain_order="left", suffix="_oof")
    )


def _quality(level: str, name: str, held: HeldOut, rates: ErrorRates) -> list[Estimate]:
    outcomes, score = held.scored(name)
    yes, no = rates.sensitivity.effective, rates.false_positive.effective
    figures = {
        "f1": (f1(outcomes, held.taken), yes),
        "average_precision": (average_precision(outcomes, np.nan_to_num(score, nan=-1e9), held.taken), yes),
        "sensitivity": (_pooled(rates.sensitivity), yes),
        "false_positive_rate": (_pooled(rates.false_positive), no),
    }
    rows: list[Estimate] = []
    size = len(outcomes.label)
    for figure, (found, effective) in figures.items():
        row = Estimate(
            "all",
            Measure.QUALITY,
            f"{level}:{figure}",
            f"{size:,} held-out comments of known weight from {rates.sources} sources",
            size,
            "heldout",
            HELDOUT if found else "The bundle has no held-out comments of known weight to measure this on.",
            n_effective=effective,
            mark=caution(effective) if found else Mark.NOT_ESTIMABLE,
        )
        rows.append(replace(row, **ends(found)) if found else row)
    return rows


def _calibration(level: str, name: str, bundle: TagReader) -> list[Estimate]:
    """Return how well the probabilities of a frame are calibrated, as the bundle was measured when it was made."""
    told = bundle.metrics().get("by_label", {}).get(name, {})
    ranges = told.get("intervals", {})
    rows: list[Estimate] = []
    for figure in ("ece", "slope"):
        if told.get(figure) is None:
            continue
        low, high = ranges.get(figure, (None, None))
        # Resampling only adds to a calibration error: an interval that leaves the point out tells nothing of it.
        if low is None or not low <= told[figure] <= high:
            low, high = None, None
        number = int(told.get("n_weighted", told["n"]))
        effective = float(told.get("yes_effective", number))
        rows.append(
            Estimate(
                "all",
                Measure.QUALITY,
                f"{level}:{figure}",
                f"{number:,} held-out comments",
                number,
                "heldout",
                HELDOUT,
                estimate=told[figure],
                low=low,
                high=high,
                n_effective=effective,
                mark=caution(effective),
            )
        )
    return rows


def _pooled(rate: Rate) -> Interval | None:
    return Interval(rate.point, *interval(rate.pooled, rate.point)) if rate.effective > 0 else None
