"""Excel workbooks (.xlsx), read row by row, so that a sheet of one far cell costs no memory."""

from __future__ import annotations

import io
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import cast

import polars as pl

from discourse.collect.formats.base import Rows
from discourse.collect.formats.delimited import column_names
from discourse.collect.rawfile import RawFile
from discourse.errors import InputError
from discourse.progress import Advance, bar

MAX_UNPACKED = 1_000_000_000
MAX_ROWS = 1_048_576
MAX_COLUMNS = 1_000
MAX_CELLS = 20_000_000

_CHUNK = 4_096
# How Excel writes characters that XML cannot hold.
_CODED = re.compile("_x([0-9A-Fa-f]{4})_")
_SHOWN = 1_000
_LOCAL_HEADER = struct.Struct("<26xHH")

Cell = str | int | float | bool | datetime | date | time | timedelta | None


def read_workbook(raw: RawFile) -> Rows:
    """Read the first sheet that has rows below its first; that one names the columns.

    Numbers, dates and truth values keep their types where a whole column has them; all else is text. Formulas are
    read as the values that Excel last saw. Places are row numbers as Excel shows them.

    Raises:
        InputError: the file is damaged, made to fill the memory, too large, or has no rows.
    """
    from openpyxl import load_workbook

    _check_unpacked(raw)
    damaged = f"{raw.name}: is a damaged Excel file; open it and save it again, or save it as CSV"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(raw.data), read_only=True, data_only=True, keep_links=False)
            sheets = list(book.worksheets)
            for sheet in sheets:
                stated = min(sheet.max_row or 0, MAX_ROWS)
                # What a sheet states of its size may be false; only the bar believes it.
                sheet.reset_dimensions()
                rows = cast("Iterator[tuple[Cell, ...]]", sheet.iter_rows(values_only=True))
                with bar(f"reading {raw.name}", stated) as advance:
                    filled = _filled(raw.name, rows, advance)
                if len(filled) > 1:
                    notes = (f'the sheet "{sheet.title}" of {len(sheets)} was read',) if len(sheets) > 1 else ()
                    return _rows(raw.name, filled, notes)
    except InputError:
        raise
    # openpyxl raises whatever a broken part of the file leads it to.
    except Exception as e:
        raise InputError(damaged) from e
    raise InputError(f"{raw.name}: no sheet has a row below its header; check that the file was saved whole")


def _check_unpacked(raw: RawFile) -> None:
    """Unpack every part once without keeping it: the sizes that a zip file states may be false."""
    size = 0
    try:
        with zipfile.ZipFile(io.BytesIO(raw.data)) as packed:
            for part in packed.infolist():
                size += _size(raw.data, part, MAX_UNPACKED - size)
                if size > MAX_UNPACKED:
                    raise InputError(
                        f"{raw.name}: unpacks to more than {MAX_UNPACKED:,} bytes; save it as CSV, in parts"
                    )
    # RuntimeError: a zip version or method that this Python does not know
    except (zipfile.BadZipFile, zlib.error, struct.error, ValueError, OSError, RuntimeError) as e:
        raise InputError(f"{raw.name}: is a damaged or cut Excel file; save it again") from e


def _size(data: bytes, part: zipfile.ZipInfo, most: int) -> int:
    names = _LOCAL_HEADER.unpack_from(data, part.header_offset)
    start = part.header_offset + _LOCAL_HEADER.size + sum(names)
    packed = memoryview(data)[start : start + part.compress_size]
    if part.compress_type == zipfile.ZIP_STORED:
        return len(packed)
    if part.compress_type != zipfile.ZIP_DEFLATED:
        raise zipfile.BadZipFile(f"compression {part.compress_type}")
    stream, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
    for place in range(0, len(packed), _CHUNK):
        size += len(stream.decompress(packed[place : place + _CHUNK]))
        if size > most:
            break
    return size


def _filled(name: str, rows: Iterator[tuple[Cell, ...]], advance: Advance) -> list[tuple[int, list[Cell]]]:
    """Return the rows that hold something, with their numbers, cut after their last cell."""
    found: list[tuple[int, list[Cell]]] = []
    cells = 0
    for number, row in enumerate(rows, 1):
        last = next((place for place in range(len(row), 0, -1) if row[place - 1] not in {None, ""}), 0)
        cells += last
        if number % _SHOWN == 0:
            advance(_SHOWN)
        if number > MAX_ROWS or cells > MAX_CELLS:
            raise InputError(f"{name}: has more than {MAX_ROWS:,} rows or {MAX_CELLS:,} cells; save it as CSV")
        if last:
            found.append((number, list(row[:last])))
    return found


def _rows(name: str, filled: list[tuple[int, list[Cell]]], notes: tuple[str, ...]) -> Rows:
    (_, header), *records = filled
    width = max(len(cells) for _, cells in filled)
    if width > MAX_COLUMNS:
        width, notes = MAX_COLUMNS, (*notes, f"only the first {MAX_COLUMNS:,} columns were read")
    if width * len(records) > MAX_CELLS:
        raise InputError(f"{name}: has more than {MAX_CELLS:,} cells; save it as CSV")
    names = column_names(["" if cell is None else str(cell) for cell in [*header, *[None] * width][:width]])
    series = [
        _series(names[place], [cells[place] if place < len(cells) else None for _, cells in records])
        for place in range(width)
    ]
    titled = [one for place, one in enumerate(series) if place < len(header) and header[place] is not None]
    others = [one for one in series if one.null_count() < len(one)]
    kept = [one for one in series if any(one is each for each in (*titled, *others))]
    return Rows(pl.DataFrame(kept), pl.Series("place", [number for number, _ in records], dtype=pl.Int64), (), notes)


def _series(name: str, cells: list[Cell]) -> pl.Series:
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds and kinds <= {datetime, date}:
        moments = [datetime.combine(cell, time()) if type(cell) is date else cell for cell in cells]
        whole = all(cast("datetime", one).time() == time() for one in moments if one is not None)
        found = pl.Series(name, moments, dtype=pl.Datetime("us"))
        return found.cast(pl.Date) if whole else found
    if kinds == {bool}:
        return pl.Series(name, cells, dtype=pl.Boolean)
    if kinds == {int} and all(cell is None or abs(cast("int", cell)) < 2**63 for cell in cells):
        return pl.Series(name, cells, dtype=pl.Int64)
    if kinds and kinds <= {int, float}:
        return pl.Series(name, cells, dtype=pl.Float64, strict=False)
    return pl.Series(name, [_text(cell) for cell in cells], dtype=pl.String)


def _text(cell: Cell) -> str | None:
    if cell is None or cell == "":
        return None
    if isinstance(cell, str):
        plain = _CODED.sub(lambda found: chr(int(found[1], 16)), cell)
        return plain if plain.isascii() else plain.encode("utf-8", errors="replace").decode("utf-8")
    return cell.isoformat() if isinstance(cell, datetime | date | time) else str(cell)
