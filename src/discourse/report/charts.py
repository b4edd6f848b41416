"""Charts as SVG strings: one design, positions in per cent of the width, so that a narrow screen scales no letter.

Colours come from the style sheet by class, so that dark mode and print have their own. Shapes differ with colours:
a filled dot rests on readers' labels, a hollow one on error rates measured elsewhere, hatching means no share.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from discourse.report.phrases import Figure

LINE = 19
STRIP = 20
GAP = 12
AXIS = 26
# Charts above these heights are printed at 40 to 80 % of their size: a page of Letter paper has room for 918 pixels.
PRINTED = {"p40": 1560, "p50": 1300, "p60": 1040, "p80": 780}
# What fits into a line of bold letters on a screen of 320 pixels.
LETTERS = 32
# Letters by which one word may run over its line: lines are reckoned with wide letters.
SPARE = 2
# Ends that an axis may have, each with the number of steps that gives round ticks.
AXES = {0.01: 5, 0.02: 4, 0.05: 5, 0.1: 5, 0.2: 4, 0.25: 5, 0.3: 3, 0.4: 4, 0.5: 5, 0.6: 6, 0.8: 4, 1.0: 4}


@dataclass(frozen=True, slots=True)
class Mark:
    """One dot with its whisker, or a hatched row of words where there is no share."""

    label: str
    text: Figure
    value: float | None
    interval: tuple[float, float] | None
    readers: bool


@dataclass(frozen=True, slots=True)
class Group:
    """What is measured, and its marks, one for each method."""

    label: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a diverging bar: a share, or a part of a count; `hatched` where it is no side but a doubt."""

    label: str
    text: Figure
    value: float
    interval: tuple[float, float] | None
    hatched: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of two shares: between whom, of what, and whether it may be called one."""

    label: str
    against: str
    what: str
    text: Figure
    value: float
    interval: tuple[float, float] | None
    claimed: bool


def intervals(name: str, title: str, description: str, groups: Sequence[Group], point: str = ".") -> Markup:
    """Draw dots with whiskers on a common axis from 0.

    Args:
        name: unique in the page, for the ids of title and description.
        title: what is shown, for those who do not see it.
        description: what it says, likewise.
        groups: from top to bottom.
        point: what parts decimals on the axis.
    """
    ends = [end for group in groups for mark in group.marks if mark.value is not None for end in _ends(mark)]
    top = next((end for end in AXES if end >= max(ends, default=0) - 1e-9), 1.0)
    drawn: list[Markup] = []
    y = 0
    for group in groups:
        if group.label:
            for line in lines(group.label):
                drawn.append(Markup('<text class="name" x="0" y="{}">{}</text>').format(y + 14, line))
                y += LINE
        for mark in group.marks:
            drawn.append(_mark(mark, y, top, name))
            y += (LINE if mark.label else 0) + STRIP
        y += GAP
    grid = _axis(top, y, point) if ends else Markup("")
    return svg(name, title, description, y + (AXIS if ends else 0), grid + Markup("").join(drawn), hatch(name))


def diverging(name: str, title: str, description: str, left: Side, right: Side, apart: Sequence[Side]) -> Markup:
    """Draw one bar to the left and one to the right of a common line, and others apart from both underneath.

    Args:
        name: unique in the page.
        title: what is shown, for those who do not see it.
        description: what it says, likewise.
        left: against.
        right: in favor.
        apart: those who take no side, and where the model is unsure.
    """
    known = (left, right, *apart)
    top = max([end for side in known for end in (side.value, *(side.interval or ()))], default=0) or 1.0
    drawn = [
        Markup('<text class="name" x="0" y="14">{}</text>').format(left.label),
        Markup('<text class="name end" x="100%" y="14">{}</text>').format(right.label),
        text(left.text, "0", 32, "value"),
        text(right.text, "100%", 32, "value end"),
        _bar(50 - left.value / top * 50, left.value / top * 50, 42, "against"),
        _bar(50, right.value / top * 50, 42, "favor"),
        _side_whisker(left, top, 70, -1),
        _side_whisker(right, top, 70, 1),
        Markup('<line class="zero" x1="50%" x2="50%" y1="38" y2="76"/>'),
    ]
    y = 84
    for side in apart:
        for line in lines(side.label):
            drawn.append(Markup('<text class="name" x="0" y="{}">{}</text>').format(y + 16, line))
            y += LINE
        y -= LINE
        drawn += [
            text(side.text, "100%", y + 34, "value end"),
            _apart(side, side.value / top * 50, y + 24, name),
            _side_whisker(side, top, y + 44, 0),
        ]
        y += 54
    return svg(name, title, description, y, Markup("").join(drawn), hatch(name))


def _apart(side: Side, width: float, y: int, name: str) -> Markup:
    if not side.hatched:
        return _bar(0, width, y, "neutral", 14)
    return Markup('<rect class="few" x="0" y="{}" width="{}%" height="14" fill="url(#{}-hatch)"/>').format(
        y, f"{width:.2f}", name
    )


def differences(name: str, title: str, description: str, rows: Sequence[Difference]) -> Markup:
    """Draw differences with whiskers to both sides of a line of no difference; hollow where none may be claimed.

    Args:
        name: unique in the page.
        title: what is shown, for those who do not see it.
        description: what it says, likewise.
        rows: from top to bottom.
    """
    reach = max((abs(end) for row in rows for end in (row.value, *(row.interval or ()))), default=0.0)
    top = next((end for end in AXES if end >= reach - 1e-9), 1.0)
    drawn: list[Markup] = []
    y = 0
    for row in rows:
        for line in (*lines(row.label, most=1), *lines(row.against, most=1)):
            drawn.append(Markup('<text class="name" x="0" y="{}">{}</text>').format(y + 14, line))
            y += LINE
        for line in lines(row.what, LETTERS + 6):
            drawn.append(Markup('<text class="method" x="0" y="{}">{}</text>').format(y + 13, line))
            y += LINE
        drawn.append(text(row.text, "100%", y + 13, "value end"))
        drawn.append(_across(row, top, y + LINE + STRIP // 2 - 1))
        y += LINE + STRIP + GAP
    middle = Markup('<line class="zero" x1="50%" x2="50%" y1="0" y2="{}"/>').format(y)
    ticks = [
        Markup('<text class="tick {}" x="{}%" y="{}">{}{}</text>').format(side, x, y + 16, sign, tick)
        for side, x, sign in (("start", 0, "−"), ("middle", 50, ""), ("end", 100, "+"))
        for tick in ["0" if x == 50 else f"{top * 100:g}"]
    ]
    return svg(name, title, description, y + AXIS, Markup("").join((*drawn, *ticks)), middle)


def _across(row: Difference, top: float, y: int) -> Markup:
    def place(value: float) -> str:
        return f"{50 + value / top * 50:.2f}%"

    kind = "readers" if row.claimed else "model"
    parts: list[Markup] = []
    if row.interval:
        low, high = (place(end) for end in row.interval)
        whisker = Markup('<line class="whisker {}" x1="{}" x2="{}" y1="{}" y2="{}"/>')
        parts.append(whisker.format(kind, low, high, y, y))
        parts += [whisker.format(kind, end, end, y - 5, y + 5) for end in (low, high)]
    parts.append(Markup('<circle class="dot {}" cx="{}" cy="{}" r="5.5"/>').format(kind, place(row.value), y))
    return Markup("").join(parts)


def bar(share: float, kind: str) -> Markup:
    """Draw one bar without words, for a row that says the number beside it; it is hidden from screen readers."""
    return Markup('<svg class="bar" width="100%" height="10" aria-hidden="true" focusable="false">{}</svg>').format(
        _bar(0, share * 100, 0, kind, 10)
    )


def _mark(mark: Mark, y: int, top: float, name: str) -> Markup:
    if mark.value is None:
        words = text(mark.text, "0.6em", y + LINE + 13, "refused")
        box = Markup('<rect class="none" x="0" y="{}" width="100%" height="{}" fill="url(#{}-hatch)"/>').format(
            y + LINE - 1, STRIP, name
        )
        return Markup('<text class="method" x="0" y="{}">{}</text>').format(y + 13, mark.label) + box + words
    middle = y + LINE + STRIP // 2 - 1
    kind = "readers" if mark.readers else "model"
    parts = [
        Markup('<text class="method" x="0" y="{}">{}</text>').format(y + 13, mark.label),
        text(mark.text, "100%", y + 13, "value end"),
    ]
    if mark.interval:
        low, high = (f"{end / top * 100:.2f}%" for end in mark.interval)
        whisker = Markup('<line class="whisker {}" x1="{}" x2="{}" y1="{}" y2="{}"/>')
        parts.append(whisker.format(kind, low, high, middle, middle))
        parts += [whisker.format(kind, end, end, middle - 5, middle + 5) for end in (low, high)]
    dot = Markup('<circle class="dot {}" cx="{}%" cy="{}" r="5.5"/>')
    parts.append(dot.format(kind, f"{mark.value / top * 100:.2f}", middle))
    return Markup("").join(parts)


def _axis(top: float, height: int, point: str) -> Markup:
    parts: list[Markup] = []
    steps = AXES[top]
    for place in range(steps + 1):
        x = place / steps * 100
        side = "start" if place == 0 else "end" if place == steps else "middle"
        label = f"{top * place / steps * 100:.1f}".removesuffix(".0").replace(".", point) + " %"
        parts.append(
            Markup('<line class="grid" x1="{0}%" x2="{0}%" y1="0" y2="{1}"/>').format(f"{x:g}", height)
            + Markup('<text class="tick {}" x="{}%" y="{}">{}</text>').format(side, f"{x:g}", height + 16, label)
        )
    return Markup("").join(parts)


def _side_whisker(side: Side, top: float, y: int, direction: int) -> Markup:
    if side.interval is None:
        return Markup("")
    low, high = (50 * abs(direction) + (direction or 1) * end / top * 50 for end in side.interval)
    line = Markup('<line class="whisker over" x1="{}%" x2="{}%" y1="{}" y2="{}"/>')
    ends = [line.format(f"{end:.2f}", f"{end:.2f}", y - 4, y + 4) for end in (low, high)]
    return line.format(f"{low:.2f}", f"{high:.2f}", y, y) + Markup("").join(ends)


def _bar(x: float, width: float, y: int, kind: str, height: int = 22) -> Markup:
    return Markup('<rect class="{}" x="{}%" y="{}" width="{}%" height="{}"/>').format(
        kind, f"{x:.2f}", y, f"{width:.2f}", height
    )


def text(figure: Figure, x: str, y: int, kind: str) -> Markup:
    """Draw a number that names its estimate."""
    return Markup('<text class="{}" x="{}" y="{}" data-estimate="{}"><tspan class="lead">{}</tspan>{}</text>').format(
        kind, x, y, figure.estimate_id, figure.lead, figure.rest
    )


def hatch(name: str) -> Markup:
    """Define the hatching of one chart, `url(#NAME-hatch)`."""
    return Markup(
        '<defs><pattern id="{}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect class="hatch" width="1.5" height="6"/></pattern></defs>'
    ).format(name)


def svg(name: str, title: str, description: str, height: int, drawn: Markup, before: Markup) -> Markup:
    """Wrap what is drawn as a named image: `before` is defined or drawn first."""
    # On paper a chart that is taller than a page is drawn smaller (`report.css`), for it must not be cut.
    printed = next((f" {name}" for name, tallest in PRINTED.items() if height > tallest), "")
    return Markup(
        '<svg class="chart{6}" role="img" aria-labelledby="{0}-title {0}-desc" width="100%" height="{1}">'
        '<title id="{0}-title">{2}</title><desc id="{0}-desc">{3}</desc>{4}{5}</svg>'
    ).format(name, height, title, description, before, drawn, printed)


def _ends(mark: Mark) -> tuple[float, ...]:
    return (mark.value or 0.0, *(mark.interval or ()))


def lines(label: str, letters: int = LETTERS, most: int = 2) -> list[str]:
    """Break a label into lines that fit a narrow screen."""
    # A word that is a little too long is better than one that is broken without a hyphen.
    whole = all(len(word) <= letters + SPARE for word in label.split())
    return textwrap.wrap(label, letters, max_lines=most, placeholder="…", break_long_words=not whole)
