"""Comments over time as SVG: a column for each span, as wide as it is long, and gaps where nobody wrote."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from discourse.report.charts import hatch, svg

HEIGHT = 76
TOP = 18
AXIS = 22
# A column is never thinner than this share of the width, or it could not be seen.
THINNEST = 0.4


@dataclass(frozen=True, slots=True)
class Span:
    """One span of time: from `start` to `end` of the whole width (0–1), all comments, and those that are shown.

    `kind` is the class of their colour: part, against, favor, neutral or topic.
    """

    start: float
    end: float
    whole: float
    part: float | None
    kind: str = "part"


@dataclass(frozen=True, slots=True)
class Tick:
    """A date below the axis, at a place of the width (0–1)."""

    place: float
    text: str


def timeline(
    name: str, title: str, description: str, spans: Sequence[Span], ticks: Sequence[Tick], top: float, most: str
) -> Markup:
    """Draw columns over time: pale ones for all comments, full ones inside for those that are shown.

    Args:
        name: unique in the page.
        title: what is shown, for those who do not see it.
        description: what it says, likewise.
        spans: in the order of time, without overlap; where none is, a gap is drawn.
        ticks: dates, in the order of time, at most one at each end and one between.
        top: where the axis of counts ends.
        most: `top` in letters.
    """
    base = TOP + HEIGHT
    drawn = [Markup('<text class="tick" x="0" y="11">{}</text>').format(most)]
    drawn += [_gap(start, end, base, name) for start, end in gaps(spans)]
    for span in spans:
        drawn.append(_column("whole", span, span.whole, top, base))
        if span.part:
            drawn.append(_column(span.kind, span, span.part, top, base))
    drawn.append(Markup('<line class="zero" x1="0" x2="100%" y1="{0}" y2="{0}"/>').format(base))
    for tick in ticks:
        side = "start" if tick.place < 0.2 else "end" if tick.place > 0.8 else "middle"  # of the width
        text = Markup('<text class="tick {}" x="{}%" y="{}">{}</text>')
        drawn.append(text.format(side, f"{tick.place * 100:.2f}", base + 16, tick.text))
    grid = Markup('<line class="grid" x1="0" x2="100%" y1="{0}" y2="{0}"/>').format(TOP)
    return svg(name, title, description, base + AXIS, grid + Markup("").join(drawn), hatch(name))


def gaps(spans: Sequence[Span]) -> list[tuple[float, float]]:
    """Return the stretches between spans in which there is none."""
    found: list[tuple[float, float]] = []
    for before, after in itertools.pairwise(spans):
        if after.start - before.end > 1e-6:  # more than rounding
            found.append((before.end, after.start))
    return found


def _gap(start: float, end: float, base: int, name: str) -> Markup:
    return Markup('<rect class="gap" x="{}%" y="{}" width="{}%" height="8" fill="url(#{}-hatch)"/>').format(
        f"{start * 100:.2f}", base - 8, f"{(end - start) * 100:.2f}", name
    )


def _column(kind: str, span: Span, value: float, top: float, base: int) -> Markup:
    height = HEIGHT * min(1.0, value / top) if top else 0.0
    # Anything at all is seen.
    height = max(height, 1.5) if value else 0.0
    width = max((span.end - span.start) * 100 - 0.3, THINNEST)
    return Markup('<rect class="{}" x="{}%" y="{}" width="{}%" height="{}"/>').format(
        kind, f"{span.start * 100:.2f}", f"{base - height:.1f}", f"{width:.2f}", f"{height:.1f}"
    )
