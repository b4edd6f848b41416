"""Bins of time: as narrow as the data allow, named by their start and length as ISO 8601 has it."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from discourse.tables import Precision

MOST_BINS = 24
"""Of the time in which the middle 98 % of the comments were written."""
WIDTHS = {
    "PT1M": ("1m", timedelta(minutes=1)),
    "PT5M": ("5m", timedelta(minutes=5)),
    "PT15M": ("15m", timedelta(minutes=15)),
    "PT1H": ("1h", timedelta(hours=1)),
    "PT3H": ("3h", timedelta(hours=3)),
    "PT6H": ("6h", timedelta(hours=6)),
    "P1D": ("1d", timedelta(days=1)),
    "P1W": ("1w", timedelta(weeks=1)),
    "P1M": ("1mo", timedelta(days=30)),
    "P3M": ("1q", timedelta(days=91)),
    "P1Y": ("1y", timedelta(days=365)),
    "P10Y": ("10y", timedelta(days=3652)),
}
CLOCK = (Precision.EXACT.value, Precision.MINUTE.value)
DATED = (*CLOCK, Precision.DAY.value)


def bin_width(comments: pl.DataFrame) -> str | None:
    """Return the narrowest width of `WIDTHS` that cuts the time of the comments into at most `MOST_BINS`.

    It is a day or more where a time is known only to the day.

    Args:
        comments: with created_at and created_precision.

    Returns:
        None where fewer than two times are known at least to the day.
    """
    known = comments.filter(_dated())
    if known["created_at"].n_unique() < 2:
        return None
    seconds = known["created_at"].dt.epoch("s")
    low, high = (seconds.quantile(share, "nearest") or 0.0 for share in (0.01, 0.99))
    span = timedelta(seconds=high - low)
    names = list(WIDTHS)
    if not known["created_precision"].is_in(CLOCK).all():
        names = names[names.index("P1D") :]
    return next((name for name in names if WIDTHS[name][1] * MOST_BINS >= span), names[-1])


def binned(comments: pl.DataFrame, width: str) -> pl.Series:
    """Return the bin of each comment, such as `2024-05-01T12:00/PT3H` or `2024-05-01/P1D`; null without a time."""
    every, length = WIDTHS[width]
    form = "%Y-%m-%dT%H:%M" if length < timedelta(days=1) else "%Y-%m-%d"
    start = pl.col("created_at").dt.truncate(every).dt.strftime(form)
    return comments.select(bin=pl.when(_dated()).then(start + pl.lit(f"/{width}")))["bin"]


def _dated() -> pl.Expr:
    return pl.col("created_at").is_not_null() & pl.col("created_precision").is_in(DATED)
