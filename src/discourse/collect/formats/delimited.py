"""CSV and TSV: polars where every row is well formed, else the csv module row by row."""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import polars as pl

from discourse.collect.encoding import EXCERPT
from discourse.collect.formats.base import BrokenRow, Rows
from discourse.tables import Reason

DELIMITERS = (",", ";", "\t", "|")

_SNIFFED_ROWS = 50
_BLOCK = 20_000
_MAX_FIELD = 2**31 - 1
_QUOTE = ord('"')


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a delimited text is written, judged by its first rows.

    Attributes:
        delimiter: one of `DELIMITERS`.
        header: the cells of the first row.
        agreement: the share of the first rows that have as many cells as the header.
    """

    delimiter: str
    header: tuple[str, ...]
    agreement: float


def sniff(head: str) -> Dialect:
    """Find the delimiter with which the first rows agree best; a comma if there is only one column."""
    found = [dialect for delimiter in DELIMITERS if (dialect := _try(_skip_hint(head), delimiter)) is not None]
    return max(found, key=_fitness, default=Dialect(",", (), 0.0))


def read_delimited(utf8: bytes) -> Rows:
    """Read CSV or TSV whose first row is the header; all cells are text and an empty cell is null.

    Args:
        utf8: the whole text. Places count rows from 1, the header included.
    """
    text_start = utf8[:65_536].decode("utf-8", errors="ignore")
    hint = len(text_start) - len(_skip_hint(text_start))
    utf8 = utf8[len(text_start[:hint].encode()) :]
    if b"\n" not in utf8:
        utf8 = utf8.replace(b"\r", b"\n")
    delimiter = sniff(utf8[:65_536].decode("utf-8", errors="ignore")).delimiter
    fast = _read_fast(utf8, delimiter)
    return fast if fast is not None else _read_careful(utf8.decode("utf-8"), delimiter)


def _try(head: str, delimiter: str) -> Dialect | None:
    with _long_fields():
        try:
            rows = [row for row in islice(csv.reader(_lines(head), delimiter=delimiter), _SNIFFED_ROWS) if row]
        except csv.Error:
            return None
    if not rows:
        return None
    # The last row of the sample may be cut.
    checked = rows[1:-1] or rows[1:]
    agreement = sum(len(row) == len(rows[0]) for row in checked) / len(checked) if checked else 1.0
    return Dialect(delimiter, tuple(rows[0]), agreement)


def _fitness(dialect: Dialect) -> tuple[bool, float, int]:
    return len(dialect.header) > 1, round(dialect.agreement, 1), len(dialect.header)


def _read_fast(utf8: bytes, delimiter: str) -> Rows | None:
    """Read with polars, or return None where it would mend in silence what is broken: short rows and stray quotes."""
    if not _well_quoted(utf8, delimiter):
        return None
    if not utf8.endswith(b"\n"):
        # Without it polars drops an empty cell too many at the end.
        utf8 += b"\n"
    try:
        frame = pl.read_csv(utf8, separator=delimiter, infer_schema=False, has_header=False, raise_if_empty=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    if frame.height < 2 or frame.item(0, frame.width - 1) is None:
        return None
    names = column_names([str(cell or "") for cell in frame.row(0)])
    frame = frame.slice(1)
    frame.columns = names
    places = pl.Series("place", range(2, frame.height + 2), dtype=pl.Int64)
    if frame.width == 1:
        blank = frame.to_series().is_null()
        frame, places = frame.filter(~blank), places.filter(~blank)
    elif frame[names[-1]].null_count():
        return None
    return Rows(frame.with_columns(pl.all().replace("", None)), places)


def _well_quoted(utf8: bytes, delimiter: str) -> bool:
    """Tell whether every quote opens or closes a cell or is doubled within one, as RFC 4180 has it."""
    data = np.frombuffer(utf8, dtype=np.uint8)
    quotes = np.flatnonzero(data == _QUOTE)
    if not len(quotes):
        return True
    if len(quotes) % 2:
        return False
    outside = np.array([ord(delimiter), ord("\n"), _QUOTE], dtype=np.uint8)
    before = data[quotes[0::2][quotes[0::2] > 0] - 1]
    after = data[quotes[1::2][quotes[1::2] < len(data) - 1] + 1]
    carriage = np.uint8(ord("\r"))
    return bool(np.isin(before, outside).all() and (np.isin(after, outside) | (after == carriage)).all())


@dataclass(slots=True)
class _Collected:
    """Rows gathered so far, moved to columns block by block so that no list of a million rows is held."""

    names: list[str]
    blocks: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])
    rows: list[list[str]] = field(default_factory=list[list[str]])
    places: list[int] = field(default_factory=list[int])
    broken: list[BrokenRow] = field(default_factory=list[BrokenRow])

    def add(self, cells: list[str], place: int) -> None:
        self.rows.append(cells)
        self.places.append(place)
        if len(self.rows) >= _BLOCK:
            self.flush()

    def flush(self) -> None:
        columns = zip(*self.rows, strict=True) if self.rows else ([] for _ in self.names)
        self.blocks.append(
            pl.DataFrame(
                [
                    pl.Series(name, list(column), dtype=pl.String)
                    for name, column in zip(self.names, columns, strict=True)
                ]
            )
        )
        self.rows = []


def _read_careful(text: str, delimiter: str) -> Rows:
    found: _Collected | None = None
    for place, cells, source in _records(text, delimiter):
        if found is None:
            if cells:
                found = _Collected(column_names(cells))
            continue
        if cells is None or (cells and len(cells) != len(found.names)):
            found.broken.append(BrokenRow(place, Reason.MALFORMED, source[:EXCERPT].rstrip("\r\n")))
        elif cells:
            found.add(cells, place)
    if found is None:
        return Rows(pl.DataFrame(), pl.Series("place", [], dtype=pl.Int64))
    found.flush()
    frame = pl.concat(found.blocks).with_columns(pl.all().replace("", None))
    return Rows(frame, pl.Series("place", found.places, dtype=pl.Int64), tuple(found.broken))


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str] | None, str]]:
    """Yield each record's number, its cells (empty for a blank line, None if badly quoted) and its first line.

    After a badly quoted record reading goes on at the line after its first, so that one quote costs one row.
    """
    lines = _lines(text)
    start, place = 0, 0
    while start < len(lines):
        reader = csv.reader(map(lines.__getitem__, range(start, len(lines))), delimiter=delimiter, strict=True)
        begin = start
        try:
            with _long_fields():
                for cells in reader:
                    place += 1
                    yield place, cells, lines[begin]
                    begin = start + reader.line_num
        except csv.Error:
            place += 1
            yield place, None, lines[begin]
            begin += 1
        start = begin


def _lines(text: str) -> list[str]:
    # str.splitlines would also split at form feeds and Unicode line separators within comments.
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _skip_hint(text: str) -> str:
    """Leave out leading blank lines and the line ``sep=;`` that spreadsheets write."""
    text = text.lstrip("\r\n")
    first, _, rest = text.partition("\n")
    return rest if first.lower().startswith("sep=") and len(first.strip()) <= len("sep=;") else text


def column_names(cells: list[str]) -> list[str]:
    """Return a header's cells as names, each only once; an empty cell is named by its number."""
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = cell.strip() or f"column_{number}"
        while name in names:
            name = f"{name}_{number}"
        names.append(name)
    return names


@contextmanager
def _long_fields() -> Generator[None]:
    before = csv.field_size_limit(_MAX_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(before)
