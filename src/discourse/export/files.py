"""Write a table as CSV, Parquet or JSON."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from discourse.spreadsheets import inert_column
from discourse.writing import replacing


def write_frame(frame: pl.DataFrame, target: Path, *, excel: bool = False) -> None:
    """Write a table in the format of the file's suffix, atomically.

    CSV: UTF-8, lists and structs as JSON, times as ISO 8601, and an apostrophe before text that a spreadsheet would
    run. JSON: one array of objects.

    Args:
        frame: any table.
        target: a file ending in .csv, .parquet or .json.
        excel: begin CSV with a byte order mark and end lines as Excel expects.

    Raises:
        WorkspaceError: the file cannot be written.
    """
    with replacing(target) as partial:
        if target.suffix == ".parquet":
            frame.write_parquet(partial, compression="zstd")
        elif target.suffix == ".json":
            partial.write_text(_json(frame), encoding="utf-8")
        else:
            flat(frame).write_csv(partial, include_bom=excel, line_terminator="\r\n" if excel else "\n")


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the columns as CSV holds them: nested ones as JSON, text made inert."""
    columns: list[pl.Series | pl.Expr] = []
    for name, dtype in frame.schema.items():
        if isinstance(dtype, pl.List | pl.Struct):
            values = [None if each is None else json.dumps(each, ensure_ascii=False) for each in frame[name].to_list()]
            columns.append(pl.Series(name, values, dtype=pl.String))
        elif dtype == pl.Datetime:
            columns.append(pl.col(name).dt.to_string("iso:strict"))
        elif dtype == pl.String:
            columns.append(inert_column(name))
    return frame.with_columns(columns)


def _json(frame: pl.DataFrame) -> str:
    times = [pl.col(name).dt.to_string("iso:strict") for name, dtype in frame.schema.items() if dtype == pl.Datetime]
    rows = frame.with_columns(times).to_dicts()
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows) + "\n]\n"
