"""Frames: each distinct text is read once, in shards that survive a kill, and answers are joined back to comments."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.models.bundle import Bundle, Calibration
from discourse.models.calibration import probability
from discourse.models.encoder import Encoder
from discourse.models.frames import FramesModel, load_frames
from discourse.models.input_key import input_key
from discourse.progress import bar
from discourse.tables import FRAMES, SCORES, Decision, Path, Tier
from discourse.tag.evidence import carrying, strongest
from discourse.tag.readable import SHARD, in_languages, with_text
from discourse.tag.vectors import keep_vectors
from discourse.workspace import Workspace


def tag_frames(workspace: Workspace, comments: pl.DataFrame, bundle: Bundle, encoder: Encoder) -> pl.DataFrame:
    """Return rows of the frames table for all comments with text.

    The path is `exact`: the encoder reads the text alone, as this kind of bundle does. Comments in other languages get
    `unsure` with reason `language` and no probability.

    Args:
        workspace: keeps embeddings and scores.
        comments: rows of the comments table.
        bundle: a frames bundle.
        encoder: the one that the bundle was trained on.
    """
    readable = with_text(comments).select(
        "comment_id", "text", "language", in_languages(bundle.manifest.languages).alias("read")
    )
    keyed = readable.with_columns(
        input_key=pl.when("read").then(
            pl.col("text").map_elements(lambda text: input_key(text, bundle.id), return_dtype=pl.String)
        )
    )
    _score_missing(workspace, keyed, bundle, encoder)
    scores = workspace.read(SCORES).filter(bundle=bundle.id)
    return pl.concat([_answered(keyed, scores, bundle), _unread(keyed, bundle)]).sort(
        "comment_id", "frame", maintain_order=True
    )


def _score_missing(workspace: Workspace, keyed: pl.DataFrame, bundle: Bundle, encoder: Encoder) -> None:
    wanted = keyed.filter("read").unique("input_key", keep="first", maintain_order=True).select("input_key", "text")
    done = workspace.scan(SCORES).filter(bundle=bundle.id).select("input_key").unique().collect()
    missing = wanted.join(done, on="input_key", how="anti", maintain_order="left")
    if missing.is_empty():
        return
    model = load_frames(bundle, encoder)
    with bar("frames", missing.height) as advance:
        # Shards are cut from all texts, not from the missing ones: a resumed run then forms the same batches as an
        # undisturbed one, and its vectors are equal to the last bit, on which the map of topics depends.
        for start in range(0, wanted.height, SHARD):
            shard = wanted.slice(start, SHARD).join(done, on="input_key", how="anti", maintain_order="left")
            if shard.is_empty():
                continue
            texts = shard["text"].to_list()
            read = model.read(texts, advance)
            keep_vectors(workspace, encoder, texts, read.vectors)
            workspace.append(SCORES, _scores(shard, texts, read.scores, model, bundle), {"bundle": bundle.id})


def _scores(
    shard: pl.DataFrame, texts: list[str], scores: NDArray[np.float64], model: FramesModel, bundle: Bundle
) -> pl.DataFrame:
    """Return rows of the scores table, with the evidence of each yes."""
    calibration = bundle.calibration()
    yes = np.column_stack([_above(scores[:, k], calibration[level]) for k, level in enumerate(model.levels)])
    starts: list[list[int | None]] = [[None] * len(texts) for _ in model.levels]
    ends: list[list[int | None]] = [[None] * len(texts) for _ in model.levels]
    rows = np.flatnonzero(yes.any(1))
    language = bundle.manifest.languages[0]
    found = carrying([texts[row] for row in rows], language, lambda parts: model.read(parts).scores)
    for row, (spans, values) in zip(rows, found, strict=True):
        for k in np.flatnonzero(yes[row]):
            starts[k][row], ends[k][row] = strongest(spans, values, int(k))
    return pl.concat(
        [
            pl.DataFrame(
                {
                    "input_key": shard["input_key"],
                    "bundle": bundle.id,
                    "level": level,
                    "score": scores[:, k],
                    "evidence_start": starts[k],
                    "evidence_end": ends[k],
                    "tier": Tier.ENCODER.value,
                },
                schema=SCORES.schema,
            )
            for k, level in enumerate(model.levels)
        ]
    )


def _answered(keyed: pl.DataFrame, scores: pl.DataFrame, bundle: Bundle) -> pl.DataFrame:
    parts: list[pl.DataFrame] = []
    for level, calibration in bundle.calibration().items():
        of_level = scores.filter(level=level)
        p = pl.Series("probability", probability(of_level["score"].to_numpy(), calibration))
        parts.append(
            of_level.with_columns(p).with_columns(
                (p >= calibration.threshold).alias("above_threshold"),
                _decision(calibration).alias("decision"),
            )
        )
    answers = pl.concat(parts).rename({"level": "frame"})
    joined = keyed.filter("read").select("comment_id", "input_key").join(answers, on="input_key", how="inner")
    unsure = pl.col("decision") == Decision.UNSURE.value
    return joined.with_columns(
        path=pl.lit(Path.EXACT.value), reason=pl.when(unsure).then(pl.lit("model")).otherwise(pl.lit(None, pl.String))
    ).select(FRAMES.schema.names())


def _above(scores: NDArray[np.float64], calibration: Calibration) -> NDArray[np.bool_]:
    return probability(scores, calibration) >= calibration.threshold


def _decision(calibration: Calibration) -> pl.Expr:
    p = pl.col("probability")
    between = (p >= calibration.unsure_low) & (p < calibration.unsure_high)
    return (
        pl.when(between)
        .then(pl.lit(Decision.UNSURE.value))
        .when(p >= calibration.threshold)
        .then(pl.lit(Decision.YES.value))
        .otherwise(pl.lit(Decision.NO.value))
    )


def _unread(keyed: pl.DataFrame, bundle: Bundle) -> pl.DataFrame:
    """Return the rows of comments in languages that the bundle does not read."""
    levels = pl.DataFrame({"frame": bundle.manifest.labels}, schema={"frame": pl.String})
    return (
        keyed.filter(~pl.col("read"))
        .select("comment_id")
        .join(levels, how="cross")
        .with_columns(
            probability=pl.lit(None, pl.Float64),
            above_threshold=pl.lit(value=False),
            decision=pl.lit(Decision.UNSURE.value),
            reason=pl.lit("language"),
            evidence_start=pl.lit(None, pl.Int64),
            evidence_end=pl.lit(None, pl.Int64),
            tier=pl.lit(Tier.ENCODER.value),
            path=pl.lit(Path.EXACT.value),
            bundle=pl.lit(bundle.id),
        )
        .select(FRAMES.schema.names())
    )
