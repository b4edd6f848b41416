"""Times of every usual form, with the precision that was written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discourse.collect.times import parse_times

AT = datetime(2024, 5, 1, 12, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "expected", "precision"),
    [
        ("2024-05-01T12:30:15Z", AT, "exact"),
        ("2024-05-01 12:30:15", AT, "exact"),
        ("2024-05-01T14:30:15+02:00", AT, "exact"),
        ("2024-05-01T14:30:15+0200", AT, "exact"),
        ("2024-05-01T14:30:15+02", AT, "exact"),
        ("2024-05-01 12:30:15 UTC", AT, "exact"),
        ("2024-05-01T12:30:15.250Z", AT.replace(microsecond=250_000), "exact"),
        ("20240501T123015Z", AT, "exact"),
        ("2024/05/01 12:30", AT.replace(second=0), "minute"),
        ("2024-05-01", datetime(2024, 5, 1, tzinfo=UTC), "day"),
        ("20240501", datetime(2024, 5, 1, tzinfo=UTC), "day"),
        ("1714566615", AT, "exact"),
        ("1714566615.0", AT, "exact"),
        ("1714566615000", AT, "exact"),
        ("Wed, 01 May 2024 12:30:15 GMT", AT, "exact"),
        ("Wed May 01 12:30:15 +0000 2024", AT, "exact"),
        ("May 1, 2024", datetime(2024, 5, 1, tzinfo=UTC), "day"),
        ("1 May 2024", datetime(2024, 5, 1, tzinfo=UTC), "day"),
        ("May 1, 2024 12:30 pm", AT.replace(second=0), "minute"),
        ("1.5.2024", datetime(2024, 5, 1, tzinfo=UTC), "day"),
        ("31/05/2024", datetime(2024, 5, 31, tzinfo=UTC), "day"),
        ("5/31/2024 10:15", datetime(2024, 5, 31, 10, 15, tzinfo=UTC), "minute"),
        ("45413", datetime(2024, 5, 1, tzinfo=UTC), "day"),
        ("2024-13-01", None, "unknown"),
        ("2024-02-30T10:00:00Z", None, "unknown"),
        ("2 hours ago", None, "unknown"),
        ("yesterday", None, "unknown"),
        ("7", None, "unknown"),
        ("", None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_text_is_read_as_a_time(written: str | None, expected: datetime | None, precision: str) -> None:
    """Text is read as a time."""
    times = parse_times(pl.Series([written], dtype=pl.String))
    assert (times.created_at.to_list(), times.precision.to_list()) == ([expected], [precision])
    assert times.unread == (expected is None and bool(written))


def test_what_was_assumed_is_said() -> None:
    """What was assumed is said."""
    assert parse_times(pl.Series(["2024-05-01 10:00"])).notes == ("times without a zone read as UTC",)
    assert parse_times(pl.Series(["2024-05-01T10:00Z", "2024-05-02"])).notes == ()
    assert "month/day" in parse_times(pl.Series(["01/02/2024"])).notes[0]
    assert parse_times(pl.Series(["01/02/2024", "13/02/2024"])).notes == ()


def test_one_order_of_day_and_month_holds_for_a_column() -> None:
    """One order of day and month holds for a column."""
    times = parse_times(pl.Series(["01/02/2024", "13/02/2024"]))
    assert times.created_at.dt.date().to_list() == [date(2024, 2, 1), date(2024, 2, 13)]


def test_spreadsheet_days_count_only_where_all_numbers_are_such() -> None:
    """Spreadsheet days count only where all numbers are such."""
    half = datetime(2024, 5, 1, 12, tzinfo=UTC)
    assert parse_times(pl.Series([45413.5, 45414.0])).created_at.to_list()[0] == half
    mixed = parse_times(pl.Series([45413, 1714566615]))
    assert mixed.created_at.to_list() == [None, AT]
    assert mixed.unread == 1


def test_typed_columns_are_brought_to_utc() -> None:
    """Typed columns are brought to utc."""
    east = AT.astimezone(timezone(timedelta(hours=5)))
    zoned = pl.Series([east, None]).dt.convert_time_zone("Asia/Karachi")
    assert parse_times(zoned).created_at.to_list() == [AT, None]
    assert parse_times(zoned).precision.to_list() == ["exact", "unknown"]
    naive = parse_times(pl.Series([AT.replace(tzinfo=None)]))
    assert (naive.created_at.to_list(), len(naive.notes)) == ([AT], 1)
    assert parse_times(pl.Series([date(2024, 5, 1)])).precision.to_list() == ["day"]
    assert parse_times(pl.Series([None, None])).created_at.null_count() == 2
    assert parse_times(pl.Series([True])).unread == 1


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.datetimes(datetime(1980, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)), min_size=1, max_size=5),  # noqa: DTZ001 -- hypothesis wants naive bounds
    st.sampled_from(["iso", "seconds", "milliseconds"]),
)
def test_any_time_reads_back(times: list[datetime], form: str) -> None:
    """Any time reads back."""
    times = [at.replace(microsecond=at.microsecond // 1000 * 1000) for at in times]
    written = {
        "iso": [at.isoformat() for at in times],
        "seconds": [str(int(at.timestamp())) for at in times],
        "milliseconds": [str(round(at.timestamp() * 1000)) for at in times],
    }[form]
    expected = [at.replace(microsecond=0) for at in times] if form == "seconds" else times
    assert parse_times(pl.Series(written)).created_at.to_list() == expected


@settings(max_examples=80, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=30), st.from_regex(r"\d[\d:/. T+-]{0,25}")), max_size=6))
def test_any_text_is_a_time_or_unknown(written: list[str | None]) -> None:
    """Any text is a time or unknown."""
    times = parse_times(pl.Series(written, dtype=pl.String))
    assert len(times.created_at) == len(written)
    assert times.precision.null_count() == 0
