"""Frames: each distinct text is read once, in shards that survive a kill, and answers are joined back to comments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.engine import LOCAL, Engine
from discourse.models.bundle import Bundle, Calibration
from discourse.models.calibration import probability
from discourse.models.cascade import Cascade
from discourse.models.encoder import Encoder
from discourse.progress import bar
from discourse.tables import FRAMES, Decision, Path, Tier
from discourse.tag.cascade import StaticAnswers, score_static
from discourse.tag.frame_keys import Reading
from discourse.tag.frame_work import load_frame_work
from discourse.tag.input_numbers import Inputs, Scores, check_known, cut_shards, kept_scores, number_keys
from discourse.tag.readable import SHARD
from discourse.workspace import Workspace


def tag_frames(
    workspace: Workspace,
    comments: pl.DataFrame,
    threads: pl.DataFrame,
    bundle: Bundle,
    encoder: Encoder,
    path: Path = Path.EXACT,
    cascade: Cascade | None = None,
    engine: Engine = LOCAL,
) -> pl.DataFrame:
    """Return rows of the frames table for all comments with text, see `frame_batches`.

    Args:
        workspace: keeps embeddings and scores.
        comments: rows of the comments table.
        threads: `thread_id` and `title`.
        bundle: a frames bundle.
        encoder: the one that the bundle was trained on.
        path: how comments are read.
        cascade: what the static tier may answer; None asks the encoder alone.
        engine: where missing inputs are scored.
    """
    return pl.concat(frame_batches(workspace, [comments], threads, bundle, encoder, path, cascade, engine))


def frame_batches(
    workspace: Workspace,
    batches: Iterable[pl.DataFrame],
    threads: pl.DataFrame,
    bundle: Bundle,
    encoder: Encoder,
    path: Path = Path.EXACT,
    cascade: Cascade | None = None,
    engine: Engine = LOCAL,
) -> Iterator[pl.DataFrame]:
    """Yield rows of the frames table for the comments of each batch, when all of them are scored.

    By the paths `cascade` and `exact` text, title and parent are read, as far as the bundle reads them; by `no_context`
    and `text_only` the text alone. Comments in other languages get `unsure` with reason `language` and no probability.

    Args:
        workspace: keeps embeddings and scores.
        batches: rows of the comments table, gone through several times; who answers whom stands in one batch.
        threads: `thread_id` and `title`.
        bundle: a frames bundle.
        encoder: the one that the bundle was trained on.
        path: how comments are read.
        cascade: what the static tier may answer; None asks the encoder alone.
        engine: where missing inputs are scored.
    """
    context = bundle.manifest.context if path in {Path.CASCADE, Path.EXACT} else ()
    reading = Reading(threads, context, bundle)
    inputs = number_keys([reading.keyed(reading.inputs(comments))["input_key"] for comments in batches])
    static = None
    up = np.ones(inputs.size, np.bool_)
    if cascade is not None:
        cut = cascade.alone if path is Path.TEXT_ONLY else cascade.levels
        static = score_static(workspace, batches, reading, inputs, encoder, cascade, cut, engine)
        up = ~static.answered
    scores = _score_missing(workspace, batches, reading, inputs, up, encoder, engine)
    answers = _Answers(bundle, static, scores)
    for comments, numbers in zip(batches, inputs.of_batch, strict=True):
        readable = reading.readable(comments)
        ids, read = readable["comment_id"], readable["read"]
        found = pl.concat([answers.rows(ids.filter(read), numbers), _unread(ids.filter(~read), bundle)])
        yield found.with_columns(path=pl.lit(path.value)).sort("comment_id", "frame", maintain_order=True)


def _score_missing(
    workspace: Workspace,
    batches: Iterable[pl.DataFrame],
    reading: Reading,
    inputs: Inputs,
    up: NDArray[np.bool_],
    encoder: Encoder,
    engine: Engine,
) -> Scores:
    """Let the encoder read what goes up and has no score yet; return the scores of all inputs that it read."""
    scores = kept_scores(workspace, inputs, reading.bundle, Tier.ENCODER)
    missing = up & ~scores.known
    if not missing.any():
        return scores
    # Shards are cut from all texts, not from the missing ones: a resumed run then forms the same batches as an
    # undisturbed one, and its vectors are equal to the last bit, on which the map of topics depends.
    shard = np.where(missing, (np.cumsum(up) - 1) // SHARD, -1)
    with bar("frames", int(missing.sum())) as advance:
        work = load_frame_work(workspace, reading.bundle, encoder)
        shards = cut_shards(map(reading.inputs, batches), inputs, shard)
        engine.each(work, map(reading.keyed, shards), advance)
    scores = kept_scores(workspace, inputs, reading.bundle, Tier.ENCODER)
    check_known(scores, up, workspace)
    return scores


@dataclass(frozen=True, slots=True)
class _Answers:
    """What both tiers say; the static one's answer goes before."""

    bundle: Bundle
    static: StaticAnswers | None
    encoder: Scores

    def rows(self, ids: pl.Series, numbers: NDArray[np.int32]) -> pl.DataFrame:
        """Return rows of the frames table of comments and the numbers of their inputs, but for the path."""
        parts = [
            self._level(ids, numbers, place, level, calibration)
            for place, (level, calibration) in enumerate(self._calibrations())
        ]
        return pl.concat(parts)

    def _calibrations(self) -> list[tuple[str, Calibration]]:
        calibration = self.bundle.calibration()
        return [(level, calibration[level]) for level in self.bundle.manifest.labels]

    def _level(
        self, ids: pl.Series, numbers: NDArray[np.int32], place: int, level: str, calibration: Calibration
    ) -> pl.DataFrame:
        p = probability(self.encoder.score[place, numbers], calibration)
        yes, start, end = (
            p >= calibration.threshold,
            self.encoder.start[place, numbers],
            self.encoder.end[place, numbers],
        )
        stays = np.zeros(len(numbers), np.bool_)
        if self.static is not None:
            stays, own = self.static.answered[numbers], self.static.scores
            p = np.where(stays, self.static.probability[place, numbers], p)
            yes = np.where(stays, self.static.yes[place, numbers], yes)
            start = np.where(stays, own.start[place, numbers], start)
            end = np.where(stays, own.end[place, numbers], end)
        unsure = ~stays & (p >= calibration.unsure_low) & (p < calibration.unsure_high)
        nothing = pl.lit(None, pl.String)
        return pl.DataFrame(
            {"comment_id": ids, "probability": p, "above_threshold": yes, "start": start, "end": end, "stays": stays}
        ).select(
            "comment_id",
            pl.lit(level).alias("frame"),
            "probability",
            "above_threshold",
            pl.when(pl.Series(unsure))
            .then(pl.lit(Decision.UNSURE.value))
            .when("above_threshold")
            .then(pl.lit(Decision.YES.value))
            .otherwise(pl.lit(Decision.NO.value))
            .alias("decision"),
            pl.when(pl.Series(unsure)).then(pl.lit("model")).otherwise(nothing).alias("reason"),
            *(
                pl.when(pl.col(name) >= 0).then(pl.col(name).cast(pl.Int64)).alias(f"evidence_{name}")
                for name in ("start", "end")
            ),
            pl.when("stays").then(pl.lit(Tier.STATIC.value)).otherwise(pl.lit(Tier.ENCODER.value)).alias("tier"),
            nothing.alias("path"),
            pl.lit(self.bundle.id).alias("bundle"),
        )


def _unread(ids: pl.Series, bundle: Bundle) -> pl.DataFrame:
    """Return the rows of comments in languages that the bundle does not read."""
    levels = pl.DataFrame({"frame": bundle.manifest.labels}, schema={"frame": pl.String})
    return (
        ids.to_frame()
        .join(levels, how="cross")
        .with_columns(
            probability=pl.lit(None, pl.Float64),
            above_threshold=pl.lit(value=False),
            decision=pl.lit(Decision.UNSURE.value),
            reason=pl.lit("language"),
            evidence_start=pl.lit(None, pl.Int64),
            evidence_end=pl.lit(None, pl.Int64),
            tier=pl.lit(Tier.ENCODER.value),
            path=pl.lit(None, pl.String),
            bundle=pl.lit(bundle.id),
        )
        .select(FRAMES.schema.names())
    )
