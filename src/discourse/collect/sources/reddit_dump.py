"""Dumps of Reddit by Pushshift and Arctic Shift: one comment or submission a line, in files of any size.

Ids are those of `reddit`: ``t3_`` and so on of a thread and its opening post, ``t1_`` of a comment.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import cast

import polars as pl

from discourse.collect.answers import Json
from discourse.collect.encoding import EXCERPT
from discourse.collect.jsonvalues import Object, as_object, name_at
from discourse.collect.lines import LineReader, Piece
from discourse.collect.sources.base import MAX_TEXT, PLATFORM, Broken, broken_rows, conform
from discourse.collect.states import role, state, writer
from discourse.config import InputConfig
from discourse.errors import InputError
from discourse.progress import Advance
from discourse.tables import RAW_COMMENTS, RAW_THREADS, Precision, Reason, ReplyKind, Role, State

_FIELDS = (
    *("id", "link_id", "parent_id", "body", "author", "created_utc", "score", "subreddit", "permalink"),
    *("distinguished", "is_submitter", "title", "selftext", "num_comments", "removed_by_category"),
)
_SCHEMA = pl.Schema(dict.fromkeys(_FIELDS, pl.String()))
_LOOKED_AT = 1 << 16
_MOST_LOOKED_AT = 20
# A longer line is a saved answer, which is not worth parsing to find that out.
_LONGEST_LOOKED_AT = 1_000_000
_FOLD = 64
_WANTED = re.compile(r"(?:.*/comments/|.*redd\.it/)?(?:reddit:)?(?:t3_)?([A-Za-z0-9]+)(?:/.*)?", re.DOTALL)
_BY_REDDIT = "[ removed by reddit ]"
_HOST = "https://www.reddit.com"


def is_dump(path: Path, options: InputConfig) -> bool:
    """Tell a dump by its first lines; a file with columns of the user's choice is a table to us.

    Args:
        path: any file.
        options: with `map`, `attributes` or `opening` the file is left to the tables.
    """
    if options.map or options.attributes or options.opening:
        return False
    try:
        piece = next(iter(LineReader(path, piece=_LOOKED_AT)), None)
    except InputError:
        return False
    if piece is None or not piece.data.lstrip().startswith(b"{"):
        return False
    lines = [line for line in piece.data.split(b"\n", _MOST_LOOKED_AT)[:_MOST_LOOKED_AT] if line.strip()]
    return any(_is_record(line) for line in lines if len(line) <= _LONGEST_LOOKED_AT)


def _is_record(line: bytes) -> bool:
    try:
        record = as_object(cast("Json", json.loads(line)))
    except (ValueError, RecursionError):
        return False
    if not record.keys() >= {"id", "author", "created_utc", "subreddit"}:
        return False
    comment = "body" in record and (name_at(record, "link_id") or "").startswith("t3_")
    return comment or record.keys() >= {"title", "selftext", "num_comments"}


@dataclass(slots=True)
class RedditDump:
    """One dump. Its threads and its note are known once all of `comments` were taken.

    Attributes:
        path: of the file.
        thread: id of the only thread to keep, in any form in which people write it; None keeps all.
        collected_at: when the file was read in.
        piece: how many bytes are read at a time.
    """

    path: Path
    thread: str | None
    collected_at: datetime
    piece: int = 16_000_000
    _wanted: str | None = field(init=False, default=None)
    _told: list[pl.DataFrame] = field(init=False, default_factory=list[pl.DataFrame])
    _counts: dict[str, int] = field(
        init=False, default_factory=lambda: dict.fromkeys(("comments", "submissions", "broken", "others"), 0)
    )
    _damage: str | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Read the thread's id out of what was given."""
        if self.thread is not None:
            found = _WANTED.fullmatch(self.thread.strip())
            self._wanted = f"t3_{(found[1] if found else self.thread).lower()}"

    def comments(self, advance: Advance | None = None) -> Iterator[pl.DataFrame]:
        """Yield rows of RAW_COMMENTS, about as many as a piece has lines.

        Lines that cannot be read are rows with their reason; records of other threads than `thread` are only counted.

        Args:
            advance: told how many bytes of the file were read since it was last told.

        Raises:
            InputError: the file cannot be read, or holds nothing of what is wanted.
        """
        reader, consumed = LineReader(self.path, piece=self.piece), 0
        for piece in reader:
            rows = self._rows(piece)
            if advance is not None:
                advance(piece.consumed - consumed)
                consumed = piece.consumed
            if rows.height:
                yield rows
        self._damage = reader.damage
        if not self._counts["comments"] + self._counts["submissions"]:
            if self._wanted is not None and self._counts["others"]:
                raise InputError(
                    f"{self.path.name}: holds nothing of the thread {self.thread}, but {self._counts['others']:,} "
                    "records of others; check --thread"
                )
            raise InputError(f"{self.path.name}: not one record can be read; fetch or save the file again")

    def threads(self) -> pl.DataFrame:
        """Return rows of RAW_THREADS for the comments taken so far; the text of a submission is the article."""
        return conform(RAW_THREADS, _folded(self._told))

    @property
    def note(self) -> str:
        """How the file was read, in one line for a person."""
        counts = self._counts
        said = f"{self.path.name} read as a dump of Reddit: {counts['comments']:,} comments"
        said += f", {counts['submissions']:,} submissions"
        if counts["others"]:
            said += f"; {counts['others']:,} records of other threads left out"
        if counts["broken"]:
            said += f"; {counts['broken']:,} lines could not be read"
        return f"{said}; {self._damage}" if self._damage else said

    def _rows(self, piece: Piece) -> pl.DataFrame:
        records, broken = _parse(piece)
        strange = records.filter(_kind().is_null())
        broken += [
            Broken(offset, f"line {offset + 1}", Reason.WRONG_TYPE, json.dumps(told, ensure_ascii=False)[:EXCERPT])
            for offset, told in _without_nulls(strange)
        ]
        records = records.filter(_kind().is_not_null()).with_columns(kind=_kind(), thread=_thread())
        if self._wanted is not None:
            kept = records.filter(pl.col("thread") == self._wanted)
            self._counts["others"] += records.height - kept.height
            records = kept
        rows = _comments(records)
        self._counts["comments"] += records.filter(kind="comment").height
        self._counts["submissions"] += records.filter(kind="submission").height
        self._counts["broken"] += len(broken)
        self._tell(rows)
        found = [_raw_comments(rows, self.path.name)] if rows.height else []
        if broken:
            found.append(broken_rows(self.path.name, self._nowhere, PLATFORM, broken))
            self._tell_nowhere()
        return pl.concat(found).sort("offset") if found else RAW_COMMENTS.empty()

    @property
    def _nowhere(self) -> str:
        """The thread of lines of which nobody knows the thread."""
        return f"{PLATFORM}:{self.path.name}"

    def _tell(self, rows: pl.DataFrame) -> None:
        if rows.height:
            self._told.append(_threads(rows, self.path.name, self.collected_at))
        if len(self._told) > _FOLD:
            self._told = [_folded(self._told)]

    def _tell_nowhere(self) -> None:
        lost = {"thread_id": self._nowhere, "platform": PLATFORM, "collected_at": self.collected_at}
        about = {"unreachable": 0, "capped": 0, "source": self.path.name, "reason": "lines that cannot be read"}
        self._told.append(conform(RAW_THREADS, pl.DataFrame([lost | about])))


def _parse(piece: Piece) -> tuple[pl.DataFrame, list[Broken]]:
    """Return the records of a piece with `offset`, the number of their line, and the lines that are none."""
    lines = pl.Series(piece.data.split(b"\n"), dtype=pl.Binary)
    blank = lines.bin.size() <= 1
    offsets = (pl.int_range(len(lines), eager=True) + piece.first).filter(~blank)
    try:
        frame = pl.read_ndjson(io.BytesIO(piece.data), schema=_SCHEMA)
    except (pl.exceptions.PolarsError, OSError):  # OSError: polars takes a first line such as "x\x01" for zlib
        frame = None
    # Lines of spaces, and several objects on one line, are told apart one by one.
    if frame is not None and frame.height == len(offsets):
        return frame.with_columns(offset=offsets), []
    return _parse_one_by_one(piece)


def _parse_one_by_one(piece: Piece) -> tuple[pl.DataFrame, list[Broken]]:
    records: list[dict[str, str | int | None]] = []
    broken: list[Broken] = []
    for number, line in enumerate(piece.data.split(b"\n")):
        if not line.strip():
            continue
        offset = piece.first + number
        try:
            told = cast("Json", json.loads(line.decode("utf-8")))
        except UnicodeDecodeError:
            broken.append(_lost(offset, Reason.UNDECODABLE, line))
        except RecursionError:
            broken.append(_lost(offset, Reason.TOO_DEEP, line))
        except ValueError:
            broken.append(_lost(offset, Reason.MALFORMED, line))
        else:
            if isinstance(told, dict):
                records.append({**{name: _as_text(told, name) for name in _FIELDS}, "offset": offset})
            else:
                broken.append(_lost(offset, Reason.WRONG_TYPE, line))
    return pl.DataFrame(records, schema={**_SCHEMA, "offset": pl.Int64}), broken


def _lost(offset: int, reason: Reason, line: bytes) -> Broken:
    return Broken(offset, f"line {offset + 1}", reason, line[: 4 * EXCERPT].decode("utf-8", "replace")[:EXCERPT])


def _as_text(record: Object, name: str) -> str | None:
    """Return a value as polars does: text as it is, everything else as JSON."""
    value = record.get(name)
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value)
    # Half a character, which JSON can write, is no text; polars reads it as a null character.
    return re.sub("[\ud800-\udfff]", "\0", text)


def _without_nulls(frame: pl.DataFrame) -> Iterator[tuple[int, dict[str, str]]]:
    for row in frame.iter_rows(named=True):
        offset = row.pop("offset")
        yield offset, {name: value for name, value in row.items() if value is not None}


def _kind() -> pl.Expr:
    own = pl.col("id").str.strip_chars().str.len_chars() > 0
    return (
        pl.when(own & pl.col("link_id").is_not_null())
        .then(pl.lit("comment"))
        .when(own & pl.col("title").is_not_null())
        .then(pl.lit("submission"))
    )


def _named(column: str, prefix: str) -> pl.Expr:
    return prefix + pl.col(column).str.strip_chars().str.strip_prefix(prefix)


def _thread() -> pl.Expr:
    return pl.when(pl.col("link_id").is_null()).then(_named("id", "t3_")).otherwise(_named("link_id", "t3_"))


def _comments(records: pl.DataFrame) -> pl.DataFrame:
    """Read the fields of all records; both kinds have the same columns."""
    opening = pl.col("kind") == "submission"
    text = pl.when(opening).then("selftext").otherwise("body")
    for escaped, plain in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.str.replace_all(escaped, plain, literal=True)
    rows = records.with_columns(
        opening=opening,
        text=pl.when(text != "").then(text),
        author=writer(),
        seconds=pl.col("created_utc").cast(pl.Float64, strict=False),
    )
    marked = pl.col("text").str.strip_chars().str.to_lowercase() == _BY_REDDIT
    category = pl.col("removed_by_category")
    rows = rows.with_columns(
        state=pl.when(opening & category.is_in(["deleted", "author"]))
        .then(pl.lit("deleted"))
        .when((opening & category.is_not_null()) | marked | (~pl.col("opening") & pl.col("text").is_null()))
        .then(pl.lit("removed")),
        deleted=pl.lit(None, pl.String),
        removed=pl.lit(None, pl.String),
    ).with_columns(state=state())
    gone = pl.col("state") != State.VISIBLE.value
    large = ~gone & (pl.col("text").str.len_chars() > MAX_TEXT)
    sane = pl.col("seconds").is_between(1e8, 7.2e9)
    return rows.with_columns(
        text=pl.when(~gone & ~large).then("text"),
        reason=pl.when(large).then(pl.lit(Reason.TOO_LARGE.value)),
        excerpt=pl.when(large).then(pl.col("text").str.head(EXCERPT)),
        created_at=pl.from_epoch(
            pl.when(sane).then((pl.col("seconds") * 1e6).cast(pl.Int64, strict=False)), "us"
        ).dt.replace_time_zone("UTC"),
        url=pl.when(pl.col("permalink").str.starts_with("/")).then(_HOST + pl.col("permalink")),
        thread_id="reddit:" + pl.col("thread"),
    )


def _raw_comments(rows: pl.DataFrame, file: str) -> pl.DataFrame:
    """Return rows of RAW_COMMENTS; a submission without a text, such as a link, is a thread and no comment."""
    rows = rows.filter(~pl.col("opening") | pl.col("text").is_not_null() | (pl.col("state") != State.VISIBLE.value))
    parent, score = pl.col("parent_id").str.strip_chars(), pl.col("score").cast(pl.Float64, strict=False)
    top = pl.col("opening") | (parent == pl.col("thread")) | parent.str.starts_with("t3_")
    submitter = pl.col("opening") | pl.col("is_submitter").str.to_lowercase().is_in(["true", "1"])
    rows = rows.with_columns(opening_author=pl.when(submitter).then("author")).with_columns(plain_role=role())
    staff = pl.col("distinguished").is_in(["moderator", "admin"]) & (pl.col("plain_role") != Role.BOT.value)
    return conform(
        RAW_COMMENTS,
        rows.with_columns(
            file=pl.lit(file),
            location=pl.format("line {}", pl.col("offset") + 1),
            platform=pl.lit("reddit"),
            native_id=pl.when("opening").then("thread").otherwise(_named("id", "t1_")),
            native_parent=pl.when(~top).then(_named("parent_id", "t1_")),
            reply_kind=pl.when("opening").then(pl.lit(ReplyKind.OPENING.value)),
            role=pl.when(staff.fill_null(value=False)).then(pl.lit(Role.STAFF.value)).otherwise("plain_role"),
            created_precision=pl.when(pl.col("created_at").is_null())
            .then(pl.lit(Precision.UNKNOWN.value))
            .otherwise(pl.lit(Precision.EXACT.value)),
            markup=pl.lit("markdown"),
            score=pl.when(score.is_finite()).then(score),
        ),
    )


def _threads(rows: pl.DataFrame, file: str, collected_at: datetime) -> pl.DataFrame:
    """Return one row a thread of what these rows tell of it; only its submission tells its title and text."""
    opening = pl.col("opening")

    def told(column: str) -> pl.Expr:
        return pl.col(column).filter(opening).drop_nulls().first()

    declared = told("num_comments").cast(pl.Float64, strict=False).cast(pl.Int64, strict=False)
    threads = rows.group_by("thread_id", maintain_order=True).agg(
        pl.col("subreddit").drop_nulls().first().alias("community"),
        told("url").alias("url"),
        told("title").alias("title"),
        told("author").alias("article_author"),
        told("text").alias("article"),
        told("created_at").alias("published_at"),
        pl.when(declared >= 0).then(declared).alias("declared"),
    )
    return conform(
        RAW_THREADS,
        threads.with_columns(
            platform=pl.lit("reddit"),
            site=pl.lit("www.reddit.com"),
            collected_at=pl.lit(collected_at),
            unreachable=pl.lit(0),
            capped=pl.lit(0),
            source=pl.lit(file),
        ),
    )


def _folded(told: list[pl.DataFrame]) -> pl.DataFrame:
    if not told:
        return RAW_THREADS.empty()
    rest = [pl.col(name).drop_nulls().first() for name in RAW_THREADS.columns if name != "thread_id"]
    return pl.concat(told).group_by("thread_id", maintain_order=True).agg(*rest)
