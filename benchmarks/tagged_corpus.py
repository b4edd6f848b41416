"""Workspaces of any size for benchmarks: comments of benchmarks/corpus.py, tags drawn by chance, no model.

States and languages are drawn with the skew of real threads. Tags go straight into the tables, counts of the data into
the estimates.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import corpus
import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.config import Config, parse_config
from discourse.receipt import Receipt
from discourse.tables import COMMENTS, ESTIMATES, FRAMES, STANCES, THREADS, TOPIC_INFO, TOPICS
from discourse.workspace import Workspace, create_workspace

TARGETS = ("the new law", "the agency")
BUNDLES = {"frames": "frames-synthetic@000000000000", "stance": "stance-synthetic@000000000000"}


def config() -> Config:
    """What the synthetic run is asked for."""
    return parse_config({"stance": {"targets": list(TARGETS)}})


def write(folder: Path, threads: Path, size: int, seed: int = 0) -> Workspace:
    """Write a workspace of `size` comments.

    Args:
        folder: of the workspace, new.
        threads: holds real threads as Parquet files.
        size: how many comments.
        seed: of everything drawn.
    """
    rng = np.random.default_rng(seed)
    workspace = create_workspace(folder)
    comments = _comments(threads, size, seed, rng)
    workspace.write(COMMENTS, COMMENTS.conform(comments))
    workspace.write(THREADS, THREADS.conform(_threads(comments)))
    names = comments["comment_id"]
    frames = _frames(comments, config_frames(), rng)
    workspace.write(FRAMES, FRAMES.conform(frames))
    workspace.write(STANCES, STANCES.conform(_stances(comments, rng)))
    topics = rng.integers(-1, 12, size)
    rows = pl.DataFrame({"comment_id": names, "topic": topics}).with_columns(
        topic=pl.when(pl.col("topic") >= 0).then("topic"),
        assignment=pl.when(pl.col("topic") >= 0).then(pl.lit("fitted")).otherwise(pl.lit("outlier")),
    )
    workspace.write(TOPICS, TOPICS.conform(rows))
    info = [
        {"topic": topic, "label": f"Topic {topic}", "keywords": ["one", "two"], "representatives": names[:2], "size": 0}
        for topic in range(12)
    ]
    workspace.write(TOPIC_INFO, TOPIC_INFO.conform(pl.DataFrame(info)))
    workspace.write(ESTIMATES, ESTIMATES.conform(_counts(comments, frames)))
    workspace.save_receipt(Receipt(bundles=BUNDLES))
    return workspace


def config_frames() -> tuple[str, ...]:
    """Return the names of the default codebook's frames."""
    from discourse.codebook import load_codebook

    return load_codebook(config().codebook.file).names


def _comments(folder: Path, size: int, seed: int, rng: np.random.Generator) -> pl.DataFrame:
    """Return rows of the comments table, made of the corpus."""
    made = pl.concat(corpus.comments(folder, size, seed)).with_row_index("row")
    ids = pl.format("demo:{}", pl.col("comment_id"))
    made = made.with_columns(
        ids.alias("comment_id"),
        pl.format("demo:{}", pl.col("thread_id")).alias("thread_id"),
        pl.when(pl.col("parent_id").is_not_null()).then(pl.format("demo:{}", pl.col("parent_id"))).alias("parent_id"),
        pl.col("row").cum_count().over("thread_id").cast(pl.Int64).alias("position") - 1,
        pl.Series("state", rng.choice(["visible", "deleted", "removed"], size, p=[0.95, 0.03, 0.02])),
    )
    row = {name: place for place, name in enumerate(made["comment_id"])}
    parent = [None if name is None else row[name] for name in made["parent_id"]]
    depth = [0] * size
    for place, before in enumerate(parent):
        if before is not None:
            depth[place] = depth[before] + 1
    no_texts = pl.lit([], dtype=COMMENTS.schema["quotes"])
    return made.select(
        *("comment_id", "thread_id", "parent_id", "position", "created_at", "score", "state"),
        pl.when(pl.col("parent_id").is_null()).then(pl.lit("top")).otherwise(pl.lit("reply")).alias("reply_kind"),
        pl.Series("depth", depth),
        pl.col("author").map_elements(_pseudonym, return_dtype=pl.String),
        pl.Series("role", rng.choice(["user", "staff"], size, p=[0.99, 0.01])),
        created_precision=pl.lit("exact"),
        text=pl.when(pl.col("state") == "visible").then("text"),
        quotes=no_texts,
        links=pl.lit([], dtype=COMMENTS.schema["links"]),
        language=pl.Series(rng.choice(["en", "es", "de"], size, p=[0.97, 0.02, 0.01])),
        url=pl.format("https://forum.example.org/t/{}/{}", pl.col("thread_id").str.slice(11), pl.col("comment_id")),
        raw=pl.struct(file=pl.lit("raw/made.jsonl"), offset=pl.col("row").cast(pl.Int64)),
    )


def _pseudonym(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _threads(comments: pl.DataFrame) -> pl.DataFrame:
    counted = comments.group_by("thread_id", maintain_order=True).agg(collected=pl.len())
    zeros = [pl.lit(0).alias(n) for n in ("deleted", "removed", "held", "unreachable", "capped", "quarantined")]
    return counted.with_columns(
        *zeros,
        platform=pl.lit("demo"),
        source=pl.lit("raw"),
        title=pl.format("A thread, number {}", pl.int_range(pl.len())),
    )


def _frames(comments: pl.DataFrame, names: tuple[str, ...], rng: np.random.Generator) -> pl.DataFrame:
    with_text = comments.filter(pl.col("text").is_not_null())
    ends = with_text["text"].str.len_chars().to_numpy()
    return pl.concat([_frame(with_text["comment_id"], ends, name, rng) for name in names])


def _frame(ids: pl.Series, ends: NDArray[np.int64], name: str, rng: np.random.Generator) -> pl.DataFrame:
    probability = rng.beta(0.6, 4, len(ids))
    yes = probability > 0.5
    return (
        pl.DataFrame(
            {"comment_id": ids, "frame": name, "probability": probability, "above_threshold": yes, "end": ends}
        )
        .with_columns(
            decision=pl.when(pl.col("probability").is_between(0.45, 0.55))
            .then(pl.lit("unsure"))
            .when("above_threshold")
            .then(pl.lit("yes"))
            .otherwise(pl.lit("no")),
            evidence_start=pl.when("above_threshold").then(0),
            evidence_end=pl.when("above_threshold").then(pl.min_horizontal("end", 90)),
            tier=pl.lit("encoder"),
            path=pl.lit("cascade"),
            bundle=pl.lit(BUNDLES["frames"]),
        )
        .drop("end")
    )


def _stances(comments: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    ids = comments.filter(pl.col("text").is_not_null())["comment_id"]
    sides, chances = ["favor", "against", "neutral", "off_target", "unsure"], [0.05, 0.08, 0.03, 0.8, 0.04]
    parts = [
        pl.DataFrame({"comment_id": ids, "target": target, "stance": rng.choice(sides, len(ids), p=chances)})
        for target in TARGETS
    ]
    return pl.concat(parts).with_columns(
        p_favor=0.5, p_against=0.5, tier=pl.lit("encoder"), path=pl.lit("cascade"), bundle=pl.lit(BUNDLES["stance"])
    )


def _counts(comments: pl.DataFrame, frames: pl.DataFrame) -> pl.DataFrame:
    eligible = comments["text"].is_not_null().sum()
    tagged = frames.filter(pl.col("decision") == "yes").group_by("frame").agg(pl.len()).sort("frame")
    levels = {"data:comments": comments.height, "data:eligible": eligible}
    levels |= {f"frame:{name}": count for name, count in tagged.iter_rows()}
    return pl.DataFrame({"level": list(levels), "estimate": [float(value) for value in levels.values()]}).with_columns(
        estimate_id=pl.concat_str(pl.lit("made-"), pl.int_range(pl.len()).cast(pl.String)),
        unit=pl.lit("all"),
        measure=pl.lit("count"),
        population=pl.lit("collected"),
        variant=pl.lit("main"),
        denominator=pl.lit("made for a benchmark"),
        n=eligible,
        n_labelled=0,
        n_unsure=0,
        method=pl.lit("tag_count"),
        assumptions=pl.lit(""),
    )
