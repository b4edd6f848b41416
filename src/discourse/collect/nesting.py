"""How deep brackets are nested in a JSON text, without parsing it."""

from __future__ import annotations

import re

# Strings are skipped whole; the last alternative takes one that is never closed.
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]|"', re.DOTALL)


def deepest(text: str) -> int:
    """Return the greatest nesting of brackets in a JSON text; 0 for a scalar."""
    if text.count("[") + text.count("{") <= 1:
        return 1
    depth = most = 0
    for token in _TOKENS.finditer(text):
        mark = text[token.start()]
        if mark in "[{":
            depth += 1
            most = max(most, depth)
        elif mark in "]}":
            depth -= 1
    return most
