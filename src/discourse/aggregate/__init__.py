"""From tags and labels to estimates: shares with intervals, counts, and how good data and models are."""

from __future__ import annotations

import polars as pl

from discourse.aggregate.agreement import agreement_estimates
from discourse.aggregate.coder import coder_estimates
from discourse.aggregate.comparison_sides import unknown_groups
from discourse.aggregate.comparison_tables import comparison_tables
from discourse.aggregate.crossings import crossing_estimates
from discourse.aggregate.dynamics import frame_dynamics, stance_dynamics
from discourse.aggregate.estimates import Estimate, as_table
from discourse.aggregate.frames import frame_headlines
from discourse.aggregate.groups import group_estimates, group_units
from discourse.aggregate.headline import estimates
from discourse.aggregate.labels import resolve
from discourse.aggregate.quality import quality_estimates
from discourse.aggregate.similar import similar_estimates
from discourse.aggregate.stances import Target, apart_counts, stance_headlines
from discourse.aggregate.tags import read_alone, read_tags
from discourse.aggregate.topics import shown_topics, topic_estimates, topic_groups
from discourse.aggregate.units import MOST_THREADS, eligible_comments
from discourse.aggregate.variants import variant_estimates, variants
from discourse.config import Config
from discourse.denominator import mark_excluded
from discourse.engine import LOCAL, Engine
from discourse.errors import UsageError
from discourse.models.bundle import load_bundle
from discourse.models.judge.comments import JUDGED
from discourse.models.reader import reader_of
from discourse.tables import (
    ANSWERS,
    ATTRIBUTES,
    COMMENTS,
    ESTIMATES,
    FRAMES,
    LABELS,
    QUARANTINE,
    STANCES,
    THREADS,
    TOPIC_INFO,
    TOPIC_RUNS,
    TOPICS,
    VOTES,
    Mark,
    Measure,
    by_people,
)
from discourse.workspace import Outcome, Workspace

READS = (
    *(THREADS, COMMENTS, ATTRIBUTES, QUARANTINE, FRAMES, STANCES, TOPICS, TOPIC_INFO, TOPIC_RUNS),
    *(VOTES, ANSWERS, LABELS),
)
WRITES = (ESTIMATES,)

COLUMNS = (
    "comment_id",
    "thread_id",
    "parent_id",
    "reply_kind",
    "depth",
    "position",
    "author",
    "role",
    "created_at",
    "created_precision",
    "text",
    "language",
    "score",
    "state",
    "duplicate_of",
)


def run(workspace: Workspace, config: Config, engine: Engine = LOCAL) -> Outcome:
    """Turn tags and labels into the estimates table.

    Args:
        workspace: with comments, tags and labels.
        config: what is counted, and how.
        engine: where groups of comments are counted.

    Raises:
        BundleError: a configured bundle is missing or damaged.
        WorkspaceError: the tags were made with another bundle, or the workspace cannot be written.
    """
    bundle = reader_of(config, "frames")
    comments = workspace.scan(COMMENTS).select(COLUMNS).collect()
    labels = workspace.read(LABELS)
    resolved = resolve(labels, config.labels.resolve)
    attributes = workspace.read(ATTRIBUTES)
    eligible = eligible_comments(comments, bundle.manifest.languages, config.filter, attributes)
    marked = mark_excluded(comments.lazy(), bundle.manifest.languages, config.filter, attributes).collect()

    topics, topic_info = workspace.read(TOPICS), workspace.read(TOPIC_INFO)
    frames, held_out = frame_headlines(
        eligible, read_tags(workspace, FRAMES), resolved, bundle, config.tagging, config.seed
    )
    targets, provenance = _targets(workspace, config, comments, resolved)
    provenance["bundle"] = bundle.id

    rows = quality_estimates(marked, workspace.read(QUARANTINE), resolved, workspace.read(THREADS))
    for unit in eligible.units:
        rows += estimates(frames, unit)
    rows += held_out + agreement_estimates(labels.filter(by_people()), comments, config.seed)
    rows += coder_estimates(workspace.read(VOTES), workspace.read(ANSWERS), labels, comments, config.seed)
    for target in targets:
        for unit in target.about.eligible.units:
            rows += apart_counts(target, unit) + estimates(target.headlines, unit)
    rows += topic_estimates(eligible, topics, topic_info, workspace.read(TOPIC_RUNS))
    sides = [headline for target in targets for headline in target.headlines]
    for headlines in (frames, sides):
        if headlines:
            beside = headlines[0].eligible
            rows += variant_estimates(headlines, variants(beside)) + group_estimates(
                headlines, group_units(beside), engine
            )
    if config.aggregate.population == "similar":
        rows += [row for headline in (*frames, *sides) for row in similar_estimates(headline)]
    times = [unit for unit in group_units(eligible) if unit.group_by == "time"]
    rows += topic_groups(eligible, topics, shown_topics(topic_info), times)
    rows += crossing_estimates(eligible, [*frames, *sides], topics, shown_topics(topic_info))
    compared = comparison_tables(frames, sides, workspace.read(THREADS), attributes, config.compare)
    rows += compared.rows
    rows += _frame_dynamics(workspace, config, marked)
    rows += _stance_dynamics(workspace, config, comments)
    workspace.write(ESTIMATES, as_table(rows), provenance)
    notes = _thread_notes(marked) + _notes(rows, labels) + compared.notes
    return Outcome({"estimates": len(rows), "eligible": eligible.units[0].n}, notes)


def check(config: Config) -> None:
    """Refuse what no comments are needed to refuse.

    Raises:
        UsageError: `[compare] groups` names what is neither built in nor an attribute.
    """
    unknown = unknown_groups(config.compare.groups, config.input.attributes)
    if unknown is not None:
        raise UsageError(unknown)


def _targets(
    workspace: Workspace, config: Config, comments: pl.DataFrame, resolved: pl.DataFrame
) -> tuple[list[Target], dict[str, str]]:
    """Read the configured targets' stances, and say with which bundle."""
    if not config.stance.targets:
        return [], {}
    reader = reader_of(config, "stance")
    about = eligible_comments(comments, reader.manifest.languages, config.filter, workspace.read(ATTRIBUTES))
    stances = read_tags(workspace, STANCES)
    found = stance_headlines(about, stances, resolved, config.stance.targets, reader, config.tagging, config.seed)
    return found, {"stance_bundle": reader.id}


def _frame_dynamics(workspace: Workspace, config: Config, marked: pl.DataFrame) -> list[Estimate]:
    """Replies are compared by what a bundle reads in the text alone, whoever else tagged."""
    bundle = load_bundle(config.bundles.frames, "frames", config.tagging.precision)
    frames = read_alone(workspace, FRAMES)
    if config.tagger == JUDGED and not (frames["bundle"] == bundle.id).any():
        return []
    return frame_dynamics(marked, frames, bundle, config.seed)


def _stance_dynamics(workspace: Workspace, config: Config, comments: pl.DataFrame) -> list[Estimate]:
    if not config.stance.targets:
        return []
    reader = load_bundle(config.bundles.stance, "stance", config.tagging.precision)
    attributes = workspace.read(ATTRIBUTES)
    marked = mark_excluded(comments.lazy(), reader.manifest.languages, config.filter, attributes).collect()
    return stance_dynamics(marked, read_alone(workspace, STANCES), config.stance.targets, reader, config.seed)


def _thread_notes(marked: pl.DataFrame) -> tuple[str, ...]:
    threads = marked["thread_id"].n_unique()
    if threads <= MOST_THREADS:
        return ()
    return (f"of {threads:,} threads the {MOST_THREADS:,} with most eligible comments have numbers of their own",)


def _notes(rows: list[Estimate], labels: pl.DataFrame) -> tuple[str, ...]:
    main = ("all", Measure.SHARE, "main", "collected", None)
    shares = [row for row in rows if (row.unit, row.measure, row.variant, row.population, row.group) == main]
    corrected = [row for row in shares if row.method == "heldout_correction"]
    silent = sum(row.mark is Mark.NOT_ESTIMABLE for row in corrected)
    notes: list[str] = []
    if silent:
        notes.append(
            f"{silent} of {len(corrected)} shares cannot be estimated without labels; counts of tags are given"
        )
    if labels.height and all(row.method == "heldout_correction" for row in shares):
        notes.append("no share uses the labels: how the labelled comments were chosen (inclusion) is not known")
    return tuple(notes)
