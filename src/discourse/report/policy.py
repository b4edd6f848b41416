"""What of other people's words, names, times and addresses may stand in the file: the rules of `[report] quotes`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from discourse.privacy import defanged, traces
from discourse.report.catalogue import Words
from discourse.report.legible import legible_spans
from discourse.tables import Precision

ADDRESS = re.compile(r"://|^www\.|^[\w.-]+\.[a-z]{2,}/", re.IGNORECASE)
NAME = re.compile(r"@|^/?u/", re.IGNORECASE)
CLOCK = re.compile(r"\b\d{1,2}:\d{2}\b|\d{4}-\d{2}-\d{2}")
EDGES = ".,;:!?()[]{}<>\"'“”‘’«»#"
# The fields of a record that hold who wrote it.
WRITTEN_BY = re.compile(
    r"""(["']?[\w.-]*(?:author|user|name|mail|ip)[\w.-]*["']?\s*[:=]\s*)("[^"]*"?|'[^']*'?)""", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class When:
    """A date: `machine` for the datetime attribute, `text` for readers."""

    machine: str
    text: str


@dataclass(frozen=True, slots=True)
class Policy:
    """How much of the comments is shown: `full`, `short` (a few words, nothing that leads to its author) or `none`."""

    quotes: Literal["full", "short", "none"]
    words: Words
    native_ids: frozenset[str] = frozenset()
    scrub: bool = True

    @property
    def full(self) -> bool:
        """Whether texts stand whole, with ids, addresses and times."""
        return self.quotes == "full"

    @property
    def texts(self) -> bool:
        """Whether any comment text may stand in the file."""
        return self.quotes != "none"

    def link(self, url: str | None) -> str | None:
        """Return an address that may be linked to, None if there is none, it is not http(s), or none may be shown."""
        if not self.full or url is None or not re.match(r"https?://[^\s]+$", url, re.IGNORECASE):
            return None
        return url

    def scrubbed(self, text: str, spans: Sequence[tuple[int, int]] = ()) -> tuple[str, list[tuple[int, int]]]:
        """Return a text without e-mail addresses, phone numbers and names that people are addressed by, links inert.

        Characters that hide in it or turn it around go first, so that they part no address either.

        Args:
            text: of a comment, a title or a record.
            spans: of evidence, half-open, in code points of `text`; they are returned as they lie in the new text.
        """
        text, spans = legible_spans(text, spans)
        found = traces(text) if self.scrub or not self.full else []
        if not found:
            return text, list(spans)
        name = self.words.text("hidden.name")
        parts: list[str] = []
        moved: list[tuple[int, int, int]] = []
        place = length = 0
        for trace in found:
            old = text[trace.start : trace.end]
            kind = "address" if trace.kind == "link" else trace.kind
            new = defanged(old, name) if kind == "address" and self.full else self.words.text(f"hidden.{kind}")
            parts += [text[place : trace.start], new]
            length += trace.start - place + len(new)
            place = trace.end
            moved.append((trace.start, trace.end, length))
        parts.append(text[place:])
        return "".join(parts), [
            (_moved(low, moved, first=True), _moved(high, moved, first=False)) for low, high in spans
        ]

    def word(self, word: str) -> str:
        """Return one word of a text, or what stands for it where an address, a name or an id may not be shown."""
        if self.full:
            return word
        if ADDRESS.search(word):
            return self.words.text("hidden.address")
        if NAME.search(word):
            return self.words.text("hidden.name")
        if CLOCK.search(word):
            return self.words.text("hidden.time")
        bare = word.strip(EDGES)
        if bare in self.native_ids or bare.rpartition(":")[2] in self.native_ids:
            return self.words.text("hidden.id")
        return word

    def line(self, text: str) -> str:
        """Return a title or a note with the same replacements."""
        text = self.scrubbed(text)[0]
        return text if self.full else " ".join(self.word(word) for word in text.split())

    def record(self, excerpt: str) -> str:
        """Return the start of a record as it was delivered, without who wrote it."""
        return self.scrubbed(WRITTEN_BY.sub(lambda found: found[1] + self.words.text("hidden.name"), excerpt))[0]

    def when(self, moment: datetime | None, precision: str = Precision.DAY.value) -> When | None:
        """Return a time as exactly as it is known and may be shown; None if it is not known at all."""
        if moment is None or precision == Precision.UNKNOWN:
            return None
        if not self.full:
            return When(f"{moment:%Y-%m}", self.words.month(moment))
        day = self.words.day(moment)
        if precision in {Precision.EXACT, Precision.MINUTE}:
            clock = self.words.text("date.time", day=day, time=f"{moment:%H:%M}")
            return When(f"{moment:%Y-%m-%dT%H:%MZ}", clock)
        if precision == Precision.RELATIVE:
            return When(f"{moment:%Y-%m-%d}", self.words.text("date.about", date=day))
        return When(f"{moment:%Y-%m-%d}", day)


def _moved(place: int, moved: Sequence[tuple[int, int, int]], *, first: bool) -> int:
    """Return where a place of the old text lies in the new one; inside of what was replaced, its start or its end."""
    shift = 0
    for number, (start, end, length) in enumerate(moved):
        if place <= start:
            break
        if place < end:
            before = moved[number - 1] if number else (0, 0, 0)
            return before[2] + start - before[1] if first else length
        shift = length - end
    return place + shift


def native_ids(ids: list[str]) -> frozenset[str]:
    """Return the ids as platforms write them, without our prefix; those that could be ordinary words are left out."""
    bare = (name.partition(":")[2] or name for name in ids)
    return frozenset(name for name in bare if len(name) > 3 and any(letter.isdigit() for letter in name))
