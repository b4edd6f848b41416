"""The comments of a workspace, some whole threads at a time, so that tagging holds the text of no more than these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from discourse.config import FilterConfig
from discourse.denominator import mark_excluded
from discourse.tables import COMMENTS
from discourse.workspace import Workspace

# Comments of a batch, about; as many as normalize puts into a part of the table.
BATCH = 50_000

# Rows of the comments table, at once or in batches that can be gone through again.
Comments = pl.DataFrame | Iterable[pl.DataFrame]


@dataclass(frozen=True, slots=True)
class ThreadBatches:
    """Rows of the comments table in their order; who answers whom stands in one batch.

    Can be gone through again and again; every time the table is read anew.

    Attributes:
        workspace: with comments.
        columns: those that are read.
        rows: of a batch, at least, if there are so many.
    """

    workspace: Workspace
    columns: Sequence[str]
    rows: int = BATCH

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Yield the batches; the whole table is one where a thread stands in several parts of it."""
        parts = self.workspace.parts(COMMENTS)
        if len(parts) < 2 or self._straddling():
            yield self.workspace.scan(COMMENTS).select(self.columns).collect()
            return
        waiting: list[pl.DataFrame] = []
        for part in parts:
            waiting.append(pl.read_parquet(part, columns=list(self.columns)))
            if sum(frame.height for frame in waiting) >= self.rows:
                yield pl.concat(waiting)
                waiting = []
        if waiting:
            yield pl.concat(waiting)

    def _straddling(self) -> bool:
        """Tell whether a thread stands in two parts, which normalize never writes, but others might."""
        threads = [
            pl.read_parquet(part, columns=["thread_id"])["thread_id"].unique()
            for part in self.workspace.parts(COMMENTS)
        ]
        return bool(pl.concat(threads).is_duplicated().any())


@dataclass(frozen=True, slots=True)
class EligibleBatches:
    """The eligible rows of batches of comments; can be gone through again and again.

    Attributes:
        batches: rows of the comments table.
        languages: those that the bundle reads.
        chosen: the `[filter]` section.
        attributes: rows of the attributes table.
    """

    batches: Iterable[pl.DataFrame]
    languages: Sequence[str]
    chosen: FilterConfig
    attributes: pl.DataFrame

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Yield the eligible rows of each batch."""
        for comments in self.batches:
            marked = mark_excluded(comments.lazy(), self.languages, self.chosen, self.attributes)
            yield marked.filter(pl.col("excluded").is_null()).drop("excluded").collect()

    def count(self) -> int:
        """Return how many there are."""
        return sum(comments.height for comments in self)
