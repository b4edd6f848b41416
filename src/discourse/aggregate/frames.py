"""Estimates for frames: counts of tags, shares, and how well the bundle reads held-out comments."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from discourse.aggregate.error_rates import ErrorRates, Rate, error_rates
from discourse.aggregate.estimates import Estimate, caution, ends
from discourse.aggregate.from_labels import Flags, Reading, label_share
from discourse.aggregate.heldout import HeldOut, cross_fitted, read_heldout
from discourse.aggregate.labels import coding
from discourse.aggregate.performance import average_precision, f1
from discourse.aggregate.prevalence import Interval
from discourse.aggregate.resampling import interval
from discourse.aggregate.shares import correct, corrected_row, count_row, label_row
from discourse.aggregate.tags import of_bundle, wanted_path
from discourse.aggregate.units import Eligible
from discourse.aggregate.variants import Variant, variants
from discourse.config import TaggingConfig
from discourse.models.bundle import Bundle
from discourse.tables import Decision, Mark, Measure

HELDOUT = "Held-out comments, weighted; the interval resamples sources and threads."


@dataclass(frozen=True, slots=True)
class _Level:
    """One frame's tags beside the eligible comments; tagged is None where there is no tag at all."""

    tagged: Flags | None
    unsure: Flags
    reading: Reading


def frame_estimates(
    eligible: Eligible,
    frames: pl.DataFrame,
    resolved: pl.DataFrame,
    bundle: Bundle,
    tagging: TaggingConfig,
    seed: int,
) -> list[Estimate]:
    """Estimate every frame in all units.

    Args:
        eligible: comments and units under the bundle's languages.
        frames: rows of the frames table.
        resolved: labels, one for each comment and level, see `labels.resolve`.
        bundle: the frames bundle.
        tagging: tells which path was asked for.
        seed: of the draws.

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
    rows: list[Estimate] = []
    # Draws of their own: a variant more must not change the numbers of the main one.
    beside = np.random.default_rng([seed, 3])
    changed = variants(eligible)
    for name in names:
        level = _level(eligible, chosen.filter(pl.col("frame") == name), out_of_fold.filter(pl.col("level") == name))
        rates = error_rates(held.scored(name)[0], held.taken, rng)
        rows += _shares(f"frame:{name}", eligible, level, rates, rng)
        rows += _from_labels(name, eligible, level, resolved)
        for variant in changed:
            rows += _varied(name, replace(eligible, units=(variant.unit,)), variant, level, rates, resolved, beside)
        rows += _quality(f"frame:{name}", name, held, rates)
    return rows


def _shares(
    level_name: str, eligible: Eligible, level: _Level, rates: ErrorRates, rng: np.random.Generator
) -> list[Estimate]:
    rows: list[Estimate] = []
    tagged = None if level.tagged is None else level.reading.tagged
    for unit in eligible.units:
        rows.append(count_row(level_name, unit, level.tagged, level.unsure))
        found = correct(eligible, unit, tagged, rates, rng)
        rows.append(corrected_row(level_name, unit, found, level.unsure))
    return rows


def _varied(
    name: str,
    eligible: Eligible,
    variant: Variant,
    level: _Level,
    rates: ErrorRates,
    resolved: pl.DataFrame,
    rng: np.random.Generator,
) -> list[Estimate]:
    rows = _shares(f"frame:{name}", eligible, level, rates, rng) + _from_labels(name, eligible, level, resolved)
    return [replace(row, variant=variant.name, assumptions=f"{row.assumptions} {variant.caveat}") for row in rows]


def _from_labels(name: str, eligible: Eligible, level: _Level, resolved: pl.DataFrame) -> list[Estimate]:
    labels = coding(resolved, "frame", name, eligible.comments)
    if labels is None:
        return []
    yes = labels.where("yes")
    found = ((unit, label_share(labels, yes, level.reading, eligible.author, unit.rows)) for unit in eligible.units)
    return [label_row(f"frame:{name}", unit, share, level.unsure) for unit, share in found if share is not None]


def _level(eligible: Eligible, tags: pl.DataFrame, out_of_fold: pl.DataFrame) -> _Level:
    beside = (
        eligible.comments.select("comment_id")
        .join(tags, on="comment_id", how="left", maintain_order="left")
        .join(out_of_fold, on="comment_id", how="left", maintain_order="left", suffix="_oof")
    )
    tagged = beside["above_threshold"].fill_null(value=False)
    reading = Reading(
        beside.select(pl.coalesce("tag", tagged)).to_series().to_numpy(),
        beside.select(pl.coalesce("probability_oof", "probability").fill_null(0.0)).to_series().to_numpy(),
    )
    unsure = (beside["decision"] == Decision.UNSURE.value).fill_null(value=False)
    return _Level(tagged.to_numpy() if tags.height else None, unsure.to_numpy(), reading)


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


def _pooled(rate: Rate) -> Interval | None:
    return Interval(rate.point, *interval(rate.pooled, rate.point)) if rate.effective > 0 else None
