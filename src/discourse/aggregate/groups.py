"""Shares by depth, time, language and author group: what the labels in a cell allow, else how many are tagged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from discourse.aggregate.estimates import Estimate, caution
from discourse.aggregate.group_counts import group_counts
from discourse.aggregate.headline import Headline, count, labelled_estimates
from discourse.aggregate.shares import COUNTED
from discourse.aggregate.time_bins import bin_width, binned
from discourse.aggregate.units import Eligible, Unit
from discourse.engine import LOCAL, Engine
from discourse.tables import Measure

ENOUGH_LABELS = 30
"""Labels of known inclusion in a cell, below which only its tags are counted."""


def group_units(eligible: Eligible) -> list[Unit]:
    """Cut all comments into groups by depth, time, language and how much their author wrote here.

    A column with one value for all makes no groups. Comments without a time are in no time bin, which the denominator
    says; the bins that hold no comment are left out.

    Args:
        eligible: comments, a number for each author, and units, the first of all comments.
    """
    comments = eligible.comments
    found: list[Unit] = []
    if "depth" in comments.columns:
        depth = _ranges(comments["depth"], (0, 1, 3), ("0", "1", "2-3", "4+"))
        found += split(eligible, "depth", depth, "at depth {group} (0 answers the article)")
    if {"created_at", "created_precision"} <= set(comments.columns):
        found += _times(eligible)
    if "language" in comments.columns:
        found += split(eligible, "language", comments["language"], "in language {group}")
    found += split(eligible, "author_group", _author_groups(eligible), "by authors of {group} comments here")
    return found


def split(eligible: Eligible, group_by: str, group: pl.Series, words: str) -> list[Unit]:
    """Return a unit for each value of `group`, in their order; none where there are fewer than two values.

    Args:
        eligible: comments and units.
        group_by: the name of the split.
        group: text (N,), null for comments in no group.
        words: what the comments of a group are, with `{group}` in it.
    """
    names = group.drop_nulls().unique().sort().to_list()
    if len(names) < 2:
        return []
    return [_part(eligible, group_by, name, group == name, words.format(group=name)) for name in names]


def group_estimates(headlines: Sequence[Headline], groups: Sequence[Unit], engine: Engine = LOCAL) -> list[Estimate]:
    """Count tags in every group, and estimate a share where labels in the group itself allow it.

    Held-out error rates correct no group: a model may read a group better or worse than all comments together, and
    nothing in the group would tell.

    Args:
        headlines: beside the same comments.
        groups: parts of these comments.
        engine: where tags are counted.
    """
    flags = [flags for one in headlines for flags in (one.unsure if one.counted is None else one.counted, one.unsure)]
    counts = group_counts(groups, flags, engine).reshape(len(groups), len(headlines), 2)
    rows: list[Estimate] = []
    for unit, of_unit in zip(groups, counts, strict=True):
        for headline, (tagged, unsure) in zip(headlines, of_unit, strict=True):
            rows.append(_counted(headline, unit, int(tagged), int(unsure)))
            rows += [row for row in labelled_estimates(headline, unit) if row.n_labelled >= ENOUGH_LABELS]
    return rows


def _counted(headline: Headline, unit: Unit, tagged: int, unsure: int) -> Estimate:
    if headline.counted is None:
        return count(headline, unit)
    return Estimate(
        unit.name,
        Measure.COUNT,
        headline.level,
        unit.denominator,
        unit.n,
        "tag_count",
        COUNTED,
        estimate=float(tagged),
        mark=caution(unit.n),
        n_unsure=unsure,
        variant=unit.variant,
        group_by=unit.group_by,
        group=unit.group,
    )


def _part(eligible: Eligible, group_by: str, name: str, inside: pl.Series, words: str) -> Unit:
    unit = eligible.units[0]
    rows = np.flatnonzero(inside.fill_null(value=False).to_numpy())
    return replace(
        unit, rows=rows, group_by=group_by, group=name, denominator=f"{len(rows):,} {words}, of {unit.denominator}"
    )


def _times(eligible: Eligible) -> list[Unit]:
    comments = eligible.comments
    width = bin_width(comments)
    if width is None:
        return []
    bins = binned(comments, width)
    unknown = bins.null_count()
    note = f" ({unknown:,} without a known time are in no bin)" if unknown else ""
    return split(eligible, "time", bins, "written in {group}" + note)


def _author_groups(eligible: Eligible) -> pl.Series:
    comments = eligible.comments
    known = comments["author"].is_not_null() if "author" in comments.columns else pl.Series([False] * comments.height)
    sizes = pl.Series(np.bincount(eligible.author)[eligible.author] if comments.height else [], dtype=pl.Int64)
    named = _ranges(sizes, (1, 4), ("1", "2-4", "5+"))
    return named.zip_with(known, pl.Series(["unknown"], dtype=pl.String)) if comments.height else named


def _ranges(values: pl.Series, tops: Sequence[int], names: Sequence[str]) -> pl.Series:
    """Name the range that each value is in; a range holds its top, and the last has none."""
    name = pl.lit(names[-1])
    for top, lower in zip(reversed(tops), reversed(names[:-1]), strict=True):
        name = pl.when(pl.col("value") <= top).then(pl.lit(lower)).otherwise(name)
    return (
        values.alias("value").to_frame().select(pl.when(pl.col("value").is_not_null()).then(name).alias("name"))["name"]
    )
