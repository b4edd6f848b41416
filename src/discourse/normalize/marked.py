"""What a marked-up text turns into, and what its readers share."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

# Only entities that end in a semicolon: "?a=1&copy=2" is an address, not a copyright sign.
ENTITY = r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
WEB_ADDRESS = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)

_ENTITY = re.compile(ENTITY)


@dataclass(frozen=True, slots=True)
class Marked:
    """A text without its markup: the author's own words, the passages quoted by markup, and the link targets."""

    text: str
    quotes: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


def resolve_entities(text: str) -> str:
    """Replace character references such as ``&gt;`` by the character, once; unknown ones stay."""
    return _ENTITY.sub(lambda found: html.unescape(found[0]), text)


def is_web_address(target: str) -> bool:
    """Tell whether a link target is http or https; no other scheme is ever collected."""
    return WEB_ADDRESS.fullmatch(target) is not None
