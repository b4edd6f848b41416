"""What is set side by side in this workspace: differences with their intervals, and what may be said of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from discourse.report.charts import Difference, differences
from discourse.report.figures import part_of, points, probability, short, times
from discourse.report.index import Estimate
from discourse.report.material import Material
from discourse.report.phrases import Figure, Phrase
from discourse.report.views.replies import titles
from discourse.tables import Measure

MAIN, SIDE, OTHER, SMALLEST = "main", "side", "other_side", "smallest_detectable"
CHARTED = 14
ROWS = 200
WORDS = 10


@dataclass(frozen=True, slots=True)
class Side:
    """One of two sides: its name, and its share, or the count of tags where it has none."""

    label: str
    figure: Figure | None


@dataclass(frozen=True, slots=True)
class Compared:
    """One difference: of what, between whom, how large, and whether Holm's p lets one speak of it."""

    what: str
    first: Side
    second: Side
    difference: Figure
    ratio: Figure | None
    smallest: Figure | None
    p: Figure | None
    verdict: str


@dataclass(frozen=True, slots=True)
class WordList:
    """Words that one side uses more than the other, each with how many authors of either side use it."""

    label: str
    words: tuple[tuple[str, Phrase], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One table of comparisons, which is one family of tests."""

    heading: str
    claims: tuple[Phrase, ...]
    chart: Markup | None
    rows: tuple[Compared, ...]
    more: bool
    unknown: bool
    words: tuple[WordList, ...]


def comparisons(material: Material) -> tuple[Table, ...]:
    """Gather the comparison tables in the estimates, in their order."""
    families: dict[str, list[Estimate]] = {}
    for row in material.estimates.compared:
        if row.family is not None and row.group_by != "parent":
            families.setdefault(row.family, []).append(row)
    found: list[Table] = []
    for place, (family, rows) in enumerate(families.items()):
        if not family.startswith("words:"):
            found.append(_table(material, family, rows, families.get(f"words:{family}", []), f"compared-{place}"))
    return tuple(each for each in found if each.rows or each.words or each.unknown)


def _table(material: Material, family: str, rows: Sequence[Estimate], used: Sequence[Estimate], name: str) -> Table:
    words = material.words
    by_pair = _pairs(rows)
    known = {
        key: cells for key, cells in by_pair.items() if (row := cells.get((Measure.DIFFERENCE, MAIN))) and row.known
    }
    compared = tuple(_compared(material, cells) for cells in list(known.values())[:ROWS])
    heading = _heading(material, family)
    drawn = [
        Difference(
            one.first.label,
            words.text("compared.against", second=one.second.label),
            one.what,
            one.difference,
            row.value,
            row.interval,
            row.differs,
        )
        for one, cells in list(zip(compared, known.values(), strict=False))[:CHARTED]
        for row in [cells[Measure.DIFFERENCE, MAIN]]
    ]
    chart = differences(name, heading, words.text("chart.desc"), drawn) if drawn else None
    return Table(
        heading=heading,
        claims=_claims(material, known, compared),
        chart=chart,
        rows=compared,
        more=len(known) > ROWS or len(known) > CHARTED,
        unknown=len(known) < len(by_pair),
        words=_word_lists(material, used),
    )


def _pairs(rows: Sequence[Estimate]) -> dict[tuple[str, ...], dict[tuple[str, str], Estimate]]:
    found: dict[tuple[str, ...], dict[tuple[str, str], Estimate]] = {}
    for row in rows:
        key = (row.unit, row.group or "", row.contrast or "", row.level)
        found.setdefault(key, {})[row.measure, row.variant] = row
    return found


def _compared(material: Material, cells: dict[tuple[str, str], Estimate]) -> Compared:
    words = material.words
    row = cells[Measure.DIFFERENCE, MAIN]
    ratio, smallest = cells.get((Measure.RATIO, MAIN)), cells.get((Measure.DIFFERENCE, SMALLEST))
    tested = row.p_holm is not None
    verdict = "compared.untested"
    if tested:
        verdict = ("compared.more" if row.value > 0 else "compared.less") if row.differs else "compared.nothing"
    return Compared(
        what=_titles(material).get(row.level, row.level),
        first=Side(_first(material, row), _share(material, cells, SIDE)),
        second=Side(_name(material, row.contrast or "", row.group_by), _share(material, cells, OTHER)),
        difference=points(row, words),
        ratio=times(ratio, words) if ratio is not None and ratio.known else None,
        smallest=points(smallest, words) if smallest is not None and smallest.known else None,
        p=probability(row, words) if tested else None,
        verdict=words.text(verdict),
    )


def _titles(material: Material) -> dict[str, str]:
    """Return what each headline is called, those on whether a target is addressed at all among them."""
    words = material.words
    about = {
        f"stance:{target}:about": words.text("compared.about", target=target)
        for target in material.config.stance.targets
    }
    return {**titles(material), **about}


def _share(material: Material, cells: dict[tuple[str, str], Estimate], side: str) -> Figure | None:
    share, tagged = cells.get((Measure.SHARE, side)), cells.get((Measure.COUNT, side))
    if share is not None and share.known:
        return short(share, material.words)
    if tagged is None or not tagged.known:
        return None
    said = material.words.text("variant.tagged", count=str(part_of(tagged, material.words)))
    return Figure("", said, tagged.estimate_id)


def _claims(
    material: Material, known: dict[tuple[str, ...], dict[tuple[str, str], Estimate]], compared: Sequence[Compared]
) -> tuple[Phrase, ...]:
    words = material.words
    said: list[Phrase] = []
    tested = False
    for one, cells in zip(compared, known.values(), strict=False):
        row = cells[Measure.DIFFERENCE, MAIN]
        tested = tested or row.p_holm is not None
        if row.differs and one.p is not None:
            key = "compared.claim.more" if row.value > 0 else "compared.claim.less"
            said.append(
                words.phrase(
                    key,
                    what=one.what,
                    first=one.first.label,
                    second=one.second.label,
                    difference=(one.difference,),
                    p=(one.p,),
                )
            )
    return tuple(said) if said or not tested else (words.phrase("compared.claim.none"),)


def _word_lists(material: Material, rows: Sequence[Estimate]) -> tuple[WordList, ...]:
    """List the words that are shown to be used more on one side: Holm's p below 0.05, most distinctive first."""
    words = material.words
    if not material.policy.texts:
        return ()
    lists: dict[str, list[tuple[str, Phrase]]] = {}
    for cells in _pairs(rows).values():
        row = cells.get((Measure.ODDS_RATIO, MAIN))
        if row is None or not row.known or not row.differs:
            continue
        first, second = _first(material, row), _name(material, row.contrast or "", row.group_by)
        here, there = cells.get((Measure.COUNT, SIDE)), cells.get((Measure.COUNT, OTHER))
        if row.value < 1:
            first, second, here, there = second, first, there, here
        said: Phrase = (times(row, words),)
        if here is not None and there is not None:
            said = words.phrase("compared.words.authors", here=(part_of(here, words),), there=(part_of(there, words),))
        word = material.policy.line(row.level.removeprefix("word:"))
        lists.setdefault(words.text("compared.words.side", more=first, less=second), []).append((word, said))
    return tuple(WordList(label, tuple(found[:WORDS])) for label, found in lists.items())


def _first(material: Material, row: Estimate) -> str:
    return _name(material, row.unit if row.group is None else row.group, row.group_by)


def _name(material: Material, name: str, group_by: str | None) -> str:
    """Return what a side is called on the page: a thread by its title, a group by its value."""
    words = material.words
    workspace, _, rest = name.partition("/")
    if rest == "all" or rest.startswith("thread:"):
        native = rest.partition(":")[2].partition(":")[2] or rest
        shown = f"{workspace}: {native}" if material.policy.full else words.text("compared.thread_of", name=workspace)
        return workspace if rest == "all" else shown
    threads = {thread.unit: thread.label for thread in material.named}
    if name in threads:
        return threads[name]
    if name.startswith("thread:"):
        return words.text("compared.thread")
    if name == "rest":
        return words.text("compared.rest")
    prefix = "language" if group_by == "language" else f"group.{group_by}"
    return words.text(f"{prefix}.{name}", otherwise=material.policy.line(name))


def _heading(material: Material, family: str) -> str:
    words = material.words
    kind, _, name = family.partition(":")
    if kind == "split_at":
        return words.text("compared.split_at", date=name if material.policy.full else words.text("compared.a_date"))
    if kind == "group":
        shown = words.text(f"compared.by.{name}", otherwise=material.policy.line(name))
        return words.text("compared.group", name=shown)
    return words.text(f"compared.{kind}", otherwise=words.text("compared.threads"))
