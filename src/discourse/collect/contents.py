"""What a column holds, where its name says nothing: free text, ids, parents or times."""

from __future__ import annotations

import polars as pl

from discourse.collect.cells import as_text
from discourse.collect.states import NO_WORDS, STATE_WORDS, YES_WORDS, plain_word
from discourse.collect.times import parse_times

SAMPLE = 2_000

_ENOUGH = 0.5
_MOSTLY = 0.9
_MIN_TEXT = 12
_MAX_ID = 100
# Small whole numbers are as likely votes as ids.
_SMALL_ID = 10_000


def fits(field: str, frame: pl.DataFrame, column: str) -> bool:
    """Tell whether a column whose name fits `field` can also hold it, so that a text named ``parent`` is no id."""
    cells = frame[column]
    present = cells.drop_nulls().head(SAMPLE)
    if not len(present):
        return field != "text"
    if field == "created_at":
        return parse_times(present).unread < len(present)
    texts = as_text(present)
    if field == "text":
        return isinstance(cells.dtype, pl.String | pl.Categorical | pl.Enum | pl.Binary) and not _is_share(
            texts.str.contains(r"^[\d.,\s]*$"), 1.0
        )
    if field in {"comment_id", "parent_id"}:
        return not isinstance(cells.dtype, pl.Boolean | pl.Datetime | pl.Date) and _is_share(_like_ids(texts), _MOSTLY)
    if field == "score":
        return _is_share(texts.cast(pl.Float64, strict=False).is_not_null(), _ENOUGH)
    if field in {"state", "deleted", "removed"}:
        words = list(STATE_WORDS) if field == "state" else [*YES_WORDS, *NO_WORDS]
        return _is_share(_words(texts).is_in(words), _ENOUGH)
    if field in {"url", "thread_url"}:
        return _is_share(texts.str.contains("/", literal=True), _ENOUGH)
    return isinstance(cells.dtype, pl.String | pl.Categorical | pl.Enum) or field == "thread_id"


def find_text(frame: pl.DataFrame, columns: list[str]) -> str | None:
    """Return the column with the longest free text, or None."""
    best, length = None, float(_MIN_TEXT)
    for column in columns:
        if frame[column].dtype != pl.String:
            continue
        texts = frame[column].drop_nulls().head(SAMPLE)
        # Languages written without spaces are not ASCII.
        free = texts.str.strip_chars().str.contains(r"\s|[^\x00-\x7F]{4}") & ~texts.str.contains(r"^https?://\S+$")
        mean = texts.str.len_chars().mean()
        if not isinstance(mean, int | float) or not _is_share(free, _ENOUGH) or parse_times(texts).unread < len(texts):
            continue
        if mean >= length:
            best, length = column, float(mean)
    return best


def find_ids(frame: pl.DataFrame, columns: list[str]) -> str | None:
    """Return the first column of distinct ids: texts with digits, or whole numbers in unbroken order."""
    for column in columns:
        cells = frame[column]
        if len(cells) < 3 or cells.null_count() or cells.is_duplicated().any():
            continue
        if cells.dtype.is_integer():
            if (cells.diff().drop_nulls() == 1).all():
                return column
        elif cells.dtype == pl.String:
            like = _is_share(_like_ids(cells) & cells.str.contains(r"\d"), 1.0)
            if like and cells.cast(pl.Float64, strict=False).null_count() and parse_times(cells).unread:
                return column
            numbers = cells.cast(pl.Int64, strict=False)
            if like and not numbers.null_count() and (numbers.diff().drop_nulls() == 1).all():
                return column
    return None


def find_parents(frame: pl.DataFrame, columns: list[str], ids: str) -> str | None:
    """Return the first column whose values nearly all are ids of other rows, or None."""
    known = as_text(frame[ids])
    largest = known.cast(pl.Int64, strict=False).max()
    if isinstance(largest, int) and largest < _SMALL_ID:
        return None
    for column in columns:
        if frame[column].dtype != pl.String and not frame[column].dtype.is_integer():
            continue
        named = as_text(frame[column])
        present = named.drop_nulls()
        if len(present) and named.null_count() and _is_share(present.is_in(known.implode()), _MOSTLY):
            return column
    return None


def find_times(frame: pl.DataFrame, columns: list[str]) -> str | None:
    """Return the first column of times: a time dtype, dates as text, or epochs since 2001."""
    for column in columns:
        cells = frame[column].drop_nulls().head(SAMPLE)
        if not len(cells):
            continue
        if isinstance(cells.dtype, pl.Datetime | pl.Date):
            return column
        if cells.dtype.is_integer() and cells.is_between(1_000_000_000, 2_200_000_000).all():
            return column
        if cells.dtype == pl.String and parse_times(cells).unread <= (1 - _MOSTLY) * len(cells):
            years = parse_times(cells).created_at.dt.year().drop_nulls()
            if len(years) and years.is_between(1990, 2100).all():
                return column
    return None


def _like_ids(texts: pl.Series) -> pl.Series:
    return ~texts.str.strip_chars().str.contains(r"\s") & (texts.str.len_chars() <= _MAX_ID)


def _words(texts: pl.Series) -> pl.Series:
    return pl.DataFrame({"word": texts}).select(plain_word(pl.col("word"))).to_series()


def _is_share(flags: pl.Series, share: float) -> bool:
    return len(flags) > 0 and int(flags.sum()) >= share * len(flags)
