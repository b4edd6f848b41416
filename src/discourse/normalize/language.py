"""The language of each comment: what its letters say, weighed with what its thread speaks.

Short texts say little by themselves ("lol yes" looks Turkish), so the confidences of the models are joined with the
share of each language among the thread's comments that are long and clear, as in Bayes' rule.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.normalize.language_models import LanguageModels, Shares
from discourse.normalize.scripts import LATIN, by_script

# lingua's confidences come from the mean log-probability of n-grams, so they are flatter than probabilities: they are
# squared, and a tenth of the prior is spread evenly. Chosen on 49 short sentences in eight languages, put among 500
# English comments (41 read right, the others as English), and on 17,315 comments of three English-speaking forums
# (62 not read as English; 28 of these are indeed not, the others are mostly shouts such as "Yay!").
_SHARPNESS = 2.0
_SURPRISE = 0.1
_CLEAR, _CLEAR_LETTERS = 0.8, 20
_PRIOR_STRENGTH = 5.0  # as many comments as the whole table's shares count for in each thread

_HEAD = 200  # characters; more only costs time
_NO_WORDS = r"(?i)https?://\S+|[@#]\w+|\b[ru]/\w+"

Counts = NDArray[np.int64]


def detect_languages(comments: pl.DataFrame, candidates: Sequence[str]) -> pl.DataFrame:
    """Find the language of each text: what `read_letters` says, weighed by `weigh` over these comments alone.

    Args:
        comments: columns thread_id and text (null stays null).
        candidates: ISO 639-1 codes that come into question.

    Returns:
        As of `weigh`, aligned with the rows.

    Raises:
        UsageError: there is no candidate, or one that lingua does not know.
    """
    models = LanguageModels(candidates)
    letters = read_letters(comments["text"], models)
    return weigh(comments["thread_id"], letters, clear_comments(letters), models.codes)


def read_letters(texts: pl.Series, models: LanguageModels) -> pl.DataFrame:
    """Read texts by themselves, each distinct one once; what is no word (addresses, names) does not count.

    Args:
        texts: String, null for none.
        models: of the candidate languages.

    Returns:
        Aligned with the texts: `has_text`, `likelihood` (Array of Float64, one a candidate; null without letters),
        `clear` (Boolean: long and plain enough to speak for its thread), and for a text in a script that no candidate
        is written in `script_language` and `script_share`, else null.
    """
    head = pl.col("text").str.replace_all(_NO_WORDS, " ").str.slice(0, _HEAD).alias("head")
    heads = pl.DataFrame({"text": texts}).select(head)
    # One Latin letter, as in "B" or a damaged emoji, is no word of any language.
    telling = (pl.col("letters") > 1) | pl.col("head").str.contains(rf"[\p{{L}}--{LATIN}]")
    distinct = (
        heads.unique(maintain_order=True)
        .with_columns(pl.col("head").str.count_matches(r"\p{L}").alias("letters"))
        .filter(telling)
    )
    likelihood = models.confidences(distinct["head"]) ** _SHARPNESS
    clear = (distinct["letters"].to_numpy() >= _CLEAR_LETTERS) & (
        likelihood.max(axis=1, initial=0) >= _CLEAR**_SHARPNESS
    )
    foreign = pl.Series(likelihood.sum(axis=1) == 0).arg_true()
    named = by_script(distinct["head"].gather(foreign)).rename({"language": "script_language", "share": "script_share"})
    found = distinct.select("head").with_columns(
        pl.Series("likelihood", likelihood, dtype=pl.Array(pl.Float64, len(models.codes))), pl.Series("clear", clear)
    )
    found = found.with_row_index("row").join(
        named.with_columns(foreign.alias("row")), on="row", how="left", maintain_order="left"
    )
    return (
        heads.join(found.drop("row"), on="head", how="left", maintain_order="left")
        .with_columns(has_text=pl.col("head").is_not_null())
        .drop("head")
    )


def clear_comments(letters: pl.DataFrame) -> Counts:
    """Count the clear comments of each candidate language, for `weigh`.

    Args:
        letters: as of `read_letters`.
    """
    clear = letters.filter("clear")["likelihood"]
    width = letters.schema["likelihood"].shape[0]  # pyright: ignore[reportAttributeAccessIssue] - an Array has one
    if clear.is_empty():
        return np.zeros(width, dtype=np.int64)
    return np.bincount(clear.to_numpy().argmax(axis=1), minlength=width)


def weigh(threads: pl.Series, letters: pl.DataFrame, overall: Counts, codes: Sequence[str]) -> pl.DataFrame:
    """Weigh what the letters of each comment say with what its thread speaks.

    Args:
        threads: thread_id of each comment; all comments of each thread are there.
        letters: as of `read_letters`, aligned.
        overall: clear comments of each language in the whole table, see `clear_comments`.
        codes: of the candidates, in the order of the likelihoods.

    Returns:
        `language` (ISO 639-1) and `language_confidence` (0–1, the posterior), aligned with the rows; null where there
        is no text. A text without letters (emoji, numbers, addresses) gets its thread's main language with confidence
        0: nothing in it speaks for it. So does a text that no language fits with at least 0.5, with the confidence that
        the main language has. A text in a script that no candidate is written in gets the script's main language, and
        as confidence that script's share of its letters; null where no script is known.
    """
    thread = threads.rank("dense").cast(pl.Int64).to_numpy() - 1
    read = letters["likelihood"].is_not_null().to_numpy()
    likelihood = np.ones((len(threads), len(codes)))
    if read.any():
        likelihood[read] = letters["likelihood"].drop_nulls().to_numpy()
    clear = letters["clear"].fill_null(value=False).to_numpy()
    prior = _priors(likelihood, clear, thread, overall)
    posterior = likelihood * prior[thread]
    total = posterior.sum(axis=1)
    posterior /= np.where(total > 0, total, 1)[:, None]
    best = posterior.argmax(axis=1)
    # Where nothing has the better half of the odds ("HAHAHA"), the thread decides.
    best = np.where(posterior.max(axis=1) < 0.5, prior[thread].argmax(axis=1), best)
    confidence = np.where(read, np.take_along_axis(posterior, best[:, None], axis=1)[:, 0], 0.0)
    foreign = pl.Series(read & (total == 0))
    return letters.select(
        pl.when("has_text")
        .then(pl.when(foreign).then("script_language").otherwise(pl.Series(codes).gather(best)))
        .alias("language"),
        pl.when("has_text")
        .then(pl.when(foreign).then("script_share").otherwise(pl.Series(confidence)))
        .alias("language_confidence"),
    )


def _priors(likelihood: Shares, clear: NDArray[np.bool_], thread: Counts, overall: Counts) -> Shares:
    """Return for each thread the smoothed share of each language among its clear comments, shape (threads, codes)."""
    number = likelihood.shape[1]
    counts = np.zeros((int(thread.max(initial=-1)) + 1, number))
    np.add.at(counts, (thread[clear], likelihood[clear].argmax(axis=1)), 1)
    everywhere = (overall + 1) / (overall.sum() + number)
    shares = (counts + _PRIOR_STRENGTH * everywhere) / (counts.sum(axis=1, keepdims=True) + _PRIOR_STRENGTH)
    return (1 - _SURPRISE) * shares + _SURPRISE / number
