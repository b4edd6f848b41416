"""JSONL and JSON arrays: polars block by block where all is well, else the json module record by record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import polars as pl

from discourse.collect.cells import as_text, flatten
from discourse.collect.encoding import EXCERPT
from discourse.collect.formats.base import BrokenRow, Rows
from discourse.errors import InputError
from discourse.tables import Reason

MAX_DEPTH = 200
MAX_COLUMNS = 1_000

_BLOCK = 4_096
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_BRACKETS = re.compile(r"[^\[\]{}]+")
_NEXT_RECORD = re.compile(r"\}\s*,\s*(?=\{)")
_BETWEEN = re.compile(r"[\s,]*")
_INT64 = 2**63


def read_lines(utf8: bytes) -> Rows:
    """Read one JSON object a line; a line that is none becomes a broken row and the rest is kept.

    Args:
        utf8: the whole text. Places are line numbers.
    """
    frames: list[pl.DataFrame] = []
    places: list[int] = []
    broken: list[BrokenRow] = []
    notes: set[str] = set()
    for block in _blocks(utf8):
        frame = _read_fast(block)
        if frame is not None:
            frames.append(frame)
            places += [line.place for line in block]
            continue
        records = _Records()
        for line in block:
            records.add(line.place, line.utf8.decode("utf-8"))
        frames.append(records.frame())
        places += records.places
        broken += records.broken
        notes |= records.notes
    return Rows(_stack(frames), pl.Series("place", places, dtype=pl.Int64), tuple(broken), tuple(sorted(notes)))


def read_array(name: str, text: str) -> Rows:
    """Read a JSON array of objects, or an object of which one value is such an array (the longest is taken).

    Args:
        name: the file's name, for messages.
        text: the whole text. Places are record numbers.

    Raises:
        InputError: there is no array of objects in it.
    """
    records = _Records()
    notes: tuple[str, ...] = ()
    whole = _parse_whole(text)
    if isinstance(whole, dict):
        key = _longest_list(cast("dict[str, Any]", whole))
        if key is None:
            raise InputError(f"{name}: holds one JSON object and no list of records; give a JSON array or JSONL")
        notes = (f'records taken from its list "{key}"',)
        whole = whole[key]
    if isinstance(whole, list):
        for place, value in enumerate(cast("list[object]", whole), 1):
            records.add_value(place, value, "")
    else:
        if not text.lstrip().startswith("["):
            raise InputError(f"{name}: is neither a JSON array nor JSONL; check that it was saved whole")
        _read_elements(text, records)
    frame = flatten_texts(_stack([records.frame()]))
    places = pl.Series("place", records.places, dtype=pl.Int64)
    return Rows(frame, places, tuple(records.broken), (*notes, *sorted(records.notes)))


def flatten_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with dotted columns for objects and JSON text for lists."""
    flat = flatten(frame)
    return flat.with_columns(as_text(column) for column in flat.get_columns() if isinstance(column.dtype, pl.List))


def depth(text: str) -> int:
    """Return how deep brackets and braces nest outside of strings, without recursion."""
    deepest = level = 0
    for mark in _BRACKETS.sub("", _STRING.sub("", text)):
        level += 1 if mark in "[{" else -1
        deepest = max(deepest, level)
    return deepest


@dataclass(frozen=True, slots=True)
class _Line:
    place: int
    utf8: bytes


def _blocks(utf8: bytes) -> Iterator[list[_Line]]:
    block: list[_Line] = []
    for place, line in enumerate(utf8.split(b"\n"), 1):
        if line.strip():
            block.append(_Line(place, line))
        if len(block) >= _BLOCK:
            yield block
            block = []
    if block:
        yield block


def _read_fast(block: list[_Line]) -> pl.DataFrame | None:
    """Read lines with polars, or return None where it would fail, recurse deep or turn an object into text."""
    if any(line.utf8.count(b"{") + line.utf8.count(b"[") > MAX_DEPTH for line in block):
        return None
    try:
        frame = pl.read_ndjson(b"\n".join(line.utf8 for line in block), infer_schema_length=None)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    frame = flatten_texts(frame)
    texts = frame.select(pl.col(pl.String))
    mixed = texts.select((pl.all().str.starts_with("{") & pl.all().str.ends_with("}")).any())
    if frame.height != len(block) or frame.width > MAX_COLUMNS or any(mixed.row(0) if mixed.width else ()):
        return None
    return frame


@dataclass(slots=True)
class _Records:
    """JSON records parsed one by one: their cells by column, and those that are broken."""

    columns: dict[str, dict[int, object]] = field(default_factory=dict[str, dict[int, object]])
    places: list[int] = field(default_factory=list[int])
    broken: list[BrokenRow] = field(default_factory=list[BrokenRow])
    notes: set[str] = field(default_factory=set[str])

    def add(self, place: int, text: str) -> None:
        """Parse one record; a fault is kept with its place."""
        if text.count("{") + text.count("[") > MAX_DEPTH and depth(text) > MAX_DEPTH:
            self.fail(place, Reason.TOO_DEEP, text)
            return
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            self.fail(place, Reason.MALFORMED, text)
            return
        self.add_value(place, value, text)

    def add_value(self, place: int, value: object, text: str) -> None:
        """Take one parsed record, which must be an object."""
        if not isinstance(value, dict):
            self.fail(place, Reason.WRONG_TYPE, text or json.dumps(value, ensure_ascii=False, default=str))
            return
        row = len(self.places)
        self.places.append(place)
        for name, cell in _leaves(cast("dict[str, object]", value), ""):
            column = self.columns.get(name)
            if column is None:
                if len(self.columns) >= MAX_COLUMNS:
                    self.notes.add(f"only the first {MAX_COLUMNS:,} columns were read")
                    continue
                column = self.columns[name] = {}
            column[row] = cell

    def fail(self, place: int, reason: Reason, text: str) -> None:
        self.broken.append(BrokenRow(place, reason, _whole_characters(text[:EXCERPT].strip())))

    def frame(self) -> pl.DataFrame:
        rows = range(len(self.places))
        if not self.columns:
            return pl.DataFrame({"": pl.Series([None] * len(rows), dtype=pl.String)}) if self.places else pl.DataFrame()
        return pl.DataFrame(
            [_column(_whole_characters(name), [cells.get(row) for row in rows]) for name, cells in self.columns.items()]
        )


def _leaves(record: dict[str, object], prefix: str) -> Iterator[tuple[str, object]]:
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _leaves(cast("dict[str, object]", value), f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _column(name: str, cells: list[object]) -> pl.Series:
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds <= {int} and all(cell is None or -_INT64 <= cast("int", cell) < _INT64 for cell in cells):
        return pl.Series(name, cells, dtype=pl.Int64 if kinds else pl.Null)
    if kinds <= {int, float} and float in kinds:
        return pl.Series(name, cells, dtype=pl.Float64, strict=False)
    if kinds == {bool}:
        return pl.Series(name, cells, dtype=pl.Boolean)
    return pl.Series(name, [_text(cell) for cell in cells], dtype=pl.String)


def _text(cell: object) -> str | None:
    if cell is None:
        return None
    if isinstance(cell, str):
        return _whole_characters(cell)
    return _whole_characters(json.dumps(cell, ensure_ascii=False))


def _whole_characters(text: str) -> str:
    """Replace halves of surrogate pairs, which JSON can hold and UTF-8 cannot."""
    return text if text.isascii() else text.encode("utf-8", errors="replace").decode("utf-8")


def _stack(frames: list[pl.DataFrame]) -> pl.DataFrame:
    filled = [frame for frame in frames if frame.height]
    if not filled:
        return pl.DataFrame()
    try:
        stacked = pl.concat(filled, how="diagonal_relaxed")
    except pl.exceptions.PolarsError:
        stacked = pl.concat([frame.select(as_text(column) for column in frame) for frame in filled], how="diagonal")
    return stacked.drop("", strict=False) if stacked.width > 1 else stacked


def _parse_whole(text: str) -> object:
    if depth(text) > MAX_DEPTH:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _longest_list(record: dict[str, Any]) -> str | None:
    lists = {key: value for key, value in record.items() if isinstance(value, list) and value}
    fit = [key for key, value in lists.items() if any(isinstance(item, dict) for item in value)]
    return max(fit, key=lambda key: len(lists[key]), default=None)


def _read_elements(text: str, records: _Records) -> None:
    """Read a damaged array element by element; after a fault go on at the next object."""
    decoder = json.JSONDecoder()
    position, place = text.index("[") + 1, 0
    while True:
        position = cast("re.Match[str]", _BETWEEN.match(text, position)).end()
        if position >= len(text) or text[position] == "]":
            return
        place += 1
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as e:
            following = _NEXT_RECORD.search(text, position)
            end = following.end() if following else len(text)
            reason = Reason.TOO_DEEP if isinstance(e, RecursionError) else Reason.MALFORMED
            records.fail(place, reason, text[position : position + EXCERPT])
        else:
            if depth(text[position:end]) > MAX_DEPTH:
                records.fail(place, Reason.TOO_DEEP, text[position : position + EXCERPT])
            else:
                records.add_value(place, value, text[position : min(end, position + EXCERPT)])
        position = end
