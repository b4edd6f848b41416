"""Rows of a table, whatever its columns are called, to raw comments and raw threads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from discourse.collect.cells import as_text
from discourse.collect.columns import ColumnMap
from discourse.collect.encoding import EXCERPT
from discourse.collect.formats.base import TableRead
from discourse.collect.names import SYNONYMS
from discourse.collect.rawfile import RawFile
from discourse.collect.replies import mark_openings, resolve_parents
from discourse.collect.sources.base import MAX_TEXT, PLATFORM, conform, file_thread
from discourse.collect.states import role, state, writer
from discourse.collect.times import parse_times
from discourse.config import InputConfig
from discourse.errors import UsageError
from discourse.tables import RAW_ATTRIBUTES, RAW_COMMENTS, RAW_THREADS, Reason, ReplyKind, State

_MARKDOWN = ("reddit", "lemmy")
_IDS = ("comment_id", "thread_id", "parent_id")


@dataclass(frozen=True, slots=True)
class Records:
    """Raw comments (RAW_COMMENTS), raw threads (RAW_THREADS), and what a person should know."""

    comments: pl.DataFrame
    threads: pl.DataFrame
    notes: tuple[str, ...]


def build_records(
    table: TableRead, columns: ColumnMap, raw: RawFile, options: InputConfig, collected_at: datetime
) -> Records:
    """Turn the rows of a table into raw comments and their threads.

    Args:
        table: as read from `raw`.
        columns: where each field stands.
        raw: the file, for its name.
        options: `opening` and `thread` count here.
        collected_at: when the file was read in.

    Raises:
        UsageError: `thread` is given for a table of several threads.
    """
    rows = _fields(table.frame, columns)
    times = parse_times(table.frame[columns.columns["created_at"]]) if "created_at" in columns.columns else None
    rows = rows.with_columns(
        offset=table.places - 1,
        location=table.locations,
        created_at=times.created_at if times else pl.lit(None),
        created_precision=times.precision if times else pl.lit("unknown"),
        native_id=pl.col("comment_id"),
        platform=_platform(),
        author=writer(),
        score=pl.col("score").cast(pl.Float64, strict=False).fill_nan(None),
        state=state(),
    )
    rows = _name_threads(rows, raw, options)
    rows = resolve_parents(mark_openings(rows, first=options.opening == "first"))
    rows = _drop_texts(rows)
    threads = _threads(rows, raw, collected_at)
    rows = rows.join(
        threads.select("thread_id", opening_author="article_author"), on="thread_id", how="left", maintain_order="left"
    ).with_columns(
        file=pl.lit(raw.name),
        role=role(),
        reply_kind=pl.when("opening").then(pl.lit(ReplyKind.OPENING.value)),
        markup=pl.when(pl.col("platform").is_in(_MARKDOWN)).then(pl.lit("markdown")).otherwise(pl.lit("auto")),
        url=pl.when(~_same_address()).then("url"),
    )
    notes = list(times.notes) if times else []
    if times and times.unread:
        notes.append(f"{times.unread:,} times could not be read")
    return Records(conform(RAW_COMMENTS, rows), conform(RAW_THREADS, threads), tuple(notes))


def build_attributes(table: TableRead, raw: RawFile, names: tuple[str, ...]) -> pl.DataFrame:
    """Return rows of RAW_ATTRIBUTES: the cells of the columns `names` as text, null where they are empty."""
    parts = [
        pl.DataFrame({"offset": table.places - 1, "value": as_text(table.frame[name])}).with_columns(
            file=pl.lit(raw.name), name=pl.lit(name)
        )
        for name in dict.fromkeys(names)
    ]
    return conform(RAW_ATTRIBUTES, pl.concat(parts)) if parts else RAW_ATTRIBUTES.empty()


def _fields(frame: pl.DataFrame, columns: ColumnMap) -> pl.DataFrame:
    """Return every field as text under our own name; those without a column are null."""
    found = {field: as_text(frame[column]).alias(field) for field, column in columns.columns.items()}
    for field, column in columns.nearer.items():
        nearer = as_text(frame[column]).replace({"": None, "0": None})
        found[field] = nearer.fill_null(found[field]).alias(field)
    rows = pl.DataFrame(list(found.values())).with_columns(
        pl.lit(None, dtype=pl.String).alias(field) for field in SYNONYMS if field not in found
    )
    blank = [
        pl.when(pl.col(field).str.strip_chars() != "").then(field).alias(field) for field in SYNONYMS if field != "text"
    ]
    rows = rows.with_columns(pl.when(pl.col("text") != "").then("text").alias("text"), *blank)
    # A column of whole numbers with gaps is often written as 12.0 by other programs.
    decimal = [field for field in _IDS if bool(rows[field].drop_nulls().str.contains(r"^\d+\.0$").all())]
    return rows.with_columns(pl.col(field).str.strip_suffix(".0") for field in decimal)


def _platform() -> pl.Expr:
    name = pl.col("platform").str.strip_chars().str.to_lowercase().str.replace_all(r"[^\w.-]+", "-")
    return name.fill_null(PLATFORM)


def _name_threads(rows: pl.DataFrame, raw: RawFile, options: InputConfig) -> pl.DataFrame:
    """Add `thread`, the platform's id of the thread (null if it gives none), and `thread_id`."""
    rows = rows.rename({"thread_id": "thread"}).with_columns(pl.col("thread").str.strip_chars())
    named = rows["thread"].n_unique() - bool(rows["thread"].null_count())
    if options.thread and named > 1:
        raise UsageError(
            f"{raw.name}: holds {named:,} threads, which --thread {options.thread} cannot name; "
            "leave it out, or map no thread column with --map thread_id="
        )
    native = pl.lit(options.thread) if options.thread else pl.col("thread")
    own = pl.col("platform") + ":" + native
    return rows.with_columns(
        thread_id=pl.when(pl.col("thread").is_not_null()).then(own).otherwise(pl.lit(file_thread(raw, options)))
    )


def _drop_texts(rows: pl.DataFrame) -> pl.DataFrame:
    """Take away texts that are not there to be read, and those too large to be comments."""
    gone = pl.col("state").is_in([State.DELETED.value, State.REMOVED.value])
    large = pl.col("text").str.len_chars() > MAX_TEXT
    return rows.with_columns(
        reason=pl.when(~gone & large).then(pl.lit(Reason.TOO_LARGE.value)),
        excerpt=pl.when(~gone & large).then(pl.col("text").str.head(EXCERPT)),
        text=pl.when(~gone & ~large).then("text"),
    )


def _same_address() -> pl.Expr:
    """Tell whether all rows of a thread have one address, which is then the thread's and not the comment's."""
    return ((pl.col("url").n_unique() == 1) & (pl.len() > 1)).over("thread_id")


def _threads(rows: pl.DataFrame, raw: RawFile, collected_at: datetime) -> pl.DataFrame:
    opening = pl.col("opening")

    def first(column: str) -> pl.Expr:
        return pl.col(column).drop_nulls().first()

    def of_opening(column: str) -> pl.Expr:
        return pl.col(column).filter(opening).first()

    # A table without threads may hold comments on many articles; the first one's title is not that of all.
    several_titles = pl.col("thread").is_null().all() & (pl.col("title").drop_nulls().n_unique() > 1)
    threads = rows.group_by("thread_id", maintain_order=True).agg(
        first("platform"),
        first("site"),
        first("community"),
        pl.coalesce(first("thread_url"), of_opening("url"), first("url")).alias("url"),
        pl.coalesce(of_opening("title"), pl.when(~several_titles).then(first("title"))).alias("title"),
        of_opening("author").alias("article_author"),
        of_opening("text").alias("article"),
        of_opening("created_at").alias("published_at"),
    )
    host = pl.col("url").str.extract(r"^[Hh][Tt][Tt][Pp][Ss]?://(?:[^/@]*@)?([^/:?#]+)").str.to_lowercase()
    return threads.with_columns(
        site=pl.coalesce("site", host),
        collected_at=pl.lit(collected_at),
        unreachable=pl.lit(0),
        capped=pl.lit(0),
        source=pl.lit(raw.name),
    )
