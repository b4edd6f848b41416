"""What is set side by side: threads, platforms, before and after a date, and the groups that the user names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

import numpy as np
import polars as pl

from discourse.aggregate.groups import group_units, split
from discourse.aggregate.resampling import Counts
from discourse.aggregate.units import Eligible, Unit
from discourse.config import CompareConfig

PAIRWISE = 5
"""Up to so many sides are compared two by two; of more, each is compared with all the others together."""
MOST = 50
"""Of more sides than these the largest are compared; the smaller ones still count among the others."""
REST = "rest"
DATE = "split_at"
OF_THREADS = ("platform", "site", "community")
OF_COMMENTS = ("role", "reply_kind")
CUT = ("depth", "language", "author_group")
BUILT_IN = (*OF_THREADS, *OF_COMMENTS, *CUT)
"""What comments can be grouped by besides the user's own attributes."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two sides of a comparison; `against` is the second's name in the estimates, `REST` for all others together."""

    first: Unit
    second: Unit
    against: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """One table of comparisons: its name as a family of tests, and its sides, at least two, disjoint, none empty.

    family: `threads`, `group:<name>` or `split_at:<date>`. everyone: the rows that "all the others" are taken from,
    where there are more than those of the sides.
    """

    family: str
    sides: tuple[Unit, ...]
    everyone: Counts | None = None

    def contrasts(self) -> list[Contrast]:
        """Return which sides are set against which."""
        return list(self.each())

    def each(self) -> Iterator[Contrast]:
        """Yield which sides are set against which, one at a time: all the others may be a million comments."""
        sides = self.sides
        if len(sides) <= PAIRWISE:
            for i, one in enumerate(sides):
                yield from (Contrast(one, other, side_name(other)) for other in sides[i + 1 :])
            return
        everything = np.sort(np.concatenate([side.rows for side in sides])) if self.everyone is None else self.everyone
        for side in self.shown:
            yield Contrast(side, _rest(side, everything), REST)

    @property
    def number(self) -> int:
        """How many contrasts there are."""
        return len(self.sides) * (len(self.sides) - 1) // 2 if len(self.sides) <= PAIRWISE else len(self.shown)

    @property
    def shown(self) -> tuple[Unit, ...]:
        """The sides that are compared, in their order."""
        largest = sorted(range(len(self.sides)), key=lambda i: -self.sides[i].n)[:MOST]
        return tuple(self.sides[i] for i in sorted(largest))


@dataclass(frozen=True, slots=True)
class Comparisons:
    """The comparisons that can be made, and sentences on those asked for that cannot, or not with all comments."""

    made: tuple[Comparison, ...]
    notes: tuple[str, ...]


def side_name(side: Unit) -> str:
    """Return what a side is called in the estimates: its group, or the thread that it is."""
    return side.name if side.group is None else side.group


def comparisons(
    eligible: Eligible, threads: pl.DataFrame, attributes: pl.DataFrame, asked: CompareConfig
) -> Comparisons:
    """Find what can be compared: threads and platforms wherever there are two, and what `[compare]` asks for.

    Args:
        eligible: comments and units.
        threads: rows of the threads table.
        attributes: rows of the attributes table.
        asked: the `[compare]` section.
    """
    made: list[Comparison] = []
    notes: list[str] = []
    told = [unit for unit in eligible.units[1:] if unit.n]
    if len(told) > 1:
        whole = eligible.units[0].rows
        every = whole if len(whole) > sum(unit.n for unit in told) else None
        made.append(Comparison("threads", tuple(told), every))
    for name in _groups(eligible, threads, asked):
        values = _values(eligible, threads, attributes, name)
        sides = _sides(eligible, name, values)
        if len(sides) > 1:
            made.append(Comparison(f"group:{name}", sides))
            notes += _without_value(name, values)
        else:
            notes.append(_single(name, values))
    if asked.split_at is not None:
        found = _split(eligible, asked.split_at)
        made += [found] if isinstance(found, Comparison) else []
        notes += [found] if isinstance(found, str) else []
    notes += [
        f"{each.family}: the {MOST} largest of {len(each.sides):,} are compared, each with all the others together"
        for each in made
        if len(each.sides) > MOST
    ]
    return Comparisons(tuple(made), tuple(notes))


def unknown_groups(asked: Sequence[str], own: Sequence[str]) -> str | None:
    """Return one sentence on the first group that is neither built in nor the user's attribute; None if all are.

    Args:
        asked: `[compare] groups`.
        own: names of the user's attributes.
    """
    if DATE in asked:
        return f'[compare] groups: "{DATE}" is what before and after a date is called; give the column another name'
    known = [*own, *(name for name in BUILT_IN if name not in own)]
    strange = [name for name in asked if name not in known]
    if not strange:
        return None
    return (
        f'[compare] groups: there is no attribute "{strange[0]}"; known are {", ".join(known)} '
        "(columns of your own are kept by naming them in [input] attributes)"
    )


def _groups(eligible: Eligible, threads: pl.DataFrame, asked: CompareConfig) -> list[str]:
    here = threads.filter(pl.col("thread_id").is_in(eligible.comments["thread_id"].unique().to_list()))
    platforms = ["platform"] if here["platform"].drop_nulls().n_unique() > 1 else []
    return list(dict.fromkeys([*platforms, *asked.groups]))


def _values(eligible: Eligible, threads: pl.DataFrame, attributes: pl.DataFrame, name: str) -> pl.Series | None:
    """Return the value for each comment, text, null where unknown; None for what `group_units` cuts by itself.

    An attribute of the user's goes before a built-in of the same name, one of the comment before one of its thread.
    """
    comments = eligible.comments
    own = attributes.filter(pl.col("name") == name)
    if own.height:
        of_comment, of_thread = (
            own.filter(pl.col("unit") == unit).select("id", "value") for unit in ("comment", "thread")
        )
        found = (
            comments.select("comment_id", "thread_id")
            .join(of_comment, left_on="comment_id", right_on="id", how="left", maintain_order="left")
            .join(of_thread, left_on="thread_id", right_on="id", how="left", maintain_order="left", suffix="_thread")
            .select(pl.coalesce("value", "value_thread").alias("value"))["value"]
        )
    elif name in OF_THREADS:
        told = threads.select("thread_id", name)
        found = comments.select("thread_id").join(told, on="thread_id", how="left", maintain_order="left")[name]
    elif name in OF_COMMENTS:
        found = comments[name]
    elif name in CUT:
        return None
    else:
        found = pl.Series([None] * comments.height, dtype=pl.String)
    return found.str.strip_chars().replace("", None)


def _sides(eligible: Eligible, name: str, values: pl.Series | None) -> tuple[Unit, ...]:
    if values is None:
        units = [unit for unit in group_units(eligible) if unit.group_by == name]
        return tuple(unit for unit in units if (name, unit.group) != ("author_group", "unknown"))
    return tuple(split(eligible, name, values, f"with {name} {{group}}"))


def _single(name: str, values: pl.Series | None) -> str:
    known = values.drop_nulls() if values is not None else pl.Series([], dtype=pl.String)
    if values is not None and not len(known):
        return f"{name}: no eligible comment has a value; nothing is compared"
    only = f'are "{known[0]}"' if len(known) else "are in one group"
    return f"{name}: all eligible comments whose value is known {only}; nothing is compared"


def _without_value(name: str, values: pl.Series | None) -> list[str]:
    unknown = values.null_count() if values is not None else 0
    return [f"{name}: {unknown:,} eligible comments have no value and are in no group"] if unknown else []


def _split(eligible: Eligible, day: date) -> Comparison | str:
    moment = datetime.combine(day, time.min, tzinfo=UTC)
    when = pl.col("created_at")
    named = pl.when(when >= moment).then(pl.lit("after")).when(when < moment).then(pl.lit("before"))
    side = eligible.comments.select(side=named)["side"]
    known = side.drop_nulls().unique().to_list()
    if not known:
        return f"split_at {day}: no eligible comment has a time; before and after cannot be compared"
    if len(known) < 2:
        return f"split_at {day}: all comments with a time are {known[0]}; nothing is compared"
    note = f" ({side.null_count():,} without a time are on neither side)" if side.null_count() else ""
    return Comparison(f"split_at:{day}", tuple(split(eligible, DATE, side, f"from {{group}} {day}{note}")))


def _rest(side: Unit, everything: Counts) -> Unit:
    others = np.ones(int(everything.max(initial=-1)) + 1, np.bool_)
    others[side.rows] = False
    rows = everything[others[everything]]
    return replace(side, name="all", group=REST, rows=rows, denominator=f"{len(rows):,} comments of all the others")
