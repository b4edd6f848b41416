"""Tag comments: frames, stance and topics, each row naming the bundle that gave it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from discourse.config import Config
from discourse.engine import LOCAL, Engine
from discourse.models.judge.comments import JUDGED, drop_use, tag_coder
from discourse.models.judge.cost import Agreed, Cost, never
from discourse.tables import (
    ANSWERS,
    ATTRIBUTES,
    COMMENTS,
    EMBEDDINGS,
    FIT,
    FRAMES,
    SCORES,
    STANCES,
    THREADS,
    TOPIC_INFO,
    TOPIC_NAMES,
    TOPIC_RUNS,
    TOPIC_TIMES,
    TOPICS,
    VOTES,
    Path,
    Table,
)
from discourse.workspace import Outcome, Workspace

if TYPE_CHECKING:
    from discourse.tag.topics import TopicTables

READS: tuple[Table, ...] = (THREADS, COMMENTS, ATTRIBUTES)
WRITES: tuple[Table, ...] = (
    *(EMBEDDINGS, SCORES, FRAMES, STANCES, FIT, TOPICS, TOPIC_INFO, TOPIC_NAMES, TOPIC_RUNS, TOPIC_TIMES),
    *(VOTES, ANSWERS),
)


def run(workspace: Workspace, config: Config, agreed: Agreed = never, engine: Engine = LOCAL) -> Outcome:
    """Tag every comment that has text; what an earlier run computed is kept and not computed again.

    Reads comments; writes embeddings and scores shard by shard, then frames, stance, fit and the tables of topics.

    Args:
        workspace: with comments.
        config: who tags, and how.
        agreed: asks the user before the external coder is sent more than `[judge]` allows.
        engine: where comments are read.

    Raises:
        BundleError: a bundle is missing, damaged or does not fit.
        InputError: the external coder was asked for and cannot be reached.
        UsageError: nobody agreed to what it costs; or the frames bundle was trained for another codebook than the
            configured one, and what differs is named.
    """
    # torch and transformers take seconds to import: only a run that tags pays for them.
    from discourse.codebook import load_codebook
    from discourse.models.bundle import load_bundle
    from discourse.models.bundle_codebook import check_codebook
    from discourse.models.encoder import load_encoder
    from discourse.models.text_vectors import text_reader
    from discourse.tag.by_judge import tag_by_judge
    from discourse.tag.cascade import answered_by, said_of, way_of
    from discourse.tag.fit import check_fits, past_gate
    from discourse.tag.frames import tag_frames
    from discourse.tag.stance import read_stance, tag_stance
    from discourse.tag.text_only import in_chosen_threads
    from discourse.tag.topics import tag_topics

    codebook = load_codebook(config.codebook.file)
    if config.tagger == JUDGED:
        workspace.write(FIT, FIT.empty())
        counts, notes, found = tag_by_judge(workspace, config, codebook.sha256, agreed)
        return _with_topics(workspace, config, found, counts, notes, agreed)
    drop_use(workspace, "tags")
    frames_bundle = load_bundle(config.bundles.frames, "frames")
    check_codebook(frames_bundle, codebook)
    encoder = load_encoder(frames_bundle.manifest.encoder)
    comments = workspace.read(COMMENTS)
    threads = workspace.read(THREADS)
    path, cascade = way_of(frames_bundle, config.tagging)
    frames = tag_frames(workspace, comments, threads, frames_bundle, encoder, path, cascade, engine)
    # A reading that knows the parent would find its frame in the reply: replies are read again without it.
    chosen = in_chosen_threads(comments, frames, config.seed)
    alone = tag_frames(workspace, chosen, threads, frames_bundle, encoder, Path.TEXT_ONLY, cascade, engine)
    workspace.write(FRAMES, pl.concat([frames, alone]), {"bundle": frames_bundle.id})
    counts = {
        "tagged": frames["comment_id"].n_unique(),
        **{f"yes:{name}": frames.filter(pl.col("above_threshold"), frame=name).height for name in codebook.names},
    }
    checked = [(frames_bundle, comments)]
    notes = [frames_bundle.doubt] if frames_bundle.doubt else []
    counts["not_validated"] = len(notes)
    if cascade is not None:
        counts["answered_by_static"], counts["answered_by_encoder"] = answered_by(frames)
        notes.append(said_of(cascade, counts["answered_by_static"], counts["answered_by_encoder"]))
    if alone["comment_id"].n_unique() < counts["tagged"]:
        notes.append(
            f"path text_only: {alone['comment_id'].n_unique():,} of {counts['tagged']:,} comments, in threads chosen "
            "whole by the seed"
        )
    if config.stance.targets:
        stance_bundle = load_bundle(config.bundles.stance, "stance")
        stances = tag_stance(workspace, comments, stance_bundle, encoder, config, engine)
        targets = config.stance.targets
        lone = read_stance(workspace, chosen, stance_bundle, encoder, targets, Path.TEXT_ONLY, engine)
        workspace.write(STANCES, pl.concat([stances, lone]), {"bundle": stance_bundle.id})
        checked.append((stance_bundle, past_gate(comments, stances)))
        counts["stance_rows"] = stances.height
    else:
        workspace.write(STANCES, STANCES.empty())
        notes.append("no stance: no target is named (--target, or [stance] targets)")
    notes += check_fits(workspace, checked, encoder, config)
    reader = text_reader(frames_bundle, encoder)
    found = tag_topics(workspace, comments, frames_bundle.manifest.languages, reader, config)
    return _with_topics(workspace, config, found, counts, notes, agreed)


def check(config: Config) -> None:
    """Refuse what no comments are needed to refuse.

    Raises:
        UsageError: the external coder is asked for and no model is named.
    """
    if config.tagger == JUDGED or config.topics.names == "judge":
        tag_coder(config)


def cost(workspace: Workspace, config: Config) -> Cost | None:
    """Say what the external coder would be sent for the comments as they are; None where it does not tag."""
    if config.tagger != JUDGED:
        return None
    from discourse.tag.judge import judge_cost

    return judge_cost(workspace, config)


def _with_topics(
    workspace: Workspace,
    config: Config,
    found: TopicTables,
    counts: dict[str, int],
    notes: list[str],
    agreed: Agreed,
) -> Outcome:
    """Write the tables of topics, named by the external coder if that is asked for."""
    from discourse.tag.topics.machine_names import named

    found = named(workspace, config, found, agreed)
    workspace.write(TOPICS, found.topics)
    workspace.write(TOPIC_INFO, found.info)
    workspace.write(TOPIC_RUNS, found.runs)
    workspace.write(TOPIC_TIMES, found.times)
    counts["topics"] = found.info.height - found.info["parent"].drop_nulls().n_unique()
    return Outcome(counts, (*notes, *found.notes))
