"""Which column of a table is the text, the id, the parent …: as chosen, else by its name, else by its contents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from discourse.collect.contents import find_ids, find_parents, find_text, find_times, fits
from discourse.collect.names import SYNONYMS, preset_of, rank
from discourse.errors import InputError, UsageError, did_you_mean

_LISTED = 12
_OTHER_TIMES = re.compile(r"collect|retriev|scrap|crawl|fetch|updat|edit|modif|delet|remov", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Where each of our fields stands in a table.

    Attributes:
        columns: our field and the table's column.
        preset: the tool whose table it is, if one was recognised.
        nearer: our field and a column that goes before the other where it holds something.
        unused: columns that are read by nothing.
    """

    columns: dict[str, str]
    preset: str | None
    unused: tuple[str, ...]
    nearer: dict[str, str]

    def describe(self) -> str:
        """Show the choice in one line: ``text=body, author=user; not used: votes_hidden``."""
        both = {name: f"{shown(self.nearer[name])} or " for name in self.nearer}
        chosen = ", ".join(f"{name}={both.get(name, '')}{shown(column)}" for name, column in self.columns.items())
        return f"{chosen}; not used: {listed(self.unused)}" if self.unused else chosen


def map_columns(frame: pl.DataFrame, chosen: Mapping[str, str], attributes: tuple[str, ...], name: str) -> ColumnMap:
    """Find the column of each field.

    Args:
        frame: the table, as read.
        chosen: our field and the column to take for it, or an empty text to take none; these are never questioned.
        attributes: columns that are kept beside the comments, shown as used.
        name: the file's name, for messages.

    Raises:
        UsageError: a chosen field or column, or an attribute, does not exist.
        InputError: no column can be the text.
    """
    _check(frame, chosen, attributes, name)
    found = {field: column for field, column in chosen.items() if column}
    preset = preset_of(frame.columns)
    for field, column in (preset.columns if preset else {}).items():
        if field not in chosen and column in frame.columns and column not in found.values():
            found[field] = column
    for field in SYNONYMS:
        if field not in chosen and field not in found:
            column = _by_name(frame, field, found)
            if column is not None:
                found[field] = column
    _by_contents(frame, chosen, found)
    # A column that is called text and holds none leads to the clearer error: no comments after clean-up.
    free = [column for column in frame.columns if column not in found.values()]
    empty = [column for column in free if (rank("text", column) or (1,))[0] == 0]
    if "text" not in found and "text" not in chosen and empty:
        found["text"] = empty[0]
    if "text" not in found:
        raise InputError(
            f"{name}: no column can be the text of the comments; name it with --map text=NAME, "
            f"where NAME is one of: {listed(frame.columns)}"
        )
    if "parent_id" in found and "comment_id" not in found and "parent_id" not in chosen:
        del found["parent_id"]
    ordered = {field: found[field] for field in SYNONYMS if field in found}
    nearer = {
        name: column
        for name, column in (preset.nearer if preset else ())
        if name in ordered and name not in chosen and column in frame.columns
    }
    used = {*ordered.values(), *nearer.values(), *attributes}
    unused = tuple(column for column in frame.columns if column not in used)
    return ColumnMap(ordered, preset.title if preset else None, unused, nearer)


def shown(column: str) -> str:
    """Return a column's name fit for a terminal: no control characters, at most 40 characters."""
    clean = "".join(character if character.isprintable() else "?" for character in column)
    return clean if len(clean) <= 40 else clean[:39] + "…"


def listed(columns: list[str] | tuple[str, ...]) -> str:
    """List column names, of many only the first."""
    first = ", ".join(shown(column) for column in columns[:_LISTED])
    return f"{first} and {len(columns) - _LISTED:,} more" if len(columns) > _LISTED else first


def _check(frame: pl.DataFrame, chosen: Mapping[str, str], attributes: tuple[str, ...], name: str) -> None:
    for field, column in chosen.items():
        if field not in SYNONYMS:
            raise UsageError(
                f'--map {field}={column}: there is no field "{field}"{did_you_mean(field, SYNONYMS)}; '
                f"fields are: {', '.join(SYNONYMS)}"
            )
        if column and column not in frame.columns:
            _missing(f"--map {field}={column}", column, frame, name)
    for column in attributes:
        if column not in frame.columns:
            _missing("[input] attributes", column, frame, name)


def _missing(option: str, column: str, frame: pl.DataFrame, name: str) -> None:
    raise UsageError(
        f'{name}: {option} names the column "{column}", which is not there'
        f"{did_you_mean(column, frame.columns)}; columns are: {listed(frame.columns)}"
    )


def _by_name(frame: pl.DataFrame, field: str, found: Mapping[str, str]) -> str | None:
    free = [column for column in frame.columns if column not in found.values()]
    # A column with nothing in it comes after all others.
    ranked = [
        (frame[column].null_count() == len(frame), place, column)
        for column in free
        if (place := rank(field, column)) is not None
    ]
    for *_, column in sorted(ranked):
        if fits(field, frame, column):
            return column
    return None


def _by_contents(frame: pl.DataFrame, chosen: Mapping[str, str], found: dict[str, str]) -> None:
    def free() -> list[str]:
        return [column for column in frame.columns if column not in found.values()]

    def take(field: str, column: str | None) -> None:
        if column is not None:
            found[field] = column

    if "text" not in found and "text" not in chosen:
        take("text", find_text(frame, free()))
    if "comment_id" not in found and "comment_id" not in chosen:
        take("comment_id", find_ids(frame, free()))
    if "created_at" not in found and "created_at" not in chosen:
        take("created_at", find_times(frame, [column for column in free() if not _OTHER_TIMES.search(column)]))
    if "comment_id" in found and "parent_id" not in found and "parent_id" not in chosen:
        take("parent_id", find_parents(frame, free(), found["comment_id"]))
