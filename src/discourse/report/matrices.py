"""Small matrices of counts as SVG: one cell a pair of tags, its bar as long as the part it is of its row's comments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from discourse.report.charts import GAP, LINE, hatch, lines, svg, text
from discourse.report.phrases import Figure

BAR = 9
MARGIN = 4
# Letters of a column's heading, a line, where three columns share a screen of 320 pixels.
HEADING = 33


@dataclass(frozen=True, slots=True)
class Cell:
    """One pair: so many of the row's comments; `few` where too few stand behind it for the bar to say much.

    `kind` is the class of its colour: part, against, favor or neutral.
    """

    text: Figure
    part: float
    few: bool
    kind: str = "part"


@dataclass(frozen=True, slots=True)
class Row:
    """One group of comments, with a cell for each column; None where nothing was counted."""

    label: str
    cells: tuple[Cell | None, ...]


def matrix(name: str, title: str, description: str, columns: Sequence[str], rows: Sequence[Row]) -> Markup:
    """Draw rows of cells: a label, and below it the cells side by side.

    Args:
        name: unique in the page.
        title: what is shown, for those who do not see it.
        description: what it says, likewise.
        columns: their headings; up to three fit a telephone.
        rows: from top to bottom, as many cells each as there are columns.
    """
    width = 100 / max(1, len(columns))
    broken = [lines(column, HEADING // max(1, len(columns)), 5) for column in columns]
    drawn = [
        Markup('<text class="column" x="{}%" y="{}">{}</text>').format(f"{place * width:.2f}", 14 + LINE * line, words)
        for place, heading in enumerate(broken)
        for line, words in enumerate(heading)
    ]
    y = LINE * max((len(heading) for heading in broken), default=0) + MARGIN
    for row in rows:
        drawn.append(Markup('<line class="grid" x1="0" x2="100%" y1="{0}" y2="{0}"/>').format(y))
        for line in lines(row.label):
            drawn.append(Markup('<text class="name" x="0" y="{}">{}</text>').format(y + 16, line))
            y += LINE
        drawn += [
            _cell(cell, place * width, width, y, name) for place, cell in enumerate(row.cells) if cell is not None
        ]
        y += LINE + BAR + MARGIN + GAP
    return svg(name, title, description, y, Markup("").join(drawn), hatch(name))


def _cell(cell: Cell, x: float, width: float, y: int, name: str) -> Markup:
    inner = width * 0.92
    top = y + LINE + MARGIN - 1
    bar = Markup('<rect class="{}" x="{}%" y="{}" width="{}%" height="{}"{}/>')
    drawn = text(cell.text, f"{x:.2f}%", y + 15, "value") + bar.format(
        "track", f"{x:.2f}", top, f"{inner:.2f}", BAR, ""
    )
    part = f"{inner * min(1.0, max(0.0, cell.part)):.2f}"
    drawn += bar.format(f"{cell.kind} pale" if cell.few else cell.kind, f"{x:.2f}", top, part, BAR, "")
    if cell.few:
        fill = Markup(' fill="url(#{}-hatch)"').format(name)
        drawn += bar.format("few", f"{x:.2f}", top, f"{inner:.2f}", BAR, fill)
    return drawn
