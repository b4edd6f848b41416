"""Stances as headlines: for each target the share of comments about it, and favor, against, neutral among those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from discourse.aggregate.error_rates import ErrorRates, error_rates
from discourse.aggregate.estimates import Estimate
from discourse.aggregate.from_labels import Flags, Reading
from discourse.aggregate.headline import Headline
from discourse.aggregate.heldout import cross_fitted, read_heldout
from discourse.aggregate.labels import coding
from discourse.aggregate.shares import count_row
from discourse.aggregate.tags import of_bundle, wanted_path
from discourse.aggregate.units import Eligible, Unit
from discourse.config import TaggingConfig
from discourse.models.reader import TagReader
from discourse.tables import Stance

CLASSES = (Stance.FAVOR.value, Stance.AGAINST.value, Stance.NEUTRAL.value)


@dataclass(frozen=True, slots=True)
class Target:
    """One target: being about it, the three sides among those comments, and where the model named none of these.

    apart: what is only counted, `unsure` and `off_target`; None where nothing was tagged.
    """

    name: str
    about: Headline
    sides: tuple[Headline, ...]
    apart: dict[str, Flags | None]

    @property
    def headlines(self) -> tuple[Headline, ...]:
        """Being about the target, then the sides."""
        return (self.about, *self.sides)


def stance_headlines(
    eligible: Eligible,
    stances: pl.DataFrame,
    resolved: pl.DataFrame,
    targets: Sequence[str],
    bundle: TagReader,
    tagging: TaggingConfig,
    seed: int,
) -> list[Target]:
    """Lay tags, labels and error rates of every target beside the eligible comments.

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
    read = (_read(eligible, chosen.filter(pl.col("target") == name), thresholds, out_of_fold) for name in targets)
    return [_target(name, eligible, found, resolved, rates, seed) for name, found in zip(targets, read, strict=True)]


def apart_counts(target: Target, unit: Unit) -> list[Estimate]:
    """Count the comments that the model was unsure of, and those off the target."""
    return [
        count_row(f"stance:{target.name}:{name}", unit, flags, target.about.unsure)
        for name, flags in target.apart.items()
    ]


@dataclass(frozen=True, slots=True)
class _Read:
    """One target's tags beside the eligible comments; readings of about and of each class."""

    is_tagged: bool
    stances: pl.Series
    readings: dict[str, Reading]

    def equal(self, value: str) -> Flags:
        return (self.stances == value).fill_null(value=False).to_numpy()


def _target(
    name: str, eligible: Eligible, found: _Read, resolved: pl.DataFrame, rates: dict[str, ErrorRates], seed: int
) -> Target:
    labels = coding(resolved, "stance", name, eligible.comments)
    about = Headline(
        f"stance:{name}:about",
        eligible,
        found.readings["about"].tagged if found.is_tagged else None,
        found.equal(Stance.UNSURE.value),
        found.readings["about"],
        rates["about"],
        labels,
        labels.where(*CLASSES) if labels is not None else None,
        seed,
    )
    sides = tuple(
        replace(
            about,
            level=f"stance:{name}:{side}",
            counted=found.equal(side) if found.is_tagged else None,
            reading=found.readings[side],
            rates=rates[side],
            yes=labels.where(side) if labels is not None else None,
            whole=about,
        )
        for side in CLASSES
    )
    apart = {
        value: found.equal(value) if found.is_tagged else None
        for value in (Stance.UNSURE.value, Stance.OFF_TARGET.value)
    }
    return Target(name, about, sides, apart)


def _read(
    eligible: Eligible, tags: pl.DataFrame, thresholds: dict[str, float], out_of_fold: pl.DataFrame | None
) -> _Read:
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
    return _Read(tags.height > 0, beside["stance"], readings)
