"""Estimates for stances: for each target the share of comments about it, and favor, against, neutral among those."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from discourse.aggregate.error_rates import ErrorRates, error_rates
from discourse.aggregate.estimates import Estimate
from discourse.aggregate.from_labels import Flags, Reading, label_ratio, label_share
from discourse.aggregate.heldout import cross_fitted, read_heldout
from discourse.aggregate.labels import Coding, coding
from discourse.aggregate.prevalence import share_of_share
from discourse.aggregate.resampling import Reals
from discourse.aggregate.shares import NONE_ABOUT, Correction, correct, corrected_row, count_row, label_row
from discourse.aggregate.tags import of_bundle, wanted_path
from discourse.aggregate.units import Eligible, Unit
from discourse.config import TaggingConfig
from discourse.models.bundle import Bundle
from discourse.tables import Stance

CLASSES = (Stance.FAVOR.value, Stance.AGAINST.value, Stance.NEUTRAL.value)


@dataclass(frozen=True, slots=True)
class _Target:
    """One target's tags beside the eligible comments."""

    name: str
    is_tagged: bool
    stances: pl.Series
    unsure: Flags
    readings: dict[str, Reading]  # of about and of each class


def stance_estimates(
    eligible: Eligible,
    stances: pl.DataFrame,
    resolved: pl.DataFrame,
    targets: tuple[str, ...],
    bundle: Bundle,
    tagging: TaggingConfig,
    seed: int,
) -> list[Estimate]:
    """Estimate every target in all units.

    A class counts as tagged where its probability reaches the bundle's threshold for it, as in the held-out rows; a
    comment stopped by the gate is tagged with no class.

    Args:
        eligible: comments and units under the bundle's languages.
        stances: rows of the stance table.
        resolved: labels, one for each comment and level, see `labels.resolve`.
        targets: as configured, in their order.
        bundle: the stance bundle.
        tagging: tells which path was asked for.
        seed: of the draws.

    Raises:
        WorkspaceError: the tags were made with another bundle.
    """
    rng = np.random.default_rng([seed, 2])
    tags = of_bundle(stances, bundle)
    path = wanted_path(tags, tagging)
    held = read_heldout(bundle, path, rng)
    # Out-of-fold answers are to one target, and the held-out rows do not say to which.
    out_of_fold = cross_fitted(eligible.comments, bundle, held) if len(targets) == 1 else None
    rates = {name: error_rates(held.scored(name)[0], held.taken, rng) for name in ("about", *CLASSES)}
    thresholds = {name: fitted.threshold for name, fitted in bundle.calibration().items()}
    chosen = tags.filter(pl.col("path") == path)
    rows: list[Estimate] = []
    for name in targets:
        target = _target(name, eligible, chosen.filter(pl.col("target") == name), thresholds, out_of_fold)
        labels = coding(resolved, "stance", name, eligible.comments)
        for unit in eligible.units:
            rows += _counts(target, unit)
            rows += _corrected(target, eligible, unit, rates, rng)
            rows += _from_labels(target, eligible, unit, labels) if labels is not None else []
    return rows


def _counts(target: _Target, unit: Unit) -> list[Estimate]:
    tagged = {"about": target.readings["about"].tagged if target.is_tagged else None}
    for value in (*CLASSES, Stance.UNSURE.value, Stance.OFF_TARGET.value):
        tagged[value] = _equal(target.stances, value) if target.is_tagged else None
    return [count_row(f"stance:{target.name}:{name}", unit, flags, target.unsure) for name, flags in tagged.items()]


def _corrected(
    target: _Target, eligible: Eligible, unit: Unit, rates: dict[str, ErrorRates], rng: np.random.Generator
) -> list[Estimate]:
    found = {
        name: correct(eligible, unit, target.readings[name].tagged if target.is_tagged else None, rates[name], rng)
        for name in ("about", *CLASSES)
    }
    about = found["about"]
    rows = [corrected_row(f"stance:{target.name}:about", unit, about, target.unsure)]
    for name in CLASSES:
        share = _among(found[name], about)
        rows.append(corrected_row(f"stance:{target.name}:{name}", _inside(unit), share, target.unsure))
    return rows


def _among(part: Correction, about: Correction) -> Correction:
    """Return the class's share among the comments about the target."""
    if part.interval is None:
        return part
    if about.interval is None:
        return about
    ratio = share_of_share(part.interval, about.interval, part.draws, about.draws)
    return replace(part, interval=ratio, reason=part.reason if ratio else NONE_ABOUT)


def _from_labels(target: _Target, eligible: Eligible, unit: Unit, labels: Coding) -> list[Estimate]:
    about = labels.where(*CLASSES)
    reading = target.readings["about"]
    rows: list[Estimate] = []
    whole = label_share(labels, about, reading, eligible.author, unit.rows)
    if whole is not None:
        rows.append(label_row(f"stance:{target.name}:about", unit, whole, target.unsure))
    for name in CLASSES:
        scores: tuple[Reals, Reals] = (target.readings[name].score, reading.score)
        part = label_ratio(labels, (labels.where(name), about), scores, eligible.author, unit.rows)
        if part is not None:
            rows.append(label_row(f"stance:{target.name}:{name}", _inside(unit), part, target.unsure))
    return rows


def _inside(unit: Unit) -> Unit:
    return replace(unit, denominator=f"those about the target among {unit.denominator}")


def _target(
    name: str, eligible: Eligible, tags: pl.DataFrame, thresholds: dict[str, float], out_of_fold: pl.DataFrame | None
) -> _Target:
    beside = eligible.comments.select("comment_id").join(tags, on="comment_id", how="left", maintain_order="left")
    probabilities = {"about": 1 - beside["p_off_target"], **{each: beside[f"p_{each}"] for each in CLASSES}}
    decided = {"about": ~beside["stance"].is_in([Stance.OFF_TARGET.value, Stance.UNSURE.value])}
    decided |= {each: beside["stance"] == each for each in CLASSES}
    readings: dict[str, Reading] = {}
    for level, probability in probabilities.items():
        reached = probability >= thresholds[level] if level in thresholds else decided[level]
        rows = beside.select("comment_id", score=probability.fill_null(0.0), tagged=reached.fill_null(value=False))
        if out_of_fold is not None:
            own = out_of_fold.filter(pl.col("level") == level).select("comment_id", "tag", "probability")
            rows = rows.join(own, on="comment_id", how="left", maintain_order="left").with_columns(
                tagged=pl.coalesce("tag", "tagged"), score=pl.coalesce("probability", "score")
            )
        readings[level] = Reading(rows["tagged"].to_numpy(), rows["score"].to_numpy())
    return _Target(name, tags.height > 0, beside["stance"], _equal(beside["stance"], Stance.UNSURE.value), readings)


def _equal(stances: pl.Series, value: str) -> Flags:
    return (stances == value).fill_null(value=False).to_numpy()
