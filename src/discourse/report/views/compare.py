"""Several workspaces side by side: what each holds, their shares on one axis, and what differs between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from discourse.report import charts
from discourse.report.cards import NAME_LETTERS
from discourse.report.figures import total
from discourse.report.index import Estimate
from discourse.report.material import Material
from discourse.report.passages import Passage, passages
from discourse.report.phrases import Figure, Phrase
from discourse.report.policy import When
from discourse.report.said import Said, said
from discourse.report.sentences import SIDES
from discourse.report.views import comparisons
from discourse.report.views.frames import ShareRow, share_marks, share_row
from discourse.tables import CHANGES

ALL = "/all"
HELD = ("comments", "threads", "eligible")
KINDS = ("kept", "new", "disappeared", "edited")
COUNTED = "comments:"
SAME_THREAD = "same_thread"
# Of each kind so many comments are shown, in the order of their thread.
LISTED = 10
PLACE = ("thread_id", "earlier", "later", "change")


@dataclass(frozen=True, slots=True)
class Held:
    """One workspace and how much it holds."""

    name: str
    counts: tuple[Figure | None, ...]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """One kind of shares of all workspaces: its chart, which says of what the shares are, and the table behind it."""

    heading: str
    of: str
    chart: Markup
    rows: tuple[ShareRow, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One thread that stands in two workspaces: how many of its comments stayed, came, went and were edited."""

    thread: str
    earlier: str
    later: str
    counts: tuple[Figure | None, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """One comment that came or was edited; of one that went only its author and time are left."""

    author: str
    when: When | None
    passages: tuple[Passage, ...]
    address: str | None


@dataclass(frozen=True, slots=True)
class ChangedList:
    """Comments of one kind in one thread between two workspaces; `more` where there are more of them."""

    heading: str
    kind: str
    comments: tuple[Changed, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class CompareView:
    """Everything that the page of a comparison prints beside method and receipt."""

    title: str
    names: tuple[str, ...]
    held: tuple[Held, ...]
    claims: tuple[Phrase, ...]
    shares: tuple[SideBySide, ...]
    tables: tuple[comparisons.Table, ...]
    changes: tuple[Change, ...]
    changed: tuple[ChangedList, ...]
    notes: tuple[Said, ...]


def compare(material: Material) -> CompareView:
    """Turn the estimates of a comparison into what is printed.

    Args:
        material: of the comparison's own workspace; its estimates hold every unit, `<workspace>/all` among them.
    """
    names = workspaces(material)
    beside = tuple(row for row in material.estimates.compared if not row.level.startswith(COUNTED))
    tables = comparisons.comparisons(replace(material, estimates=replace(material.estimates, compared=beside)))
    main = [table for table in tables if table.heading == material.words.text("compared.workspaces")]
    return CompareView(
        title=material.words.text("compare.title", names=", ".join(names)),
        names=names,
        held=tuple(_held(material, name) for name in names),
        claims=tuple(said for table in main for said in table.claims),
        shares=_shares(material, names),
        tables=tables,
        changes=_changes(material),
        changed=_changed(material),
        notes=_notes(material),
    )


def workspaces(material: Material) -> tuple[str, ...]:
    """Return the names of the compared workspaces, in the order of the table."""
    units = dict.fromkeys(unit for unit, _, _ in material.estimates.rows if unit.endswith(ALL))
    return tuple(unit.removesuffix(ALL) for unit in units)


def _held(material: Material, name: str) -> Held:
    rows = (material.estimates.count(f"data:{what}", name + ALL) for what in HELD)
    return Held(name, tuple(total(row, material.words) if row is not None else None for row in rows))


def _shares(material: Material, names: Sequence[str]) -> tuple[SideBySide, ...]:
    words = material.words
    frames = {f"frame:{frame.name}": frame.title for frame in material.codebook.frames}
    found = [
        _side_by_side(material, names, frames, words.text("frames.heading"), "compare.of.eligible", "compare-frames")
    ]
    for place, target in enumerate(material.config.stance.targets, start=1):
        about = {f"stance:{target}:about": words.text("stance.about")}
        sides = {f"stance:{target}:{side}": words.text(f"stance.{side}") for side in SIDES}
        heading = words.text("compare.target", target=target)
        found += [
            _side_by_side(material, names, about, heading, "compare.of.eligible", f"compare-about-{place}"),
            _side_by_side(material, names, sides, heading, "compare.of.about", f"compare-sides-{place}"),
        ]
    return tuple(one for one in found if one is not None)


def _side_by_side(
    material: Material, names: Sequence[str], levels: Mapping[str, str], heading: str, of: str, chart: str
) -> SideBySide | None:
    words = material.words
    groups: list[charts.Group] = []
    rows: list[ShareRow] = []
    for level, title in levels.items():
        marks: list[charts.Mark] = []
        for name in names:
            drawn = share_marks(material, level, name + ALL)
            best = next((mark for mark in drawn if mark.value is not None), drawn[0] if drawn else None)
            if best is not None:
                marks.append(replace(best, label=name))
            rows += [
                share_row(row, words.text("compare.row", what=title, name=name), material)
                for row in material.estimates.shares(level, name + ALL)
            ]
        if marks:
            groups.append(charts.Group(title, tuple(marks)))
    if not groups:
        return None
    said = words.text(of)
    return SideBySide(
        heading,
        said,
        charts.intervals(chart, f"{heading}: {said}", words.text("chart.desc"), groups, words.point),
        tuple(rows),
    )


def _changes(material: Material) -> tuple[Change, ...]:
    pairs: dict[tuple[str, str], dict[str, Estimate]] = {}
    for row in _counts(material):
        pairs.setdefault((row.unit, row.contrast or ""), {})[row.level.removeprefix(COUNTED)] = row
    return tuple(
        Change(
            thread=_thread(material, later.partition("thread:")[2]),
            earlier=earlier.partition("/")[0],
            later=later.partition("/")[0],
            counts=tuple(total(rows[kind], material.words) if kind in rows else None for kind in KINDS),
        )
        for (later, earlier), rows in pairs.items()
    )


def _changed(material: Material) -> tuple[ChangedList, ...]:
    """List the comments that came, went and were edited, as far as comments may be quoted."""
    policy, words = material.policy, material.words
    if not policy.texts:
        return ()
    found: list[ChangedList] = []
    table = material.workspace.read(CHANGES)
    for (thread, earlier, later, kind), rows in table.group_by(*PLACE, maintain_order=True):
        comments = tuple(
            Changed(
                author=author[:NAME_LETTERS] if author else words.text("comment.no_author"),
                when=policy.when(created_at),
                passages=passages(text, (), policy) if text else (),
                address=policy.link(url) if text else None,
            )
            for author, created_at, url, text in rows.select("author", "created_at", "url", "text")
            .head(LISTED)
            .iter_rows()
        )
        heading = words.text(
            f"compare.list.{kind}", thread=_thread(material, str(thread)), earlier=str(earlier), later=str(later)
        )
        found.append(ChangedList(heading, str(kind), comments, rows.height > LISTED))
    return tuple(found)


def _notes(material: Material) -> tuple[Said, ...]:
    record = material.receipt.stages.get("compare")
    notes = record.notes if record is not None else []
    return tuple(said(material.policy.line(note), material.words) for note in notes)


def _counts(material: Material) -> list[Estimate]:
    return [row for row in material.estimates.compared if row.level.startswith(COUNTED) and row.known]


def _thread(material: Material, thread: str) -> str:
    """Return what a thread is called: its id, or its place among the threads where ids may not be shown."""
    if material.policy.full:
        return thread.partition(":")[2] or thread
    known = dict.fromkeys(row.unit.partition("thread:")[2] for row in _counts(material))
    return material.words.text("thread.ordinal", number=str([*known, thread].index(thread) + 1))
