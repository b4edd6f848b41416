"""Tables: CSV, TSV, JSONL, JSON arrays, Parquet and Excel, with the columns of any program."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from discourse.collect.columns import ColumnMap, map_columns
from discourse.collect.encoding import decode
from discourse.collect.formats import TableRead, read_raw_table, table_format
from discourse.collect.rawfile import RawFile, is_workbook
from discourse.collect.records import build_attributes, build_records
from discourse.collect.sources.base import PLATFORM, Broken, Parsed, broken_rows, file_thread, thread_row
from discourse.config import InputConfig
from discourse.errors import InputError

_TABLE_SUFFIXES = {".csv", ".tsv", ".tab", ".json", ".jsonl", ".ndjson", ".parquet", ".pq"}


class TableFile:
    """A file of rows, one for each comment."""

    def recognises(self, raw: RawFile, options: InputConfig) -> bool:
        """Tell by content and suffix; a file without a table's suffix is text where [input] mode says how to cut it."""
        if raw.data.startswith(b"PAR1") or is_workbook(raw.data) or raw.suffix in _TABLE_SUFFIXES:
            return True
        asked_for_text = options.mode != "auto" or options.article_lines is not None
        return not asked_for_text and table_format(raw, decode(raw)) is not None

    def parse(self, raw: RawFile, options: InputConfig, collected_at: datetime) -> Parsed:
        """Read the rows, find the columns and build threads and comments; see `Source`."""
        table = read_raw_table(raw)
        if not table.frame.height:
            raise InputError(f"{raw.name}: {_nothing(table)}; check that the file was saved whole")
        columns = map_columns(table.frame, options.map, options.attributes, raw.name)
        records = build_records(table, columns, raw, options, collected_at)
        threads, comments = records.threads, records.comments
        if table.broken:
            one = threads.height == 1
            thread_id = threads.item(0, "thread_id") if one else file_thread(raw, options)
            platform = threads.item(0, "platform") if one else PLATFORM
            if thread_id not in threads["thread_id"]:
                threads = pl.concat([threads, thread_row(raw, thread_id, collected_at)])
            faults = [Broken(row.place - 1, table.location(row), row.reason, row.excerpt) for row in table.broken]
            comments = pl.concat([comments, broken_rows(raw.name, thread_id, platform, faults)]).sort("offset")
        note = _note(raw, table, columns, [*records.notes, *_ignored(options)])
        return Parsed(threads, comments, build_attributes(table, raw, options.attributes), note)


def _nothing(table: TableRead) -> str:
    if not table.broken:
        return "has a header and no rows"
    first = table.broken[0]
    return f"not one record can be read (the first, {table.location(first)}, is {first.reason.value})"


def _ignored(options: InputConfig) -> list[str]:
    return ["article_lines is for pasted text and was not used"] if options.article_lines else []


def _note(raw: RawFile, table: TableRead, columns: ColumnMap, notes: list[str]) -> str:
    kind = f"{table.format}, {columns.preset} form" if columns.preset else table.format
    if table.encoding not in {None, "utf-8"}:
        notes = [f"encoding {table.encoding}", *notes]
    notes = [*notes, *table.notes]
    if table.broken:
        notes.append(f"{len(table.broken):,} broken, the first at {table.location(table.broken[0])}")
    said = "".join(f"; {note}" for note in notes)
    return f"{raw.name} read as {kind} ({table.frame.height:,} rows): {columns.describe()}{said}"
