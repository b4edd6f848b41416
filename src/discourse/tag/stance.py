"""Stance to the named targets: the gate on kept vectors first, then one joint reading of target, parent and comment."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.config import Config
from discourse.engine import LOCAL, Engine
from discourse.models.bundle import Bundle
from discourse.models.encoder import Encoder
from discourse.models.input_key import input_key
from discourse.models.stance import CLASSES, Reading, StanceModel, decide, gate_features, load_stance
from discourse.models.text_vectors import read_texts
from discourse.progress import bar
from discourse.tables import SCORES, STANCES, Path, Stance, Tier
from discourse.tag.readable import SHARD, in_languages, with_text
from discourse.tag.stance_work import SHARD_SCHEMA, StanceWork
from discourse.tag.vectors import vectors_of
from discourse.workspace import Workspace

VECTOR_TOKENS = 256


def tag_stance(
    workspace: Workspace,
    comments: pl.DataFrame,
    bundle: Bundle,
    encoder: Encoder,
    config: Config,
    engine: Engine = LOCAL,
) -> pl.DataFrame:
    """Return rows of the stance table for all comments with text and all targets.

    The path is `exact` where the parent was read along, `no_context` where `[tagging] context` is off.

    Args:
        workspace: keeps vectors and scores.
        comments: rows of the comments table.
        bundle: a stance bundle.
        encoder: the one that the bundle was trained on.
        config: names the targets.
        engine: where missing inputs are scored.
    """
    path = Path.EXACT if config.tagging.context else Path.NO_CONTEXT
    return read_stance(workspace, comments, bundle, encoder, config.stance.targets, path, engine)


def read_stance(
    workspace: Workspace,
    comments: pl.DataFrame,
    bundle: Bundle,
    encoder: Encoder,
    targets: tuple[str, ...],
    path: Path,
    engine: Engine = LOCAL,
) -> pl.DataFrame:
    """Return rows of the stance table by one path, which reads the parent along only if it is `exact`."""
    texts = comments.select(parent_id="comment_id", parent="text")
    readable = (
        with_text(comments)
        .join(texts, on="parent_id", how="left", maintain_order="left")
        .select(
            "comment_id", "text", pl.col("parent").fill_null(""), in_languages(bundle.manifest.languages).alias("read")
        )
    )
    if path is not Path.EXACT:
        readable = readable.with_columns(parent=pl.lit(""))
    read = readable.filter("read")
    model = load_stance(bundle, encoder)
    reader = model.gate_reader
    text = vectors_of(workspace, reader, read["text"].to_list(), VECTOR_TOKENS, engine)
    parent = vectors_of(workspace, reader, read["parent"].to_list(), VECTOR_TOKENS, engine)
    parts: list[pl.DataFrame] = []
    for target in targets:
        readings = [Reading(target, *row) for row in read.select("text", "parent").iter_rows()]
        about = np.repeat(read_texts(reader, [target]), len(readings), axis=0)
        gate = model.gate.scores(gate_features(readings, about, text, parent))
        answered = _answered(workspace, read, readings, gate, model, bundle, engine)
        both = pl.concat([answered, _unread(readable.filter(~pl.col("read")))])
        parts.append(both.with_columns(target=pl.lit(target)))
    named = [
        part.with_columns(tier=pl.lit(Tier.ENCODER.value), path=pl.lit(path.value), bundle=pl.lit(bundle.id))
        for part in parts
    ]
    return STANCES.conform(pl.concat(named)).sort("comment_id", "target", maintain_order=True)


def _answered(
    workspace: Workspace,
    read: pl.DataFrame,
    readings: list[Reading],
    gate: NDArray[np.float64],
    model: StanceModel,
    bundle: Bundle,
    engine: Engine,
) -> pl.DataFrame:
    calibration = bundle.calibration()
    passed, _, _ = decide(gate, np.zeros((len(readings), len(CLASSES))), calibration)
    rows = np.flatnonzero(passed)
    log_p, spans = _kept_log_probabilities(workspace, [readings[row] for row in rows], model, bundle, engine)
    whole = np.zeros((len(readings), len(CLASSES)))
    whole[rows] = log_p
    _, p, answer = decide(gate, whole, calibration)
    shown = [[float(value) if ok else None for value, ok in zip(p[:, k], passed, strict=True)] for k in range(3)]
    evidence: list[tuple[int | None, int | None]] = [(None, None)] * len(readings)
    for row, span in zip(rows, spans, strict=True):
        if CLASSES[answer[row]] in {"favor", "against"}:
            evidence[row] = span
    off = np.where(passed, p[:, 3], 1 - 1 / (1 + np.exp(-gate)))
    return pl.DataFrame(
        {
            "comment_id": read["comment_id"],
            "p_favor": pl.Series(shown[0], dtype=pl.Float64),
            "p_against": pl.Series(shown[1], dtype=pl.Float64),
            "p_neutral": pl.Series(shown[2], dtype=pl.Float64),
            "p_off_target": off,
            "stance": [CLASSES[number] for number in answer],
            "reason": pl.Series([None] * len(readings), dtype=pl.String),
            "evidence_start": pl.Series([start for start, _ in evidence], dtype=pl.Int64),
            "evidence_end": pl.Series([end for _, end in evidence], dtype=pl.Int64),
        },
        schema_overrides={"stance": pl.String},
    )


def _kept_log_probabilities(
    workspace: Workspace, readings: list[Reading], model: StanceModel, bundle: Bundle, engine: Engine
) -> tuple[NDArray[np.float64], list[tuple[int | None, int | None]]]:
    """Return log-probabilities (rows × 4) and the evidence of each reading; missing ones are computed in shards."""
    keys = [input_key(r.target, r.parent, r.text, bundle.id) for r in readings]
    done = set(workspace.scan(SCORES).filter(bundle=bundle.id).select("input_key").unique().collect()["input_key"])
    missing = list({key: r for key, r in zip(keys, readings, strict=True) if key not in done}.items())
    shards = (
        pl.DataFrame(
            [(key, r.target, r.text, r.parent) for key, r in missing[start : start + SHARD]], SHARD_SCHEMA, orient="row"
        )
        for start in range(0, len(missing), SHARD)
    )
    with bar("stance", len(missing)) as advance:
        engine.each(StanceWork(workspace, bundle, model), shards, advance)
    kept = workspace.read(SCORES).filter(bundle=bundle.id)
    wide = kept.pivot("level", index=["input_key", "evidence_start", "evidence_end"], values="score")
    wanted = pl.DataFrame({"input_key": keys}, schema={"input_key": pl.String})
    joined = wanted.join(wide, on="input_key", how="left", maintain_order="left") if kept.height else wanted
    if not readings:
        return np.zeros((0, len(CLASSES))), []
    return joined.select(CLASSES).to_numpy(), joined.select("evidence_start", "evidence_end").rows()


def _unread(comments: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of comments in languages that the bundle does not read."""
    number, place = pl.lit(None, pl.Float64), pl.lit(None, pl.Int64)
    return comments.select(
        "comment_id",
        number.alias("p_favor"),
        number.alias("p_against"),
        number.alias("p_neutral"),
        number.alias("p_off_target"),
        pl.lit(Stance.UNSURE.value).alias("stance"),
        pl.lit("language").alias("reason"),
        place.alias("evidence_start"),
        place.alias("evidence_end"),
    )
