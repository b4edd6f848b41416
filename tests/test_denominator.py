"""Which comments count, and the reason for each that does not."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from discourse.config import FilterConfig
from discourse.denominator import EXCLUSIONS, filter_words, mark_excluded
from discourse.tables import Role

PLAIN = {
    "comment_id": "c",
    "thread_id": "t",
    "reply_kind": "top",
    "state": "visible",
    "text": "The ferry is late.",
    "role": "user",
    "language": "en",
    "created_at": datetime(2026, 1, 2, 12, tzinfo=UTC),
}


def excluded(chosen: FilterConfig | None = None, **changes: object) -> str | None:
    frame = pl.DataFrame([{**PLAIN, **changes}], schema_overrides={"text": pl.String, "language": pl.String})
    return mark_excluded(frame.lazy(), ["en"], chosen or FilterConfig()).collect()["excluded"][0]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"reply_kind": "opening", "state": "deleted"}, "opening"),
        ({"state": "removed", "text": None}, "not_visible"),
        ({"text": None, "role": "bot"}, "no_text"),
        ({"text": ""}, "no_text"),
        ({"role": "staff", "language": "es"}, "staff_or_bot"),
        ({"language": "es"}, "language"),
        ({"language": None}, "language"),
    ],
)
def test_the_first_reason_that_holds_is_given(changes: dict[str, object], reason: str | None) -> None:
    assert excluded(**changes) == reason
    assert reason is None or reason in EXCLUSIONS


@pytest.mark.parametrize(
    ("chosen", "changes", "reason"),
    [
        (FilterConfig(threads=("other",)), {}, "filtered"),
        (FilterConfig(threads=("t",)), {}, None),
        (FilterConfig(roles=(Role.AUTHOR,)), {}, "filtered"),
        (FilterConfig(languages=("fr",)), {}, "filtered"),
        (FilterConfig(dates=(date(2026, 1, 1), date(2026, 1, 2))), {}, None),
        (FilterConfig(dates=(date(2026, 1, 1), date(2026, 1, 1))), {}, "filtered"),
        (FilterConfig(dates=(date(2026, 1, 1), date(2026, 1, 2))), {"created_at": None}, "filtered"),
    ],
)
def test_a_filter_leaves_out_what_it_does_not_name(
    chosen: FilterConfig, changes: dict[str, object], reason: str | None
) -> None:
    assert excluded(chosen, **changes) == reason


@pytest.mark.parametrize(("values", "reason"), [(("news",), None), (("sport", "news"), None), (("sport",), "filtered")])
@pytest.mark.parametrize(("unit", "name"), [("comment", "c"), ("thread", "t")])
def test_a_filter_on_attributes_reads_those_of_the_comment_and_of_its_thread(
    unit: str, name: str, values: tuple[str, ...], reason: str | None
) -> None:
    attributes = pl.DataFrame({"unit": [unit], "id": [name], "name": ["section"], "value": ["news"]})
    chosen = FilterConfig(attributes={"section": values})
    frame = pl.DataFrame([PLAIN]).lazy()
    assert mark_excluded(frame, ["en"], chosen, attributes).collect()["excluded"][0] == reason
    assert mark_excluded(frame, ["en"], chosen).collect()["excluded"][0] == "filtered"


def test_an_open_end_filters_one_side_only_and_the_filter_is_told_in_words() -> None:
    late = FilterConfig(dates=(date(2026, 1, 2), None), roles=(Role.USER,))
    assert excluded(late) is None
    assert excluded(late, created_at=datetime(2026, 1, 1, 23, tzinfo=UTC)) == "filtered"
    assert excluded(FilterConfig(dates=(None, date(2026, 1, 1)))) == "filtered"
    assert filter_words(late) == "from 2026-01-02, role user"
