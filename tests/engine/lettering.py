"""Works without models, so that many runs can be killed: workers of a cluster import this file by its name.

As a program it is a run: `python -m tests.engine.lettering WORKSPACE [HOST:PORT]` normalizes what was collected there
by the workers of a cluster, and then keeps a score for every comment, shard by shard; without an address it starts a
cluster.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from discourse import normalize
from discourse.config import Config, parse_config
from discourse.engine import LOCAL, Engine, open_engine
from discourse.errors import DiscourseError
from discourse.progress import Advance
from discourse.tables import COMMENTS, SCORES, Tier
from discourse.workspace import Workspace

BATCH, SHARD = 12, 4
SECONDS = 0.1
CONFIG: dict[str, object] = {"normalize": {"languages": ["en", "fr"]}}


@dataclass(frozen=True)
class Lettering:
    """Keeps the length of each text as a score; a text may ask for more memory than there is."""

    workspace: Workspace
    seconds: float = SECONDS

    def __call__(self, shard: pl.DataFrame, advance: Advance) -> None:
        time.sleep(self.seconds)
        if "fill the memory" in shard["text"].to_list():
            np.zeros(2**50)
        rows = shard.select(
            pl.col("text").map_elements(key_of, return_dtype=pl.String).alias("input_key"),
            pl.lit("lettering@1").alias("bundle"),
            pl.lit("length").alias("level"),
            pl.col("text").str.len_chars().cast(pl.Float64).alias("score"),
            pl.lit(None, pl.Int64).alias("evidence_start"),
            pl.lit(None, pl.Int64).alias("evidence_end"),
            pl.lit(Tier.STATIC.value).alias("tier"),
        )
        self.workspace.append(SCORES, rows)
        advance(shard.height)


@dataclass(frozen=True)
class Halved:
    """Parts a frame into its even and its odd rows."""

    seconds: float = 0.0

    def __call__(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        time.sleep(self.seconds)
        return frame.gather_every(2), frame.gather_every(2, 1)


def key_of(text: str) -> str:
    """Name a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def config_of(address: str | None, engine: str = "ray", workers: int = 2) -> Config:
    """Return the configuration of a run."""
    return parse_config({**CONFIG, "engine": engine, "ray": {"address": address, "workers": workers}})


def run(root: Path, config: Config, engine: Engine = LOCAL) -> None:
    """Normalize, and score what is not scored yet."""
    workspace = Workspace(root)
    with workspace.lock():
        normalize.run(workspace, config, engine, batch=BATCH)
        score(workspace, engine)


def score(workspace: Workspace, engine: Engine) -> None:
    """Score the comments that are not scored yet."""
    texts = workspace.read(COMMENTS).drop_nulls("text")["text"].unique(maintain_order=True).to_list()
    kept = set(workspace.read(SCORES)["input_key"])
    missing = pl.DataFrame({"text": [text for text in texts if key_of(text) not in kept]}, schema={"text": pl.String})
    engine.each(Lettering(workspace), shards_of(missing), nothing)


def shards_of(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Cut rows into shards."""
    return (rows.slice(start, SHARD) for start in range(0, rows.height, SHARD))


def nothing(done: int = 1) -> None:
    """Count nothing."""
    del done


def main(root: str, address: str | None = None) -> None:
    """Run, and say in one sentence what went wrong."""
    # A work is found by the name of its module, which is not that of the program.
    from tests.engine import lettering

    # One worker: that it is killed with its run matters here, not how many there are.
    config = config_of(address, workers=1)
    try:
        with open_engine(config, Path(root)) as engine:
            lettering.run(Path(root), config, engine)
    except DiscourseError as e:
        print(f"error: {e}", file=sys.stderr)
        raise SystemExit(e.exit_code) from e


if __name__ == "__main__":
    main(*sys.argv[1:])
