"""Frames: each distinct text is read once, in shards that survive a kill, and answers are joined back to comments."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from discourse.engine import LOCAL, Engine
from discourse.models.bundle import Bundle, Calibration
from discourse.models.calibration import probability
from discourse.models.cascade import Cascade
from discourse.models.encoder import Encoder
from discourse.models.frame_inputs import FrameInput
from discourse.models.input_key import input_key
from discourse.progress import bar
from discourse.tables import FRAMES, SCORES, Decision, Path, Tier
from discourse.tag.cascade import static_answers
from discourse.tag.frame_work import PARTS, load_frame_work
from discourse.tag.readable import SHARD, in_languages, with_text
from discourse.tag.scores import missing_rows
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
    """Return rows of the frames table for all comments with text.

    By the paths `cascade` and `exact` text, title and parent are read, as far as the bundle reads them; by `no_context`
    and `text_only` the text alone. Comments in other languages get `unsure` with reason `language` and no probability.

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
    context = bundle.manifest.context if path in {Path.CASCADE, Path.EXACT} else ()
    readable = in_context(comments, threads, context).with_columns(
        in_languages(bundle.manifest.languages).alias("read")
    )
    keys = [
        input_key(row.text, row.title, row.parent, bundle.id)
        for row in (FrameInput(*parts).as_read(context) for parts in readable.select(PARTS).iter_rows())
    ]
    keyed = readable.with_columns(input_key=pl.Series(keys, dtype=pl.String))
    wanted = keyed.filter("read").unique("input_key", keep="first", maintain_order=True).select("input_key", *PARTS)
    answers: list[pl.DataFrame] = []
    if cascade is not None:
        alone = path is Path.TEXT_ONLY
        answers.append(static_answers(workspace, wanted, bundle, encoder, cascade, alone=alone, engine=engine))
        wanted = wanted.join(answers[0].select("input_key"), on="input_key", how="anti", maintain_order="left")
    _score_missing(workspace, wanted, bundle, encoder, engine)
    answers.append(_encoder_answers(workspace, wanted, bundle))
    found = pl.concat([_of_comments(keyed, pl.concat(answers)), _unread(keyed, bundle)])
    return found.with_columns(path=pl.lit(path.value)).sort("comment_id", "frame", maintain_order=True)


def in_context(comments: pl.DataFrame, threads: pl.DataFrame, context: Sequence[str]) -> pl.DataFrame:
    """Return comment_id, language and `PARTS` of the comments with text; parts that are not read are empty."""
    texts = comments.select(parent_id="comment_id", parent="text")
    titles = threads.select("thread_id", "title").unique("thread_id")
    readable = with_text(comments).drop("title", "parent", strict=False)
    joined = readable.join(texts, on="parent_id", how="left", maintain_order="left")
    joined = joined.join(titles, on="thread_id", how="left", maintain_order="left")
    parts = [
        (pl.col(name).fill_null("") if name in context else pl.lit("")).alias(name) for name in ("title", "parent")
    ]
    return joined.select("comment_id", "language", "text", *parts)


def _score_missing(
    workspace: Workspace, wanted: pl.DataFrame, bundle: Bundle, encoder: Encoder, engine: Engine
) -> None:
    missing = missing_rows(wanted, workspace.scan(SCORES), bundle, Tier.ENCODER)
    if missing.is_empty():
        return
    # Shards are cut from all texts, not from the missing ones: a resumed run then forms the same batches as an
    # undisturbed one, and its vectors are equal to the last bit, on which the map of topics depends.
    keys = missing.select("input_key")
    parts = (wanted.slice(start, SHARD) for start in range(0, wanted.height, SHARD))
    shards = (part.join(keys, on="input_key", how="semi", maintain_order="left") for part in parts)
    with bar("frames", missing.height) as advance:
        engine.each(load_frame_work(workspace, bundle, encoder), (shard for shard in shards if shard.height), advance)


def _encoder_answers(workspace: Workspace, wanted: pl.DataFrame, bundle: Bundle) -> pl.DataFrame:
    """Return rows of the scores table with probability, tag and decision, for the inputs that the encoder answers."""
    scores = workspace.read(SCORES).filter(bundle=bundle.id, tier=Tier.ENCODER.value)
    scores = scores.join(wanted.select("input_key"), on="input_key", how="semi", maintain_order="left")
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
    return pl.concat(parts)


def _of_comments(keyed: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    answers = answers.rename({"level": "frame"})
    joined = keyed.filter("read").select("comment_id", "input_key").join(answers, on="input_key", how="inner")
    unsure = pl.col("decision") == Decision.UNSURE.value
    return joined.with_columns(
        path=pl.lit(None, pl.String), reason=pl.when(unsure).then(pl.lit("model")).otherwise(pl.lit(None, pl.String))
    ).select(FRAMES.schema.names())


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
            path=pl.lit(None, pl.String),
            bundle=pl.lit(bundle.id),
        )
        .select(FRAMES.schema.names())
    )
