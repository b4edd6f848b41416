"""How far the models can be trusted, to stand beside their charts: measured quality, agreement of readers, and fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from discourse.report.catalogue import Words
from discourse.report.figures import quality
from discourse.report.index import Estimate
from discourse.report.material import Material
from discourse.report.phrases import Figure
from discourse.report.said import Said, said
from discourse.tables import ALL_THREADS, Measure

# What is shown of a bundle's held-out answers, in this order, as far as it was measured.
QUALITIES = ("f1", "average_precision", "sensitivity", "false_positive_rate", "ece", "slope")
ALPHA = "alpha"
NAMED = 3


@dataclass(frozen=True, slots=True)
class QualityRow:
    """Measured quality of the model on one level, null where it was not measured."""

    label: str
    values: tuple[Figure | None, ...]


@dataclass(frozen=True, slots=True)
class QualityTable:
    """One row a level, with a column for each figure that any of them has."""

    columns: tuple[str, ...]
    rows: tuple[QualityRow, ...]


def quality_table(material: Material, titles: Mapping[str, str]) -> QualityTable | None:
    """Gather what is known of how well levels are read, None if nothing is.

    Args:
        material: the tables.
        titles: for readers, by level such as `frame:NAME`.
    """
    names = (*QUALITIES, ALPHA)
    table = {level: {name: _measured(material, level, name) for name in names} for level in titles}
    used = [name for name in names if any(cells[name] for cells in table.values())]
    if not used:
        return None
    words = material.words
    rows = tuple(
        QualityRow(
            titles[level],
            tuple(quality(row, words) if (row := cells[name]) is not None else None for name in used),
        )
        for level, cells in table.items()
        if any(cells.values())
    )
    return QualityTable(tuple(words.text(f"quality.{name}") for name in used), rows)


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether comments are like those that a bundle learned from.

    Attributes:
        warnings: in what they differ, in plain words.
        row: each check with its verdict on all comments together.
        reason: why some of it is not known.
    """

    warnings: tuple[str, ...]
    row: tuple[tuple[str, str], ...]
    reason: Said | None


def fit(material: Material, bundles: pl.Series) -> Fit:
    """Return what the fit check found.

    Args:
        material: the tables, among them that of the fit check.
        bundles: ids of the bundles that tagged.
    """
    words = material.words
    rows = material.fit.filter(pl.col("bundle").is_in(bundles.unique().implode()))
    whole = rows.filter(thread_id=ALL_THREADS)
    verdicts: dict[str, str] = {}
    for check, verdict in whole.select("check", "verdict").iter_rows():
        # Of several bundles the one that differs counts.
        if verdicts.get(check) != "differs":
            verdicts[check] = verdict
    row = tuple(
        (words.text(f"fit.row.{check}", otherwise=check), words.text(f"fit.verdict.{verdict}"))
        for check, verdict in verdicts.items()
    )
    reasons = whole["reason"].drop_nulls()
    return Fit(_fit_warnings(material, rows), row, said(reasons[0], words) if len(reasons) else None)


def _fit_warnings(material: Material, rows: pl.DataFrame) -> tuple[str, ...]:
    """Say in plain words in what the comments differ from those that a bundle learned from; nothing if in nothing."""
    words = material.words
    found: list[str] = []
    tagged = material.receipt.stages.get("tag")
    doubted = tagged is not None and tagged.counts.get("not_validated", 0) > 0
    if doubted and not set(rows["bundle"]).isdisjoint(material.frames["bundle"].unique()):
        found.append(words.text("fit.learned_nothing"))
    names = {thread.thread_id: thread.label for thread in material.named}
    for (check,), part in rows.filter(verdict="differs").group_by("check", maintain_order=True):
        threads = [names[name] for name in part["thread_id"].unique(maintain_order=True) if name in names]
        told = words.text(f"fit.{check}", otherwise=words.text("fit.other"))
        everywhere = len(threads) == len(names) or not threads or ALL_THREADS in part["thread_id"]
        found.append(told if everywhere else words.text("fit.in", said=told, threads=_some(threads, words)))
    return tuple(found)


def _some(threads: list[str], words: Words) -> str:
    """Name up to three threads, and say that there are others."""
    named = "; ".join(threads[:NAMED])
    return named if len(threads) <= NAMED else words.text("fit.others", threads=named)


def _measured(material: Material, level: str, name: str) -> Estimate | None:
    if name == ALPHA:
        row = material.estimates.first(level, Measure.ALPHA)
    else:
        row = material.estimates.first(f"{level}:{name}", Measure.QUALITY)
    return row if row is not None and row.known else None
