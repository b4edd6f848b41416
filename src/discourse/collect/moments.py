"""One time, as platforms write it, and how exactly it is known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from discourse.tables import Precision

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MINUTE = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?:Z|[+-]\d{2}:?\d{2})?")
_NUMBER = re.compile(r"\d{9,20}(?:\.\d+)?")
# Years outside these are faults of a platform's clock, and the column holds microseconds in 64 bits.
_YEARS = range(1970, 2200)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in UTC, None if unknown, and its precision."""

    at: datetime | None = None
    precision: Precision = Precision.UNKNOWN


UNKNOWN = Moment()


def moment(value: object) -> Moment:
    """Read ISO 8601, RFC 2822, or seconds (milli-, microseconds) since 1970; a time without a zone is taken as UTC.

    Args:
        value: text or number; anything else, and what cannot be read, is unknown.
    """
    if isinstance(value, bool):
        return UNKNOWN
    if isinstance(value, int | float):
        return _counted(float(value))
    if not isinstance(value, str):
        return UNKNOWN
    written = value.strip()[:64]
    if _NUMBER.fullmatch(written):
        return _counted(float(written))
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return _mailed(written)
    precision = Precision.EXACT
    if _DAY.fullmatch(written):
        precision = Precision.DAY
    elif _MINUTE.fullmatch(written):
        precision = Precision.MINUTE
    return _sane(at, precision)


def _counted(number: float) -> Moment:
    for unit, least, most in ((1.0, 1e8, 1e11), (1e3, 1e11, 1e14), (1e6, 1e14, 1e17)):
        if least <= number < most:
            return _sane(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=number / unit), Precision.EXACT)
    return UNKNOWN


def _mailed(written: str) -> Moment:
    try:
        return _sane(parsedate_to_datetime(written), Precision.EXACT)
    except (ValueError, TypeError, IndexError, OverflowError):
        return UNKNOWN


def _sane(at: datetime, precision: Precision) -> Moment:
    try:
        utc = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (OverflowError, ValueError):
        return UNKNOWN
    return Moment(utc, precision) if utc.year in _YEARS else UNKNOWN
