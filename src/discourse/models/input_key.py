"""The key under which what was computed of a text is kept: the tagger writes by it, the report reads by it."""

from __future__ import annotations

import hashlib

_BETWEEN = "\x00"


def input_key(*parts: str) -> str:
    """Return the SHA-256 of what is read and by which bundle or encoder; parts cannot run into each other."""
    joined = _BETWEEN.join(parts)
    if joined.count(_BETWEEN) != len(parts) - 1:
        joined = _BETWEEN.join(part.replace(_BETWEEN, "") for part in parts)
    return hashlib.sha256(joined.encode()).hexdigest()
