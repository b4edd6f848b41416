"""How far the models can be trusted, to stand beside their charts: measured quality, agreement of readers, and fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from discourse.report.figures import quality
from discourse.report.index import Estimate
from discourse.report.material import Material
from discourse.report.phrases import Figure
from discourse.tables import Measure

# What is shown of a bundle's held-out answers, in this order, as far as it was measured.
QUALITIES = ("f1", "average_precision", "sensitivity", "false_positive_rate", "ece", "slope")
ALPHA = "alpha"


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


def fit_warnings(material: Material, bundles: pl.Series) -> tuple[str, ...]:
    """Say in plain words in what the comments differ from those that a bundle learned from; nothing if in nothing.

    Args:
        material: the tables, among them what the fit check found.
        bundles: ids of the bundles that tagged.
    """
    words = material.words
    rows = material.fit.filter(pl.col("bundle").is_in(bundles.unique().implode()) & (pl.col("verdict") == "differs"))
    found: list[str] = []
    names = {thread.thread_id: thread.label for thread in material.named}
    for (check,), part in rows.group_by("check", maintain_order=True):
        threads = [names[name] for name in part["thread_id"].unique(maintain_order=True) if name in names]
        said = words.text(f"fit.{check}", otherwise=words.text("fit.other"))
        everywhere = len(threads) == len(names) or not threads
        found.append(said if everywhere else words.text("fit.in", said=said, threads="; ".join(threads[:3])))
    return tuple(found)


def _measured(material: Material, level: str, name: str) -> Estimate | None:
    if name == ALPHA:
        row = material.estimates.first(level, Measure.ALPHA)
    else:
        row = material.estimates.first(f"{level}:{name}", Measure.QUALITY)
    return row if row is not None and row.known else None
