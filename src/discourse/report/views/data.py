"""Data quality: what came in, what was left out and why, and what is missing from each thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl
from markupsafe import Markup

from discourse.denominator import EXCLUSIONS
from discourse.report import charts
from discourse.report.cards import Cards, Sample
from discourse.report.figures import total
from discourse.report.index import ALL, Estimate
from discourse.report.material import Material
from discourse.report.phrases import Figure, Phrase
from discourse.report.selection import Example
from discourse.tables import Measure, Role, State

THREADS = 50
EXCERPTS = 5
SHOWN = 3
# Where the count of a whole thread may stand in the estimates, the first that does.
COMPLETENESS: Mapping[str, tuple[str, ...]] = {
    "declared": ("data:declared",),
    "collected": ("data:collected", "data:comments"),
    "deleted": ("data:deleted", "data:state:deleted"),
    "removed": ("data:removed", "data:state:removed"),
    "held": ("data:held", "data:state:held"),
    "unreachable": ("data:unreachable",),
    "capped": ("data:capped",),
    "quarantined": ("data:quarantined",),
    "eligible": ("data:eligible",),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the funnel: what is taken away, or what is left; the bars are shares of all records."""

    label: str
    count: Figure
    left: bool
    bar: Markup


@dataclass(frozen=True, slots=True)
class Line:
    """One count, what it is of, and its bar beside the largest of its table."""

    label: str
    count: Figure
    bar: Markup


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A record that could not become a comment: where it was read and how it starts."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason why records could not become comments."""

    label: str
    count: Figure
    excerpts: tuple[Excerpt, ...]


@dataclass(frozen=True, slots=True)
class Completeness:
    """One thread: its counts in the order of the table's columns, and why some are missing."""

    label: str
    counts: tuple[Figure | None, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why comments are left out or count double, and a few of them."""

    label: str
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class DataView:
    """Everything in the section on data quality."""

    funnel: tuple[Step, ...]
    balanced: bool
    states: tuple[Line, ...]
    languages: tuple[Line, ...]
    notes: tuple[Phrase, ...]
    refusals: tuple[Refusal, ...]
    columns: tuple[str, ...]
    threads: tuple[Completeness, ...]
    more_threads: bool
    left_out: tuple[LeftOut, ...]


def examples(material: Material) -> dict[str, list[Example]]:
    """Choose comments that show why others are left out, and texts that were posted again and again."""
    shown = material.outline.filter((pl.col("state") == State.VISIBLE.value) & pl.col("has_text"))
    unread = material.frames.filter(pl.col("reason") == "language")["comment_id"].unique()
    copied = (
        shown.filter(pl.col("duplicate_of").is_not_null())
        .group_by("duplicate_of")
        .len()
        .sort("len", "duplicate_of", descending=[True, False])["duplicate_of"]
    )
    staff = shown.filter(pl.col("role").is_in([Role.STAFF.value, Role.BOT.value]))["comment_id"]
    chosen = {
        "staff_or_bot": staff,
        "language": shown.filter(pl.col("comment_id").is_in(unread.implode()))["comment_id"],
        "duplicates": copied.filter(copied.is_in(shown["comment_id"].implode())),
    }
    return {reason: [Example(reason, name, None) for name in ids.head(SHOWN)] for reason, ids in chosen.items()}


def data(material: Material, cards: Cards, chosen: Mapping[str, list[Example]]) -> DataView:
    """Turn the counts of the data into what is printed."""
    words, found = material.words, material.estimates
    columns, threads = _completeness(material)
    return DataView(
        funnel=_funnel(material),
        balanced=_balanced(material),
        states=_lines(material, "data:state:", "state"),
        languages=_lines(material, "data:language:", "language"),
        notes=tuple(
            words.phrase(f"data.{name}", **{key: total(row, words) for key, row in rows.items() if row is not None})
            for name, needed in {
                "loud": ("loud_comments", "loud_authors", "authors", "eligible"),
                "duplicates": ("duplicates",),
                "orphans": ("orphans",),
            }.items()
            if all((rows := {key: found.count(f"data:{key}") for key in needed}).values())
        ),
        refusals=_refusals(material),
        columns=columns,
        threads=threads,
        more_threads=len(material.named) > THREADS,
        left_out=tuple(
            LeftOut(words.text(f"data.examples.{reason}"), samples)
            for reason, examples in chosen.items()
            if (samples := cards.samples(examples))
        ),
    )


def _funnel(material: Material) -> tuple[Step, ...]:
    words, found = material.words, material.estimates
    records, comments = found.count("data:records"), found.count("data:comments")
    eligible = found.count("data:eligible")
    whole = (
        (records or comments or eligible) and max(row.value for row in (records, comments, eligible) if row)
    ) or 1.0
    steps: list[Step] = []

    def step(key: str, row: Estimate | None, *, left: bool, label: str = "") -> None:
        if row is not None and (left or row.value):
            text = label or words.text(f"funnel.{key}")
            bar = charts.bar(row.value / whole, "left" if left else "lost")
            steps.append(Step(text, total(row, words), left, bar))

    step("records", records, left=True)
    step("quarantined", found.count("data:quarantined"), left=False)
    opening = found.count("data:excluded:opening")
    before = _openings_apart(material)
    if before:
        step("", opening, left=False, label=words.text("exclusion.opening"))
    step("comments", comments, left=True)
    for reason, said in EXCLUSIONS.items():
        if before and reason == "opening":
            continue
        label = words.text(f"exclusion.{reason}", otherwise=said)
        step("", found.count(f"data:excluded:{reason}"), left=False, label=label)
    step("eligible", eligible, left=True)
    return tuple(steps)


def _balanced(material: Material) -> bool:
    records, comments, eligible = (_value(material, name) for name in ("records", "comments", "eligible"))
    if records is None or comments is None or eligible is None:
        return True
    lost = sum(row.value for row in material.estimates.levels("data:excluded:", Measure.COUNT))
    openings = _value(material, "excluded:opening") or 0 if _openings_apart(material) else 0
    return (
        records == comments + openings + (_value(material, "quarantined") or 0)
        and comments == eligible + lost - openings
    )


def _openings_apart(material: Material) -> bool:
    """Whether the count of comments leaves the opening posts out already."""
    records, comments, lost, openings = (
        _value(material, name) or 0 for name in ("records", "comments", "quarantined", "excluded:opening")
    )
    return openings > 0 and records == comments + lost + openings


def _value(material: Material, name: str) -> float | None:
    row = material.estimates.count(f"data:{name}")
    return row.estimate if row is not None else None


def _lines(material: Material, prefix: str, kind: str) -> tuple[Line, ...]:
    rows = sorted(material.estimates.levels(prefix, Measure.COUNT), key=lambda row: (-row.value, row.level))
    largest = max((row.value for row in rows), default=0.0) or 1.0
    found: list[Line] = []
    for row in (row for row in rows if row.value):
        code = row.level.removeprefix(prefix)
        label = material.words.text(f"{kind}.{code}", otherwise=code)
        found.append(Line(label, total(row, material.words), charts.bar(row.value / largest, "left")))
    return tuple(found)


def _refusals(material: Material) -> tuple[Refusal, ...]:
    words = material.words
    prefix = "data:quarantined:"
    found: list[Refusal] = []
    for row in material.estimates.levels(prefix, Measure.COUNT):
        reason = row.level.removeprefix(prefix)
        if row.value:
            label = words.text(f"reason.{reason}", otherwise=reason)
            found.append(Refusal(label, total(row, words), _excerpts(material, reason)))
    return tuple(found)


def _excerpts(material: Material, reason: str) -> tuple[Excerpt, ...]:
    # A raw record holds ids, names and times: outside `full` none of it is shown.
    if not material.policy.full:
        return ()
    rows = material.quarantine.filter(pl.col("reason") == reason).head(EXCERPTS)
    return tuple(
        Excerpt(f"{source}, {location}", material.policy.record(excerpt or ""))
        for source, location, excerpt in rows.select("source", "location", "excerpt").iter_rows()
    )


def _completeness(material: Material) -> tuple[tuple[str, ...], tuple[Completeness, ...]]:
    found, words = material.estimates, material.words
    shown = material.named[:THREADS]
    table: list[dict[str, Estimate]] = []
    for thread in shown:
        # With one thread the whole workspace is that thread.
        units = (thread.unit,) if material.several else (thread.unit, ALL)
        cells: dict[str, Estimate] = {}
        for name, levels in COMPLETENESS.items():
            row = next((row for unit in units for level in levels if (row := found.count(level, unit))), None)
            if row is not None and row.known:
                cells[name] = row
        table.append(cells)
    columns = tuple(name for name in COMPLETENESS if any(name in cells for cells in table))
    reasons = material.threads["reason"].head(THREADS)
    threads = tuple(
        Completeness(
            label=thread.label,
            counts=tuple(total(cells[name], words) if name in cells else None for name in columns),
            reason=material.policy.line(reason or "") if material.policy.full else "",
        )
        for thread, cells, reason in zip(shown, table, reasons, strict=True)
    )
    return tuple(words.text(f"completeness.{name}") for name in columns), threads
