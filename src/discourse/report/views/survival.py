"""Does a finding survive? The same share under other choices, in one short table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from discourse.report.figures import count, part_of, short
from discourse.report.index import Estimate, best_first
from discourse.report.material import Material
from discourse.report.phrases import Figure, Phrase
from discourse.tables import Measure

# The order of the table; a variant that is not named here comes after these.
VARIANTS = (
    "without_duplicates",
    "one_vote_per_author",
    "without_loudest_authors",
    "short_comments",
    "long_comments",
    "weighted_by_score",
)
# Parts of the comments are another question than the whole, and need not agree with it.
PARTS = ("short_comments", "long_comments")


@dataclass(frozen=True, slots=True)
class SurvivalRow:
    """One choice: what was changed, and a share or a count for each column."""

    label: str
    cells: tuple[Figure | None, ...]


@dataclass(frozen=True, slots=True)
class Survival:
    """The main numbers first, then each choice; what that comes to; and whether there is a share at all."""

    columns: tuple[str, ...]
    rows: tuple[SurvivalRow, ...]
    verdict: Phrase
    known: bool


def survival(material: Material, columns: Mapping[str, str], main: str) -> Survival | None:
    """Set shares beside the same shares under other choices.

    Args:
        material: the tables.
        columns: heading by level, in the order of the columns.
        main: the level that the verdict speaks of.

    Returns:
        None where nothing was varied.
    """
    found, words = material.estimates, material.words
    choices = _choices(material, tuple(columns))
    if not choices:
        return None
    whole = tuple(
        _cell(_first(found.shares(level)) or found.count(level), material, level == main) for level in columns
    )
    rows = [SurvivalRow(words.text("variant.main"), whole)]
    for choice in choices:
        cells = tuple(_cell(_varied(material, level, choice), material, level == main) for level in columns)
        if any(cells):
            rows.append(SurvivalRow(words.text(f"variant.{choice}", otherwise=choice.replace("_", " ")), cells))
    if len(rows) == 1:
        return None
    share = found.share(main)
    known = share is not None and share.known
    return Survival(tuple(columns.values()), tuple(rows), _verdict(material, main, choices), known)


def _choices(material: Material, levels: tuple[str, ...]) -> list[str]:
    rows = [row for level in levels for measure in Measure for row in material.estimates.variants(level, measure)]
    named = dict.fromkeys(_choice(row) for row in rows)
    rank = {name: place for place, name in enumerate(VARIANTS)}
    return sorted(named, key=lambda name: rank.get(name, len(VARIANTS)))


def _choice(row: Estimate) -> str:
    return row.variant if row.population == "collected" else f"population_{row.population}"


def _varied(material: Material, level: str, choice: str) -> Estimate | None:
    """Return the share by the evidence that the main one rests on, else the best; without a share, the count."""
    found = material.estimates
    main = found.share(level)
    shares = [row for row in found.variants(level, Measure.SHARE) if _choice(row) == choice]
    alike = [row for row in shares if main is not None and main.known and row.method == main.method]
    share = _first(tuple(alike)) or _first(best_first(shares))
    counts = (row for row in found.variants(level, Measure.COUNT) if _choice(row) == choice and row.known)
    return share or next(counts, None)


def _first(rows: tuple[Estimate, ...]) -> Estimate | None:
    return next((row for row in rows if row.known), None)


def _cell(row: Estimate | None, material: Material, of: bool) -> Figure | None:
    words = material.words
    if row is None:
        return None
    if row.measure == Measure.COUNT:
        shown = part_of(row, words)
        return Figure("", words.text("variant.tagged", count=str(shown)), row.estimate_id)
    shown = short(row, words)
    said = words.text("figure.of", n=count(row.n, words)) if of else ""
    return Figure(shown.lead, f"{shown.rest}{said}", row.estimate_id)


def _verdict(material: Material, level: str, choices: list[str]) -> Phrase:
    words = material.words
    main = material.estimates.share(level)
    if main is None or not main.known or main.interval is None:
        return ()
    low, high = main.interval
    outside: list[str] = []
    seen = 0
    for choice in choices:
        row = _varied(material, level, choice)
        if row is None or row.measure != Measure.SHARE or choice in PARTS or choice.startswith("population"):
            continue
        seen += 1
        if not low <= row.value <= high:
            outside.append(words.text(f"variant.{choice}", otherwise=choice.replace("_", " ")))
    if not seen:
        return ()
    if not outside:
        return words.phrase("survives.yes")
    return words.phrase("survives.no", names=words.text("list.next").join(outside))
