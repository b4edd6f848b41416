"""Tag comments: frames, stance and topics, each row naming the bundle that gave it."""

from __future__ import annotations

import polars as pl

from discourse.config import Config
from discourse.errors import UsageError
from discourse.tables import (
    ATTRIBUTES,
    COMMENTS,
    EMBEDDINGS,
    FRAMES,
    SCORES,
    STANCES,
    THREADS,
    TOPIC_INFO,
    TOPIC_RUNS,
    TOPIC_TIMES,
    TOPICS,
    Path,
    Table,
)
from discourse.workspace import Outcome, Workspace

READS: tuple[Table, ...] = (THREADS, COMMENTS, ATTRIBUTES)
WRITES: tuple[Table, ...] = (EMBEDDINGS, SCORES, FRAMES, STANCES, TOPICS, TOPIC_INFO, TOPIC_RUNS, TOPIC_TIMES)


def run(workspace: Workspace, config: Config) -> Outcome:
    """Tag every comment that has text; what an earlier run computed is kept and not computed again.

    Reads comments; writes embeddings and scores shard by shard, then frames, stance and the tables of topics.

    Raises:
        BundleError: a bundle is missing, damaged or does not fit.
        UsageError: the bundle was trained for another codebook than the configured one.
    """
    # torch and transformers take seconds to import: only a run that tags pays for them.
    from discourse.codebook import load_codebook
    from discourse.models.bundle import load_bundle
    from discourse.models.encoder import load_encoder
    from discourse.tag.frames import tag_frames
    from discourse.tag.stance import read_stance, tag_stance
    from discourse.tag.text_only import in_chosen_threads, text_only
    from discourse.tag.topics import tag_topics

    codebook = load_codebook(config.codebook.file)
    frames_bundle = load_bundle(config.bundles.frames, "frames")
    if frames_bundle.manifest.codebook_sha256 != codebook.sha256:
        raise UsageError(
            f"bundle {frames_bundle.manifest.name} was trained on codebook {frames_bundle.manifest.codebook}, which "
            f"is not {codebook.name} as it stands now; train a bundle for it: discourse bundle train RECIPE"
        )
    encoder = load_encoder(frames_bundle.manifest.encoder)
    comments = workspace.read(COMMENTS)
    frames = tag_frames(workspace, comments, frames_bundle, encoder)
    alone = text_only(frames, comments, config.seed)
    workspace.write(FRAMES, pl.concat([frames, alone]), {"bundle": frames_bundle.id})
    counts = {
        "tagged": frames["comment_id"].n_unique(),
        **{f"yes:{name}": frames.filter(pl.col("above_threshold"), frame=name).height for name in codebook.names},
    }
    notes: list[str] = []
    if alone["comment_id"].n_unique() < counts["tagged"]:
        notes.append(
            f"path text_only: {alone['comment_id'].n_unique():,} of {counts['tagged']:,} comments, in threads chosen "
            "whole by the seed"
        )
    if config.stance.targets:
        stance_bundle = load_bundle(config.bundles.stance, "stance")
        stances = tag_stance(workspace, comments, stance_bundle, encoder, config)
        # A reading that knows the parent would find its stance in the reply: replies are read again without it.
        chosen = in_chosen_threads(comments, frames, config.seed)
        targets = config.stance.targets
        lone = read_stance(workspace, chosen, stance_bundle, encoder, targets, Path.TEXT_ONLY)
        workspace.write(STANCES, pl.concat([stances, lone]), {"bundle": stance_bundle.id})
        counts["stance_rows"] = stances.height
    else:
        workspace.write(STANCES, STANCES.empty())
        notes.append("no stance: no target is named (--target, or [stance] targets)")
    found = tag_topics(workspace, comments, frames_bundle.manifest.languages, encoder, config)
    workspace.write(TOPICS, found.topics)
    workspace.write(TOPIC_INFO, found.info)
    workspace.write(TOPIC_RUNS, found.runs)
    workspace.write(TOPIC_TIMES, found.times)
    counts["topics"] = found.info.height - found.info["parent"].drop_nulls().n_unique()
    return Outcome(counts, (*notes, *found.notes))
