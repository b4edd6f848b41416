"""Times as platforms and people write them, to UTC with the precision that was written."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from discourse.tables import TIME, Precision

_ISO = (
    r"^(?P<year>[0-9]{4})[-/]?(?P<month>[0-9]{2})[-/]?(?P<day>[0-9]{2})"
    r"(?:(?:\s*[Tt]\s*|\s+)(?P<hour>[0-9]{1,2}):?(?P<minute>[0-9]{2})"
    r"(?::?(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?)?"
    r"\s*(?P<zone>[Zz]|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2})?$"
)
_WRITTEN = (
    ("%a, %d %b %Y %H:%M:%S %z", Precision.EXACT),
    ("%d %b %Y %H:%M:%S %z", Precision.EXACT),
    ("%a %b %d %H:%M:%S %z %Y", Precision.EXACT),
    ("%b %d, %Y %I:%M %p", Precision.MINUTE),
    ("%B %d, %Y %I:%M %p", Precision.MINUTE),
    ("%B %d, %Y at %I:%M %p", Precision.MINUTE),
    ("%b %d, %Y", Precision.DAY),
    ("%B %d, %Y", Precision.DAY),
    ("%d %b %Y", Precision.DAY),
    ("%d %B %Y", Precision.DAY),
    ("%d. %B %Y", Precision.DAY),
    ("%d.%m.%Y %H:%M:%S", Precision.EXACT),
    ("%d.%m.%Y %H:%M", Precision.MINUTE),
    ("%d.%m.%Y", Precision.DAY),
)
_SLASHED = r"^([0-9]{1,2})[/-]([0-9]{1,2})[/-]([0-9]{4})"
_CLOCKS = (
    (" %H:%M:%S", Precision.EXACT),
    (" %H:%M", Precision.MINUTE),
    (" %I:%M %p", Precision.MINUTE),
    (" %I:%M:%S %p", Precision.EXACT),
    ("", Precision.DAY),
)
# Day 0 of spreadsheets, chosen so that 1900's missing leap day does not matter after March 1900.
_SPREADSHEET_EPOCH = pl.datetime(1899, 12, 30, time_unit="us", time_zone="UTC")
_SPREADSHEET_DAYS = (20_000, 60_000)
_PARSED = pl.Schema({"created_at": TIME, "created_precision": pl.String()})


@dataclass(frozen=True, slots=True)
class Times:
    """Parsed times.

    Attributes:
        created_at: Datetime(us, UTC); null where there is no time or it cannot be read.
        precision: String, a `Precision`.
        unread: how many cells are neither empty nor readable.
        notes: what was assumed, for a person.
    """

    created_at: pl.Series
    precision: pl.Series
    unread: int
    notes: tuple[str, ...]


def parse_times(cells: pl.Series) -> Times:
    """Read times of any usual form.

    Understood are ISO 8601 and its variants (without a zone: UTC), epochs in seconds, milliseconds, microseconds or
    nanoseconds, mail and Twitter dates, dates in English words or with dots or slashes, and, in a column of numbers
    from 20,000 to 60,000, the days of spreadsheets.

    Args:
        cells: String, any number, Date or Datetime; other dtypes have no readable time.
    """
    dtype = cells.dtype
    if isinstance(dtype, pl.Datetime):
        naive = dtype.time_zone is None
        return _typed(cells.dt.replace_time_zone("UTC") if naive else cells, Precision.EXACT, naive=naive)
    if isinstance(dtype, pl.Date):
        return _typed(cells.cast(pl.Datetime("us", "UTC")), Precision.DAY, naive=False)
    if dtype.is_numeric():
        parsed, notes = _numbers(cells.cast(pl.Float64)), ()
    elif dtype == pl.String:
        parsed, notes = _texts(cells)
    else:
        parsed, notes = pl.DataFrame(schema=_PARSED), ()
        parsed = parsed.clear(len(cells))
    written = cells.is_not_null()
    if dtype == pl.String:
        written = written & (cells.str.strip_chars() != "")
    unread = int((written & parsed["created_at"].is_null()).sum())
    precision = parsed["created_precision"].fill_null(Precision.UNKNOWN.value)
    return Times(parsed["created_at"], precision, unread, notes)


def _typed(cells: pl.Series, precision: Precision, *, naive: bool) -> Times:
    known = pl.when(pl.col("t").is_null()).then(pl.lit(Precision.UNKNOWN.value)).otherwise(pl.lit(precision.value))
    frame = pl.DataFrame({"t": cells.dt.convert_time_zone("UTC").cast(TIME)})
    notes = ("times without a zone read as UTC",) if naive and frame["t"].null_count() < len(frame) else ()
    return Times(frame["t"].alias("created_at"), frame.select(known.alias("created_precision")).to_series(), 0, notes)


def _numbers(numbers: pl.Series) -> pl.DataFrame:
    """Read epochs by their magnitude, or spreadsheet days if all numbers could be such."""
    value = pl.col("value")
    frame = pl.DataFrame({"value": numbers.fill_nan(None)})
    present = frame["value"].drop_nulls()
    if len(present) and present.is_between(*_SPREADSHEET_DAYS).all():
        seconds = (value * 86_400).round()
        whole = value % 1 == 0
        at = _SPREADSHEET_EPOCH + pl.duration(seconds=seconds.cast(pl.Int64))
        precision = pl.when(whole).then(pl.lit(Precision.DAY.value)).otherwise(pl.lit(Precision.MINUTE.value))
    else:
        # Seconds from 1973 on; later magnitudes are finer units.
        micros = (
            pl.when(value.is_between(1e8, 1e11, closed="left"))
            .then(value * 1e6)
            .when(value.is_between(1e11, 1e14, closed="left"))
            .then(value * 1e3)
            .when(value.is_between(1e14, 1e17, closed="left"))
            .then(value)
            .when(value.is_between(1e17, 9e18, closed="left"))
            .then(value / 1e3)
        )
        at = micros.round().cast(pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        precision = pl.when(micros.is_not_null()).then(pl.lit(Precision.EXACT.value))
    return frame.select(
        at.cast(TIME).alias("created_at"),
        pl.when(value.is_not_null()).then(precision).alias("created_precision"),
    )


def _texts(cells: pl.Series) -> tuple[pl.DataFrame, tuple[str, ...]]:
    written = cells.str.strip_chars().alias("written")
    distinct = pl.DataFrame({"written": written.unique().drop_nulls()}).filter(pl.col("written") != "")
    number = r"^[0-9]+(\.[0-9]+)?$"
    digits = distinct["written"].str.contains(number) & (distinct["written"].str.len_chars() != len("20240501"))
    counted = distinct.filter(digits)
    counted = pl.concat([counted, _numbers(counted["written"].cast(pl.Float64))], how="horizontal")
    iso, naive = _iso(distinct.filter(~digits))
    read, rest = iso.filter(pl.col("created_at").is_not_null()), iso.filter(pl.col("created_at").is_null())
    others, american = _written_forms(rest["written"])
    parsed = pl.concat([counted, read, others])
    notes = ("times without a zone read as UTC",) if naive else ()
    if american:
        notes = (*notes, "dates such as 01/02/2024 read as month/day/year")
    found = pl.DataFrame({"written": written}).join(parsed, on="written", how="left", maintain_order="left")
    return found.select(_PARSED.names()), notes


def _iso(distinct: pl.DataFrame) -> tuple[pl.DataFrame, bool]:
    part = pl.col("written").str.extract_groups(_ISO).struct
    zone = part.field("zone").str.to_uppercase()
    split = distinct.select(
        "written",
        date=pl.concat_str(part.field("year"), part.field("month"), part.field("day"), separator="-"),
        hour=part.field("hour"),
        clock=pl.concat_str(
            part.field("hour").fill_null("00").str.zfill(2),
            part.field("minute").fill_null("00"),
            part.field("second").fill_null("00"),
            separator=":",
        ),
        second=part.field("second"),
        fraction=part.field("fraction").fill_null("0"),
        named=zone.is_not_null(),
        zone=pl.when(zone.is_null() | zone.is_in(["Z", "UTC", "GMT"]))
        .then(pl.lit("+0000"))
        .when(zone.str.len_chars() == 3)
        .then(zone + "00")
        .otherwise(zone.str.replace(":", "", literal=True)),
    )
    whole = pl.col("date") + " " + pl.col("clock") + "." + pl.col("fraction") + pl.col("zone")
    precision = (
        pl.when(pl.col("hour").is_null())
        .then(pl.lit(Precision.DAY.value))
        .when(pl.col("second").is_null())
        .then(pl.lit(Precision.MINUTE.value))
        .otherwise(pl.lit(Precision.EXACT.value))
    )
    parsed = split.select(
        "written",
        whole.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%z", time_unit="us", strict=False).cast(TIME).alias("created_at"),
        precision.alias("created_precision"),
    )
    naive = split.filter(parsed["created_at"].is_not_null() & split["hour"].is_not_null() & ~split["named"])
    return parsed, naive.height > 0


def _written_forms(written: pl.Series) -> tuple[pl.DataFrame, bool]:
    """Try each known form; of dates with slashes one order is used for the whole column."""
    day_first = bool((written.str.extract(_SLASHED, 1).cast(pl.Int64) > 12).any())
    slashed = bool(written.str.contains(_SLASHED).any())
    order = "%d/%m/%Y" if day_first else "%m/%d/%Y"
    forms = (*_WRITTEN, *((order + clock, precision) for clock, precision in _CLOCKS)) if slashed else _WRITTEN
    frame = pl.DataFrame({"written": written}).with_columns(
        text=pl.col("written").str.replace(r" (?:GMT|UTC|Z)\b", " +0000").str.replace(_SLASHED, "$1/$2/$3"),
        created_at=pl.lit(None, dtype=TIME),
        created_precision=pl.lit(None, dtype=pl.String),
    )
    for form, precision in forms:
        text = pl.col("text")
        if "%z" in form:
            at = text.str.to_datetime(form, time_unit="us", strict=False).cast(TIME)
        elif "%H" in form or "%I" in form:
            at = text.str.to_datetime(form, time_unit="us", strict=False).dt.replace_time_zone("UTC")
        else:
            at = text.str.to_date(form, strict=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        fresh = pl.col("created_at").is_null()
        frame = frame.with_columns(
            created_at=pl.when(fresh).then(at).otherwise(pl.col("created_at")),
            created_precision=pl.when(fresh & at.is_not_null())
            .then(pl.lit(precision.value))
            .otherwise(pl.col("created_precision")),
        )
    unsure = slashed and not day_first and not bool((written.str.extract(_SLASHED, 2).cast(pl.Int64) > 12).any())
    return frame.drop("text"), unsure
