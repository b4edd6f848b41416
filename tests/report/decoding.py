"""The comments that a report embeds, unpacked as the browser does it."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from selectolax.lexbor import LexborHTMLParser


@dataclass(frozen=True, slots=True)
class Embedded:
    """What the data blocks of one file hold.

    `about` tells what numbers mean; `columns` one number a comment by name; `comments` ref, text, marks (UTF-16 units),
    url and quotes of each; `raw` everything as the text of one string, to look for what must not be there.
    """

    about: dict[str, Any]
    columns: dict[str, list[int]]
    authors: list[str]
    comments: list[dict[str, Any]]
    raw: str


def embedded(html: str | Path) -> Embedded | None:
    """Unpack the data blocks of a report; None where it has none."""
    text = html.read_text(encoding="utf-8") if isinstance(html, Path) else html
    page = LexborHTMLParser(text)
    found = page.css_first("#corpus-about")
    if found is None:
        return None
    about = json.loads(found.text())

    def block(name: str) -> bytes:
        element = page.css_first(f"#corpus-{name}")
        assert element is not None
        return _unpacked(element.text())

    columns: dict[str, list[int]] = {}
    numbers, at = block("columns"), 0
    for name, kind in about["columns"]:
        values = np.frombuffer(numbers, dtype=f"<{kind}", count=about["comments"], offset=at)
        columns[name] = values.tolist()
        at += values.nbytes
    assert at == len(numbers)
    refs, authors = block("refs"), block("authors").decode()
    blocks = [_unpacked(each.text()).decode() for each in page.css(".corpus-texts")]
    comments: list[dict[str, Any]] = []
    for each in map(json.loads, blocks):
        for text_, marks, url, quotes in zip(
            *(each[name] for name in ("texts", "marks", "urls", "quotes")), strict=True
        ):
            ref = refs[len(comments) * 6 : len(comments) * 6 + 6].hex()
            comments.append({"ref": ref, "text": text_, "marks": marks, "url": url, "quotes": quotes})
    assert len(comments) == about["comments"]
    return Embedded(about, columns, json.loads(authors), comments, "\n".join([found.text(), authors, *blocks]))


def _unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text, validate=True), -zlib.MAX_WBITS)
