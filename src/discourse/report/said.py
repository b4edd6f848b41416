"""Sentences that stand in the estimates table, in the report's language: what a share is of, and what must hold.

The table holds them in English, as programs and people without a report read them, too. Each is found again by its
pattern in `assets/said.<language>.toml`; one that no pattern fits stays as it is and says that it is English.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from string import Formatter

from discourse.report.catalogue import Words

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?: ?%)?")
# Places that hold what a user named; all others hold numbers or sentences again.
FREE = frozenset({"only", "names", "left"})


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence for the page; `lang` where it is not in the page's language."""

    text: str
    lang: str | None = None

    def __str__(self) -> str:
        """Return the sentence."""
        return self.text


@dataclass(frozen=True, slots=True)
class _Sentence:
    pattern: re.Pattern[str]
    words: str


def said(sentence: str, words: Words) -> Said:
    """Return a sentence of the estimates table in the language of the page, in English where there is no other."""
    if words.lang == "en" or not sentence:
        return Said(sentence)
    whole = _turned(sentence, words)
    return Said(sentence, "en") if whole is None else Said(whole)


def _turned(sentence: str, words: Words) -> str | None:
    if not sentence:
        return sentence
    if NUMBER.fullmatch(sentence):
        return _number(sentence, words)
    for known in _sentences(words.lang):
        found = known.pattern.fullmatch(sentence)
        if found is None:
            continue
        parts = {name: part if name in FREE else _turned(part, words) for name, part in found.groupdict().items()}
        if None not in parts.values():
            return known.words.format(**parts)
    # Several sentences behind one another, or several parts.
    for between in (". ", "; "):
        first, mark, rest = sentence.partition(between)
        while mark:
            one, other = _turned(first + mark.rstrip() if between == ". " else first, words), _turned(rest, words)
            if one is not None and other is not None:
                return f"{one}{mark if between != '. ' else ' '}{other}"
            more, mark, rest = rest.partition(between)
            first = f"{first}{between}{more}"
    return None


def _number(text: str, words: Words) -> str:
    marks = {",": words.table["number.thousands"], ".": words.table["number.point"]}
    return "".join(marks.get(letter, letter) for letter in text)


@cache
def _sentences(lang: str) -> tuple[_Sentence, ...]:
    file = resources.files("discourse.report") / "assets" / f"said.{lang}.toml"
    table: dict[str, str] = tomllib.loads(file.read_text(encoding="utf-8"))
    return tuple(_Sentence(_pattern(english), other) for english, other in table.items())


def _pattern(english: str) -> re.Pattern[str]:
    parts: list[str] = []
    for words, name, _, _ in Formatter().parse(english):
        parts.append(re.escape(words))
        if name is not None:
            form = NUMBER.pattern if name in {"n", "of", "k"} else ".*" if name == "unknown" else ".+"
            parts.append(f"(?P<{name}>{form})")
    return re.compile("".join(parts), re.DOTALL)
