"""The distinct inputs of all comments, numbered, so that each is read once and its scores lie in arrays by number."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.errors import WorkspaceError
from discourse.models.bundle import Bundle
from discourse.tables import SCORES, Tier
from discourse.workspace import Workspace

# Rows of the scores table that are looked at together.
_CHUNK = 300_000
_SHARD = "shard number"

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Inputs:
    """The distinct inputs, numbered in the order in which they first come.

    Attributes:
        keys: `high` and `low` (UInt64: 128 bits of the input_key) and `number` of each.
        of_batch: for each batch the number of each row's input.
    """

    keys: pl.DataFrame
    of_batch: tuple[NDArray[np.int32], ...]

    @property
    def size(self) -> int:
        """How many there are."""
        return self.keys.height

    def firsts(self) -> Iterator[NDArray[np.int32]]:
        """Yield for each batch the rows at which an input comes for the first time, in order."""
        seen = 0
        for numbers in self.of_batch:
            # Numbers rise by one at each new input.
            highest = np.maximum.accumulate(np.append(np.int32(seen - 1), numbers))
            yield np.flatnonzero(highest[1:] > highest[:-1]).astype(np.int32)
            seen = int(highest[-1]) + 1

    def numbers(self, keys: pl.DataFrame) -> NDArray[np.int64]:
        """Return the number of each row's `input_key`, -1 where it is none of these inputs."""
        found = halves(keys["input_key"]).join(self.keys, on=["high", "low"], how="left", maintain_order="left")
        return found["number"].cast(pl.Int64).fill_null(-1).to_numpy()


def number_keys(keys: Sequence[pl.Series]) -> Inputs:
    """Number the inputs of all batches by their keys.

    Args:
        keys: for each batch the `input_key` of each row.
    """
    every = pl.concat([halves(each) for each in keys]) if keys else halves(pl.Series([], dtype=pl.String))
    distinct = every.unique(maintain_order=True).with_row_index("number")
    numbers = every.join(distinct, on=["high", "low"], how="left", maintain_order="left")["number"].cast(pl.Int32)
    ends = np.cumsum([0, *map(len, keys)])
    return Inputs(distinct, tuple(numbers[begin:end].to_numpy() for begin, end in itertools.pairwise(ends)))


@dataclass(frozen=True, slots=True)
class Scores:
    """What a tier said of the inputs, by their numbers.

    Attributes:
        known: bool (inputs,), whether the tier scored them.
        score: float64 (levels, inputs).
        start, end: int32 (levels, inputs), of the evidence; -1 for none.
    """

    known: Flags
    score: NDArray[np.float64]
    start: NDArray[np.int32]
    end: NDArray[np.int32]


def kept_scores(workspace: Workspace, inputs: Inputs, bundle: Bundle, tier: Tier) -> Scores:
    """Read what is kept of these inputs, some rows of the scores table at a time.

    Raises:
        WorkspaceError: the table is damaged.
    """
    levels = {level: place for place, level in enumerate(bundle.manifest.labels)}
    shape = (len(levels), inputs.size)
    seen = np.zeros(shape, np.bool_)
    score = np.full(shape, np.nan)
    start, end = np.full(shape, -1, np.int32), np.full(shape, -1, np.int32)
    for rows in workspace.batches(SCORES, _CHUNK):
        own = rows.filter(bundle=bundle.id, tier=tier.value)
        number = inputs.numbers(own)
        wanted = number >= 0
        if not wanted.any():
            continue
        own, number = own.filter(pl.Series(wanted)), number[wanted]
        level = own["level"].replace_strict(levels, return_dtype=pl.Int64).to_numpy()
        score[level, number] = own["score"].to_numpy()
        start[level, number] = own["evidence_start"].fill_null(-1).to_numpy()
        end[level, number] = own["evidence_end"].fill_null(-1).to_numpy()
        seen[level, number] = True
    return Scores(np.asarray(seen.all(axis=0), np.bool_), score, start, end)


def check_known(scores: Scores, wanted: Flags, workspace: Workspace) -> None:
    """Refuse to go on where an input that was read has no score.

    Raises:
        WorkspaceError: scores are missing.
    """
    lost = int((wanted & ~scores.known).sum())
    if lost:
        raise WorkspaceError(
            f"{workspace.folder(SCORES)}: {lost:,} scores that were just written are missing; run again, and let "
            "nothing else write there"
        )


def cut_shards(rows: Iterable[pl.DataFrame], inputs: Inputs, shard: NDArray[np.int64]) -> Iterator[pl.DataFrame]:
    """Yield rows of distinct inputs, shard by shard, in their order.

    Args:
        rows: for each batch that was numbered its rows, gone through once.
        inputs: their numbers.
        shard: int64 (inputs,), rising: the shard of each, -1 to leave it out.
    """
    waiting: pl.DataFrame | None = None
    for some, numbers, firsts in zip(rows, inputs.of_batch, inputs.firsts(), strict=True):
        places = shard[numbers[firsts]]
        if not (places >= 0).any():
            continue
        own = some[firsts[places >= 0]].with_columns(pl.Series(_SHARD, places[places >= 0]))
        waiting = own if waiting is None else pl.concat([waiting, own])
        last = waiting[_SHARD][-1]
        for whole in waiting.filter(pl.col(_SHARD) < last).partition_by(_SHARD, maintain_order=True):
            yield whole.drop(_SHARD)
        waiting = waiting.filter(pl.col(_SHARD) == last)
    if waiting is not None:
        yield waiting.drop(_SHARD)


def halves(keys: pl.Series) -> pl.DataFrame:
    """Return 128 bits of each key, `high` and `low`, which take a fifth of the room of its letters."""
    named = keys.alias("key").to_frame()
    return named.select(pl.col("key").hash(1).alias("high"), pl.col("key").hash(2).alias("low"))
