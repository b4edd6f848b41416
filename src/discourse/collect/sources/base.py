"""What a source is: a kind of file, or later a platform, that raw threads and raw comments are read from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import polars as pl

from discourse.collect.rawfile import RawFile
from discourse.config import InputConfig
from discourse.tables import RAW_ATTRIBUTES, RAW_COMMENTS, RAW_THREADS, Precision, Reason, Role, State, Table

PLATFORM = "file"
MAX_TEXT = 1_000_000


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one raw file holds.

    Attributes:
        threads: rows of RAW_THREADS.
        comments: rows of RAW_COMMENTS, one for each record of the file.
        attributes: rows of RAW_ATTRIBUTES.
        note: how the file was read, in one line for a person.
    """

    threads: pl.DataFrame
    comments: pl.DataFrame
    attributes: pl.DataFrame
    note: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A record that cannot become a comment: its offset from 0, its place for a person, why, and its start."""

    offset: int
    location: str
    reason: Reason
    excerpt: str


class Source(Protocol):
    """One kind of file. Parsing is pure: it sees bytes and options and touches neither disk nor network."""

    def recognises(self, raw: RawFile, options: InputConfig) -> bool:
        """Tell whether `raw` is of this kind."""
        ...

    def parse(self, raw: RawFile, options: InputConfig, collected_at: datetime) -> Parsed:
        """Read the threads and comments of `raw`.

        Raises:
            InputError: nothing in it can be used.
            UsageError: an option does not fit it.
        """
        ...


def file_thread(raw: RawFile, options: InputConfig) -> str:
    """Return the id of the thread of a file that names none itself."""
    return f"{PLATFORM}:{options.thread or raw.name}"


def thread_row(raw: RawFile, thread_id: str, collected_at: datetime, **known: object) -> pl.DataFrame:
    """Return one row of RAW_THREADS for a thread of which only `known` is known."""
    row = {
        "thread_id": thread_id,
        "platform": PLATFORM,
        "collected_at": collected_at,
        "unreachable": 0,
        "capped": 0,
        "source": raw.name,
    }
    return conform(RAW_THREADS, pl.DataFrame([row | known]))


def broken_rows(file: str, thread_id: str, platform: str, broken: list[Broken]) -> pl.DataFrame:
    """Return rows of RAW_COMMENTS for records that cannot become comments, so that none is lost."""
    return conform(
        RAW_COMMENTS,
        pl.DataFrame(
            {
                "offset": [one.offset for one in broken],
                "location": [one.location for one in broken],
                "reason": [one.reason.value for one in broken],
                "excerpt": [one.excerpt for one in broken],
            },
            schema={"offset": pl.Int64, "location": pl.String, "reason": pl.String, "excerpt": pl.String},
        ).with_columns(
            file=pl.lit(file),
            thread_id=pl.lit(thread_id),
            platform=pl.lit(platform),
            role=pl.lit(Role.UNKNOWN.value),
            created_precision=pl.lit(Precision.UNKNOWN.value),
            markup=pl.lit("plain"),
            state=pl.lit(State.VISIBLE.value),
        ),
    )


def conform(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` with the columns and dtypes of `table`; absent columns are null. `Workspace.write` checks it."""
    schema = table.schema
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in schema.items()
    )


def no_attributes() -> pl.DataFrame:
    """Return RAW_ATTRIBUTES without rows."""
    return RAW_ATTRIBUTES.empty()
