"""Find given words in any text, however they are escaped, marked up or broken into lines there, and take them out."""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

GONE = "[deleted]"
PIECE = 20

_LT, _GT = r"(?:<|&(?:amp;)*lt;|\\+u003[cC])", r"(?:>|&(?:amp;)*gt;|\\+u003[eE])"
_TAG = rf"(?P<tag>{_LT}\\*/?[A-Za-z](?:(?!{_LT}|{_GT}|[{{}}\n]|\",\s?\"|\":\s?\").){{0,500}}?{_GT})|"
_REST = (
    r"(?P<entity>&(?:amp;)*(?:\#\d{1,7}|\#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)"
    r"|(?P<code>\\+u[0-9a-fA-F]{4}(?:\\+u[dD][c-fC-F][0-9a-fA-F]{2})?)"
    r"|(?P<escape>\\+[nrtbf])"
    r"|(?P<word>[^\W_]+)"
    r"|(?P<sign>[\u2600-\u27ff\U0001f000-\U0001faff])"
)
# In plain text, what looks like a tag may be the words of somebody, so both ways of reading count.
_READINGS = (re.compile(_TAG + _REST), re.compile(_REST))
_FOUR = re.compile(r"u([0-9a-fA-F]{4})")
# What begins or ends a cell, a string, a line or an element.
_EDGES = '"<>,;\t\r\n|'
_NOT_THEIRS = _EDGES + "&\\[]{}:="


@dataclass(frozen=True, slots=True)
class Letters:
    """The letters, digits and pictographs of a text in order, with the place of each token: (own, start, end, even)."""

    text: str
    starts: list[int]
    spans: list[tuple[int, int, bool]]

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return where the letters from `start` to `end` stand in the text that they are from."""
        first, last = bisect_right(self.starts, start) - 1, bisect_right(self.starts, end - 1) - 1
        begin, _, even = self.spans[first]
        begin += start - self.starts[first] if even else 0
        at, stop, even = self.spans[last]
        return begin, at + end - self.starts[last] if even else stop


@dataclass(frozen=True, slots=True)
class Words:
    """What is to be taken out.

    Attributes:
        whole: the letters of each text, longest first.
        pieces: every run of `PIECE` letters in them that tells them from what others wrote.
        marked: the same where what looks like a tag counts as words.
    """

    whole: tuple[str, ...]
    pieces: frozenset[str]
    marked: frozenset[str]

    def stand_in(self, text: str) -> bool:
        """Tell whether a distinctive piece is left in a text."""
        for found, pieces in zip(_readings(text), (self.pieces, self.marked), strict=True):
            if pieces and any(piece in pieces for piece in _pieces(found.text)):
                return True
        return False


def letters(text: str, token_form: re.Pattern[str] = _READINGS[0]) -> Letters:
    """Reduce a text to its letters; escapes of JSON, HTML and XML count as what they stand for, tags as nothing."""
    parts, starts, spans, size = list[str](), list[int](), list[tuple[int, int, bool]](), 0
    for token in token_form.finditer(text):
        kind = token.lastgroup
        if kind in {"tag", "escape"}:
            continue
        part = token[0] if kind in {"word", "sign"} else "".join(filter(_counts, _meant(token[0], kind)))
        if part:
            parts.append(part)
            starts.append(size)
            spans.append((token.start(), token.end(), kind in {"word", "sign"}))
            size += len(part)
    return Letters("".join(parts), starts, spans)


def words_of(texts: Iterable[str], others: Iterable[str]) -> Words:
    """Return the words of `texts`; pieces that stand in `others` too, which other people wrote, are not distinctive."""
    kept = list(dict.fromkeys(texts))
    whole = sorted({one.text for text in kept for one in _readings(text) if one.text}, key=lambda one: (-len(one), one))
    pieces: tuple[set[str], set[str]] = set(), set()
    for text in kept:
        for found, one in zip(_readings(text), pieces, strict=True):
            one.update(_pieces(found.text))
    if any(pieces):
        for text in others:
            for found, one in zip(_readings(text), pieces, strict=True):
                one.difference_update(_pieces(found.text))
    return Words(tuple(whole), frozenset(pieces[0]), frozenset(pieces[1]))


def take_out(text: str, words: Words, names: Iterable[str] = ()) -> tuple[str, int]:
    """Return a text without the words, `GONE` in their place, and how many passages went.

    A text of fewer than `PIECE` letters, and each of `names`, goes where it stands alone: between the edges of a cell,
    a string, a line or an element.
    """
    short = {one for one in words.whole if len(one) < PIECE} | {one for name in names if (one := letters(name).text)}
    count = 0
    # One after the other: what the first has taken out cannot mislead the second.
    for form, pieces in zip(_READINGS, (words.pieces, words.marked), strict=True):
        found = letters(text, form)
        ranges = [found.place(*one) for one in _ranges(found.text, words.whole, pieces)]
        ranges += [place for one in short for place in _places(found, one) if _alone(text, *place)]
        text, gone = _without(text, ranges)
        count += gone
    return text, count


def _without(text: str, ranges: Iterable[tuple[int, int]]) -> tuple[str, int]:
    parts, done, count = list[str](), 0, 0
    for start, end in _joined(_widened(text, *one) for one in ranges):
        parts += [text[done:start], GONE]
        done, count = end, count + 1
    return "".join([*parts, text[done:]]), count


def _readings(text: str) -> Iterator[Letters]:
    return (letters(text, form) for form in _READINGS)


def _places(found: Letters, sought: str) -> Iterator[tuple[int, int]]:
    at = found.text.find(sought)
    while at >= 0:
        yield found.place(at, at + len(sought))
        at = found.text.find(sought, at + 1)


def _pieces(found: str) -> Iterator[str]:
    return (found[at : at + PIECE] for at in range(len(found) - PIECE + 1))


def _ranges(found: str, whole: Iterable[str], pieces: frozenset[str]) -> Iterator[tuple[int, int]]:
    for one in whole:
        if len(one) >= PIECE:
            at = found.find(one)
            while at >= 0:
                yield at, at + len(one)
                at = found.find(one, at + len(one))
    start = end = -1
    for at in range(len(found) - PIECE + 1 if pieces else 0):
        if found[at : at + PIECE] in pieces:
            if start >= 0 and at > end:
                yield start, end
                start = at
            start, end = (at if start < 0 else start), at + PIECE
    if start >= 0:
        yield start, end


def _widened(text: str, start: int, end: int) -> tuple[int, int]:
    while start > 0 and _is_punctuation(text[start - 1]):
        start -= 1
    while end < len(text) and _is_punctuation(text[end]):
        end += 1
    return start, end


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _alone(text: str, start: int, end: int) -> bool:
    start, end = _widened(text, start, end)
    before = text[:start][-40:].rstrip(" \\")
    after = text[end : end + 40].lstrip(" \\")
    if re.match(r'"\s*:', after):
        return False
    left = not before or before[-1] in _EDGES or re.search(rf"(?:{_GT}|\\n)$", before)
    right = not after or after[0] in _EDGES or re.match(_LT, after) or text[end : end + 2] == "\\n"
    return bool(left and right)


def _is_punctuation(character: str) -> bool:
    return not (character.isalnum() or character.isspace() or character in _NOT_THEIRS)


def _counts(character: str) -> bool:
    return character.isalnum() or "\u2600" <= character <= "\u27ff" or "\U0001f000" <= character <= "\U0001faff"


def _meant(token: str, kind: str | None) -> str:
    if kind == "entity":
        return html.unescape(f"&{token.rstrip(';').rpartition('&')[2].rpartition(';')[2]};")
    units = b"".join(int(one, 16).to_bytes(2, "big") for one in _FOUR.findall(token))
    return units.decode("utf-16-be", errors="replace")
