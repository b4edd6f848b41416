"""Cells of any dtype as text, written so that ids and numbers read back as a person would type them."""

from __future__ import annotations

import json
from collections.abc import Callable

import polars as pl

_NESTED = (pl.List, pl.Array, pl.Struct, pl.Object)


def as_text(cells: pl.Series) -> pl.Series:
    """Return the same cells as String; null stays null.

    Whole numbers kept as floats (as pandas does where some are missing) lose their ``.0``; times become ISO 8601,
    lists and objects JSON, and bytes UTF-8 with a replacement character for each byte that is none.
    """
    dtype = cells.dtype
    if dtype == pl.String:
        return cells
    if isinstance(dtype, pl.Categorical | pl.Enum | pl.Boolean | pl.Null) or dtype.is_integer():
        return cells.cast(pl.String)
    if dtype.is_float():
        finite = cells.fill_nan(None)
        if (finite.drop_nulls() % 1 == 0).all() and (finite.drop_nulls().abs() < 2**63).all():
            return finite.cast(pl.Int64).cast(pl.String)
        return finite.cast(pl.String)
    if isinstance(dtype, pl.Datetime):
        return cells.dt.to_string("iso:strict")
    if isinstance(dtype, pl.Binary):
        return _each(cells, _from_bytes)
    if isinstance(dtype, _NESTED):
        return _each(cells, _as_json)
    return cells.cast(pl.String, strict=False)


def flatten(frame: pl.DataFrame) -> pl.DataFrame:
    """Turn object columns into columns with dotted names; a name that is taken gets a number."""
    while structs := [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Struct)]:
        columns: dict[str, pl.Series] = {}
        for column in frame.get_columns():
            inner = column.struct.unnest().get_columns() if column.name in structs else []
            for part in inner or ([] if column.name in structs else [column]):
                name = f"{column.name}.{part.name}" if inner else column.name
                while name in columns:
                    name += "_2"
                columns[name] = part.alias(name)
        frame = pl.DataFrame(list(columns.values()))
    return frame


def _each(cells: pl.Series, write: Callable[[object], str]) -> pl.Series:
    return pl.Series(cells.name, [None if value is None else write(value) for value in cells], dtype=pl.String)


def _from_bytes(value: object) -> str:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def _as_json(value: object) -> str:
    plain = value.to_list() if isinstance(value, pl.Series) else value
    return json.dumps(plain, ensure_ascii=False, default=str)
