"""The static tier at work: it scores every input, and answers those that it may by the bundle's cut-offs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.config import TaggingConfig
from discourse.engine import LOCAL, Engine
from discourse.models.bundle import Bundle
from discourse.models.cascade import Cascade, CutOffs, goes_up, load_cascade, says_yes, static_probability
from discourse.models.encoder import Encoder
from discourse.progress import bar
from discourse.tables import Path, Tier
from discourse.tag.frame_keys import Reading
from discourse.tag.frame_work import load_static_work
from discourse.tag.input_numbers import Inputs, Scores, check_known, cut_shards, kept_scores
from discourse.tag.readable import SHARD
from discourse.workspace import Workspace

STATIC_SHARD = 5 * SHARD


def way_of(bundle: Bundle, tagging: TaggingConfig) -> tuple[Path, Cascade | None]:
    """Return the path that a run takes with a frames bundle, and what the static tier may answer on it.

    A bundle that reads the text alone has one way of reading it, with `[tagging] context` or without.

    Raises:
        BundleError: what the bundle says of its static tier is damaged.
    """
    if not tagging.context and bundle.manifest.context:
        return Path.NO_CONTEXT, None
    cascade = None if tagging.exact else load_cascade(bundle)
    return (Path.EXACT if cascade is None else Path.CASCADE), cascade


@dataclass(frozen=True, slots=True)
class StaticAnswers:
    """What the static tier says of the inputs, by their numbers.

    Attributes:
        answered: bool (inputs,), whether it may answer; the others go up.
        scores: with the evidence.
        probability: float64 (levels, inputs), on the side of the answer.
        yes: bool (levels, inputs).
    """

    answered: NDArray[np.bool_]
    scores: Scores
    probability: NDArray[np.float64]
    yes: NDArray[np.bool_]


def score_static(
    workspace: Workspace,
    batches: Iterable[pl.DataFrame],
    reading: Reading,
    inputs: Inputs,
    encoder: Encoder,
    cascade: Cascade,
    cut: dict[str, CutOffs],
    engine: Engine = LOCAL,
) -> StaticAnswers:
    """Score what the static tier has not scored yet, and return its answers.

    Args:
        workspace: keeps scores.
        batches: rows of the comments table, the same as were numbered.
        reading: how they are read, by a frames bundle with a static tier.
        inputs: their numbers.
        encoder: gives its tokenizer.
        cascade: of the bundle.
        cut: the cut-offs of each frame, those of the cascade that belong to the way of reading.
        engine: where missing inputs are scored.
    """
    bundle = reading.bundle
    scores = kept_scores(workspace, inputs, bundle, Tier.STATIC)
    missing = ~scores.known
    if missing.any():
        shard = np.where(missing, (np.cumsum(missing) - 1) // STATIC_SHARD, -1)
        with bar("frames, static tier", int(missing.sum())) as advance:
            work = load_static_work(workspace, bundle, encoder, cut)
            shards = cut_shards(map(reading.inputs, batches), inputs, shard)
            engine.each(work, map(reading.keyed, shards), advance)
        scores = kept_scores(workspace, inputs, bundle, Tier.STATIC)
        check_known(scores, np.ones(inputs.size, np.bool_), workspace)
    levels, calibration = bundle.manifest.labels, bundle.calibration()
    cuts = [cut[level] for level in levels]
    p = [
        static_probability(scores.score[place], cut[level], cascade.calibration[level], calibration[level])
        for place, level in enumerate(levels)
    ]
    return StaticAnswers(~goes_up(scores.score.T, cuts), scores, np.stack(p), says_yes(scores.score.T, cuts).T)


def answered_by(frames: pl.DataFrame) -> tuple[int, int]:
    """Return how many comments the static tier answered, and how many the encoder."""
    read = frames.filter(pl.col("probability").is_not_null()).unique("comment_id")
    static = read.filter(tier=Tier.STATIC.value).height
    return static, read.height - static


def said_of(cascade: Cascade, static: int, encoder: int) -> str:
    """Say which tier answered how many comments, and which frames went up whole."""
    note = f"cascade: the static tier answered {static:,} of {static + encoder:,} comments, the encoder the others"
    if cascade.whole:
        note += f"; {', '.join(cascade.whole)} cannot keep the cascade's bounds, so that every comment goes up"
    return note
