"""A comment's text as it is printed: cut where it must be, with the evidence marked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from discourse.report.policy import Policy

SHORT_WORDS = 12
SHORT_LETTERS = 120
# A quote in a section shows this much around its evidence; the list of comments shows this much of each.
QUOTE_LETTERS = 700
LIST_LETTERS = 5_000
ELLIPSIS = "…"

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of text that is evidence throughout, or not at all."""

    text: str
    evidence: bool


def passages(text: str, spans: Sequence[Span], policy: Policy, limit: int = QUOTE_LETTERS) -> tuple[Passage, ...]:
    """Cut a text for printing.

    Args:
        text: as in `comments.text`.
        spans: evidence, half-open, in code points of `text`; they may overlap or reach beyond it.
        policy: how much may be shown.
        limit: how many code points of a whole text are shown, around the first evidence.
    """
    text, spans = policy.scrubbed(text, spans)
    marked = _merged(spans, len(text))
    if not policy.full:
        return _words(text, marked, policy)
    first = marked[0][0] if marked else 0
    start, end = _window(text, first, limit)
    parts: list[Passage] = [Passage(ELLIPSIS, evidence=False)] if start else []
    place = start
    inside = ((max(low, start), min(high, end)) for low, high in marked)
    for low, high in inside:
        if low >= high:
            continue
        parts += [Passage(text[place:low], evidence=False), Passage(text[low:high], evidence=True)]
        place = high
    parts.append(Passage(text[place:end] + (ELLIPSIS if end < len(text) else ""), evidence=False))
    return tuple(part for part in parts if part.text)


def _merged(spans: Sequence[Span], length: int) -> list[Span]:
    found: list[Span] = []
    for start, end in sorted((max(0, low), min(high, length)) for low, high in spans):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _window(text: str, first: int, limit: int) -> Span:
    if len(text) <= limit:
        return 0, len(text)
    start = max(0, min(first - limit // 4, len(text) - limit))
    if start:
        # Begin after a space, if one is near.
        start = max(start, text.find(" ", start, min(start + 40, first)) + 1)
    end = min(len(text), start + limit)
    if end < len(text):
        space = text.rfind(" ", max(first + 1, end - 40), end)
        end = space if space > 0 else end
    return start, end


def _words(text: str, marked: Sequence[Span], policy: Policy) -> tuple[Passage, ...]:
    first = marked[0][0] if marked else 0
    found = [match for match in re.finditer(r"\S+", text) if match.end() > first][:SHORT_WORDS]
    parts: list[Passage] = []
    left = SHORT_LETTERS
    for match in found:
        word = policy.word(match.group())[:left]
        left -= len(word)
        evidence = any(low < match.end() and match.start() < high for low, high in marked)
        if parts and parts[-1].evidence == evidence:
            parts[-1] = Passage(f"{parts[-1].text} {word}", evidence)
        else:
            parts += [Passage(" ", evidence=False)] if parts else []
            parts.append(Passage(word, evidence))
        if left <= 0:
            break
    before = bool(found) and found[0].start() > len(text) - len(text.lstrip())
    after = bool(found) and (left <= 0 or found[-1].end() < len(text.rstrip()))
    return (
        *((Passage(f"{ELLIPSIS} ", evidence=False),) if before else ()),
        *parts,
        *((Passage(f" {ELLIPSIS}", evidence=False),) if after else ()),
    )
