"""The language of each comment: what its letters say, weighed with what its thread speaks.

Short texts say little by themselves ("lol yes" looks Turkish), so the confidences of lingua are joined with the share
of each language among the thread's comments that are long and clear, as in Bayes' rule.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from lingua import Language, LanguageDetector, LanguageDetectorBuilder
from numpy.typing import NDArray

from discourse.errors import UsageError, did_you_mean

Shares = NDArray[np.float64]

# lingua's confidences come from the mean log-probability of n-grams, so they are flatter than probabilities: they are
# squared, and a tenth of the prior is spread evenly. Chosen on 49 short sentences in eight languages, put among 500
# English comments (41 read right, the others as English), and on 17,315 comments of three English-speaking forums
# (62 not read as English; 28 of these are indeed not, the others are mostly shouts such as "Yay!").
_SHARPNESS = 2.0
_SURPRISE = 0.1
_CLEAR, _CLEAR_LETTERS = 0.8, 20
_PRIOR_STRENGTH = 5.0  # as many comments as the whole table's shares count for in each thread

_HEAD = 200  # characters; more only costs time
_BATCH = 20_000
_NO_WORDS = r"(?i)https?://\S+|[@#]\w+|\b[ru]/\w+"

# Scripts that one language mostly has to itself, for texts that none of the candidates could have written.
_SCRIPTS = {
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


def detect_languages(comments: pl.DataFrame, candidates: Sequence[str]) -> pl.DataFrame:
    """Find the language of each text.

    Args:
        comments: columns thread_id and text (null stays null).
        candidates: ISO 639-1 codes that come into question.

    Returns:
        `language` (ISO 639-1) and `language_confidence` (0–1, the posterior), aligned with the rows. A text without
        letters (emoji, numbers, addresses) gets its thread's main language with confidence 0: nothing in it speaks for
        it. So does a text that no language fits with at least 0.5, with the confidence that the main language has. A
        text in a script that no candidate is written in gets the script's main language, and as confidence that
        script's share of its letters; null where no script is known.

    Raises:
        UsageError: there is no candidate, or one that lingua does not know.
    """
    known = _languages(candidates)
    codes = list(known)
    texts = comments.select(
        pl.col("thread_id").rank("dense").cast(pl.Int64).alias("thread") - 1,
        pl.col("text").str.replace_all(_NO_WORDS, " ").str.slice(0, _HEAD).alias("head"),
        pl.col("text").is_not_null().alias("has_text"),
    ).with_columns(pl.col("head").str.count_matches(r"\p{L}").fill_null(0).alias("letters"))
    # One Latin letter, as in "B" or a damaged emoji, is no word of any language.
    telling = (pl.col("letters") > 1) | pl.col("head").str.contains(r"[\p{L}--\p{Latin}]")
    heads = texts.filter(telling)["head"].unique(maintain_order=True)
    measured = _confidences(heads.to_list(), list(known.values()))
    row = texts.join(
        pl.DataFrame({"head": heads, "row": np.arange(len(heads))}), on="head", how="left", maintain_order="left"
    )["row"]
    read = row.is_not_null().to_numpy()
    likelihood = np.ones((len(texts), len(codes)))
    likelihood[read] = measured[row.drop_nulls().to_numpy()] ** _SHARPNESS
    thread = texts["thread"].to_numpy()
    clear = read & (texts["letters"].to_numpy() >= _CLEAR_LETTERS)
    clear &= likelihood.max(axis=1, initial=0) >= _CLEAR**_SHARPNESS
    prior = _priors(likelihood, clear, thread)
    posterior = likelihood * prior[thread]
    total = posterior.sum(axis=1)
    posterior /= np.where(total > 0, total, 1)[:, None]
    best = posterior.argmax(axis=1)
    # Where nothing has the better half of the odds ("HAHAHA"), the thread decides.
    best = np.where(posterior.max(axis=1) < 0.5, prior[thread].argmax(axis=1), best)
    confidence = np.where(read, np.take_along_axis(posterior, best[:, None], axis=1)[:, 0], 0.0)
    found = pl.DataFrame({"language": pl.Series(codes).gather(best), "language_confidence": confidence})
    foreign = _by_script(texts["head"], pl.Series(read & (total == 0)))
    is_foreign = pl.col("row").is_in(foreign["row"].implode())
    return (
        found.with_row_index("row")
        .join(foreign, on="row", how="left", maintain_order="left")
        .select(
            pl.when(~texts["has_text"])
            .then(None)
            .when(is_foreign)
            .then("script_language")
            .otherwise("language")
            .alias("language"),
            pl.when(~texts["has_text"])
            .then(None)
            .when(is_foreign)
            .then("script_share")
            .otherwise("language_confidence")
            .alias("language_confidence"),
        )
    )


def _languages(candidates: Sequence[str]) -> dict[str, Language]:
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


def _confidences(texts: Sequence[str], languages: Sequence[Language]) -> Shares:
    """Return lingua's confidence for each text and language; a row of zeros where the script fits none."""
    # lingua compares at least two languages; English stands in and is left out again.
    compared = list(languages) if len(languages) > 1 else [*languages, _other_than(languages[0])]
    detector: LanguageDetector = LanguageDetectorBuilder.from_languages(*compared).build()
    column = {language: place for place, language in enumerate(compared)}
    found = np.zeros((len(texts), len(compared)))
    for start in range(0, len(texts), _BATCH):
        batch = detector.compute_language_confidence_values_in_parallel(list(texts[start : start + _BATCH]))
        for row, values in enumerate(batch, start):
            for value in values:
                found[row, column[value.language]] = value.value
    return found[:, : len(languages)]


def _other_than(language: Language) -> Language:
    return Language.SPANISH if language == Language.ENGLISH else Language.ENGLISH


def _priors(likelihood: Shares, clear: NDArray[np.bool_], thread: NDArray[np.int64]) -> Shares:
    """Return for each thread the smoothed share of each language among its clear comments, shape (threads, codes)."""
    number = likelihood.shape[1]
    counts = np.zeros((int(thread.max(initial=-1)) + 1, number))
    np.add.at(counts, (thread[clear], likelihood[clear].argmax(axis=1)), 1)
    overall = (counts.sum(axis=0) + 1) / (counts.sum() + number)
    shares = (counts + _PRIOR_STRENGTH * overall) / (counts.sum(axis=1, keepdims=True) + _PRIOR_STRENGTH)
    return (1 - _SURPRISE) * shares + _SURPRISE / number


def _by_script(heads: pl.Series, unknown: pl.Series) -> pl.DataFrame:
    """Name texts that fit no candidate by the script that most of their letters are in."""
    letters = pl.col("head").str.count_matches(r"\p{L}")
    rows = pl.DataFrame({"head": heads}).with_row_index("row").filter(unknown)
    counted = rows.select(
        "row", *((pl.col("head").str.count_matches(script) / letters).alias(code) for code, script in _SCRIPTS.items())
    )
    shares = counted.unpivot(index="row", variable_name="script_language", value_name="script_share")
    # Kana among Chinese characters makes a text Japanese.
    most = shares.filter(pl.col("script_share") > 0).sort(
        "row", pl.col("script_language") != "ja", -pl.col("script_share"), "script_language"
    )
    best = most.unique("row", keep="first", maintain_order=True)
    return (
        rows.select("row")
        .join(best, on="row", how="left", maintain_order="left")
        .with_columns(pl.col("script_language").cast(pl.String), pl.col("script_share").cast(pl.Float64))
    )
