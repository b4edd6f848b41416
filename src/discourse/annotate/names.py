"""Comments named without their native ids, as sheets and reports name them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

DIGITS = 12


def public_name(key: bytes, comment_id: str) -> str:
    """Return the first 12 hexadecimal digits of HMAC-SHA-256(author key, comment_id)."""
    return hmac.new(key, comment_id.encode(), hashlib.sha256).hexdigest()[:DIGITS]


def public_names(key: bytes, comment_ids: Iterable[str]) -> list[str]:
    """Return the public name of each comment, in order."""
    return [public_name(key, comment_id) for comment_id in comment_ids]
