"""Small multiples of counts: how many of the comments in each part are tagged each way, drawn and in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from discourse.report.figures import count, part_of, percent
from discourse.report.index import FEW, Estimate
from discourse.report.material import Material
from discourse.report.matrices import Cell, Row, matrix
from discourse.report.phrases import Figure
from discourse.report.sentences import SIDES
from discourse.tables import Measure

# So many columns stand side by side on a telephone; fewer where the numbers are long.
COLUMNS = 3
LONG = 11
# More rows than these are in the table only.
ROWS = 12


@dataclass(frozen=True, slots=True)
class PanelRow:
    """One line of the table behind a panel."""

    label: str
    cells: tuple[Figure | None, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One matrix: its heading, what its percentages are of, its charts and its table."""

    heading: str
    charts: tuple[Markup, ...]
    columns: tuple[str, ...]
    rows: tuple[PanelRow, ...]
    hatched: bool
    shares: bool


def frame_columns(material: Material) -> dict[str, str]:
    """Return the frames' titles by level, in the codebook's order."""
    return {f"frame:{frame.name}": frame.title for frame in material.codebook.frames}


def side_columns(material: Material, target: str) -> dict[str, str]:
    """Return the words for the sides toward a target, by level."""
    return {f"stance:{target}:{side}": material.words.text(f"stance.{side}") for side in SIDES}


def panel(
    material: Material, group_by: str, groups: Mapping[str, str], columns: Mapping[str, str], heading: str, name: str
) -> Panel | None:
    """Draw how many comments of each group are tagged each way.

    Args:
        material: the tables.
        group_by: what splits the comments.
        groups: names for readers by group, in their order.
        columns: names for readers by level, in their order.
        heading: what the panel shows.
        name: unique in the page.

    Returns:
        None where no count is known, or all groups are empty.
    """
    best = _best(material, group_by)
    table = {
        group: [best.get((group, level)) for level in columns]
        for group in groups
        if any((row := best.get((group, level))) is not None and row.n for level in columns)
    }
    used = [place for place in range(len(columns)) if any(rows[place] is not None for rows in table.values())]
    if not used:
        return None
    titles = [list(columns.values())[place] for place in used]
    rows = {group: [cells[place] for place in used] for group, cells in table.items()}
    shown = {group: [_cell(row, material) for row in cells] for group, cells in rows.items()}
    longest = max(len(str(cell.text)) for cells in shown.values() for cell in cells if cell is not None)
    step = COLUMNS if longest <= LONG else COLUMNS - 1
    drawn = [Row(groups[group], tuple(cells)) for group, cells in list(shown.items())[:ROWS]]
    charts = tuple(
        matrix(
            f"{name}-{start}",
            heading,
            material.words.text("chart.desc"),
            titles[start : start + step],
            [Row(row.label, row.cells[start : start + step]) for row in drawn],
        )
        for start in range(0, len(titles), step)
    )
    return Panel(
        heading=heading,
        charts=charts,
        columns=tuple(titles),
        rows=tuple(
            PanelRow(groups[group], tuple(cell.text if cell else None for cell in cells))
            for group, cells in shown.items()
        ),
        shares=any(row is not None and row.measure == Measure.SHARE for cells in rows.values() for row in cells),
        hatched=any(cell.few for row in drawn for cell in row.cells if cell is not None),
    )


def _best(material: Material, group_by: str) -> dict[tuple[str, str], Estimate]:
    """Return one row for each group and level: a share from labels in the group, else the count of tags.

    A share of a side is among the comments about the target, whose number the row does not hold: the count is taken.
    """
    counts = [row for row in material.estimates.parts(group_by, Measure.COUNT) if row.known]
    shares = [
        row
        for row in material.estimates.parts(group_by, Measure.SHARE)
        if row.known and row.by_readers and row.level.startswith("frame:")
    ]
    return {(row.group or "", row.level): row for row in (*counts, *shares)}


def _cell(row: Estimate | None, material: Material) -> Cell | None:
    if row is None or not row.n:
        return None
    words = material.words
    if row.measure == Measure.COUNT:
        return Cell(part_of(row, words), row.value / row.n, row.n < FEW, kind_of(row.level))
    said = words.text("figure.part_of", count=percent(row.value, words), n=count(row.n, words))
    return Cell(Figure("", said, row.estimate_id), row.value, row.few, kind_of(row.level))


def kind_of(level: str) -> str:
    """Return the class of a level's colour: sides have their own."""
    side = level.rpartition(":")[2]
    return side if level.startswith("stance:") and side in SIDES else "part"


def given(*panels: Panel | None) -> tuple[Panel, ...]:
    """Keep the panels that there are."""
    return tuple(each for each in panels if each is not None)


def groups_of(material: Material, group_by: str) -> Sequence[str]:
    """Return the names of the groups that the estimates know, in the table's order."""
    rows = material.estimates.parts(group_by, Measure.COUNT)
    return tuple(dict.fromkeys(row.group for row in rows if row.group is not None))
