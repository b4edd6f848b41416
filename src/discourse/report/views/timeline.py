"""Over time: how many comments were written in each span, and how many of them are tagged each way."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from discourse.report.figures import count, part_of, short
from discourse.report.index import Estimate
from discourse.report.material import Material
from discourse.report.phrases import Figure
from discourse.report.policy import When
from discourse.report.timelines import Span, Tick, gaps, timeline
from discourse.report.views.panels import frame_columns, kind_of, side_columns
from discourse.tables import Measure, Precision

DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")
SPANS = 400
# A gap longer than so many spans is drawn as so many.
GAP = 5
TOPICS = 8


@dataclass(frozen=True, slots=True)
class Bin:
    """One span of time, as the estimates name it."""

    group: str
    start: datetime
    end: datetime
    exact: bool


@dataclass(frozen=True, slots=True)
class TimeRow:
    """One line of the table: when (or the span's place in the order), and a number for each column."""

    when: When | None
    place: str
    cells: tuple[Figure | None, ...]


@dataclass(frozen=True, slots=True)
class TimeChart:
    """One chart and what it is of."""

    heading: str
    chart: Markup


@dataclass(frozen=True, slots=True)
class TimelineView:
    """Charts one below the other on one axis of time, and the table behind them."""

    span: str
    has_gaps: bool
    charts: tuple[TimeChart, ...]
    topics: tuple[TimeChart, ...]
    columns: tuple[str, ...]
    rows: tuple[TimeRow, ...]


def over_time(material: Material) -> TimelineView | None:
    """Turn the estimates by spans of time into charts and a table; None where there are none."""
    found = material.estimates
    counts = {(row.group, row.level): row for row in found.parts("time", Measure.COUNT) if row.known}
    bins = sorted((each for name in {group for group, _ in counts} if (each := parse_bin(name or ""))), key=_start)
    levels = {
        level: title
        for level, title in _levels(material).items()
        if any((each.group, level) in counts for each in bins)
    }
    if len(bins) < 2 or not levels:  # one span is no course of time
        return None
    words = material.words
    whole = {each.group: _whole(each, levels, counts) for each in bins}
    top = max(row.n for row in whole.values())
    spans = _spans(bins)
    ticks = _ticks(material, bins)
    desc = words.text("chart.desc")
    most = words.text("timeline.most", n=count(top, words))
    all_spans = [Span(*at, float(whole[each.group].n), None) for each, at in zip(bins, spans, strict=True)]
    drawn = [
        TimeChart(
            words.text("timeline.all"),
            timeline("time-all", words.text("timeline.all"), desc, all_spans, ticks, float(top), most),
        )
    ]
    topics: list[TimeChart] = []
    for place, (level, title) in enumerate(levels.items()):
        parts = [row.value if (row := counts.get((each.group, level))) else None for each in bins]
        highest = max((part for part in parts if part is not None), default=0.0)
        if not highest:
            continue
        of = [Span(*at, 0.0, part, kind_of(level)) for at, part in zip(spans, parts, strict=True)]
        label = words.text("timeline.most", n=count(highest, words))
        chart = timeline(f"time-{place}", words.text("timeline.tagged", title=title), desc, of, ticks, highest, label)
        (topics if level.startswith("topic:") else drawn).append(TimeChart(title, chart))
    return TimelineView(
        span=_length(material, bins),
        has_gaps=bool(gaps(all_spans)),
        charts=tuple(drawn),
        topics=tuple(topics),
        columns=(words.text("timeline.column"), *levels.values()),
        rows=_rows(material, bins, levels, counts, whole),
    )


def parse_bin(group: str) -> Bin | None:
    """Read `2024-05-01/P1D`: where a span starts (UTC) and how long it is (ISO 8601); None if it is neither."""
    start, _, length = group.partition("/")
    found = DURATION.fullmatch(length)
    if found is None:
        return None
    years, months, weeks, days, hours, minutes = (int(part or 0) for part in found.groups())
    try:
        first = datetime.fromisoformat(start)
    except ValueError:
        return None
    first = first.replace(tzinfo=UTC) if first.tzinfo is None else first.astimezone(UTC)
    month = first.month - 1 + months + 12 * years
    try:
        last = first.replace(year=first.year + month // 12, month=month % 12 + 1)
        last += timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)
    except (ValueError, OverflowError):
        return None
    return Bin(group, first, last, bool(hours or minutes)) if last > first else None


def _levels(material: Material) -> dict[str, str]:
    levels = frame_columns(material)
    for target in material.config.stance.targets:
        for level, side in side_columns(material, target).items():
            levels[level] = material.words.text("timeline.side", side=side, target=target)
    hidden = material.config.topics.hide
    largest = material.topic_info.sort("size", "topic", descending=[True, False])
    broad = set(material.topic_info["parent"].drop_nulls())
    shown = [row for row in largest.iter_rows(named=True) if row["topic"] not in hidden and row["topic"] not in broad]
    for row in shown[:TOPICS]:
        levels[f"topic:{row['topic']}"] = material.words.text(
            "timeline.topic", label=material.policy.line(row["label"])
        )
    return levels


def _start(each: Bin) -> datetime:
    return each.start


def _whole(each: Bin, levels: Mapping[str, str], counts: Mapping[tuple[str | None, str], Estimate]) -> Estimate:
    """Return the row of the span that speaks of most comments; its `n` is how many were written."""
    return max((row for level in levels if (row := counts.get((each.group, level)))), key=lambda row: row.n)


def _spans(bins: Sequence[Bin]) -> list[tuple[float, float]]:
    """Place the spans side by side; a long gap is drawn no wider than `GAP` spans, so that the rest can be seen."""
    usual = min((each.end - each.start).total_seconds() for each in bins)
    places: list[tuple[float, float]] = []
    at, before = 0.0, bins[0].start
    for each in bins:
        gap = max(0.0, (each.start - before).total_seconds())
        at += min(gap, GAP * usual)
        places.append((at, at + (each.end - each.start).total_seconds()))
        at, before = places[-1][1], each.end
    return [(start / at, end / at) for start, end in places]


def _ticks(material: Material, bins: Sequence[Bin]) -> list[Tick]:
    if not material.policy.full:
        # A month may be told, and where in it something stands may not: only the ends are named.
        ends = [material.policy.when(each.start) for each in (bins[0], bins[-1])]
        texts = [end.text if end else "" for end in ends]
        return [Tick(0.0, texts[0])] + ([Tick(1.0, texts[1])] if texts[1] != texts[0] else [])
    first, last = (material.words.day(each.start) for each in (bins[0], bins[-1]))
    return [Tick(0.0, first)] + ([Tick(1.0, last)] if last != first else [])


def _rows(
    material: Material,
    bins: Sequence[Bin],
    levels: Mapping[str, str],
    counts: Mapping[tuple[str | None, str], Estimate],
    whole: Mapping[str, Estimate],
) -> tuple[TimeRow, ...]:
    words = material.words
    shares = {
        (row.group, row.level): row
        for row in material.estimates.parts("time", Measure.SHARE)
        if row.known and row.by_readers and row.level.startswith("frame:")
    }
    found: list[TimeRow] = []
    for place, each in enumerate(bins[:SPANS], start=1):
        cells: list[Figure | None] = []
        for level in levels:
            row = counts.get((each.group, level))
            shown = part_of(row, words) if row is not None else None
            share = shares.get((each.group, level))
            cells.append(short(share, words) if share is not None else shown)
        row = whole[each.group]
        exact = Precision.MINUTE if each.exact else Precision.DAY
        when = material.policy.when(each.start, exact.value) if material.policy.full else None
        total = Figure("", count(row.n, words), row.estimate_id)
        found.append(TimeRow(when, words.text("timeline.ordinal", number=words.number(place)), (total, *cells)))
    return tuple(found)


def _length(material: Material, bins: Sequence[Bin]) -> str:
    """Say how long the spans are, in words; nothing where no word is known."""
    return material.words.text(f"span.{bins[0].group.partition('/')[2]}", otherwise="")
