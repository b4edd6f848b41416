"""Differences between workspaces: every headline that the same models read by the same definitions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from discourse.aggregate.across import Part, Reader, frames_reader, named, stance_reader, together
from discourse.aggregate.comparison_rows import comparison_estimates, with_holm
from discourse.aggregate.comparison_sides import Comparison
from discourse.aggregate.comparison_words import used_words, word_estimates
from discourse.aggregate.estimates import Estimate
from discourse.aggregate.frames import frame_headlines
from discourse.aggregate.headline import Headline
from discourse.aggregate.stances import stance_headlines
from discourse.aggregate.thread_changes import FAMILY as SAME_THREAD
from discourse.aggregate.thread_changes import change_counts, shared_threads, thread_changes
from discourse.aggregate.units import Eligible
from discourse.models.reader import TagReader
from discourse.tables import TEXT

WORKSPACES = "workspaces"
UNMATCHED = (
    "authors cannot be matched across these workspaces, because their author keys differ ([normalize] author_key): "
    "somebody who wrote in more than one counts as several people, which can make an interval too narrow"
)


@dataclass(frozen=True, slots=True)
class Across:
    """What several workspaces give: rows on differences, comments that came and went, what is said beside them.

    left_out: for a workspace's name, the starts of levels (`frame:`, `stance:<target>:`) that nothing else compares to.
    """

    rows: list[Estimate]
    changes: pl.DataFrame
    notes: tuple[str, ...]
    left_out: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Group:
    """Workspaces whose tags come from one reader, with its bundle."""

    parts: tuple[Part, ...]
    reader: Reader
    bundle: TagReader

    def eligible(self, *, matched: bool) -> Eligible:
        return together(self.parts, self.bundle.manifest.languages, matched=matched)

    def tags(self, tables: Sequence[pl.DataFrame]) -> pl.DataFrame:
        """Return the rows that the reader wrote, under the names of their workspaces."""
        ours = (table.filter(path=self.reader.path, bundle=self.reader.bundle) for table in tables)
        return pl.concat([named(table, part.name) for table, part in zip(ours, self.parts, strict=True)])

    def resolved(self) -> pl.DataFrame:
        """Return the labels of all; where people labelled a level in one, a coder's labels elsewhere do not count."""
        both = pl.concat([named(part.resolved, part.name) for part in self.parts])
        return both.filter(pl.col("by_model") == pl.col("by_model").all().over("kind", "level"))


def across_estimates(parts: Sequence[Part], *, matched: bool) -> Across:
    """Compare workspaces with each other, and threads that several of them hold.

    The draws of error rates are those of the bundle under one seed, so that they are the same on both sides. Each
    workspace counts by its own filter.

    Args:
        parts: two to ten workspaces of different names.
        matched: whether all were made with one author key.

    Raises:
        BundleError: a bundle is missing or damaged.
        WorkspaceError: the tags are of another bundle than the configuration names.
    """
    notes: list[str] = []
    left_out: dict[str, list[str]] = {part.name: [] for part in parts}
    families: dict[str, list[Estimate]] = {WORKSPACES: [], SAME_THREAD: []}
    frames = _groups(parts, frames_reader)
    _tell(frames, parts, "frame:", "frames", notes, left_out)
    for group in frames:
        _compare(_frames(group, parts[0].config.seed, matched=matched), group.parts, parts, families)
    for target in dict.fromkeys(name for part in parts for name in part.config.stance.targets):
        holders = [part for part in parts if target in part.config.stance.targets]
        stances = _groups(holders, stance_reader)
        _tell(stances, holders, f"stance:{target}:", f'stances to "{target}"', notes, left_out)
        for group in stances:
            _compare(_stances(group, target, parts[0].config.seed, matched=matched), group.parts, parts, families)
    changes = thread_changes(parts)
    rows = [row for family in families.values() for row in with_holm(family)] + _words(frames, matched=matched)
    if rows:
        notes += [*([] if matched else [UNMATCHED]), *_overlap(parts), *_filters(parts)]
    rows += change_counts(parts, changes)
    return Across(rows, changes, tuple(notes), {name: tuple(starts) for name, starts in left_out.items()})


def _groups(parts: Sequence[Part], reader: Callable[[Part], tuple[Reader, TagReader]]) -> list[_Group]:
    """Return the groups of two or more workspaces with equal readers."""
    found: dict[Reader, list[Part]] = {}
    bundles: dict[Reader, TagReader] = {}
    for part in parts:
        key, bundles[key] = reader(part)
        found.setdefault(key, []).append(part)
    return [_Group(tuple(members), key, bundles[key]) for key, members in found.items() if len(members) > 1]


def _tell(
    groups: Sequence[_Group],
    parts: Sequence[Part],
    start: str,
    what: str,
    notes: list[str],
    left_out: dict[str, list[str]],
) -> None:
    inside = {part.name for group in groups for part in group.parts}
    alone = [part.name for part in parts if part.name not in inside]
    for name in alone:
        left_out[name].append(start)
    if len(parts) == 1:
        notes.append(f"{what}: only {alone[0]} has them")
    elif alone:
        notes.append(
            f"{what}: {', '.join(alone)} left out, because no other workspace was read by the same bundle, way of "
            "tagging and codebook"
        )
    elif len(groups) > 1:
        said = "; ".join(" and ".join(part.name for part in group.parts) for group in groups)
        notes.append(f"{what}: compared only where bundle, way of tagging and codebook are the same: {said}")


def _frames(group: _Group, seed: int, *, matched: bool) -> list[Headline]:
    tags = group.tags([part.frames for part in group.parts])
    tagging = group.parts[0].config.tagging
    found, _ = frame_headlines(group.eligible(matched=matched), tags, group.resolved(), group.bundle, tagging, seed)
    return found


def _stances(group: _Group, target: str, seed: int, *, matched: bool) -> list[Headline]:
    tags = group.tags([part.stances for part in group.parts])
    config = group.parts[0].config
    eligible, resolved = group.eligible(matched=matched), group.resolved()
    found = stance_headlines(eligible, tags, resolved, config.stance.targets, group.bundle, config.tagging, seed)
    return [headline for each in found if each.name == target for headline in each.headlines]


def _compare(
    headlines: Sequence[Headline], members: Sequence[Part], parts: Sequence[Part], families: dict[str, list[Estimate]]
) -> None:
    units = {unit.name: unit for unit in headlines[0].eligible.units if unit.n}
    names = {part.name for part in members}
    sides = [units[f"{part.name}/all"] for part in members if f"{part.name}/all" in units]
    if len(sides) > 1:
        families[WORKSPACES] += comparison_estimates(headlines, Comparison(WORKSPACES, tuple(sides)))
    for thread, holders in shared_threads(parts):
        # The newest first, so that a difference says what was added.
        wanted = [f"{part.name}/thread:{thread}" for part in reversed(holders) if part.name in names]
        twice = [units[name] for name in wanted if name in units]
        if len(twice) > 1:
            families[SAME_THREAD] += comparison_estimates(headlines, Comparison(SAME_THREAD, tuple(twice)))


def _words(groups: Sequence[_Group], *, matched: bool) -> list[Estimate]:
    rows: list[Estimate] = []
    for group in groups:
        eligible = group.eligible(matched=matched)
        names = {f"{part.name}/all" for part in group.parts}
        sides = tuple(unit for unit in eligible.units if unit.name in names and unit.n)
        if len(sides) > 1:
            rows += word_estimates(used_words(eligible), eligible, Comparison(WORKSPACES, sides))
    return rows


def _overlap(parts: Sequence[Part]) -> list[str]:
    ids = pl.concat([part.comments.select("comment_id", part=pl.lit(part.name, dtype=TEXT)) for part in parts])
    shared = ids.group_by("comment_id").len().filter(pl.col("len") > 1).height
    if not shared:
        return []
    return [f"{shared:,} comments are in more than one workspace; intervals of differences are wider than need be"]


def _filters(parts: Sequence[Part]) -> list[str]:
    if all(part.config.filter == parts[0].config.filter for part in parts):
        return []
    return ["the workspaces count comments by different filters; the denominators say which"]
