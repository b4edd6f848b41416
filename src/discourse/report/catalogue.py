"""Every word of the report's own, by key: `assets/words.<language>.toml` is the whole of a language."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from string import Formatter

from discourse.errors import UsageError, did_you_mean
from discourse.report.phrases import Figure, Phrase, plain

LANGUAGES = ("de", "en")
# First strong isolate and its end: words of a comment keep their direction to themselves.
ISOLATE, END = "\u2068", "\u2069"


@dataclass(frozen=True, slots=True)
class Words:
    """The report's words in one language.

    A key with `.one` behind it is the same for one thing: it is taken where the first place of the words holds 1.
    """

    lang: str
    table: Mapping[str, str]

    def text(self, key: str, otherwise: str | None = None, **values: str) -> str:
        """Return the words of `key`; `otherwise` stands in for a key that no catalogue can know.

        Raises:
            KeyError: there is no such key and no `otherwise`.
        """
        if otherwise is not None and key not in self.table:
            return otherwise
        words = self.table[self._numbered(key, values)]
        return words.format(**{name: isolated(value) for name, value in values.items()}) if values else words

    def phrase(self, key: str, **values: str | Figure | Phrase) -> Phrase:
        """Return the words of `key` with figures in their places."""
        parts: list[str | Figure] = []
        for words, name, _, _ in Formatter().parse(self.table[self._numbered(key, values)]):
            value = values[name] if name is not None else ()
            value = isolated(value) if isinstance(value, str) else value
            parts += [words, *(value if isinstance(value, tuple) else (value,))]
        return tuple(part for part in parts if part != "")

    @property
    def point(self) -> str:
        """What parts decimals."""
        return self.table["number.point"]

    def number(self, value: float) -> str:
        """Write a whole number with its thousands apart: 1204 becomes ``1,204`` or ``1.204``."""
        return self.decimal(value, 0)

    def decimal(self, value: float, places: int) -> str:
        """Write a number with so many decimals, as the language does."""
        marks = {",": self.table["number.thousands"], ".": self.point}
        return "".join(marks.get(letter, letter) for letter in f"{value:,.{places}f}")

    def day(self, moment: datetime) -> str:
        """Write a date with the month in words."""
        return self.text("date.day", day=str(moment.day), month=self._month(moment), year=str(moment.year))

    def month(self, moment: datetime) -> str:
        """Write a month and its year."""
        return self.text("date.month", month=self._month(moment), year=str(moment.year))

    def _month(self, moment: datetime) -> str:
        return self.table[f"month.{moment.month}"]

    def _numbered(self, key: str, values: Mapping[str, str | Figure | Phrase]) -> str:
        one = f"{key}.one"
        if one not in self.table:
            return key
        first = next((name for _, name, _, _ in Formatter().parse(self.table[key]) if name is not None), None)
        value = values.get(first or "", "")
        return one if (plain(value) if isinstance(value, tuple) else str(value)) == "1" else key


def isolated(value: str) -> str:
    """Return words of others such that letters written from right to left do not turn our sentence around."""
    turns = any(unicodedata.bidirectional(letter) in {"R", "AL", "AN"} for letter in value)
    return f"{ISOLATE}{value}{END}" if turns and not value.startswith(ISOLATE) else value


@cache
def words_of(lang: str) -> Words:
    """Return the catalogue of a language.

    Raises:
        UsageError: the report does not speak it.
    """
    if lang not in LANGUAGES:
        said = (
            f'[report] lang is "{lang[:40]}"{did_you_mean(lang, LANGUAGES)}: the report speaks {", ".join(LANGUAGES)}'
        )
        raise UsageError(said)
    file = resources.files("discourse.report") / "assets" / f"words.{lang}.toml"
    return Words(lang, tomllib.loads(file.read_text(encoding="utf-8")))
