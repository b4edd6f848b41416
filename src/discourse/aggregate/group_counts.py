"""How many comments of each group are tagged: counted shard by shard, by whatever engine, and added up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from discourse.aggregate.from_labels import Flags
from discourse.aggregate.resampling import Counts
from discourse.aggregate.units import Unit
from discourse.engine import LOCAL, Engine
from discourse.progress import uncounted

# A shard of fewer rows costs more to hand over than to count.
SHARD = 500_000


@dataclass(frozen=True, slots=True)
class CountByGroup:
    """Counts one shard: for each group that a column names, how many rows have each flag."""

    splits: tuple[str, ...]
    flags: tuple[str, ...]

    def __call__(self, frame: pl.DataFrame) -> tuple[pl.DataFrame]:
        """Return `group` (from 0) and the sums of the flags, one row a group that occurs."""
        sums = [pl.col(flag).cast(pl.Int64).sum() for flag in self.flags]
        parts = [
            frame.filter(pl.col(split) >= 0).group_by(pl.col(split).alias("group")).agg(sums) for split in self.splits
        ]
        return (pl.concat(parts),)


def group_counts(
    groups: Sequence[Unit], flags: Sequence[Flags], engine: Engine = LOCAL, shard: int | None = None
) -> Counts:
    """Count in how many comments of each group each flag holds.

    Args:
        groups: parts of the same comments, which may overlap.
        flags: bool (N,), as many as are counted.
        engine: where shards are counted.
        shard: rows of a shard; `SHARD` by default.

    Returns:
        int64, groups × flags.
    """
    found = np.zeros((len(groups), len(flags)), dtype=np.int64)
    if not len(groups) or not len(flags):
        return found
    columns = _disjoint(groups, len(flags[0]))
    splits = tuple(f"split {i}" for i in range(len(columns)))
    names = tuple(f"flag {i}" for i in range(len(flags)))
    rows = pl.DataFrame({**dict(zip(splits, columns, strict=True)), **dict(zip(names, flags, strict=True))})
    size = shard or SHARD
    shards: Iterator[pl.DataFrame] = (rows.slice(start, size) for start in range(0, rows.height, size))
    for (part,) in engine.map(CountByGroup(splits, names), shards, uncounted):
        found[part["group"].to_numpy()] += part.select(names).to_numpy()
    return found


def _disjoint(groups: Sequence[Unit], rows: int) -> list[Counts]:
    """Write the number of its group beside each row, in as many columns as it takes for groups that overlap."""
    columns = list[Counts]()
    for number, unit in enumerate(groups):
        free = next((column for column in columns if (column[unit.rows] < 0).all()), None)
        if free is None:
            free = np.full(rows, -1, dtype=np.int64)
            columns.append(free)
        free[unit.rows] = number
    return columns
