"""The tag stage where bundles tag: frames, stance and the fit check, some whole threads at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from discourse.codebook import Codebook
from discourse.config import Config
from discourse.engine import LOCAL, Engine
from discourse.models.bundle import Bundle, load_bundle
from discourse.models.bundle_codebook import check_codebook
from discourse.models.encoder import Encoder, load_reader
from discourse.models.text_vectors import text_reader
from discourse.tables import FRAMES, STANCES, THREADS, Path
from discourse.tag.batches import Comments, ThreadBatches
from discourse.tag.cascade import answered_by, said_of, way_of
from discourse.tag.fit import PastGate, check_fits, past_gate
from discourse.tag.frames import frame_batches, tag_frames
from discourse.tag.read_by import read_by
from discourse.tag.stance import path_of, read_stance, stance_batches
from discourse.tag.text_only import read_alone
from discourse.tag.topics import TopicTables, tag_topics
from discourse.workspace import Workspace

COLUMNS = (
    *("comment_id", "thread_id", "parent_id", "reply_kind", "state", "role", "created_at", "text", "language"),
    "duplicate_of",
)


def tag_by_bundles(
    workspace: Workspace, config: Config, codebook: Codebook, engine: Engine = LOCAL
) -> tuple[dict[str, int], list[str], TopicTables]:
    """Write frames, stance and fit by bundles, and find topics.

    Returns:
        Counts, what to tell, and the topics.

    Raises:
        BundleError: a bundle is missing, damaged or does not fit.
        UsageError: the frames bundle was trained for another codebook, and what differs is named.
    """
    bundle = load_bundle(config.bundles.frames, "frames", config.tagging.precision)
    check_codebook(bundle, codebook)
    encoder = load_reader(bundle.manifest.encoder, precision=config.tagging.precision)
    batches = ThreadBatches(workspace, COLUMNS)
    # A reading that knows the parent would find its frame in the reply: replies are read again without it.
    tagging = _Tagging(workspace, config, batches, read_alone(batches, config.seed), encoder, engine)
    counts, notes = tagging.frames(bundle, codebook)
    if config.tagging.precision != "fp32":
        notes.append(f"precision {config.tagging.precision}: thresholds and error rates were found in fp32")
    checked: list[tuple[Bundle, Comments]] = [(bundle, batches)]
    if config.stance.targets:
        stance_bundle = load_bundle(config.bundles.stance, "stance", config.tagging.precision)
        counts["stance_rows"], past = tagging.stances(stance_bundle)
        checked.append((stance_bundle, past))
    else:
        workspace.write(STANCES, STANCES.empty())
        notes.append("no stance: no target is named (--target, or [stance] targets)")
    notes += check_fits(workspace, checked, encoder, config)
    reader = text_reader(bundle, encoder)
    topics = tag_topics(workspace, batches, bundle.manifest.languages, reader, config, engine)
    return counts | read_by(workspace), notes, topics


@dataclass(frozen=True, slots=True)
class _Tagging:
    """One run of the stage; `chosen` are the comments that are read once more by their text alone."""

    workspace: Workspace
    config: Config
    batches: ThreadBatches
    chosen: pl.DataFrame
    encoder: Encoder
    engine: Engine

    def frames(self, bundle: Bundle, codebook: Codebook) -> tuple[dict[str, int], list[str]]:
        """Write the frames table; return counts and what to tell."""
        workspace, encoder, engine = self.workspace, self.encoder, self.engine
        threads = workspace.read(THREADS)
        path, cascade = way_of(bundle, self.config.tagging)
        counts = dict.fromkeys(["tagged", *(f"yes:{name}" for name in codebook.names)], 0)
        static, by_encoder = 0, 0

        def rows() -> Iterator[pl.DataFrame]:
            nonlocal static, by_encoder
            for frames in frame_batches(workspace, self.batches, threads, bundle, encoder, path, cascade, engine):
                counts["tagged"] += frames["comment_id"].n_unique()
                yes = frames.filter("above_threshold")["frame"]
                for name in codebook.names:
                    counts[f"yes:{name}"] += int((yes == name).sum())
                below, above = answered_by(frames)
                static, by_encoder = static + below, by_encoder + above
                yield frames
            yield tag_frames(workspace, self.chosen, threads, bundle, encoder, Path.TEXT_ONLY, cascade, engine)

        workspace.write_parts(FRAMES, rows(), {"bundle": bundle.id})
        notes = [bundle.doubt] if bundle.doubt else []
        counts["not_validated"] = len(notes)
        if cascade is not None:
            counts["answered_by_static"], counts["answered_by_encoder"] = static, by_encoder
            notes.append(said_of(cascade, static, by_encoder))
        if self.chosen.height < counts["tagged"]:
            notes.append(
                f"path text_only: {self.chosen.height:,} of {counts['tagged']:,} comments, in threads chosen whole by "
                "the seed"
            )
        return counts, notes

    def stances(self, bundle: Bundle) -> tuple[int, PastGate]:
        """Write the stance table; return the number of its rows by the path asked for, and who passed the gate."""
        workspace, targets, engine = self.workspace, self.config.stance.targets, self.engine
        flags = list[pl.Series]()
        number = 0

        def rows() -> Iterator[pl.DataFrame]:
            nonlocal number
            way = (bundle, self.encoder, targets, path_of(self.config), engine)
            for comments, found in zip(self.batches, stance_batches(workspace, self.batches, *way), strict=True):
                number += found.height
                past = past_gate(comments.select("comment_id"), found)["comment_id"]
                flags.append(comments["comment_id"].is_in(past.implode()))
                yield found
            yield read_stance(workspace, self.chosen, bundle, self.encoder, targets, Path.TEXT_ONLY, engine)

        workspace.write_parts(STANCES, rows(), {"bundle": bundle.id})
        return number, PastGate(self.batches, flags)
