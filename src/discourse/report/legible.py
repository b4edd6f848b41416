"""Characters that turn a line around, hide in it or spill out of it are taken out of what is displayed.

Unicode's own account of such attacks: Technical Report 36 and Technical Standard 55, "bidirectional reordering".
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

Span = tuple[int, int]

# Embeddings, overrides and the older formatting characters: they reorder what follows, also behind the text's end.
_TURNS = "\u202a-\u202e\u206a-\u206f"
_ISOLATES = "\u2066-\u2069"
# Joiners, marks of direction, soft hyphens and fillers without width. Two may shape a word or an emoji; more flood it.
_WIDTHLESS = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2065\u3164\ufe00-\ufe0f\ufeff\uffa0"
)
# Controls, interlinear annotation, formats of shorthand and of musical notes: nothing to see.
_CONTROLS = (
    "\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufff9-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
)
# Tag characters spell the flags of England, Scotland and Wales behind a black flag, and hidden text elsewhere.
_TAGS = "\U000e0000-\U000e0fff"
# An isolate that is closed on its line and holds no other reorders nothing outside; the report writes such itself.
_CLOSED = rf"[\u2066-\u2068][^{_TURNS}{_ISOLATES}{_CONTROLS}{_TAGS}\n\r\u0085\u2028\u2029<>]{{0,300}}\u2069"
# Marks that are set over or under a letter: with more than a few they leave their line.
_MARKS = (
    "\u0300-\u034e\u0350-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u06d6-\u06dc\u0730-\u074a\u0e34-\u0e3a\u0e47-\u0e4e"
    "\u0eb4-\u0ebc\u0ec8-\u0ece\u0f71-\u0f7e\u0f80-\u0f84\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
)
# What goes altogether, then what goes where there is too much of it.
_HIDDEN = re.compile(
    rf"(?P<flag>\U0001f3f4[{_TAGS}]{{1,8}})|(?P<closed>{_CLOSED})|[{_TURNS}{_ISOLATES}{_CONTROLS}{_TAGS}]+"
    r"|(?P<line>\r\n?|[\u0085\u2028\u2029])"
)
_FLOODS = re.compile(
    rf"(?P<joined>[{_WIDTHLESS}]{{2}})[{_WIDTHLESS}]+|(?P<stacked>[{_MARKS}]{{3}})[{_MARKS}{_WIDTHLESS}]+"
    r"|(?P<blank>\n[^\S\n]*\n)(?:[^\S\n]*\n)+|(?P<spaced>[^\S\n]{16})[^\S\n]+"
    rf"|(?P<chained>(?:[^\s{_WIDTHLESS}]{{1,2}}\ufe0f?\u200d){{8,}})"
)


def legible(text: str) -> str:
    """Return a text without what would turn, hide in or flood the lines around it; most texts come back as they are.

    Marks of direction, joiners and variation selectors stay up to two in a row, as writing needs them; marks over a
    letter up to three; blank lines up to one; spaces up to sixteen.
    """
    return _FLOODS.sub(_kept, _HIDDEN.sub(_kept, text))


def legible_spans(text: str, spans: Sequence[Span]) -> tuple[str, list[Span]]:
    """Do the same to a text with evidence.

    Args:
        text: as in `comments.text`.
        spans: half-open, in code points of `text`.

    Returns:
        The text, and the spans as they lie in it.
    """
    if _harmless(text):
        return text, list(spans)
    return _without(_FLOODS, *_without(_HIDDEN, text, spans))


def _harmless(text: str) -> bool:
    """Whether there is surely nothing to take out, told at a hundredth of the cost: most comments are so."""
    return text.isascii() and text.count("\n") < 3 and " " * 17 not in text and text.replace("\n", " ").isprintable()


def legible_page(html: str) -> str:
    """Do the same to a whole page, but to its style sheet, scripts and data."""
    parts = re.split(r"(<(?:style|script)\b.*?</(?:style|script)>)", html, flags=re.DOTALL)
    return "".join(part if place % 2 else legible(part) for place, part in enumerate(parts))


def _without(pattern: re.Pattern[str], text: str, spans: Sequence[Span]) -> tuple[str, list[Span]]:
    parts: list[str] = []
    taken: list[tuple[int, int, int, int]] = []
    place = length = 0
    for found in pattern.finditer(text):
        kept = _kept(found)
        parts += [text[place : found.start()], kept]
        length += found.start() - place
        taken.append((found.start(), found.end(), length, len(kept)))
        length += len(kept)
        place = found.end()

    def moved(at: int) -> int:
        number = bisect_right(taken, at, key=lambda part: part[0]) - 1
        if number < 0:
            return at
        start, end, new, kept = taken[number]
        return new + kept + at - end if at >= end else new + min(at - start, kept)

    return "".join([*parts, text[place:]]), [(moved(low), moved(high)) for low, high in spans]


def _kept(found: re.Match[str]) -> str:
    name = found.lastgroup
    if name == "chained":
        # A line breaks nowhere between letters that are joined.
        return found[name].replace("\u200d", "")
    return "\n" if name == "line" else found[name] if name else ""
