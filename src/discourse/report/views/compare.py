"""Several workspaces side by side: what each holds, their shares on one axis, and what differs between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from discourse.report import charts
from discourse.report.figures import part_of, total
from discourse.report.index import Estimate
from discourse.report.material import Material
from discourse.report.phrases import Figure, Phrase
from discourse.report.sentences import SIDES
from discourse.report.views import comparisons
from discourse.report.views.frames import ShareRow, share_marks, share_row
from discourse.report.views.replies import titles
from discourse.tables import Measure

ALL = "/all"
HELD = ("comments", "threads", "eligible")
CHANGES = ("kept", "new", "disappeared", "edited")
TIMES = "times"


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
class Tagged:
    """How many of the comments that came, stayed or went are tagged in one way."""

    thread: str
    what: str
    counts: tuple[Figure | None, ...]


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
    tagged: tuple[Tagged, ...]


def compare(material: Material) -> CompareView:
    """Turn the estimates of a comparison into what is printed.

    Args:
        material: of the comparison's own workspace; its estimates hold every unit, `<workspace>/all` among them.
    """
    names = workspaces(material)
    beside = tuple(row for row in material.estimates.compared if row.family != TIMES)
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
        tagged=_tagged(material),
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
        heading, said, charts.intervals(chart, f"{heading}: {said}", words.text("chart.desc"), groups), tuple(rows)
    )


def _changes(material: Material) -> tuple[Change, ...]:
    pairs: dict[tuple[str, str], dict[str, Estimate]] = {}
    for row in _times(material):
        if row.group is None:
            pairs.setdefault((row.unit, row.contrast or ""), {})[row.level.removeprefix("data:")] = row
    return tuple(
        Change(
            thread=_thread(material, later),
            earlier=earlier.partition("/")[0],
            later=later.partition("/")[0],
            counts=tuple(total(rows[kind], material.words) if kind in rows else None for kind in CHANGES),
        )
        for (later, earlier), rows in pairs.items()
    )


def _tagged(material: Material) -> tuple[Tagged, ...]:
    names = titles(material)
    cells: dict[tuple[str, str], dict[str, Estimate]] = {}
    for row in _times(material):
        if row.group is not None and row.level in names:
            cells.setdefault((row.unit, row.level), {})[row.group] = row
    return tuple(
        Tagged(
            thread=_thread(material, unit),
            what=names[level],
            counts=tuple(part_of(rows[kind], material.words) if kind in rows else None for kind in CHANGES[:3]),
        )
        for (unit, level), rows in cells.items()
    )


def _times(material: Material) -> list[Estimate]:
    rows = [row for row in material.estimates.compared if row.family == TIMES]
    return [row for row in rows if row.measure == Measure.COUNT and row.known]


def _thread(material: Material, unit: str) -> str:
    """Return what a thread is called: its id, or its place among the threads where ids may not be shown."""
    native = unit.partition("thread:")[2]
    if material.policy.full:
        return native.partition(":")[2] or native
    known = dict.fromkeys(row.unit.partition("thread:")[2] for row in _times(material))
    return material.words.text("thread.ordinal", number=str(list(known).index(native) + 1))
