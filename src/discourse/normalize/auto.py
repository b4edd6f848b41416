"""Texts whose markup nobody told, as in a table of unknown origin: markup only where there can be no doubt."""

from __future__ import annotations

import re

from discourse.normalize.html import TAG, escape_unusual, read_html
from discourse.normalize.markdown import read_bold_and_links
from discourse.normalize.marked import ENTITY, Marked, resolve_entities

POSSIBLE_MARKUP = rf"(?i){TAG}|{ENTITY}|\]\(|\*\*"

_TAG = re.compile(TAG, re.IGNORECASE)


def read_auto(source: str) -> Marked:
    """Read formatting tags, entities, Markdown links and bold; every other tag is text that somebody wrote.

    Returns:
        The text, the passages in blockquotes, and the http(s) targets of its links.
    """
    marked = read_html(escape_unusual(source)) if _TAG.search(source) else Marked(resolve_entities(source))
    rest = read_bold_and_links(marked.text)
    return Marked(rest.text, marked.quotes, marked.links + rest.links)
