"""The frames: shares with their intervals, thread by thread, and the comments that show what was tagged."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from markupsafe import Markup

from discourse.report import charts
from discourse.report.cards import Cards, Sample
from discourse.report.figures import count, part_of, short
from discourse.report.index import ALL, Estimate
from discourse.report.material import THREADS_SHOWN, Material
from discourse.report.phrases import Figure, Phrase
from discourse.report.said import Said, said
from discourse.report.selection import Example, frame_examples, quotable
from discourse.report.sentences import basis
from discourse.report.views.quality import Fit, QualityTable, fit, quality_table
from discourse.report.views.survival import Survival, survival
from discourse.tables import Decision

CHARTED = 12


@dataclass(frozen=True, slots=True)
class ShareRow:
    """One line of a table of shares: one estimate by one method."""

    estimate_id: str
    label: str
    method: str
    share: str
    interval: str
    of: Said
    labelled: str
    unsure: str
    mark: str


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """One line of a table of threads: what was tagged, and the share if there is one."""

    label: str
    tagged: Figure | None
    share: Figure | None
    note: str


@dataclass(frozen=True, slots=True)
class FrameView:
    """One frame: what it means, what was found, where, and examples."""

    name: str
    title: str
    definition: str
    yes: tuple[str, ...]
    no: tuple[str, ...]
    tagged: Phrase
    basis: Phrase
    command: str
    survival: Survival | None
    by_thread: Markup | None
    threads: tuple[ThreadRow, ...]
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class FramesView:
    """All frames, in the codebook's order."""

    chart: Markup | None
    of: Phrase
    rows: tuple[ShareRow, ...]
    quality: QualityTable | None
    fit: Fit
    frames: tuple[FrameView, ...]
    more_threads: bool


def examples(material: Material) -> dict[str, list[Example]]:
    """Choose the comments to quote for each frame; what readers say is no example of it is none."""
    outline = quotable(material.outline)
    refuted = (
        material.labels.filter((pl.col("kind") == "frame") & pl.col("value").is_not_null())
        .group_by("comment_id", frame="level")
        .agg((pl.col("value") == Decision.NO.value).all().alias("refuted"))
        .filter("refuted")
    )
    tags = material.frames.filter(pl.col("comment_id").is_in(outline["comment_id"].implode()))
    tags = tags.join(refuted, on=["comment_id", "frame"], how="anti")
    return {name: frame_examples(tags, name, outline) for name in material.codebook.names}


def frames(material: Material, cards: Cards, chosen: dict[str, list[Example]]) -> FramesView:
    """Turn estimates and tags of frames into what is printed."""
    found = material.estimates
    groups = [
        charts.Group(frame.title, marks)
        for frame in material.codebook.frames
        if (marks := share_marks(material, f"frame:{frame.name}"))
    ]
    rows = [
        share_row(row, frame.title, material)
        for frame in material.codebook.frames
        for row in found.shares(f"frame:{frame.name}")
    ]
    words = material.words
    chart = None
    if groups:
        chart = charts.intervals(
            "frames-chart", words.text("frames.chart"), words.text("chart.desc"), groups, words.point
        )
    eligible = found.count("data:eligible")
    of = words.phrase("frames.of", n=Figure("", count(eligible.value, words), eligible.estimate_id)) if eligible else ()
    return FramesView(
        chart=chart,
        of=of,
        rows=tuple(rows),
        quality=quality_table(material, {f"frame:{frame.name}": frame.title for frame in material.codebook.frames}),
        fit=fit(material, material.frames["bundle"]),
        frames=tuple(_frame(material, frame.name, cards, chosen[frame.name]) for frame in material.codebook.frames),
        more_threads=len(material.named) > THREADS_SHOWN,
    )


def share_row(row: Estimate, label: str, material: Material) -> ShareRow:
    """Return one line of a table of shares."""
    words = material.words
    shown = short(row, words)
    return ShareRow(
        estimate_id=row.estimate_id,
        label=label,
        method=words.text(f"method.short.{row.method}", otherwise=row.method),
        share=shown.lead if row.known else words.text("table.none"),
        interval=shown.rest if row.known else "",
        of=said(row.denominator, words),
        labelled=count(row.n_labelled, words),
        unsure=count(row.n_unsure, words),
        mark=words.text(f"mark.{row.mark}") if row.mark else "",
    )


def share_marks(material: Material, level: str, unit: str = ALL) -> tuple[charts.Mark, ...]:
    """Return a chart's marks of one share: one for each method that gives one, else the count of tags.

    Where readers labelled every comment, nothing of the model's is set beside their count.
    """
    words = material.words
    marks: list[charts.Mark] = []
    rows = material.estimates.shares(level, unit)
    known = [row for row in rows if row.known]
    whole = [row for row in known if row.method == "census"]
    for row in whole or known or rows:
        label = words.text(f"method.short.{row.method}", otherwise=row.method)
        if row.known and row.few:
            label = words.text("chart.few")
        if row.known:
            marks.append(charts.Mark(label, short(row, words), row.value, row.interval, row.by_readers))
            continue
        tagged = material.estimates.count(level, unit)
        if tagged is not None:
            text = words.text("chart.not_estimable", count=count(tagged.value, words), n=count(tagged.n, words))
            marks.append(charts.Mark(label, Figure("", text, tagged.estimate_id), None, None, row.by_readers))
    return tuple(marks)


def _frame(material: Material, name: str, cards: Cards, chosen: list[Example]) -> FrameView:
    frame = material.codebook.frame(name)
    level = f"frame:{name}"
    words = material.words
    tagged = material.estimates.count(level)
    share = material.estimates.share(level)
    rows = _thread_rows(material, level) if material.several else ()
    return FrameView(
        name=name,
        title=frame.title,
        definition=frame.definition,
        yes=frame.yes,
        no=frame.no,
        tagged=words.phrase("frame.tagged", count=part_of(tagged, words)) if tagged else words.phrase("frame.untagged"),
        basis=_basis(material, share),
        command=f"discourse annotate sample WS --frame {name} --n 100" if share is not None and not share.known else "",
        survival=survival(material, {level: words.text("table.share_interval")}, level),
        by_thread=_thread_chart(material, level, name, frame.title) if material.several else None,
        threads=rows,
        samples=cards.samples(chosen),
    )


def _basis(material: Material, share: Estimate | None) -> Phrase:
    words = material.words
    if share is None or not share.known:
        return ()
    key = "frame.basis.census" if share.method == "census" else "frame.basis"
    return words.phrase(key, basis=basis(share, words))


def _thread_rows(material: Material, level: str) -> tuple[ThreadRow, ...]:
    words = material.words
    rows: list[ThreadRow] = []
    for thread in material.named[:THREADS_SHOWN]:
        tagged = material.estimates.count(level, thread.unit)
        share = material.estimates.share(level, thread.unit)
        if tagged is None and share is None:
            continue
        notes = [words.text(f"mark.{share.mark}")] if share is not None and share.mark else []
        if share is not None and share.few and words.text("mark.low_sample") not in notes:
            notes.append(words.text("mark.low_sample"))
        rows.append(
            ThreadRow(
                label=thread.label,
                tagged=part_of(tagged, words) if tagged else None,
                share=short(share, words) if share is not None and share.known else None,
                note="; ".join(notes),
            )
        )
    return tuple(rows)


def _thread_chart(material: Material, level: str, name: str, title: str) -> Markup | None:
    groups: list[charts.Group] = []
    for thread in material.named[:CHARTED]:
        marks = share_marks(material, level, thread.unit)
        best = next((mark for mark in marks if mark.value is not None), marks[0] if marks else None)
        if best is not None:
            groups.append(charts.Group(thread.label, (best,)))
    if all(mark.value is None for group in groups for mark in group.marks):
        return None
    words = material.words
    heading = words.text("frame.by_thread.chart", title=title)
    return charts.intervals(f"threads-{name}", heading, words.text("chart.desc"), groups, words.point)
