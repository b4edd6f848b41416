"""What an engine does, and what it does it to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from discourse.progress import Advance

Frames = tuple[pl.DataFrame, ...]


class Work(Protocol):
    """What is done with one shard; it keeps its result itself, so that a shard done twice is as one done once.

    It is pickled on its way to a worker, and should then carry the names of its models and load them on arrival. A work
    with an attribute `on_gpu` that is true is given a GPU where the cluster has some.
    """

    def __call__(self, shard: pl.DataFrame, advance: Advance) -> None:
        """Do the work and keep the result; `advance` takes the number of rows done."""
        ...


class Function(Protocol):
    """From one frame to some, without regard to what else there is; pickled as a `Work` is."""

    def __call__(self, frame: pl.DataFrame, /) -> Frames:
        """Return the frames that are made of this one, as many for each."""
        ...


class Engine(Protocol):
    """Does a work on shards."""

    def each(self, work: Work, shards: Iterable[pl.DataFrame], advance: Advance) -> None:
        """Do `work` on each shard; when this returns, all are done.

        Raises:
            DiscourseError: a shard could not be done; those that were are kept.
        """
        ...

    def map(self, function: Function, frames: Iterable[pl.DataFrame], advance: Advance) -> Iterator[Frames]:
        """Yield what `function` makes of each frame, in the order of the frames; few are in memory at a time.

        Raises:
            DiscourseError: a frame could not be done.
        """
        ...


@dataclass(frozen=True, slots=True)
class Local:
    """Works in this process, one shard after another."""

    def each(self, work: Work, shards: Iterable[pl.DataFrame], advance: Advance) -> None:
        """Do `work` on each shard."""
        for shard in shards:
            work(shard, advance)

    def map(self, function: Function, frames: Iterable[pl.DataFrame], advance: Advance) -> Iterator[Frames]:
        """Yield what `function` makes of each frame; the next frame is asked for when that was taken."""
        for frame in frames:
            found = function(frame)
            advance(frame.height)
            yield found


LOCAL = Local()
