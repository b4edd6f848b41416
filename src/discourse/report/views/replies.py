"""Who answers whom with what: tags of replies beside the tags of what they answer, by depth, and where tags entered."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from discourse.report.cards import Cards
from discourse.report.figures import part_of, probability, times, total
from discourse.report.index import ALL, Estimate
from discourse.report.material import Material
from discourse.report.phrases import Figure, Phrase
from discourse.report.policy import When
from discourse.report.sentences import SIDES, listed
from discourse.report.views.panels import Panel, frame_columns, given, panel, side_columns
from discourse.tables import Measure

WITHIN = "odds_ratio_within_branch"
OVERALL = "odds_ratio_of_replies"
EXPECTED = "observed_over_expected"
LEFT_OUT = "replies:left_out:"
FIRST_ROWS = 60


@dataclass(frozen=True, slots=True)
class Test:
    """One pair of tags, put to the test: how much oftener the reply carries its tag, and what may be said of it."""

    answered: str
    reply: str
    overall: Figure | None
    within: Figure | None
    p: Figure | None
    verdict: str


@dataclass(frozen=True, slots=True)
class FirstUse:
    """Where a tag entered a thread: after how many comments, how deep, when, and a link if it is in the list."""

    thread: str
    tag: str
    before: Figure
    depth: Figure | None
    when: When | None
    anchor: str | None


@dataclass(frozen=True, slots=True)
class RepliesView:
    """Everything in the section on replies."""

    compared: Phrase
    left_out: tuple[Phrase, ...]
    claims: tuple[Phrase, ...]
    panels: tuple[Panel, ...]
    tests: tuple[Test, ...]
    depth: tuple[Panel, ...]
    spread: tuple[Phrase, ...]
    first: tuple[FirstUse, ...]

    @property
    def any(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.compared or self.panels or self.depth or self.first)

    @property
    def hatched(self) -> bool:
        """Whether any cell is hatched."""
        return any(each.hatched for each in (*self.panels, *self.depth))


def replies(material: Material, cards: Cards) -> RepliesView:
    """Gather what the estimates hold on replies."""
    words, found = material.words, material.estimates
    compared = found.count("replies:compared")
    lost = [row for row in found.levels(LEFT_OUT, Measure.COUNT) if row.value]
    tests = _tests(material)
    return RepliesView(
        compared=words.phrase("replies.compared", n=total(compared, words)) if compared else (),
        left_out=tuple(
            words.phrase(f"replies.left_out.{row.level.removeprefix(LEFT_OUT)}", n=total(row, words))
            for row in lost
            if f"replies.left_out.{row.level.removeprefix(LEFT_OUT)}" in words.table
        ),
        claims=_claims(material),
        panels=given(*_panels(material)),
        tests=tests,
        depth=given(*_depth(material)),
        spread=_spread(material),
        first=_first(material, cards),
    )


def titles(material: Material) -> dict[str, str]:
    """Return the names of frames and sides for readers, by level."""
    found = frame_columns(material)
    for target in material.config.stance.targets:
        for level, side in side_columns(material, target).items():
            found[level] = material.words.text("timeline.side", side=side, target=target)
    return found


def _panels(material: Material) -> list[Panel | None]:
    words = material.words
    groups: dict[str, str] = {}
    for level, title in frame_columns(material).items():
        groups[level] = words.text("replies.to", title=title)
        groups[f"not {level}"] = words.text("replies.to_others", title=title)
    columns = frame_columns(material)
    found = [panel(material, "parent", groups, columns, words.text("replies.frames"), "replies-frames")]
    for place, target in enumerate(material.config.stance.targets, start=1):
        sides = {
            f"stance:{target}:{side}": words.text("replies.to_side", side=words.text(f"stance.{side}"))
            for side in SIDES
        }
        heading = words.text("replies.stance", target=target)
        columns = side_columns(material, target)
        found.append(panel(material, "parent", sides, columns, heading, f"replies-sides-{place}"))
    return found


def _depth(material: Material) -> list[Panel | None]:
    words = material.words
    depths = {name: words.text(f"depth.{name}") for name in ("0", "1", "2-3", "4+")}
    found = [panel(material, "depth", depths, frame_columns(material), words.text("replies.depth"), "depth-frames")]
    for place, target in enumerate(material.config.stance.targets, start=1):
        heading = words.text("replies.depth.stance", target=target)
        found.append(panel(material, "depth", depths, side_columns(material, target), heading, f"depth-sides-{place}"))
    return found


def _answered(material: Material) -> list[Estimate]:
    rows = [row for row in material.estimates.compared if row.group_by == "parent" and row.unit == ALL]
    return [*rows, *(row for row in material.estimates.parts("parent", Measure.RATIO))]


def _tests(material: Material) -> tuple[Test, ...]:
    words, names = material.words, titles(material)
    pairs: dict[tuple[str, str], dict[str, Estimate]] = {}
    for row in _answered(material):
        if row.group in names and row.level in names and row.method in {WITHIN, OVERALL, EXPECTED}:
            pairs.setdefault((row.group or "", row.level), {})[row.method] = row
    found: list[Test] = []
    for (group, level), rows in pairs.items():
        overall = rows.get(OVERALL)
        within = rows.get(WITHIN) or rows.get(EXPECTED)
        if not any(row is not None and row.known for row in (overall, within)):
            continue
        tested = within is not None and within.known and within.p_holm is not None
        found.append(
            Test(
                answered=names[group],
                reply=names[level],
                overall=times(overall, words) if overall is not None and overall.known else None,
                within=times(within, words) if within is not None and within.known else None,
                p=probability(within, words) if within is not None and tested else None,
                verdict=words.text(_verdict(within) if within is not None and tested else "replies.untested"),
            )
        )
    return tuple(found)


def _verdict(row: Estimate) -> str:
    if not row.differs:
        return "replies.nothing"
    return "replies.oftener" if row.value > 1 else "replies.rarer"


def _claims(material: Material) -> tuple[Phrase, ...]:
    """Say what appears together, only where Holm's p allows it."""
    words, names = material.words, titles(material)
    said: list[Phrase] = []
    tested = False
    for row in _answered(material):
        if row.method not in {WITHIN, EXPECTED} or row.p_holm is None or not row.known:
            continue
        tested = True
        if row.differs and row.group in names and row.level in names:
            key = "replies.claim.oftener" if row.value > 1 else "replies.claim.rarer"
            said.append(
                words.phrase(
                    key,
                    answered=names[row.group],
                    reply=names[row.level],
                    ratio=(times(row, words),),
                    p=(probability(row, words),),
                )
            )
    return tuple(said) if said or not tested else (words.phrase("replies.claim.none"),)


def _spread(material: Material) -> tuple[Phrase, ...]:
    """Say in how many threads each tag occurs and in how many of these it entered with a top comment."""
    words, names = material.words, titles(material)
    rows = {(row.group, row.level): row for row in material.estimates.parts("first_use", Measure.COUNT) if row.known}
    said: list[Phrase] = []
    for level, title in names.items():
        used, top = rows.get(("threads", level)), rows.get(("top_level", level))
        if used is None or not used.value:
            continue
        parts = [words.phrase("first.threads", title=title, count=part_of(used, words))]
        if top is not None and top.n:
            parts.append(words.phrase("first.top", count=part_of(top, words)))
        said.append((*listed(parts, words), "."))
    return tuple(said)


def _first(material: Material, cards: Cards) -> tuple[FirstUse, ...]:
    names = titles(material)
    labels = {thread.unit: thread for thread in material.named}
    rows = [row for row in material.estimates.within.get(("first_use",), ()) if row.known]
    if not material.several and material.named:
        labels[ALL] = material.named[0]
        rows += [row for row in material.estimates.parts("first_use", Measure.COUNT) if row.known]
    table: dict[tuple[str, str], dict[str, Estimate]] = {}
    for row in rows:
        if row.unit in labels and row.level in names:
            table.setdefault((row.unit, row.level), {})[row.group or ""] = row
    places = {
        (thread, position): (name, at, precision)
        for thread, position, name, at, precision in material.outline.select(
            "thread_id", "position", "comment_id", "created_at", "created_precision"
        )
        .filter(
            pl.col("position").is_in([int(cells["position"].value) for cells in table.values() if "position" in cells])
        )
        .iter_rows()
    }
    found: list[FirstUse] = []
    for (unit, level), cells in table.items():
        if "before" not in cells or len(found) >= FIRST_ROWS:
            continue
        position = cells.get("position")
        thread = labels[unit]
        place = places.get((thread.thread_id, int(position.value))) if position else None
        found.append(
            FirstUse(
                thread=thread.label,
                tag=names[level],
                before=part_of(cells["before"], material.words),
                depth=total(cells["depth"], material.words) if "depth" in cells else None,
                when=material.policy.when(place[1], place[2]) if place else None,
                anchor=cards.anchor(place[0]) if place and place[0] in cards.listed else None,
            )
        )
    return tuple(found)
