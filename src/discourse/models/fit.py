"""The fit check: are new comments like those that a bundle learned from?

A bundle keeps statistics of its training comments and no text: where its sources lie among vectors and in manner of
writing, a sketch of the words that at least two threads have, lengths, and thresholds. New comments are compared by
effect sizes; a verdict is never a test of significance, which would find any difference in enough comments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discourse.models.fit_measures import (
    LEAST_VARIANCE,
    Space,
    count_unknown,
    describe_space,
    distance,
    length_difference,
    length_percentiles,
    marks,
    more_than_usual,
    sketch,
    threads_of_words,
    unknown_share,
    words,
)
from discourse.models.fit_thresholds import (
    MEASURED,
    SIZES,
    Features,
    Threshold,
    effective_threads,
    fix_thresholds,
    leave_sources_out,
    unknown_elsewhere,
)

CHECKS = (*MEASURED, "language")
LEAST_COMMENTS = SIZES[0]
LEAST_ROWS = 200
# No training comment is in another language, so nothing can be learned about how many are too many: a fifth.
FOREIGN_SHARE = 0.2
# Reasons stand in the report, whose words in other languages are found by them.
TOO_FEW = "there are too few comments to compare"
FITS, DIFFERS, UNKNOWN = "fits", "differs", "unknown"


@dataclass(frozen=True, slots=True)
class FitStatistics:
    """What new comments are compared with.

    Attributes:
        space: of vectors.
        style: of `fit_measures.marks`.
        known: a Bloom filter of the words that at least two training threads have.
        usual_unknown: the share of unknown words in threads that were not seen.
        percentiles: 101 percentiles of the lengths of each source.
        thresholds: by check, all of `MEASURED`.
    """

    space: Space
    style: Space
    known: NDArray[np.uint8]
    usual_unknown: float
    percentiles: NDArray[np.float64]
    thresholds: dict[str, Threshold]


@dataclass(frozen=True, slots=True)
class FitSummary:
    """What a bundle keeps of its training comments.

    Attributes:
        encoder: what gave the vectors.
        languages: of the training comments.
        rows: training rows of each source.
        left_out: for each source the effects of its comments against all others, by check.
        statistics: None where there were too few training rows.
    """

    encoder: str
    languages: tuple[str, ...]
    rows: dict[str, int]
    left_out: dict[str, dict[str, float]]
    statistics: FitStatistics | None


@dataclass(frozen=True, slots=True)
class Fit:
    """The result of one check of a set of comments: `verdict` is fits, differs or unknown, `reason` why unknown."""

    check: str
    effect: float | None
    threshold: float | None
    verdict: str
    reason: str = ""


def summarise(
    vectors: NDArray[np.float32],
    texts: Sequence[str],
    sources: Sequence[str],
    threads: Sequence[str],
    languages: Sequence[str],
    encoder: str,
    weights: Sequence[float | None] | None = None,
    seed: int = 0,
) -> FitSummary:
    """Describe training comments so that new ones can be compared with them.

    Args:
        vectors: rows × width, of the text alone, as tagging keeps them.
        texts: cleaned as comments are before they are tagged.
        sources: of each row; centres are kept and thresholds hold for each.
        threads: of each row; where each row is its own, single threads get no verdict.
        languages: that the bundle reads.
        encoder: names what gave the vectors; other vectors are not compared.
        weights: how many comments a row stands for, where known.
        seed: of the draws that fix the thresholds.

    Returns:
        A summary, without statistics where there are fewer than `LEAST_ROWS` rows.
    """
    source, thread = np.array(sources, np.str_), np.array(threads, np.str_)
    names, counts = np.unique(source, return_counts=True)
    rows = {str(name): int(count) for name, count in zip(names, counts, strict=True)}
    if len(texts) < LEAST_ROWS:
        return FitSummary(encoder, tuple(languages), rows, {}, None)
    # Two sources may call different threads by one name.
    thread = np.char.add(np.char.add(source, "\n"), thread)
    read = [words(text) for text in texts]
    features = Features(
        vectors=vectors,
        marks=marks(texts),
        words=read,
        unknown=unknown_elsewhere(read, thread),
        lengths=np.array([len(text) for text in texts], np.int64),
        sources=source,
        threads=thread,
        weights=None if weights is None else np.array([np.nan if w is None else w for w in weights], np.float64),
    )
    return FitSummary(encoder, tuple(languages), rows, leave_sources_out(features, seed), _statistics(features, seed))


def check_fit(
    summary: FitSummary | None,
    vectors: NDArray[np.float32],
    texts: Sequence[str],
    threads: Sequence[str] | None = None,
    foreign: int = 0,
    encoder: str | None = None,
) -> tuple[Fit, ...]:
    """Compare comments with those that a bundle learned from.

    Args:
        summary: of the bundle's training comments; None if it has none.
        vectors: comments × width, made by the encoder that the summary names.
        texts: of the comments, cleaned.
        threads: of each comment; without them all are taken to be of one thread.
        foreign: how many further comments are in languages that the bundle does not read.
        encoder: names what gave the vectors.

    Returns:
        One result for each of `CHECKS`. Below `LEAST_COMMENTS` comments, or without statistics, all are unknown.
    """
    language = _language(len(texts), foreign)
    if summary is None:
        return (*_unknown("the bundle keeps no statistics of its training comments"), language)
    if (found := summary.statistics) is None:
        return (*_unknown("the bundle learned from too few comments to compare with"), language)
    if len(texts) < LEAST_COMMENTS:
        return (*_unknown(TOO_FEW), language)
    if encoder is not None and encoder != summary.encoder:
        return (*_unknown("the statistics are of vectors of another encoder"), language)
    effects = {
        "distance": distance(found.space, found.space.project(vectors)),
        "vocabulary": more_than_usual(
            unknown_share(count_unknown(found.known, [words(text) for text in texts])), found.usual_unknown
        ),
        "style": distance(found.style, found.style.project(marks(texts))),
        "length": length_difference(found.percentiles, np.array([len(text) for text in texts], np.int64)),
    }
    spread = 1.0 if threads is None else effective_threads(np.array(threads, np.str_))
    fits = [_fit(check, effects[check], found.thresholds[check].at(len(texts), spread)) for check in MEASURED]
    return (*fits, language)


def card_lines(summary: FitSummary) -> list[str]:
    """Return what the card says of the check, as Markdown lines: what each source gets when it is left out whole."""
    heading = "## Which comments are like those it learned from"
    if summary.statistics is None:
        return [heading, "", f"Nothing to compare with: there were fewer than {LEAST_ROWS} training comments."]
    thresholds = summary.statistics.thresholds
    many = {check: thresholds[check].of_many(SIZES[-1]) for check in MEASURED}
    one = {check: thresholds[check].at(SIZES[-1], 1.0) for check in MEASURED}
    return [
        heading,
        "",
        (
            "New comments are compared with those above; an effect over its threshold is a warning. Thresholds, here "
            f"for {SIZES[-1]} comments, let training threads fit that the statistics did not see. Below them stands "
            "what each source would get had it been new."
        ),
        "",
        f"| | {' | '.join(MEASURED)} |",
        f"|---|{'---|' * len(MEASURED)}",
        _card_row("threshold, many threads", many),
        _card_row("threshold, one thread", one),
        *(_card_row(f"{source} left out", effects) for source, effects in summary.left_out.items()),
    ]


def _card_row(name: str, values: Mapping[str, float | None]) -> str:
    cells = [values.get(check) for check in MEASURED]
    return f"| {name} | {' | '.join('–' if value is None else f'{value:.2f}' for value in cells)} |"


def _statistics(features: Features, seed: int) -> FitStatistics:
    sources, threads, weights = features.sources, features.threads, features.weights
    seen = threads_of_words(features.words, threads)
    return FitStatistics(
        space=_stored(describe_space(features.vectors, sources, threads, weights)),
        style=_stored(describe_space(features.marks, sources, threads, weights, LEAST_VARIANCE)),
        known=sketch([word for word, count in seen.items() if count > 1]),
        usual_unknown=features.usual,
        percentiles=length_percentiles(features.lengths, sources, weights),
        thresholds=fix_thresholds(features, seed),
    )


def _stored(space: Space) -> Space:
    """Return a space with the precision that is written, so that a loaded summary equals the one that was saved."""
    whiten, centres, blur = (
        part.astype(np.float32).astype(np.float64) for part in (space.whiten, space.centres, space.blur)
    )
    return Space(whiten, centres, blur)


def _language(read: int, foreign: int) -> Fit:
    if read + foreign < LEAST_COMMENTS:
        return Fit("language", None, None, UNKNOWN, TOO_FEW)
    return _fit("language", more_than_usual(foreign / (read + foreign), 0.0), more_than_usual(FOREIGN_SHARE, 0.0))


def _fit(check: str, effect: float, threshold: float | None) -> Fit:
    if threshold is None:
        reason = "the training comments do not show how threads vary"
        return Fit(check, effect, None, UNKNOWN, reason)
    return Fit(check, effect, threshold, DIFFERS if effect > threshold else FITS)


def _unknown(reason: str) -> tuple[Fit, ...]:
    return tuple(Fit(check, None, None, UNKNOWN, reason) for check in MEASURED)
