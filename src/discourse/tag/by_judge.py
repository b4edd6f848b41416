"""The tag stage where the external coder tags: its codes, and beside them what a bundle is still needed for."""

from __future__ import annotations

import polars as pl

from discourse.config import Config
from discourse.models.bundle import load_bundle
from discourse.models.encoder import Encoder, load_encoder
from discourse.models.judge.cost import Agreed
from discourse.models.text_vectors import text_reader
from discourse.tables import COMMENTS, FRAMES, STANCES, THREADS, Path
from discourse.tag.frames import tag_frames
from discourse.tag.judge import judge
from discourse.tag.stance import read_stance
from discourse.tag.text_only import in_chosen_threads
from discourse.tag.topics import TopicTables, tag_topics
from discourse.workspace import Workspace


def tag_by_judge(
    workspace: Workspace, config: Config, codebook_sha256: str, agreed: Agreed
) -> tuple[dict[str, int], list[str], TopicTables]:
    """Write frames and stance by the external coder, and find topics.

    The reply tree is read by the bundles from the text alone, as always: a reader who knows the parent would find its
    tag in the reply. A frames bundle of another codebook cannot do that, and is then left out.

    Returns:
        Counts, what to tell, and the topics.

    Raises:
        UsageError, InputError: as in `judge`.
        BundleError: a bundle is missing or damaged.
    """
    bundle = load_bundle(config.bundles.frames, "frames", config.tagging.precision)
    judged = judge(workspace, config, agreed)
    encoder = load_encoder(bundle.manifest.encoder, precision=config.tagging.precision)
    comments, threads = workspace.read(COMMENTS), workspace.read(THREADS)
    notes = list(judged.notes)
    chosen = in_chosen_threads(comments, judged.frames, config.seed)
    alone = FRAMES.empty()
    if bundle.manifest.codebook_sha256 == codebook_sha256:
        alone = tag_frames(workspace, chosen, threads, bundle, encoder, Path.TEXT_ONLY)
    else:
        notes.append(
            f"replies are not compared by frames: bundle {bundle.manifest.name} reads {bundle.manifest.codebook}, and "
            "the external coder reads comments with their parents"
        )
    workspace.write(FRAMES, pl.concat([judged.frames, alone]), {"bundle": judged.coder})
    lone = _stance_alone(workspace, config, chosen, encoder)
    workspace.write(STANCES, pl.concat([judged.stances, lone]), {"bundle": judged.coder})
    counts = {
        "tagged": judged.frames["comment_id"].n_unique(),
        **{
            f"yes:{name}": judged.frames.filter(pl.col("above_threshold"), frame=name).height
            for name in judged.frames["frame"].unique(maintain_order=True)
        },
        "stance_rows": judged.stances.height,
        **judged.counts,
    }
    reader = text_reader(bundle, encoder)
    return counts, notes, tag_topics(workspace, comments, bundle.manifest.languages, reader, config)


def _stance_alone(workspace: Workspace, config: Config, chosen: pl.DataFrame, encoder: Encoder) -> pl.DataFrame:
    if not config.stance.targets:
        return STANCES.empty()
    bundle = load_bundle(config.bundles.stance, "stance", config.tagging.precision)
    return read_stance(workspace, chosen, bundle, encoder, config.stance.targets, Path.TEXT_ONLY)
