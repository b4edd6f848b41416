"""Collect: bring comments into the workspace as they were delivered, and read them into raw tables.

`fetch` keeps the bytes, `parse` reads them; the kinds of files are the family in `sources`.
"""

from __future__ import annotations

from discourse.collect.completeness import completeness
from discourse.collect.copying import copy_sources
from discourse.collect.formats import BrokenRow, TableRead, read_table
from discourse.collect.live import archive_name, is_address
from discourse.collect.reading import read_collected
from discourse.config import Config
from discourse.tables import RAW_ATTRIBUTES, RAW_COMMENTS, RAW_THREADS, Table
from discourse.workspace import Outcome, Workspace

__all__ = [
    "READS",
    "WRITES",
    "BrokenRow",
    "TableRead",
    "archive_name",
    "completeness",
    "fetch",
    "is_address",
    "parse",
    "read_table",
    "run",
]

READS: tuple[Table, ...] = ()
WRITES: tuple[Table, ...] = (RAW_THREADS, RAW_COMMENTS, RAW_ATTRIBUTES)


def run(workspace: Workspace, config: Config) -> Outcome:
    """Copy the sources into the workspace and read them; see `fetch` and `parse`."""
    fetch(workspace, config)
    return parse(workspace, config)


def fetch(workspace: Workspace, config: Config) -> None:
    """Copy the files of `[input] sources`, byte for byte, to `WS/raw`, and describe them in `WS/raw/sources.json`.

    Raises:
        InputError: a source is missing, empty or unreadable, has the name of another, or is an address of no platform.
        UsageError: there are no sources.
        WorkspaceError: the workspace cannot be written.
    """
    copy_sources(workspace, config)


def parse(workspace: Workspace, config: Config) -> Outcome:
    """Read `WS/raw` into the tables of `WRITES`; the options that count are those noted when the files were fetched.

    Returns:
        Counts `files`, `records`, `threads` and `unusable`, and for each file one line on how it was read.

    Raises:
        InputError: a file holds nothing that can be used.
        UsageError: an option does not fit a file.
        WorkspaceError: a collected file is missing or changed, or the tables cannot be written.
    """
    return read_collected(workspace, config.collect)
