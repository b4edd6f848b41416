"""Workspaces of any size for benchmarks: comments spliced from sentences of real ones, tags drawn by chance, no model.

Every comment is made of sentences of several real comments of one community, so that words, lengths and compressibility
are those of real threads and no comment is anybody's. A reply tree, authors, times, scores, states and languages are
drawn with the skew of real threads. Tags go straight into the tables, counts of the data into the estimates.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.config import Config, parse_config
from discourse.tables import COMMENTS, ESTIMATES, FRAMES, STANCES, THREADS, TOPIC_INFO, TOPICS
from discourse.workspace import Receipt, Workspace, create_workspace

FILES = ("reddit_conspiracy_2025", "mtcsd_reddit", "reddit_music_2025", "discourse_iitm_tds", "reddit_cmv")
TARGETS = ("the new law", "the agency")
BUNDLES = {"frames": "frames-synthetic@000000000000", "stance": "stance-synthetic@000000000000"}
START = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
THREAD_SIZE = 400
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


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
    comments = _comments(spliced(threads, size, rng), rng)
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


def spliced(threads: Path, size: int, rng: np.random.Generator) -> list[str]:
    """Return texts made of one to many sentences, each from another real comment of one file."""
    found: list[str] = []
    read = [path for name in FILES if (path := threads / f"{name}.parquet").is_file()]
    frames = [pl.read_parquet(path, columns=["text"])["text"].drop_nulls().to_list() for path in read]
    total = sum(map(len, frames))
    for texts in frames:
        sentences = [part.strip() for text in texts for part in SENTENCE.split(text) if part.strip()]
        counts = [max(1, len(SENTENCE.split(text))) for text in texts]
        wanted = -(-size * len(texts) // total)
        lengths = np.minimum(rng.choice(counts, wanted), 40)
        found += [" ".join(sentences[place] for place in rng.integers(0, len(sentences), n)) for n in lengths]
    return [found[place] for place in rng.permutation(len(found))[:size]]


def _comments(texts: list[str], rng: np.random.Generator) -> pl.DataFrame:
    size = len(texts)
    thread = np.arange(size) // THREAD_SIZE
    position = np.arange(size) % THREAD_SIZE
    # Two comments in three answer one before them in the thread, mostly a late one.
    back = np.minimum(rng.geometric(0.2, size), position)
    answers = (rng.random(size) < 2 / 3) & (back > 0)
    parent = np.where(answers, np.arange(size) - back, -1)
    depth = np.zeros(size, dtype=np.int64)
    for place in np.flatnonzero(answers):
        depth[place] = depth[parent[place]] + 1
    names = [f"demo:{hashlib.sha256(str(place).encode()).hexdigest()[:9]}" for place in range(size)]
    # A few write much, most write once or twice.
    author = np.where(rng.random(size) < 0.4, rng.zipf(1.6, size) % max(size // 3, 1), rng.integers(0, size, size))
    state = rng.choice(["visible", "deleted", "removed"], size, p=[0.95, 0.03, 0.02])
    minutes = thread * 1_440 + np.sort(rng.integers(0, 6_000, size) % 6_000)
    return pl.DataFrame(
        {
            "comment_id": names,
            "thread_id": [f"demo:thread{number}" for number in thread],
            "parent_id": [names[place] if place >= 0 else None for place in parent],
            "reply_kind": np.where(answers, "reply", "top"),
            "depth": depth,
            "position": position,
            "author": [hashlib.sha256(f"a{number}".encode()).hexdigest()[:16] for number in author],
            "role": rng.choice(["user", "staff"], size, p=[0.99, 0.01]),
            "created_at": [START + timedelta(minutes=int(minute)) for minute in minutes],
            "created_precision": ["exact"] * size,
            "text": [text if state[place] == "visible" else None for place, text in enumerate(texts)],
            "quotes": [[]] * size,
            "links": [[]] * size,
            "language": rng.choice(["en", "es", "de"], size, p=[0.97, 0.02, 0.01]),
            "score": np.round(rng.standard_t(2, size) * 5),
            "state": state,
            "url": [
                f"https://forum.example.org/t/{number}/{name[5:]}" for number, name in zip(thread, names, strict=True)
            ],
            "raw": [{"file": "raw/made.jsonl", "offset": place} for place in range(size)],
        },
        schema_overrides={name: COMMENTS.schema[name] for name in ("quotes", "links", "created_at")},
    )


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
