"""What an engine does, and what it does it to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from discourse.progress import Advance


class Work(Protocol):
    """What is done with one shard; it keeps its result itself, so that a shard done twice is as one done once.

    It is pickled on its way to a worker, and should then carry the names of its models and load them on arrival.
    """

    def __call__(self, shard: pl.DataFrame, advance: Advance) -> None:
        """Do the work and keep the result; `advance` takes the number of rows done."""
        ...


class Engine(Protocol):
    """Does a work on shards."""

    def each(self, work: Work, shards: Iterable[pl.DataFrame], advance: Advance) -> None:
        """Do `work` on each shard; when this returns, all are done.

        Raises:
            DiscourseError: a shard could not be done; those that were are kept.
        """
        ...


@dataclass(frozen=True, slots=True)
class Local:
    """Works in this process, one shard after another."""

    def each(self, work: Work, shards: Iterable[pl.DataFrame], advance: Advance) -> None:
        """Do `work` on each shard."""
        for shard in shards:
            work(shard, advance)


LOCAL = Local()
