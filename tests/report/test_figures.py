"""Numbers are rounded as a newspaper would, and never say more than they know."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discourse.report.catalogue import words_of
from discourse.report.figures import FRACTIONS, count, in_words, percent, span

WORDS = words_of("en")


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0 %"),
        (0.0004, "fewer than 1 %"),
        (0.0099, "fewer than 1 %"),
        (0.01, "1 %"),
        (0.043, "4.3 %"),
        (0.0996, "10 %"),
        (0.142, "14 %"),
        (0.994, "99 %"),
        (0.9961, "more than 99 %"),
        (1.0, "100 %"),
    ],
)
def test_percentages_are_whole_from_ten_on(share: float, said: str) -> None:
    """Whole numbers from 10 % on, one decimal at most below, and never 0 or 100 % for almost so."""
    assert percent(share, WORDS) == said


def test_thousands_are_parted() -> None:
    """Counts are written with a comma between thousands."""
    assert tuple(count(value, WORDS) for value in (999.0, 1204, 1_000_000)) == ("999", "1,204", "1,000,000")


def test_interval_ends_keep_one_decimal_below_one_percent() -> None:
    """The ends of an interval below 1 % are not both called fewer than 1 %."""
    assert span((0.004, 0.091), WORDS) == "0.4–9.1 %"


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "none"),
        (0.002, "fewer than one in a hundred"),
        (0.142, "about one in seven"),
        (0.5, "about half"),
        (0.97, "nearly all"),
        (1.0, "all"),
    ],
)
def test_shares_are_said_as_fractions(share: float, said: str) -> None:
    """A share is said as the fraction people would say."""
    assert in_words(share, WORDS) == said


@given(st.floats(0.0075, 0.95))
@settings(max_examples=100)
def test_a_fraction_is_near_its_share(share: float) -> None:
    """No fraction is further from the share than a third of it, or of what is left to one."""
    said = in_words(share, WORDS).removeprefix("about ")
    value = next(value for value, key in FRACTIONS if WORDS.text(f"fraction.{key}") == said)
    assert abs(value - share) <= max(share, 1 - share, 0.02) * 0.34
    assert abs(value - share) <= 0.34 * share + 0.001
