"""Addresses that a user or a platform wrote, of which nothing is sure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit


@dataclass(frozen=True, slots=True)
class Named:
    """An http or https address with a host.

    Attributes:
        url: without the mark.
        parts: of `url`.
        marked: whether a mark such as ``isso+`` stood before it.
    """

    url: str
    parts: SplitResult
    marked: bool


def named_address(url: str, mark: str) -> Named | None:
    """Read an address before which `mark` may stand, to say whose it is; None if it is no web address."""
    address = url.removeprefix(mark)
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    return Named(address, parts, url.startswith(mark))


def host_of(url: str) -> str:
    """Return the host's name in lower case, without its port; empty if there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def site_of(url: str) -> str:
    """Return host and port as they are written; empty if there are none."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""
