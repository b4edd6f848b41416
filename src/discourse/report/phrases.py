"""Words and numbers side by side: each number keeps the id of the estimate it was taken from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """Words with numbers of one estimate: `lead` is what a hurried reader takes away, `rest` qualifies it."""

    lead: str
    rest: str
    estimate_id: str

    def __str__(self) -> str:
        """Return the words as plain text."""
        return self.lead + self.rest


Phrase = tuple[str | Figure, ...]


def plain(phrase: Phrase) -> str:
    """Return a phrase as plain text."""
    return "".join(str(part) for part in phrase)


def sources(phrase: Phrase) -> tuple[str, ...]:
    """Return the ids of the estimates a phrase takes numbers from, each once, in order."""
    return tuple(dict.fromkeys(part.estimate_id for part in phrase if isinstance(part, Figure)))
