"""The static tier at work: it scores every input, and answers those that it may by the bundle's cut-offs."""

from __future__ import annotations

import numpy as np
import polars as pl

from discourse.config import TaggingConfig
from discourse.engine import LOCAL, Engine
from discourse.models.bundle import Bundle
from discourse.models.cascade import Cascade, CutOffs, goes_up, load_cascade, says_yes, static_probability
from discourse.models.encoder import Encoder
from discourse.progress import bar
from discourse.tables import SCORES, Decision, Path, Tier
from discourse.tag.frame_work import load_static_work
from discourse.tag.readable import SHARD
from discourse.tag.scores import missing_rows
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


def static_answers(
    workspace: Workspace,
    wanted: pl.DataFrame,
    bundle: Bundle,
    encoder: Encoder,
    cascade: Cascade,
    alone: bool,
    engine: Engine = LOCAL,
) -> pl.DataFrame:
    """Score what the static tier has not scored yet, and return its answers; inputs without one go up.

    Args:
        workspace: keeps scores.
        wanted: `input_key` and `PARTS` of distinct inputs.
        bundle: a frames bundle with a static tier.
        encoder: gives its tokenizer.
        cascade: of the bundle.
        alone: whether texts are read without title and parent.
        engine: where missing inputs are scored.

    Returns:
        Rows of the scores table with `probability`, `above_threshold` and `decision`, of the inputs that it answers.
    """
    cut = cascade.alone if alone else cascade.levels
    _score_missing(workspace, wanted, bundle, encoder, cut, engine)
    kept = workspace.scan(SCORES).filter(bundle=bundle.id, tier=Tier.STATIC.value).collect()
    kept = kept.join(wanted.select("input_key"), on="input_key", how="semi")
    by_level = {level: kept.filter(level=level).sort("input_key") for level in bundle.manifest.labels}
    scores = np.column_stack([rows["score"].to_numpy() for rows in by_level.values()])
    answered = pl.Series(~goes_up(scores, list(cut.values())))
    calibration = bundle.calibration()
    parts: list[pl.DataFrame] = []
    for level, rows in by_level.items():
        here = rows.filter(answered)
        own = here["score"].to_numpy()
        yes = says_yes(own[:, None], [cut[level]])[:, 0]
        p = static_probability(own, cut[level], cascade.calibration[level], calibration[level])
        parts.append(
            here.with_columns(
                probability=pl.Series(p, dtype=pl.Float64),
                above_threshold=pl.Series(yes, dtype=pl.Boolean),
                decision=pl.Series(np.where(yes, Decision.YES.value, Decision.NO.value), dtype=pl.String),
            )
        )
    return pl.concat(parts)


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


def _score_missing(
    workspace: Workspace,
    wanted: pl.DataFrame,
    bundle: Bundle,
    encoder: Encoder,
    cut: dict[str, CutOffs],
    engine: Engine,
) -> None:
    missing = missing_rows(wanted, workspace.scan(SCORES), bundle, Tier.STATIC)
    if missing.is_empty():
        return
    shards = (missing.slice(start, STATIC_SHARD) for start in range(0, missing.height, STATIC_SHARD))
    with bar("frames, static tier", missing.height) as advance:
        engine.each(load_static_work(workspace, bundle, encoder, cut), shards, advance)
