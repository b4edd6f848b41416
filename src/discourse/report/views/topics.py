"""Topics: how many comments were assigned to each, its words and its most central comments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from discourse.report import charts
from discourse.report.cards import Cards, Sample
from discourse.report.figures import part_of, total
from discourse.report.index import Estimate
from discourse.report.material import Material
from discourse.report.phrases import Figure
from discourse.report.selection import Example
from discourse.tables import Measure, State, TopicMark

REPRESENTATIVES = 3
OPEN = 15


@dataclass(frozen=True, slots=True)
class TopicView:
    """One topic, largest first."""

    label: str
    keywords: tuple[str, ...]
    count: Figure
    bar: Markup
    stability: Figure | None
    unstable: bool
    parent: str | None
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class TopicsView:
    """All topics, the comments that fit none, and whether the configuration hides some."""

    first: tuple[TopicView, ...]
    further: tuple[TopicView, ...]
    outliers: Figure | None
    outliers_bar: Markup | None
    hidden: bool


def examples(material: Material) -> dict[int, list[Example]]:
    """Choose the comments to quote for each topic: those that the tagger found nearest to its centre."""
    nearest = material.topic_info["representatives"].explode().drop_nulls().implode()
    shown = (pl.col("state") == State.VISIBLE.value) & pl.col("has_text") & pl.col("comment_id").is_in(nearest)
    visible = frozenset(material.outline.filter(shown)["comment_id"])
    broad = set(material.topic_info["parent"].drop_nulls())
    return {
        row["topic"]: [
            Example("representative", name, _sentence(row) if name == row["representatives"][0] else None)
            for name in [name for name in row["representatives"] if name in visible][:REPRESENTATIVES]
        ]
        for row in material.topic_info.iter_rows(named=True)
        if row["topic"] not in material.config.topics.hide and row["topic"] not in broad
    }


def topics(material: Material, cards: Cards, chosen: dict[int, list[Example]]) -> TopicsView:
    """Turn counts of assignments and what is known of each topic into what is printed."""
    hidden = material.config.topics.hide
    counts = {row.level: row for row in material.estimates.levels("topic:", Measure.COUNT)}
    largest = max([row.value for row in counts.values()], default=0) or 1.0
    views = [
        _topic(material, row, counts[f"topic:{row['topic']}"], largest, cards.samples(chosen[row["topic"]]))
        for row in material.topic_info.sort("topic").iter_rows(named=True)
        if row["topic"] not in hidden and f"topic:{row['topic']}" in counts
    ]
    outliers = counts.get("topic:outlier")
    return TopicsView(
        first=tuple(views[:OPEN]),
        further=tuple(views[OPEN:]),
        outliers=part_of(outliers, material.words) if outliers else None,
        outliers_bar=charts.bar(outliers.value / largest, "outlier") if outliers else None,
        hidden=bool(set(hidden) & set(material.topic_info["topic"])),
    )


def _topic(
    material: Material, row: dict[str, object], size: Estimate, largest: float, samples: tuple[Sample, ...]
) -> TopicView:
    stability = material.estimates.first(size.level, Measure.STABILITY)
    labels = dict(material.topic_info.select("topic", "label").iter_rows())
    parent = row["parent"] if row["parent"] not in material.config.topics.hide else None
    keywords = row["keywords"]
    return TopicView(
        label=material.policy.line(str(row["label"])),
        keywords=tuple(material.policy.line(str(word)) for word in keywords) if isinstance(keywords, list) else (),
        count=total(size, material.words),
        bar=charts.bar(size.value / largest, "topic"),
        stability=Figure("", material.words.decimal(stability.value, 2), stability.estimate_id)
        if stability is not None and stability.known
        else None,
        unstable=row["mark"] == TopicMark.UNSTABLE.value,
        parent=material.policy.line(labels[parent]) if parent in labels else None,
        samples=samples,
    )


def _sentence(row: dict[str, Any]) -> tuple[int, int] | None:
    start, end = row["sentence_start"], row["sentence_end"]
    return None if start is None or end is None else (start, end)
