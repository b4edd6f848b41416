"""Numbers as an editor reads them, each tied to the estimate it was taken from."""

from __future__ import annotations

import math

from discourse.report.catalogue import Words
from discourse.report.index import Estimate
from discourse.report.phrases import Figure

# Shares that people say as a fraction, with their key in the catalogue.
FRACTIONS = (
    (0.9, "nine_in_ten"),
    (0.8, "four_in_five"),
    (0.75, "three_in_four"),
    (2 / 3, "two_in_three"),
    (0.6, "three_in_five"),
    (0.5, "half"),
    (0.4, "two_in_five"),
    (1 / 3, "one_in_three"),
    (0.25, "one_in_four"),
    (0.2, "one_in_five"),
    (1 / 6, "one_in_six"),
    (1 / 7, "one_in_seven"),
    (0.125, "one_in_eight"),
    (1 / 9, "one_in_nine"),
    (0.1, "one_in_ten"),
    (1 / 12, "one_in_twelve"),
    (1 / 15, "one_in_fifteen"),
    (0.05, "one_in_twenty"),
    (0.04, "one_in_twenty_five"),
    (1 / 30, "one_in_thirty"),
    (0.025, "one_in_forty"),
    (0.02, "one_in_fifty"),
    (0.01, "one_in_a_hundred"),
)
# From this width on, a point alone would promise more than the estimate holds.
WIDE = 0.2
# Below this share, what counts is where the interval ends.
NEXT_TO_NONE = 0.0005


def count(value: float, words: Words) -> str:
    """Write a number of things: 1204 becomes ``1,204``."""
    return words.number(value)


def percent(share: float, words: Words) -> str:
    """Write a share: whole numbers from 10 % on, at most one decimal below, never 0 or 100 % for almost so."""
    if 0 < share < 0.01:
        return words.text("percent.below")
    if 0.995 <= share < 1:
        return words.text("percent.above")
    return f"{_hundredths(share, words)} %"


def span(interval: tuple[float, float], words: Words) -> str:
    """Write an interval of shares for a chart or table: ``11–18 %``."""
    low, high = interval
    return f"{_hundredths(low, words)}–{_hundredths(high, words)} %"


def in_words(share: float, words: Words) -> str:
    """Say a share as a fraction: 0.14 becomes ``about one in seven``."""
    if share <= 0:
        return words.text("fraction.none")
    if share >= 1:
        return words.text("fraction.all")
    if share < 0.0075:
        return words.text("fraction.fewer")
    if share > 0.95:
        return words.text("fraction.nearly_all")
    nearest = min(FRACTIONS, key=lambda fraction: abs(_log_odds(fraction[0]) - _log_odds(share)))
    return words.text("fraction.about", fraction=words.text(f"fraction.{nearest[1]}"))


def total(row: Estimate, words: Words) -> Figure:
    """Write a count."""
    return Figure("", count(row.value, words), row.estimate_id)


def told(row: Estimate, words: Words) -> Figure:
    """Say a share of comments in words, per cent, interval and denominator, for a sentence."""
    return _worded(row, words, "share")


def among(row: Estimate, words: Words) -> Figure:
    """Say a share among the comments about a target in per cent and interval, for a sentence."""
    return _worded(row, words, "among")


def short(row: Estimate, words: Words) -> Figure:
    """Write a share and its interval for a chart or table: ``14 % (11–18 %)``."""
    lead = percent(row.value, words)
    return Figure(lead, f" ({span(row.interval, words)})" if row.interval else "", row.estimate_id)


def part_of(row: Estimate, words: Words) -> Figure:
    """Write a count and the comments it is out of: ``31 of 1,204``."""
    return Figure(
        "", words.text("figure.part_of", count=count(row.value, words), n=count(row.n, words)), row.estimate_id
    )


def quality(row: Estimate, words: Words) -> Figure:
    """Write a measure of a model's quality: error rates in per cent, F1 and the like with two decimals."""
    name = row.level.rsplit(":", 1)[-1]
    if name in {"sensitivity", "false_positive_rate"}:
        return short(row, words)
    places = 3 if name == "ece" else 2
    ends = " ({}–{})".format(*(words.decimal(end, places) for end in row.interval)) if row.interval else ""
    return Figure(words.decimal(row.value, places), ends, row.estimate_id)


def times(row: Estimate, words: Words) -> Figure:
    """Write a ratio or an odds ratio and its interval: ``2.3 (1.2–4.1)``."""
    ends = " ({}–{})".format(*(_ratio(end, words) for end in row.interval)) if row.interval else ""
    return Figure(_ratio(row.value, words), ends, row.estimate_id)


def points(row: Estimate, words: Words) -> Figure:
    """Write a difference of shares in points of a hundred, with its sign and interval: ``+5.2 (−1 to 11.4) points``."""
    ends = ""
    if row.interval:
        low, high = (_signed(end, words) for end in row.interval)
        ends = words.text("figure.points.interval", low=low, high=high)
    return Figure(words.text("figure.points", value=_signed(row.value, words)), ends, row.estimate_id)


def probability(row: Estimate, words: Words) -> Figure:
    """Write Holm's p of a comparison, three decimals at most."""
    p = row.p_holm if row.p_holm is not None else 1.0
    said = words.text("p.below") if p < 0.001 else words.decimal(p, 3 if p < 0.1 else 2)
    return Figure("", said, row.estimate_id)


def _ratio(value: float, words: Words) -> str:
    return words.decimal(value, 2 if value < 9.95 else 0)


def _signed(share: float, words: Words) -> str:
    sign = "+" if share > 0 else "−" if share < 0 else ""
    return f"{sign}{_hundredths(abs(share), words)}"


def _worded(row: Estimate, words: Words, kind: str) -> Figure:
    values = {"words": in_words(row.value, words), "percent": percent(row.value, words), "n": count(row.n, words)}
    form = "exact"
    if row.interval:
        low, high = row.interval
        values |= {"low": _hundredths(low, words), "high": _hundredths(high, words)}
        form = "wide" if high - low > WIDE else "interval"
        if row.value < NEXT_TO_NONE and high <= 0.5:  # "at most all" would say nothing
            # A point at nothing would be read as never; what is known is how rare it is at most.
            form = "bounded"
            values["words"] = in_words(high, words)
    lead, _, rest = words.text(f"figure.{kind}.{form}", **values).partition("|")
    return Figure(lead, rest, row.estimate_id)


def _hundredths(share: float, words: Words) -> str:
    value = share * 100
    places = 1 if value < 9.95 and round(value, 1) % 1 else 0
    return words.decimal(value, places)


def _log_odds(share: float) -> float:
    return math.log(share / (1 - share))
