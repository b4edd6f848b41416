"""What a run and the process that drives Ray for it say to each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from discourse.config import RayConfig


@dataclass(frozen=True, slots=True)
class Cluster:
    """Reach or start a cluster; `folder` keeps logs, sockets and what does not fit into memory."""

    config: RayConfig
    folder: Path


@dataclass(frozen=True, slots=True)
class Started:
    """The cluster is there: how many workers it has room for, whether with GPUs, and where it is."""

    workers: int
    gpus: int
    place: str


@dataclass(frozen=True, slots=True)
class Job:
    """Do a pickled `Work` on Parquet files, with GPUs where there are any and the work can use them."""

    work: bytes
    shards: tuple[str, ...]
    on_gpu: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """One shard is done."""

    shard: str


@dataclass(frozen=True, slots=True)
class Finished:
    """All shards are done."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It cannot be done: the name of a class of `errors`, and a sentence in which {log} is the log's path."""

    kind: str
    sentence: str
