"""What reading a table gives: its rows, where each stood, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from discourse.tables import Reason


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A record that could not be read.

    Attributes:
        place: its number in the file, counted from 1; see `TableRead.unit`.
        reason: why.
        excerpt: its start, at most 200 characters.
    """

    place: int
    reason: Reason
    excerpt: str


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one format: see `TableRead` for the fields."""

    frame: pl.DataFrame
    places: pl.Series
    broken: tuple[BrokenRow, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableRead:
    """A table as it was found in a file.

    Attributes:
        frame: the rows that could be read. Columns are text in CSV and TSV (an empty cell is null) and keep their
            types elsewhere; nested objects are columns with dotted names.
        places: Int64, where each row stood, counted from 1: the row as a spreadsheet numbers it (the header of a
            CSV is row 1), the line of a JSONL file, the record of a JSON array, the row of a Parquet file or a sheet.
        unit: what `places` counts: ``row``, ``line`` or ``record``.
        broken: the records that could not be read; together with `frame` every record of the file.
        format: ``CSV``, ``TSV``, ``JSONL``, ``JSON``, ``Parquet`` or ``Excel``.
        encoding: of the text; None for Parquet and Excel.
        notes: what a person should know of the reading.
    """

    frame: pl.DataFrame
    places: pl.Series
    unit: str
    broken: tuple[BrokenRow, ...]
    format: str
    encoding: str | None
    notes: tuple[str, ...] = ()

    @property
    def locations(self) -> pl.Series:
        """Where each row stood, for a person: ``row 12``."""
        return (self.unit + " " + self.places.cast(pl.String)).alias("location")

    def location(self, row: BrokenRow) -> str:
        """Return where a broken record stood, for a person."""
        return f"{self.unit} {row.place}"
