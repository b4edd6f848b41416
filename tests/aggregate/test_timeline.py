"""First uses: which comment of a thread is the first tagged so, by its time or else by its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from discourse.aggregate.estimates import as_table
from discourse.aggregate.timeline import first_uses
from discourse.config import FilterConfig
from discourse.denominator import mark_excluded

Make = Callable[..., Any]
START = datetime(2025, 3, 1, 12, tzinfo=UTC)


def _uses(comments: pl.DataFrame, yes: Sequence[bool]) -> dict[tuple[str, str], tuple[float, int]]:
    """Return estimate and n of the rows by unit and group."""
    marked = mark_excluded(comments.lazy(), ["en"], FilterConfig()).collect()
    tags = pl.DataFrame(
        {"comment_id": comments["comment_id"], "level": ["frame:fear"] * comments.height, "tagged": list(yes)},
        schema={"comment_id": pl.String, "level": pl.String, "tagged": pl.Boolean},
    )
    rows = first_uses(marked, tags, ["frame:fear"])
    as_table(rows)
    return {(row.unit, row.group or ""): (row.estimate or 0.0, row.n) for row in rows}


@pytest.fixture
def thread(comments_table: Make) -> Callable[..., pl.DataFrame]:
    """Return a function that makes one thread: an opening post, branch 1–3 (a chain), branch 4, branch 5–6."""

    def make(**columns: Any) -> pl.DataFrame:
        base = {
            "parent_id": [None, None, "file:1", "file:2", None, None, "file:5"],
            "reply_kind": ["opening", "top", "reply", "reply", "top", "top", "reply"],
            "depth": [0, 0, 1, 2, 0, 0, 1],
        }
        return comments_table(7, **{**base, **columns})

    return make


def test_without_times_the_first_is_the_first_of_the_thread(thread: Make) -> None:
    """Thread order decides where times are not known; the opening post neither counts nor makes a branch."""
    found = _uses(thread(), [True, False, False, True, False, False, True])
    assert found == {
        ("all", "position"): (3, 6),
        ("all", "before"): (2, 6),
        ("all", "depth"): (2, 6),
        ("all", "branch"): (1, 6),
    }


def test_with_times_the_first_is_the_earliest(thread: Make) -> None:
    """A later place in the thread is the first use if it was written earlier."""
    hours = [0, 1, 7, 9, 3, 2, 4]
    comments = thread(
        created_at=[START + timedelta(hours=hour) for hour in hours], created_precision=["exact"] * 6 + ["minute"]
    )
    found = _uses(comments, [False, False, False, True, False, False, True])
    assert found["all", "position"] == (6, 6)
    assert found["all", "before"] == (3, 6)
    assert found["all", "branch"] == (3, 6)


@pytest.mark.parametrize("precision", ["day", "relative", "unknown"])
def test_one_vague_time_makes_the_thread_order_count(thread: Make, precision: str) -> None:
    """Times to the day do not say which comment was first."""
    comments = thread(
        created_at=[START + timedelta(hours=9 - i) for i in range(7)], created_precision=["exact"] * 6 + [precision]
    )
    assert _uses(comments, [False, False, False, True, False, False, True])["all", "position"] == (3, 6)


def test_what_is_not_eligible_is_not_first(thread: Make) -> None:
    """Deleted comments and bots are passed over."""
    comments = thread(state=["visible", "deleted"] + ["visible"] * 5, role=["user"] * 2 + ["bot"] + ["user"] * 4)
    found = _uses(comments, [True] * 7)
    assert found["all", "position"] == (3, 4)
    assert found["all", "before"] == (0, 4)


def test_threads_are_counted_by_whether_and_where_a_frame_came_in(comments_table: Make) -> None:
    """All threads together: how many use the frame, and in how many it came in at the top; no row where it did not."""
    comments = comments_table(
        9,
        threads=3,
        parent_id=[None] * 3 + ["file:0", "file:1", "file:2"] * 2,
        reply_kind=["top"] * 3 + ["reply"] * 6,
        depth=[0] * 3 + [1] * 6,
    )
    found = _uses(comments, [False, True, False, True] + [False] * 5)
    assert found["all", "threads"] == (2, 3)
    assert found["all", "top_level"] == (1, 2)
    assert found["thread:file:t0", "depth"] == (1, 3)
    assert found["thread:file:t1", "depth"] == (0, 3)
    assert not any(unit == "thread:file:t2" for unit, _ in found)


@pytest.mark.parametrize("number", [0, 1, 6])
def test_nobody_uses_it(comments_table: Make, number: int) -> None:
    """No use makes no row for a thread, and no comment no error."""
    assert _uses(comments_table(number, threads=2), [False] * number).get(("all", "threads"), (0.0, 0))[0] == 0
