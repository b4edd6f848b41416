"""Does a tag in a comment appear together with a tag in what answers it? Counts, odds ratios, and what chance gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.aggregate.estimates import Estimate, caution, ends
from discourse.aggregate.holm import holm
from discourse.aggregate.odds_ratios import Dyads, OddsRatio, odds_ratio, people, within_strata
from discourse.aggregate.reply_null import Meetings, meetings
from discourse.aggregate.reply_pairs import UNKNOWN, ReplyPairs, reply_pairs, tag_matrix
from discourse.tables import Decision, Mark, Measure, Stance

SIDES = (Stance.FAVOR.value, Stance.AGAINST.value, Stance.NEUTRAL.value)
LARGE_THREAD = 100
"""Replies compared in a thread, from which on it is a unit of its own here."""

COUNTED = "A count of what the model tagged in the text alone, mistakes included; nothing says that one led to another."
CRUDE = (
    "Over all replies: tags that run through a whole branch appear together here, too. The interval lets replies hang "
    "together wherever they share an author, as one or the other side{unknown}; the model's mistakes mostly pull the "
    "ratio toward 1. Describes what appears together with what, no cause.{smoothed}"
)
WITHIN = (
    "Replies at like depth in one branch, against exchanges of their tags there that keep all replies of one author "
    "together and let nobody answer himself{unknown}. In short branches the ratio falls short (Nickell 1981), and so "
    "it does by the model's mistakes. Describes what appears together with what, no cause."
)
RATIO = (
    "Observed over expected where the tags of replies at like depth in one branch are exchanged, all replies of one "
    "author together, and nobody answers himself{unknown}. Describes who answers whom, no cause."
)
UNKNOWN_ENDS = ", or the branch where authors are unknown"
UNKNOWN_BLOCKS = (
    "; unknown authors count as different people, so that dialogues look as if tags avoided each other, and p may be "
    "too small"
)
NO_REPLIES = "No number: no eligible reply answers another author's eligible comment that was read by text alone."
ONE_SIDED = "No ratio: {what} tagged so."
TOO_FEW = (
    "No ratio: so few are tagged that tags without any tie would meet, or miss each other, in less than one reply."
)
NOTHING_MOVES = (
    "No number: no two replies at like depth in one branch answer comments that are tagged differently and could "
    "exchange their tags."
)
NO_CONTRAST = "No ratio: within branches, tags never or only agree. The p is that of the exchanges."


@dataclass(frozen=True, slots=True)
class _Tags:
    """Tags on both ends of N replies: names of the levels (L), bool (N, L) above and below; unsure: of the replies."""

    levels: list[str]
    above: NDArray[np.bool_]
    below: NDArray[np.bool_]
    unsure: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Unit:
    """All replies, or one thread: its rows among the pairs, its place among the units, its denominator."""

    name: str
    rows: NDArray[np.bool_]
    place: int
    denominator: str


def frame_reply_estimates(
    marked: pl.DataFrame, frames: pl.DataFrame, names: Sequence[str], seed: int
) -> list[Estimate]:
    """Compare the frames of replies with those of the comments that they answer.

    Args:
        marked: rows of the comments table with `excluded` under the bundle's languages.
        frames: rows of the frames table of one bundle and path, `text_only`.
        names: the frames, in their order.
        seed: of the exchanges.
    """
    pairs = reply_pairs(marked, frames)
    tagged = tag_matrix(marked, frames.with_columns(tagged="above_threshold"), names, "frame")
    unsure = tag_matrix(marked, frames.with_columns(tagged=pl.col("decision") == Decision.UNSURE.value), names, "frame")
    levels = [f"frame:{name}" for name in names]
    tags = _Tags(levels, tagged[pairs.parent], tagged[pairs.reply], unsure[pairs.reply])
    dyads = people(pairs.parent_author, pairs.reply_author, pairs.branch)
    units = _units(pairs)
    found = meetings(
        pairs, tags.above, tags.below, [_thread(pairs, unit) for unit in units[1:]], np.random.default_rng([seed, 5])
    )
    rows = _left_out(pairs, found)
    for unit in units:
        same = range(len(names))
        rows += [row for level in same for row in _counts(tags, unit, level, level)]
        rows += [_crude(tags, unit, level, level, dyads) for level in same]
        rows += [_within(tags, unit, level, found, pairs, dyads) for level in same]
    first = units[0]
    for above in range(len(names)):
        for below in range(len(names)):
            if above != below:
                rows += _counts(tags, first, above, below)
                rows.append(_crude(tags, first, above, below, dyads))
                rows.append(_ratio(tags, first, (above, below), found, pairs, "replies:crossed_frames"))
    return _with_holm(rows)


def stance_reply_estimates(
    marked: pl.DataFrame, stances: pl.DataFrame, target: str, seed: Sequence[int]
) -> list[Estimate]:
    """Say who answers whom with which stance.

    Only replies that take a side or are neutral, to comments that do, are compared: that both are about the target is
    not what is asked.

    Args:
        marked: rows of the comments table with `excluded` under the bundle's languages.
        stances: rows of the stance table of one target, bundle and path, `text_only`.
        target: its name.
        seed: of the exchanges.
    """
    pairs = reply_pairs(marked, stances)
    sides = tag_matrix(marked, stances.with_columns(tagged=pl.lit(value=True)), SIDES, "stance")
    both = np.asarray(sides[pairs.parent].any(1) & sides[pairs.reply].any(1))
    unsure = stances.filter(pl.col("stance") == Stance.UNSURE.value)["comment_id"]
    skipped = int(marked["comment_id"].is_in(unsure.implode()).to_numpy()[pairs.reply].sum())
    chosen = _take(pairs, both)
    tags = _Tags(
        [f"stance:{target}:{side}" for side in SIDES],
        sides[chosen.parent],
        sides[chosen.reply],
        np.zeros((chosen.n, len(SIDES)), dtype=np.bool_),
    )
    found = meetings(chosen, tags.above, tags.below, [], np.random.default_rng(seed))
    said = f"{chosen.n:,} replies of a known stance to comments of a known stance, among {pairs.denominator()}"
    unit = _Unit("all", np.ones(chosen.n, dtype=np.bool_), 0, said)
    rows: list[Estimate] = []
    for above in range(len(SIDES)):
        for below in range(len(SIDES)):
            rows.append(replace(_counts(tags, unit, above, below)[0], n_unsure=skipped))
            rows.append(_ratio(tags, unit, (above, below), found, chosen, f"replies:stance:{target}"))
    return _with_holm(rows)


def _units(pairs: ReplyPairs) -> list[_Unit]:
    said = pairs.denominator()
    units = [_Unit("all", np.ones(pairs.n, dtype=np.bool_), 0, said)]
    sizes = np.bincount(pairs.thread, minlength=len(pairs.threads))
    if len(pairs.threads) > 1:
        for number in np.flatnonzero(sizes >= LARGE_THREAD):
            denominator = f"{sizes[number]:,} replies in this thread, of {said}"
            units.append(_Unit(f"thread:{pairs.threads[number]}", pairs.thread == number, len(units), denominator))
    return units


def _thread(pairs: ReplyPairs, unit: _Unit) -> int:
    return int(pairs.thread[unit.rows][0])


def _take(pairs: ReplyPairs, rows: NDArray[np.bool_]) -> ReplyPairs:
    columns = ("reply", "parent", "thread", "branch", "depth", "reply_author", "parent_author")
    return replace(pairs, **{name: getattr(pairs, name)[rows] for name in columns})


def _left_out(pairs: ReplyPairs, found: Meetings) -> list[Estimate]:
    """Count the replies that are compared, those that are not, and those that the null cannot move."""
    exchange = found.exchange
    counts = {"compared": pairs.n, **{f"left_out:{reason}": number for reason, number in pairs.left_out.items()}}
    counts |= {
        "exchanged": len(exchange.replies),
        "left_out:one_block": int(exchange.alone.sum()),
        "left_out:alike": exchange.alike,
        "left_out:fixed": exchange.fixed,
        "one_block_bands": exchange.lone_bands,
    }
    return [
        Estimate(
            "all",
            Measure.COUNT,
            f"replies:{name}",
            pairs.denominator(),
            pairs.n,
            "reply_count",
            "A plain count; nothing is estimated.",
            estimate=float(number),
        )
        for name, number in counts.items()
    ]


def _counts(tags: _Tags, unit: _Unit, above: int, below: int) -> list[Estimate]:
    """Count the replies tagged so among those to tagged comments, and among those to others."""
    rows: list[Estimate] = []
    for prefix, answered in (("", tags.above[:, above]), ("not ", ~tags.above[:, above])):
        inside = unit.rows & answered
        n = int(inside.sum())
        rows.append(
            Estimate(
                unit.name,
                Measure.COUNT,
                tags.levels[below],
                f"{n:,} replies to comments {prefix}tagged so, of {unit.denominator}",
                n,
                "reply_count",
                COUNTED,
                estimate=float((inside & tags.below[:, below]).sum()),
                n_unsure=int((inside & tags.unsure[:, below]).sum()),
                group_by="parent",
                group=f"{prefix}{tags.levels[above]}",
                mark=caution(n),
            )
        )
    return rows


def _row(tags: _Tags, unit: _Unit, above: int, below: int, measure: Measure) -> Estimate:
    n = int(unit.rows.sum())
    return Estimate(
        unit.name,
        measure,
        tags.levels[below],
        unit.denominator,
        n,
        "",
        NO_REPLIES,
        n_unsure=int((unit.rows & tags.unsure[:, below]).sum()),
        group_by="parent",
        group=tags.levels[above],
        mark=Mark.NOT_ESTIMABLE,
    )


def _crude(tags: _Tags, unit: _Unit, above: int, below: int, dyads: Dyads) -> Estimate:
    row = replace(
        _row(tags, unit, above, below, Measure.ODDS_RATIO),
        method="odds_ratio_of_replies",
        contrast=f"not {tags.levels[above]}",
    )
    if row.n == 0:
        return row
    x, y = tags.above[unit.rows, above], tags.below[unit.rows, below]
    found = odds_ratio(x, y, dyads.take(unit.rows))
    if found is None:
        return replace(row, assumptions=_why_not(x, y))
    smoothed = " One combination never occurs; half a reply was added to each of the four." if found.smoothed else ""
    said = CRUDE.format(unknown=UNKNOWN_ENDS if _unknown(dyads) else "", smoothed=smoothed)
    fewer = min(int(x.sum()), int((~x).sum()))
    return replace(_known(row, found, said), mark=caution(fewer, Mark.NOT_VALIDATED))


def _why_not(above: NDArray[np.bool_], below: NDArray[np.bool_]) -> str:
    if not above.any():
        return ONE_SIDED.format(what="no comment answered is")
    if not below.any():
        return ONE_SIDED.format(what="no reply is")
    if above.all():
        return ONE_SIDED.format(what="every comment answered is")
    return ONE_SIDED.format(what="every reply is") if below.all() else TOO_FEW


def _within(tags: _Tags, unit: _Unit, level: int, found: Meetings, pairs: ReplyPairs, dyads: Dyads) -> Estimate:
    row = replace(
        _row(tags, unit, level, level, Measure.ODDS_RATIO),
        method="odds_ratio_within_branch",
        contrast=f"not {tags.levels[level]}",
    )
    moving = found.exchange.replies
    inside = unit.rows[moving]
    p = float(found.alike.p[unit.place, level])
    if row.n == 0 or np.isnan(p):
        return row if row.n == 0 else replace(row, assumptions=NOTHING_MOVES)
    row = _of_moving(row, int(inside.sum()))
    row = replace(row, p=p, family="replies:frames" if unit.place == 0 else "replies:frames_by_thread")
    expected, here = float(found.expected[unit.place, level]), moving[inside]
    if np.isnan(expected):
        return replace(row, assumptions=NO_CONTRAST)
    ratio = within_strata(
        tags.above[here, level], tags.below[here, level], found.of_class[inside], dyads.take(here), expected
    )
    if ratio is None:
        return replace(row, assumptions=NO_CONTRAST)
    return _known(row, ratio, WITHIN.format(unknown=_blocks(pairs)))


def _ratio(
    tags: _Tags, unit: _Unit, cell: tuple[int, int], found: Meetings, pairs: ReplyPairs, family: str
) -> Estimate:
    above, below = cell
    row = replace(_row(tags, unit, above, below, Measure.RATIO), method="observed_over_expected")
    null = found.together
    p, expected = float(null.p[above, below]), float(null.expected[above, below])
    if row.n == 0 or np.isnan(p) or expected <= 0:
        return row if row.n == 0 else replace(row, assumptions=NOTHING_MOVES)
    if null.observed[above, below] == 0 and expected < 1:
        return replace(row, assumptions=TOO_FEW)
    return replace(
        _of_moving(row, len(found.exchange.replies)),
        estimate=float(null.observed[above, below]) / expected,
        p=p,
        family=family,
        assumptions=RATIO.format(unknown=_blocks(pairs)),
        mark=caution(len(found.exchange.replies), Mark.NOT_VALIDATED),
    )


def _of_moving(row: Estimate, number: int) -> Estimate:
    """Say that a row rests on the replies alone that may exchange their tags."""
    return replace(row, n=number, denominator=f"{number:,} that may exchange their tags, of {row.denominator}")


def _known(row: Estimate, found: OddsRatio, assumptions: str) -> Estimate:
    return replace(row, **ends(found.interval), assumptions=assumptions, mark=caution(row.n, Mark.NOT_VALIDATED))


def _unknown(dyads: Dyads) -> bool:
    return bool((dyads.parent == dyads.reply).any())


def _blocks(pairs: ReplyPairs) -> str:
    return UNKNOWN_BLOCKS if (pairs.reply_author == UNKNOWN).any() else ""


def _with_holm(rows: list[Estimate]) -> list[Estimate]:
    """Correct the p-values over each family."""
    found = list(rows)
    for family in {row.family for row in rows if row.family}:
        places = [place for place, row in enumerate(rows) if row.family == family]
        corrected = holm(np.array([rows[place].p for place in places], dtype=np.float64))
        for place, value in zip(places, corrected, strict=True):
            found[place] = replace(found[place], p_holm=float(value))
    return found
