"""Stance toward each target: how many speak about it, and which side they take."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from markupsafe import Markup

from discourse.report import charts
from discourse.report.cards import Cards, Sample
from discourse.report.figures import count, part_of, short, told
from discourse.report.index import Estimate
from discourse.report.material import Material
from discourse.report.phrases import Figure, Phrase
from discourse.report.selection import Example, quotable, stance_examples
from discourse.report.sentences import SIDES, basis
from discourse.report.views.frames import ShareRow, share_row
from discourse.report.views.quality import Fit, fit
from discourse.report.views.survival import Survival, survival

COUNTED = ("against", "favor", "neutral", "unsure", "off_target")


@dataclass(frozen=True, slots=True)
class CountRow:
    """How many comments were tagged so."""

    label: str
    count: Figure


@dataclass(frozen=True, slots=True)
class TargetView:
    """One target: its chart from shares, or from counts that are called counts."""

    target: str
    about: Phrase
    estimable: bool
    chart: Markup | None
    of: Phrase
    rows: tuple[ShareRow, ...]
    counts: tuple[CountRow, ...]
    survival: Survival | None
    fit: Fit | None
    samples: tuple[Sample, ...]


def examples(material: Material) -> dict[str, list[Example]]:
    """Choose the comments to quote for each target; none to which readers gave another side."""
    outline = quotable(material.outline)
    said = (
        material.labels.filter((pl.col("kind") == "stance") & pl.col("value").is_not_null())
        .group_by("comment_id", target="level")
        .agg(pl.col("value").unique().alias("said"))
    )
    tags = material.stance.filter(pl.col("comment_id").is_in(outline["comment_id"].implode()))
    tags = tags.join(said, on=["comment_id", "target"], how="left")
    tags = tags.filter(pl.col("said").is_null() | pl.col("said").list.contains(pl.col("stance"))).drop("said")
    return {target: stance_examples(tags, target, outline) for target in material.config.stance.targets}


def targets(material: Material, cards: Cards, chosen: dict[str, list[Example]]) -> tuple[TargetView, ...]:
    """Turn estimates and tags of stance into what is printed, in the order of the targets."""
    return tuple(
        _target(material, target, place, cards, chosen[target])
        for place, target in enumerate(material.config.stance.targets)
    )


def _target(material: Material, target: str, place: int, cards: Cards, chosen: list[Example]) -> TargetView:
    found, words = material.estimates, material.words
    about = found.share(f"stance:{target}:about")
    shares = {side: found.share(f"stance:{target}:{side}") for side in SIDES}
    counts = {side: found.count(f"stance:{target}:{side}") for side in COUNTED}
    estimable = all(row is not None and row.known for row in shares.values())
    sides: dict[str, charts.Side] = {}
    for side in SIDES:
        share, tagged = shares[side], counts[side]
        label = words.text(f"stance.{side}")
        if estimable and share is not None:
            sides[side] = charts.Side(label, short(share, words), share.value, share.interval)
        elif not estimable and tagged is not None:
            text = Figure(count(tagged.value, words), "", tagged.estimate_id)
            sides[side] = charts.Side(words.text("stance.tagged", side=label), text, tagged.value, None)
    chart = None
    if {"against", "favor"} <= set(sides) and any(side.value for side in sides.values()):
        heading = words.text("stance.chart" if estimable else "stance.chart.counts", target=target)
        chart = charts.diverging(
            f"stance-{place}",
            heading,
            words.text("chart.desc"),
            sides["against"],
            sides["favor"],
            [side for side in (sides.get("neutral"), _unsure(material, counts["unsure"], estimable)) if side],
        )
    return TargetView(
        target=target,
        about=_about(material, target),
        estimable=estimable,
        chart=chart,
        of=words.phrase("stance.of.shares" if estimable else "stance.of.counts", target=target),
        rows=tuple(
            share_row(row, words.text(f"stance.{kind}"), material)
            for kind in ("about", *SIDES)
            for row in found.shares(f"stance:{target}:{kind}")
        ),
        counts=tuple(
            CountRow(words.text(f"stance.{side}"), Figure("", count(row.value, words), row.estimate_id))
            for side, row in counts.items()
            if row is not None
        ),
        survival=survival(material, _columns(material, target), f"stance:{target}:about"),
        fit=fit(material, material.stance["bundle"]) if place == 0 else None,
        samples=cards.samples(chosen) if about is not None or any(counts.values()) else (),
    )


def _columns(material: Material, target: str) -> dict[str, str]:
    """Return the headings of the table of choices, by level: the share about the target, and sides among those."""
    words = material.words
    sides = {f"stance:{target}:{side}": words.text("stance.among", side=words.text(f"stance.{side}")) for side in SIDES}
    return {f"stance:{target}:about": words.text("stance.about"), **sides}


def _unsure(material: Material, row: Estimate | None, estimable: bool) -> charts.Side | None:
    """Return how often the model cannot decide: among shares as a part of all comments, among counts as a count."""
    words = material.words
    if row is None or not row.n:
        return None
    label = words.text("stance.unsure.of" if estimable else "stance.unsure")
    shown = part_of(row, words)
    return charts.Side(label, shown, row.value / row.n if estimable else row.value, None, hatched=True)


def _about(material: Material, target: str) -> Phrase:
    about, words = material.estimates.share(f"stance:{target}:about"), material.words
    if about is None:
        return words.phrase("stance.unknown")
    if not about.known:
        return words.phrase("stance.not_estimable")
    return words.phrase("stance.about.sentence", share=told(about, words), basis=basis(about, words))
