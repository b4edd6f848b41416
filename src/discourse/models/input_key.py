"""The key under which what was computed of a text is kept: the tagger writes by it, the report reads by it."""

from __future__ import annotations

import hashlib


def input_key(*parts: str) -> str:
    """Return the SHA-256 of what is read and by which bundle or encoder; parts cannot run into each other."""
    return hashlib.sha256("\x00".join(part.replace("\x00", "") for part in parts).encode()).hexdigest()
