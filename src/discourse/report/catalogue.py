"""Every word of the report's own, by key: `assets/words.<language>.toml` is the whole of a language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from string import Formatter

from discourse.errors import UsageError
from discourse.report.phrases import Figure, Phrase

LANGUAGES = ("en",)


@dataclass(frozen=True, slots=True)
class Words:
    """The report's words in one language."""

    lang: str
    table: Mapping[str, str]

    def text(self, key: str, otherwise: str | None = None, **values: str) -> str:
        """Return the words of `key`; `otherwise` stands in for a key that no catalogue can know.

        Raises:
            KeyError: there is no such key and no `otherwise`.
        """
        if otherwise is not None and key not in self.table:
            return otherwise
        return self.table[key].format(**values) if values else self.table[key]

    def phrase(self, key: str, **values: str | Figure | Phrase) -> Phrase:
        """Return the words of `key` with figures in their places."""
        parts: list[str | Figure] = []
        for words, name, _, _ in Formatter().parse(self.table[key]):
            value = values[name] if name is not None else ()
            parts += [words, *(value if isinstance(value, tuple) else (value,))]
        return tuple(part for part in parts if part != "")


@cache
def words_of(lang: str) -> Words:
    """Return the catalogue of a language.

    Raises:
        UsageError: the report does not speak it.
    """
    if lang not in LANGUAGES:
        raise UsageError(f'[report] lang is "{lang}": the report speaks {", ".join(LANGUAGES)}')
    file = resources.files("discourse.report") / "assets" / f"words.{lang}.toml"
    return Words(lang, tomllib.loads(file.read_text(encoding="utf-8")))
