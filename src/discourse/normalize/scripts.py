"""Which languages a script leaves over: a text in letters that one language alone has needs no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class Script:
    """A script, as a class of letters in a regular expression, and the languages that are written in it."""

    letters: str
    languages: frozenset[str]

    def only(self, text: pl.Expr) -> pl.Expr:
        """Tell which texts have letters of this script and of no other."""
        return text.str.contains(rf"[{self.letters}]") & ~text.str.contains(rf"[\p{{L}}--[{self.letters}]]")


# By script extensions, so that the marks which several scripts share count for each. A text belongs to the first that
# holds all its letters: Chinese characters alone may be either language, those with kana are Japanese.
SCRIPTS: tuple[Script, ...] = (
    Script(r"\p{scx=Cyrillic}", frozenset({"be", "bg", "kk", "mk", "mn", "ru", "sr", "uk"})),
    Script(r"\p{scx=Arabic}", frozenset({"ar", "fa", "ur"})),
    Script(r"\p{scx=Hebrew}", frozenset({"he"})),
    Script(r"\p{scx=Han}", frozenset({"ja", "zh"})),
    Script(r"\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Han}", frozenset({"ja"})),
    Script(r"\p{scx=Hangul}", frozenset({"ko"})),
    Script(r"\p{scx=Greek}", frozenset({"el"})),
    Script(r"\p{scx=Devanagari}", frozenset({"hi", "mr"})),
    Script(r"\p{scx=Thai}", frozenset({"th"})),
    Script(r"\p{scx=Bengali}", frozenset({"bn"})),
    Script(r"\p{scx=Tamil}", frozenset({"ta"})),
    Script(r"\p{scx=Telugu}", frozenset({"te"})),
    Script(r"\p{scx=Gujarati}", frozenset({"gu"})),
    Script(r"\p{scx=Gurmukhi}", frozenset({"pa"})),
    Script(r"\p{scx=Georgian}", frozenset({"ka"})),
    Script(r"\p{scx=Armenian}", frozenset({"hy"})),
)
LATIN = r"\p{Latin}"

# The language that a script belongs to most, for texts that none of the candidates could have written.
_MAIN = {
    "ja": r"[\p{Hiragana}\p{Katakana}]",
    "ko": r"\p{Hangul}",
    "zh": r"\p{Han}",
    "th": r"\p{Thai}",
    "el": r"\p{Greek}",
    "he": r"\p{Hebrew}",
    "ru": r"\p{Cyrillic}",
    "ar": r"\p{Arabic}",
    "hi": r"\p{Devanagari}",
    "bn": r"\p{Bengali}",
    "ta": r"\p{Tamil}",
    "te": r"\p{Telugu}",
    "ka": r"\p{Georgian}",
    "hy": r"\p{Armenian}",
}


def left_by_script(texts: pl.Series, candidates: Sequence[str]) -> pl.Series:
    """Say for each text what its script leaves of the candidates.

    Args:
        texts: String, each with at least one letter.
        candidates: ISO 639-1 codes.

    Returns:
        String, aligned: the one candidate that is written in the script that all letters are in, an empty string where
        there is none, and null where there are several or the letters are of several scripts.
    """
    frame = pl.DataFrame({"text": texts}).with_row_index("row")
    elsewhere = frame.filter(pl.col("text").str.contains(rf"[\p{{L}}--{LATIN}]"))
    said = pl.when(False).then(pl.lit(None, dtype=pl.String))
    for script in SCRIPTS:
        said = said.when(script.only(pl.col("text"))).then(pl.lit(_left(candidates, script.languages)))
    found = elsewhere.select("row", said.alias("left"))
    latin = _left([one for one in candidates if not any(one in script.languages for script in SCRIPTS)], candidates)
    return (
        frame.join(found.with_columns(known=True), on="row", how="left", maintain_order="left")
        .select(pl.when("known").then("left").otherwise(pl.lit(latin, dtype=pl.String)).alias("left"))
        .to_series()
    )


def by_script(texts: pl.Series) -> pl.DataFrame:
    """Name texts that fit no candidate by the script that most of their letters are in.

    Args:
        texts: String, without null.

    Returns:
        `language` (null where no script is known) and `share` of the letters (0–1), aligned with the texts.
    """
    letters = pl.col("text").str.count_matches(r"\p{L}")
    rows = pl.DataFrame({"text": texts}).with_row_index("row")
    counted = rows.select(
        "row", *((pl.col("text").str.count_matches(script) / letters).alias(code) for code, script in _MAIN.items())
    )
    shares = counted.unpivot(index="row", variable_name="language", value_name="share")
    # Kana among Chinese characters makes a text Japanese.
    most = shares.filter(pl.col("share") > 0).sort("row", pl.col("language") != "ja", -pl.col("share"), "language")
    best = most.unique("row", keep="first", maintain_order=True)
    return (
        rows.select("row")
        .join(best, on="row", how="left", maintain_order="left")
        .select(pl.col("language").cast(pl.String), pl.col("share").cast(pl.Float64))
    )


def _left(candidates: Sequence[str], languages: frozenset[str] | Sequence[str]) -> str | None:
    of_script = [one for one in candidates if one in languages]
    return None if len(of_script) > 1 else (of_script[0] if of_script else "")
