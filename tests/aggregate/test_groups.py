"""Groups and crossings: which comments are in them, and that a share stands only where labels in the cell allow it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from discourse.aggregate.crossings import crossing_estimates
from discourse.aggregate.estimates import Estimate
from discourse.aggregate.frames import frame_headlines
from discourse.aggregate.groups import group_estimates, group_units
from discourse.aggregate.headline import Headline
from discourse.aggregate.labels import resolve
from discourse.aggregate.time_bins import bin_width, binned
from discourse.aggregate.units import Eligible, eligible_comments
from discourse.config import FilterConfig, TaggingConfig
from discourse.tables import LABELS, Measure

Read = Callable[..., tuple[Eligible, list[Headline]]]


@pytest.fixture
def read(
    comments_table: Callable[..., pl.DataFrame],
    frames_table: Callable[..., pl.DataFrame],
    heldout_rows: Callable[..., list[dict[str, Any]]],
    make_bundle: Callable[..., Any],
) -> Read:
    """Return a function that reads tags (one of two frames each) and labels of `size` comments."""

    def _read(size: int, tagged: Callable[[int], bool], labelled: int = 0, **columns: Any) -> Any:
        rows = heldout_rows("fear", {(1, 1): 90, (1, 0): 10, (0, 0): 190, (0, 1): 10})
        rows += heldout_rows("war", {(1, 1): 90, (1, 0): 10, (0, 0): 190, (0, 1): 10})
        bundle = make_bundle(["fear", "war"], rows)
        comments = comments_table(size, **columns)
        tags = frames_table(bundle, comments, [tagged(i) for i in range(size)])
        other = tags.with_columns(frame=pl.lit("war"), above_threshold=~pl.col("above_threshold"))
        frames = pl.concat([tags.with_columns(frame=pl.lit("fear")), other])
        given = pl.DataFrame(
            {
                "comment_id": [f"file:{i}" for i in range(labelled)],
                "kind": "frame",
                "level": "fear",
                "value": ["yes" if tagged(i) else "no" for i in range(labelled)],
                "hard": False,
                "annotator": "a",
                "design": "uniform",
                "inclusion": labelled / max(size, 1),
                "round": 1,
            }
        )
        labels = LABELS.conform(given) if labelled else LABELS.empty()
        eligible = eligible_comments(comments, ["en"], FilterConfig())
        resolved = resolve(labels, "majority")
        return eligible, frame_headlines(eligible, frames, resolved, bundle, TaggingConfig(), 0)[0]

    return _read


def found(rows: list[Estimate], measure: Measure, level: str) -> dict[tuple[str | None, str | None], Any]:
    """Return estimate and n by group."""
    wanted = [row for row in rows if row.measure is measure and row.level == level]
    return {(row.group_by, row.group): (row.estimate, row.n) for row in wanted}


def test_depth_and_authors_make_groups_that_part_all_comments(read: Read) -> None:
    """Groups of one kind part the comments; without labels they hold counts and no share."""
    eligible, headlines = read(
        120,
        lambda i: i % 2 == 0,
        depth=[i % 6 for i in range(120)],
        author=["loud" if i < 10 else "two" if i < 12 else None if i < 20 else f"a{i}" for i in range(120)],
    )
    rows = group_estimates(headlines, group_units(eligible))
    counts = found(rows, Measure.COUNT, "frame:fear")
    assert {name: n for (by, name), (_, n) in counts.items() if by == "depth"} == {
        "0": 20,
        "1": 20,
        "2-3": 40,
        "4+": 40,
    }
    assert counts["depth", "2-3"] == (20, 40)
    assert {name: n for (by, name), (_, n) in counts.items() if by == "author_group"} == {
        "1": 100,
        "2-4": 2,
        "5+": 10,
        "unknown": 8,
    }
    assert not found(rows, Measure.SHARE, "frame:fear")


def test_a_share_stands_where_thirty_labels_lie_in_the_cell(read: Read) -> None:
    """A cell gets a share from at least 30 labels of known inclusion in it, and a count besides."""
    eligible, headlines = read(200, lambda i: i % 2 == 0, labelled=60, depth=[0 if i < 100 else 1 for i in range(200)])
    rows = group_estimates(headlines, group_units(eligible))
    shares = found(rows, Measure.SHARE, "frame:fear")
    assert set(shares) == {("depth", "0")}
    assert shares["depth", "0"] == (pytest.approx(0.5), 100)
    assert {row.n_labelled for row in rows if row.measure is Measure.SHARE} == {60}
    assert found(rows, Measure.COUNT, "frame:fear")["depth", "1"] == (50, 100)


def test_time_bins_are_as_narrow_as_the_times_allow() -> None:
    """A thread of two days is cut into hours, one of years into longer bins, one of known days never below a day."""
    start = datetime(2024, 5, 1, 12, tzinfo=UTC)

    def table(step: timedelta, precision: str, size: int = 100) -> pl.DataFrame:
        times = [start + step * i for i in range(size)]
        return pl.DataFrame(
            {"created_at": times, "created_precision": [precision] * size},
            schema_overrides={"created_at": pl.Datetime("us", "UTC")},
        )

    assert bin_width(table(timedelta(minutes=20), "exact")) == "PT3H"
    assert bin_width(table(timedelta(days=20), "exact")) == "P3M"
    assert bin_width(table(timedelta(hours=1), "day")) == "P1D"
    assert bin_width(table(timedelta(hours=1), "unknown")) is None
    assert bin_width(table(timedelta(0), "exact")) is None
    bins = binned(table(timedelta(minutes=20), "exact"), "PT3H")
    assert bins[0] == "2024-05-01T12:00/PT3H"
    assert binned(table(timedelta(days=1), "day"), "P1D")[1] == "2024-05-02/P1D"


def test_crossings_count_the_other_frame_among_the_tagged(read: Read) -> None:
    """Among the comments tagged with one frame those with the other are counted, also among those of a topic."""
    eligible, headlines = read(90, lambda i: i % 3 == 0)
    topics = pl.DataFrame(
        {"comment_id": [f"file:{i}" for i in range(90)], "topic": [i // 45 for i in range(90)]}
    ).with_columns(assignment=pl.lit("fitted"))
    rows = crossing_estimates(eligible, headlines, topics, [0, 1])
    counts = found(rows, Measure.COUNT, "frame:war")
    assert counts == {("frame", "fear"): (0, 30), ("topic", "0"): (30, 45), ("topic", "1"): (30, 45)}
    assert found(rows, Measure.COUNT, "frame:fear")["frame", "war"] == (0, 60)


@pytest.mark.parametrize("size", [0, 1])
def test_nothing_to_split_gives_no_groups(read: Read, size: int) -> None:
    """No comment or a single one makes no group, and crossings of nothing that say so."""
    eligible, headlines = read(size, lambda _: True)
    assert group_estimates(headlines, group_units(eligible)) == []
    topics = pl.DataFrame(schema={"comment_id": pl.String, "topic": pl.Int64, "assignment": pl.String})
    rows = crossing_estimates(eligible, headlines, topics, [])
    assert found(rows, Measure.COUNT, "frame:war") == ({("frame", "fear"): (0, 1)} if size else {})
