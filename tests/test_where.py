"""Conditions of `--where`: what they become, and what is said of those that cannot be read."""

from __future__ import annotations

import pytest

from discourse.config import Config, override
from discourse.denominator import filter_words
from discourse.errors import UsageError
from discourse.where import parse_where


def said(*conditions: str, attributes: tuple[str, ...] = ("section",)) -> str:
    """Return in words the filter that conditions make."""
    return filter_words(override(Config(), parse_where(conditions, attributes)).filter)


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        (["date>=2024-05-01"], "from 2024-05-01"),
        (["date<2024-05-01"], "to 2024-04-30"),
        (["date > 2024-04-30", "date<=2024-05-02"], "from 2024-05-01, to 2024-05-02"),
        (["date=2024-02-29"], "from 2024-02-29, to 2024-02-29"),
        (["language=en, de", "role=user"], "language en or de, role user"),
        (["thread=reddit:a=b"], "thread reddit:a=b"),
        (["section=opinion,news"], "section opinion or news"),
        ([], ""),
    ],
)
def test_conditions_become_the_filter_that_the_denominator_tells(conditions: list[str], words: str) -> None:
    """Conditions become the filter that the denominator line tells."""
    assert said(*conditions) == words


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("date", "write a name, a sign and a value"),
        ("date>=", "write a name, a sign and a value"),
        ("date>=yesterday", "YYYY-MM-DD"),
        ("date!=2024-01-01", "date takes"),
        ("language>en", 'takes "=" alone'),
        ("langauge=en", 'did you mean "language"'),
        ("sectoin=news", 'did you mean "section"'),
        ("role=king", "role"),
        ("date>=2024-02-30", "YYYY-MM-DD"),
    ],
)
def test_a_condition_that_cannot_be_read_is_told_in_one_sentence(condition: str, words: str) -> None:
    """A condition that cannot be read is told in one sentence with what is allowed."""
    with pytest.raises(UsageError, match=words):
        said(condition)


def test_days_out_of_order_are_refused() -> None:
    """A first day after the last is refused."""
    with pytest.raises(UsageError, match="after the last"):
        said("date>=2024-05-02", "date<=2024-05-01")
