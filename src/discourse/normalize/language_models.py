"""How well each candidate language fits a text by its letters alone: by script, by CLD2 where it is sure, by lingua.

CLD2 (Sites 2013) reads many more texts a second than lingua, and knows when it does not know; lingua (Stahl) is the
better one on the few words that are left then. docs/performance.md holds the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import polars as pl
import pycld2  # pyright: ignore[reportMissingTypeStubs] - compiled, without stubs
from lingua import Language, LanguageDetectorBuilder
from numpy.typing import NDArray

from discourse.errors import UsageError, did_you_mean
from discourse.normalize.scripts import left_by_script

Shares = NDArray[np.float64]

# Below so many letters CLD2 is not asked: with fewer, its guesses were wrong now and then even where it was sure.
SURE_LETTERS = 12
# What is left to the other candidates where CLD2 is sure. It was right in all 3,800 such texts that were looked at,
# so that the true rate of errors is below one in a thousand.
DOUBT = 0.001
_BATCH = 20_000

_CODES = {"iw": "he", "no": "nb", "zh-Hant": "zh"}
# CLD2 takes one for the other; where two of them are candidates, lingua decides.
_ALIKE = tuple(
    map(
        frozenset,
        ({"bs", "hr", "sr"}, {"id", "ms"}, {"da", "nb", "nn"}, {"cs", "sk"}, {"bg", "mk"}, {"xh", "zu"}, {"st", "tn"}),
    )
)


# Whether it is sure, bytes read, and (name, code, percent, score) of at most three languages.
_Answer = tuple[bool, int, tuple[tuple[str, str, int, float], ...]]
_detect = cast("Callable[[str], _Answer]", pycld2.detect)


def known_languages(candidates: Sequence[str]) -> dict[str, Language]:
    """Return lingua's language for each ISO 639-1 code.

    Raises:
        UsageError: there is no candidate, or one that lingua does not know.
    """
    valid = {language.iso_code_639_1.name.lower(): language for language in Language.all()}
    if not candidates:
        raise UsageError('[normalize] languages is empty; name the languages to expect, such as ["en", "es"]')
    chosen: dict[str, Language] = {}
    for code in candidates:
        language = valid.get(code.strip().lower())
        if language is None:
            raise UsageError(
                f'[normalize] languages: "{code}" is no ISO 639-1 code that can be detected'
                f"{did_you_mean(code.strip().lower(), valid)}; valid are en, es, fr, de, zh, ar and others"
            )
        chosen[code.strip().lower()] = language
    return chosen


class LanguageModels:
    """The candidates, and the models that tell them apart, loaded when first asked."""

    def __init__(self, candidates: Sequence[str]) -> None:
        self._languages = known_languages(candidates)
        self.codes = list(self._languages)
        self._ask_lingua: Callable[[Sequence[str]], Shares] | None = None

    def confidences(self, texts: pl.Series) -> Shares:
        """Return the confidence for each text and candidate, shape (texts, candidates).

        Args:
            texts: String, each with at least one letter.

        Returns:
            Rows that sum to 1, or a row of zeros where the text is in a script that no candidate is written in.
        """
        found = np.zeros((len(texts), len(self.codes)))
        left = left_by_script(texts, self.codes)
        decided = left.is_not_null().to_numpy()
        single = (left != "").fill_null(value=False).to_numpy()
        place = left.filter(pl.Series(single)).replace_strict(self.codes, range(len(self.codes)), return_dtype=pl.Int64)
        found[single, place.to_numpy()] = 1
        open_rows = np.flatnonzero(~decided)
        rest = texts.gather(open_rows)
        sure = sure_languages(rest, self.codes)
        answered = sure >= 0
        doubt = DOUBT / max(len(self.codes) - 1, 1)
        found[open_rows[answered]] = doubt
        found[open_rows[answered], sure[answered]] = 1 - DOUBT
        unsure = open_rows[~answered]
        if len(unsure):
            found[unsure] = self._lingua()(texts.gather(unsure).to_list())
        return found

    def _lingua(self) -> Callable[[Sequence[str]], Shares]:
        if self._ask_lingua is None:
            self._ask_lingua = ask_lingua(list(self._languages.values()))
        return self._ask_lingua


def _other_than(language: Language) -> Language:
    return Language.SPANISH if language == Language.ENGLISH else Language.ENGLISH


def sure_languages(texts: pl.Series, codes: Sequence[str]) -> NDArray[np.int64]:
    """Return the place among the candidates of the language that CLD2 is sure of, -1 where it is not.

    Sure is: CLD2 calls its answer reliable, finds one language only, and that is a candidate with no close relative
    among the others.
    """
    confused = {code for alike in _ALIKE if len(alike & set(codes)) > 1 for code in alike}
    place = {code: at for at, code in enumerate(codes) if code not in confused}
    found = np.full(len(texts), -1, dtype=np.int64)
    long = texts.str.count_matches(r"\p{L}") >= SURE_LETTERS
    # CLD2 refuses a text with any of these.
    readable = texts.str.replace_all(r"[\p{Cc}\p{Cn}\p{Co}]", " ")
    for row in long.arg_true():
        try:
            reliable, _, languages = _detect(readable[row])
        except pycld2.error:
            continue
        if reliable and languages[1][1] == "un":
            found[row] = place.get(_CODES.get(languages[0][1], languages[0][1]), -1)
    return found


def ask_lingua(languages: Sequence[Language], *, low_accuracy: bool = False) -> Callable[[Sequence[str]], Shares]:
    """Return what gives lingua's confidence for each text and language; a row of zeros where the script fits none.

    Args:
        languages: those that come into question.
        low_accuracy: lingua's mode that reads three letters at a time only.
    """
    # lingua compares at least two languages; another one stands in and is left out again.
    compared = list(languages) if len(languages) > 1 else [*languages, _other_than(languages[0])]
    builder = LanguageDetectorBuilder.from_languages(*compared)
    detector = (builder.with_low_accuracy_mode() if low_accuracy else builder).build()
    column = {language: place for place, language in enumerate(compared)}

    def ask(texts: Sequence[str]) -> Shares:
        found = np.zeros((len(texts), len(compared)))
        for start in range(0, len(texts), _BATCH):
            batch = detector.compute_language_confidence_values_in_parallel(list(texts[start : start + _BATCH]))
            for row, values in enumerate(batch, start):
                for value in values:
                    found[row, column[value.language]] = value.value
        return found[:, : len(languages)]

    return ask
