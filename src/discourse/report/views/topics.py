"""Topics: how many comments were assigned to each, its words and its most central comments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from discourse.report.views.topic_map import TopicMap, draw
from discourse.tables import Measure, State, TopicMark

REPRESENTATIVES = 3
OPEN = 15


@dataclass(frozen=True, slots=True)
class TopicView:
    """One topic, or a broad one with the topics below it; it has words and comments only of its own."""

    label: str
    keywords: tuple[str, ...]
    count: Figure | None
    bar: Markup
    stability: Figure | None
    unstable: bool
    samples: tuple[Sample, ...]
    below: tuple[TopicView, ...] = ()
    machine_named: bool = False


@dataclass(frozen=True, slots=True)
class TopicsView:
    """All topics as a tree, a map of them, the comments that fit none, and whether the configuration hides some.

    `found_in` tells in how many comments they were found, where that is a sample.
    """

    first: tuple[TopicView, ...]
    further: tuple[TopicView, ...]
    map: TopicMap | None
    outliers: Figure | None
    outliers_bar: Markup | None
    hidden: bool
    broad: bool
    unstable: bool
    found_in: Figure | None = None


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
    broad = material.estimates.levels("broad_topic:", Measure.COUNT)
    largest = max([row.value for row in (*counts.values(), *broad)], default=0) or 1.0
    rows = {
        row["topic"]: row
        for row in material.topic_info.sort("topic").iter_rows(named=True)
        if row["topic"] not in hidden and f"topic:{row['topic']}" in counts
    }
    views = {
        name: _topic(material, row, counts[f"topic:{name}"], largest, cards.samples(chosen.get(name, [])))
        for name, row in rows.items()
    }
    tree = _tree(material, views, {name: row["parent"] for name, row in rows.items()}, largest)
    fold = next((place for place in range(len(tree)) if _leaves(tree[:place]) >= OPEN), len(tree))
    outliers = counts.get("topic:outlier")
    sample = material.estimates.levels("topics:found_in", Measure.COUNT)
    by_size = sorted(views, key=lambda name: (-counts[f"topic:{name}"].value, name))
    return TopicsView(
        first=tree[:fold],
        further=tree[fold:],
        map=draw(material, {name: views[name].label for name in by_size}),
        outliers=part_of(outliers, material.words) if outliers else None,
        outliers_bar=charts.bar(outliers.value / largest, "outlier") if outliers else None,
        hidden=bool(set(hidden) & set(material.topic_info["topic"])),
        broad=any(view.below for view in tree),
        unstable=any(view.unstable for view in views.values()),
        found_in=part_of(sample[0], material.words) if sample else None,
    )


def _tree(
    material: Material, views: Mapping[int, TopicView], parents: Mapping[int, int | None], largest: float
) -> tuple[TopicView, ...]:
    """Put topics below their broad ones where these are not hidden, in the order of the largest inside."""
    broad = {row.level: row for row in material.estimates.levels("broad_topic:", Measure.COUNT)}
    labels = dict(material.topic_info.select("topic", "label").iter_rows())
    found: list[TopicView] = []
    done: set[int] = set()
    for name, view in views.items():
        parent = parents[name]
        if parent is None or parent in material.config.topics.hide or parent not in labels:
            found.append(view)
        elif parent not in done:
            done.add(parent)
            below = tuple(each for other, each in views.items() if parents[other] == parent)
            size = broad.get(f"broad_topic:{parent}")
            found.append(
                TopicView(
                    label=material.policy.line(str(labels[parent])),
                    keywords=(),
                    count=total(size, material.words) if size else None,
                    bar=charts.bar(size.value / largest if size else 0.0, "broad"),
                    stability=None,
                    unstable=False,
                    samples=(),
                    below=below,
                    machine_named=parent in material.machine_named,
                )
            )
    return tuple(found)


def _leaves(tree: Sequence[TopicView]) -> int:
    return sum(max(1, len(view.below)) for view in tree)


def _topic(
    material: Material, row: Mapping[str, Any], size: Estimate, largest: float, samples: tuple[Sample, ...]
) -> TopicView:
    stability = material.estimates.first(size.level, Measure.STABILITY)
    words = material.words
    return TopicView(
        label=material.policy.line(str(row["label"])),
        keywords=tuple(material.policy.line(str(word)) for word in row["keywords"]),
        count=total(size, words),
        bar=charts.bar(size.value / largest, "topic"),
        stability=Figure("", words.decimal(stability.value, 2), stability.estimate_id)
        if stability is not None and stability.known
        else None,
        unstable=row["mark"] == TopicMark.UNSTABLE.value,
        samples=samples,
        machine_named=row["topic"] in material.machine_named,
    )


def _sentence(row: dict[str, Any]) -> tuple[int, int] | None:
    start, end = row["sentence_start"], row["sentence_end"]
    return None if start is None or end is None else (start, end)
