"""From tags and labels to estimates: shares with intervals, counts, and how good data and models are."""

from __future__ import annotations

import polars as pl

from discourse.aggregate.estimates import Estimate, as_table
from discourse.aggregate.frames import frame_estimates
from discourse.aggregate.labels import resolve
from discourse.aggregate.quality import quality_estimates
from discourse.aggregate.stances import stance_estimates
from discourse.aggregate.topics import topic_estimates
from discourse.aggregate.units import eligible_comments
from discourse.config import Config
from discourse.denominator import mark_excluded
from discourse.models.bundle import load_bundle
from discourse.tables import (
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
    Mark,
    Measure,
)
from discourse.workspace import Outcome, Workspace

READS = (THREADS, COMMENTS, QUARANTINE, FRAMES, STANCES, TOPICS, TOPIC_INFO, TOPIC_RUNS, LABELS)
WRITES = (ESTIMATES,)

COLUMNS = (
    "comment_id",
    "thread_id",
    "reply_kind",
    "author",
    "role",
    "created_at",
    "text",
    "language",
    "state",
    "duplicate_of",
)


def run(workspace: Workspace, config: Config) -> Outcome:
    """Turn tags and labels into the estimates table.

    Raises:
        BundleError: a configured bundle is missing or damaged.
        WorkspaceError: the tags were made with another bundle, or the workspace cannot be written.
    """
    bundle = load_bundle(config.bundles.frames, "frames")
    comments = workspace.scan(COMMENTS).select(COLUMNS).collect()
    labels = workspace.read(LABELS)
    resolved = resolve(labels, config.labels.resolve)
    eligible = eligible_comments(comments, bundle.manifest.languages, config.filter)
    marked = mark_excluded(comments.lazy(), bundle.manifest.languages, config.filter).collect()

    rows = quality_estimates(marked, workspace.read(QUARANTINE), resolved, workspace.read(THREADS))
    rows += frame_estimates(eligible, workspace.read(FRAMES), resolved, bundle, config.tagging, config.seed)
    provenance = {"bundle": bundle.id}
    if config.stance.targets:
        reader = load_bundle(config.bundles.stance, "stance")
        provenance["stance_bundle"] = reader.id
        about = eligible_comments(comments, reader.manifest.languages, config.filter)
        stances = workspace.read(STANCES)
        rows += stance_estimates(about, stances, resolved, config.stance.targets, reader, config.tagging, config.seed)
    rows += topic_estimates(eligible, workspace.read(TOPICS), workspace.read(TOPIC_INFO), workspace.read(TOPIC_RUNS))
    workspace.write(ESTIMATES, as_table(rows), provenance)
    return Outcome({"estimates": len(rows), "eligible": eligible.units[0].n}, _notes(rows, labels))


def _notes(rows: list[Estimate], labels: pl.DataFrame) -> tuple[str, ...]:
    shares = [row for row in rows if (row.unit, row.measure, row.variant) == ("all", Measure.SHARE, "main")]
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
