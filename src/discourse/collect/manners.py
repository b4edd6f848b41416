"""How often a host is asked, how long to wait, and what robots.txt allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from protego import Protego

from discourse.collect.addresses import is_loopback
from discourse.collect.charset import decode_body
from discourse.workspace import now

ROBOT = "discourse"
_LONGEST_CRAWL_DELAY = 60.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often one request is tried.

    Attributes:
        attempts: how often, at most.
        connect, read: seconds for a connection, and without a byte.
        total: seconds for one whole answer.
        wait_initial, wait_max: seconds of the first back-off and of the longest.
        retry_after: the longest Retry-After that is waited for, in seconds; a longer one ends the collection for now.
    """

    attempts: int = 5
    connect: float = 10.0
    read: float = 30.0
    total: float = 180.0
    wait_initial: float = 1.0
    wait_max: float = 60.0
    retry_after: float = 900.0


@dataclass(slots=True)
class Pace:
    """One request at a time for a host, and not before its turn; this machine itself need not be spared."""

    rate: float
    spare_loopback: bool
    clock: Callable[[], float]
    _next: dict[str, float] = field(default_factory=dict[str, float])
    _delays: dict[str, float] = field(default_factory=dict[str, float])

    def slow_down(self, host: str, seconds: float | None) -> None:
        """Follow the Crawl-delay that a host's robots.txt asks for."""
        if seconds is not None and seconds > 0:
            self._delays[host] = min(seconds, _LONGEST_CRAWL_DELAY)

    def turn(self, host: str) -> float:
        """Take the next turn for `host` and return the seconds until it comes."""
        if not self.spare_loopback and is_loopback(host):
            return 0.0
        at = max(self._next.get(host, 0.0), self.clock())
        self._next[host] = at + max(1 / self.rate, self._delays.get(host, 0.0))
        return at - self.clock()


def retry_after(headers: Mapping[str, str], at: datetime | None = None) -> float | None:
    """Return the seconds that a Retry-After header asks for, written as a number or as a date; None without one.

    Args:
        headers: of the answer, names in lower case.
        at: the time now; a Date header of the server goes before it, since the two clocks may differ.
    """
    written = headers.get("retry-after", "").strip()
    if written.isdigit():
        return float(min(int(written[:12]), timedelta(days=365).total_seconds()))
    until = _date(written)
    if until is None:
        return None
    since = _date(headers.get("date", "")) or at or now()
    return max((until - since).total_seconds(), 0.0)


def _date(written: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(written[:64])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo is not None else None


def robots_rules(status: int, body: bytes) -> Protego | None:
    """Return what a robots.txt says (RFC 9309): all is allowed if there is none, None if the server could not tell."""
    if status >= 500 or status == 429:
        return None
    text = decode_body(body, "") if 200 <= status < 300 else ""
    try:
        return Protego.parse(text)
    except (ValueError, RecursionError):
        return Protego.parse("")
