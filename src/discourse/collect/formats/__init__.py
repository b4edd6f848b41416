"""Tables in files: CSV, TSV, JSONL, JSON arrays, Parquet and Excel, plain or in gzip or zstd, told by their content."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import polars as pl

from discourse.collect.encoding import Decoded, decode, whole_lines
from discourse.collect.formats.base import BrokenRow, Rows, TableRead
from discourse.collect.formats.delimited import read_delimited, sniff
from discourse.collect.formats.jsontext import read_array, read_lines
from discourse.collect.formats.parquet import MAGIC, read_parquet
from discourse.collect.formats.xlsx import read_workbook
from discourse.collect.names import fields_named
from discourse.collect.rawfile import RawFile, is_workbook, read_file
from discourse.errors import InputError
from discourse.tables import Reason

__all__ = ["BrokenRow", "TableRead", "read_raw_table", "read_table", "table_format"]

_OBJECT = re.compile(r'\s*\{\s*(?:"|\})')
_ARRAY = re.compile(r"\s*\[\s*(?:\{|\]\s*$)")
_SUFFIXES = {".csv": "CSV", ".tsv": "TSV", ".tab": "TSV", ".jsonl": "JSONL", ".ndjson": "JSONL", ".json": "JSON"}
_MAX_HEADER_CELL = 40


def read_table(path: Path) -> TableRead:
    """Read a table from a file of any supported format, with what could not be read.

    Raises:
        InputError: the file is missing, empty, unreadable or no table.
    """
    return read_raw_table(read_file(path))


def read_raw_table(raw: RawFile) -> TableRead:
    """Read a table from bytes, see `read_table`.

    Raises:
        InputError: the bytes are no table, or nothing in them can be read.
    """
    if raw.data.startswith(MAGIC):
        frame = read_parquet(raw)
        places = pl.Series("place", range(1, frame.height + 1), dtype=pl.Int64)
        return TableRead(frame, places, "row", (), "Parquet", None)
    if is_workbook(raw.data):
        rows = read_workbook(raw)
        return TableRead(rows.frame, rows.places, "row", (), "Excel", None, rows.notes)
    if raw.suffix in {".parquet", ".pq"}:
        raise InputError(f"{raw.name}: is no Parquet file or is cut short; save it again")
    decoded = decode(raw)
    found = table_format(raw, decoded)
    if found is None:
        raise InputError(f"{raw.name}: is no table; give CSV, TSV, JSONL, a JSON array, Parquet or .xlsx")
    notes = () if raw.damage is None else (f"{raw.damage}: what could be read is kept",)
    if found == "JSON":
        rows, unit = read_array(raw.name, decoded.text), "record"
    else:
        lines = whole_lines(raw, decoded)
        rows = read_lines(lines.utf8) if found == "JSONL" else read_delimited(lines.utf8)
        unit = "line" if found == "JSONL" else "row"
        if lines.cut is not None:
            rows = _with_cut_record(rows, lines.cut)
    if raw.damage is not None and not rows.broken:
        rows = _with_cut_record(rows, "")
    if not rows.frame.width and not rows.broken:
        raise InputError(f"{raw.name}: holds no records; check that it was saved whole")
    return TableRead(rows.frame, rows.places, unit, rows.broken, found, decoded.encoding, (*rows.notes, *notes))


def table_format(raw: RawFile, decoded: Decoded) -> str | None:
    """Tell which format of table a text has, or None if it is no table; content counts before the suffix."""
    head = decoded.head()
    named = _SUFFIXES.get(raw.suffix)
    lines = [line for line in head.split("\n") if line.strip()][:20]
    if named == "JSONL" and not head.lstrip().startswith("["):
        return "JSONL"
    if _ARRAY.match(head) or (named == "JSON" and head.lstrip().startswith("[")):
        return "JSON"
    if lines and sum(_OBJECT.match(line) is not None for line in lines) > len(lines) / 2:
        # One long object on one line may still be a whole JSON document.
        return "JSON" if named == "JSON" and len(lines) == 1 else "JSONL"
    if _OBJECT.match(head) or named in {"JSON", "JSONL"}:
        return named if named == "JSONL" else "JSON"
    dialect = sniff(head)
    if named is not None or _looks_like_header(dialect.header, dialect.agreement):
        return "TSV" if dialect.delimiter == "\t" else "CSV"
    return None


def _looks_like_header(cells: tuple[str, ...], agreement: float) -> bool:
    known = [fields_named(cell) for cell in cells]
    return (
        len(cells) > 1
        and agreement >= 0.8
        and len(set(cells)) == len(cells)
        and all(0 < len(cell.strip()) <= _MAX_HEADER_CELL for cell in cells)
        and sum(bool(fields) for fields in known) > 1
        and any("text" in fields for fields in known)
    )


def _with_cut_record(rows: Rows, excerpt: str) -> Rows:
    last = max([*rows.places.tail(1), *(row.place for row in rows.broken[-1:])], default=0)
    return replace(rows, broken=(*rows.broken, BrokenRow(last + 1, Reason.MALFORMED, excerpt)))
