"""What is set side by side, and what is said where nothing can be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from discourse.aggregate import check, run
from discourse.aggregate.comparison_sides import MOST, PAIRWISE, REST, Comparison, comparisons
from discourse.aggregate.units import eligible_comments
from discourse.config import CompareConfig, Config, FilterConfig, parse_config
from discourse.errors import UsageError
from discourse.tables import ATTRIBUTES, COMMENTS, ESTIMATES, FRAMES, THREADS
from discourse.workspace import Workspace

Make = Callable[..., Any]


def _threads(comments: pl.DataFrame, **columns: list[str | None]) -> pl.DataFrame:
    names = comments["thread_id"].unique(maintain_order=True).to_list()
    base: dict[str, Any] = {
        "thread_id": names,
        "platform": ["file"] * len(names),
        "source": ["f"] * len(names),
        **{name: [0] * len(names) for name in ("collected", "deleted", "removed", "held", "unreachable", "capped")},
        "quarantined": [0] * len(names),
        **columns,
    }
    return THREADS.conform(pl.DataFrame(base))


def _attributes(
    name: str, values: list[str | None], unit: str = "comment", ids: list[str] | None = None
) -> pl.DataFrame:
    ids = ids or [f"file:{i}" for i in range(len(values))]
    rows = {"unit": [unit] * len(ids), "id": ids, "name": [name] * len(ids), "value": values}
    return ATTRIBUTES.conform(pl.DataFrame(rows, schema_overrides={"value": pl.String()}))


def _made(
    comments: pl.DataFrame, threads: pl.DataFrame, attributes: pl.DataFrame | None = None, **asked: Any
) -> tuple[dict[str, Comparison], tuple[str, ...]]:
    eligible = eligible_comments(comments, ["en"], FilterConfig())
    own = ATTRIBUTES.empty() if attributes is None else attributes
    found = comparisons(eligible, threads, own, CompareConfig(**asked))
    return {each.family: each for each in found.made}, found.notes


def test_few_threads_are_compared_two_by_two_and_many_with_the_rest(comments_table: Make) -> None:
    """Up to five threads are compared in pairs; of more, each is compared with all comments that are not its own."""
    few = comments_table(40, threads=PAIRWISE)
    made, _ = _made(few, _threads(few))
    assert len(made["threads"].contrasts()) == PAIRWISE * (PAIRWISE - 1) // 2
    many = comments_table(60, threads=PAIRWISE + 1)
    made, _ = _made(many, _threads(many))
    contrasts = made["threads"].contrasts()
    assert [each.against for each in contrasts] == [REST] * (PAIRWISE + 1)
    for each in contrasts:
        assert np.array_equal(np.sort(np.concatenate([each.first.rows, each.second.rows])), np.arange(60))


def test_of_very_many_threads_the_largest_are_compared_and_it_is_said(comments_table: Make) -> None:
    """Of more than fifty threads the fifty largest are compared, and a note says so; the others are of the rest."""
    comments = comments_table(200, threads=MOST + 10)
    made, notes = _made(comments, _threads(comments))
    assert len(made["threads"].contrasts()) == MOST
    assert all(each.first.n + each.second.n == 200 for each in made["threads"].contrasts())
    assert any("50 largest of 60" in note for note in notes)


def test_platforms_are_compared_wherever_there_are_two(comments_table: Make) -> None:
    """Two platforms make a table without being asked for; one makes none."""
    comments = comments_table(40, threads=2)
    made, _ = _made(comments, _threads(comments, platform=["reddit", "lemmy"]))
    [contrast] = made["group:platform"].contrasts()
    assert (contrast.first.group_by, contrast.first.group, contrast.against) == ("platform", "lemmy", "reddit")
    made, _ = _made(comments, _threads(comments))
    assert set(made) == {"threads"}


def test_groups_are_attributes_of_comments_or_their_threads(comments_table: Make) -> None:
    """A comment's own value goes before its thread's; comments without a value are in no group, and that is said."""
    comments = comments_table(9, threads=3)
    attributes = pl.concat(
        [
            _attributes("party", ["red", "blue", None], ids=["file:0", "file:1", "file:2"]),
            _attributes("party", ["green", "red"], "thread", ["file:t0", "file:t1"]),
        ]
    )
    made, notes = _made(comments, _threads(comments), attributes, groups=["party"])
    sizes = {side.group: side.n for side in made["group:party"].sides}
    assert sizes == {"blue": 1, "green": 2, "red": 3}
    assert "party: 3 eligible comments have no value and are in no group" in notes


@pytest.mark.parametrize("name", ["role", "reply_kind", "depth", "author_group"])
def test_built_in_groups(name: str, comments_table: Make) -> None:
    """What each comment tells of itself can be compared without an attribute."""
    comments = comments_table(
        40,
        role=["user", "author"] * 20,
        reply_kind=["top", "reply"] * 20,
        depth=[0, 3] * 20,
        author=["loud"] * 10 + [f"a{i}" for i in range(30)],
    )
    made, notes = _made(comments, _threads(comments), groups=[name])
    assert len(made[f"group:{name}"].sides) == 2
    assert notes == ()


def test_a_group_with_one_value_or_none_is_said(comments_table: Make) -> None:
    """A group in which all comments are alike gives no table but a sentence."""
    comments = comments_table(20)
    made, notes = _made(
        comments, _threads(comments), _attributes("party", ["red"] * 20), groups=["party", "site", "depth"]
    )
    assert made == {}
    assert 'party: all eligible comments whose value is known are "red"; nothing is compared' in notes
    assert "site: no eligible comment has a value; nothing is compared" in notes
    assert len(notes) == 3


def test_before_and_after_a_day_leave_out_what_has_no_time(comments_table: Make) -> None:
    """The day itself is after; comments without a time are on neither side, which the denominators say."""
    times = [datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 4, 30, 23, 59, tzinfo=UTC), None] * 10
    comments = comments_table(30, created_at=times)
    made, _ = _made(comments, _threads(comments), split_at=date(2024, 5, 1))
    [contrast] = made["split_at:2024-05-01"].contrasts()
    assert (contrast.first.group, contrast.first.n, contrast.against, contrast.second.n) == ("after", 10, "before", 10)
    assert "10 without a time" in contrast.first.denominator


@pytest.mark.parametrize(
    ("times", "said"),
    [([None] * 9, "no eligible comment has a time"), ([datetime(2024, 1, 1, tzinfo=UTC)] * 9, "are before")],
    ids=["no dates", "all before"],
)
def test_a_day_that_splits_nothing_is_said(times: list[Any], said: str, comments_table: Make) -> None:
    """Without times, or with all on one side, there is no table but a sentence."""
    comments = comments_table(9, created_at=times)
    made, [note] = _made(comments, _threads(comments), split_at=date(2024, 5, 1))
    assert made == {}
    assert said in note


def test_an_unknown_group_is_one_sentence_with_those_known() -> None:
    """A group that is neither built in nor kept as an attribute is refused before anything runs."""
    check(parse_config({"compare": {"groups": ["depth", "party"]}, "input": {"attributes": ["party"]}}))
    with pytest.raises(UsageError, match=r'no attribute "parti"; known are party, platform, site, .*author_group'):
        check(parse_config({"compare": {"groups": ["parti"]}, "input": {"attributes": ["party"]}}))
    with pytest.raises(UsageError, match="give the column another name"):
        check(parse_config({"compare": {"groups": ["split_at"]}, "input": {"attributes": ["split_at"]}}))


def _config(bundle: Any, **asked: Any) -> Config:
    return parse_config(
        {"bundles": {"frames": str(bundle.folder)}, "compare": asked, "input": {"attributes": ["party"]}}
    )


def test_the_stage_writes_every_table_as_one_family(
    workspace: Workspace, make_bundle: Make, heldout_rows: Make, comments_table: Make, frames_table: Make
) -> None:
    """Difference, ratio, sides and the smallest detectable difference are rows, with Holm's p over the table."""
    cells = {(1, 1): 80, (1, 0): 20, (0, 1): 20, (0, 0): 380}
    bundle = make_bundle(["fear"], [row for source in "stuvwx" for row in heldout_rows("fear", cells, source)])
    comments = comments_table(900, threads=3, authors=[f"a{i}" for i in range(300)])
    workspace.write(COMMENTS, comments)
    workspace.write(THREADS, _threads(comments))
    workspace.write(ATTRIBUTES, _attributes("party", [["red", "blue"][i % 2] for i in range(900)]))
    # Every other comment of thread t0 is tagged, one in ten of the others.
    workspace.write(FRAMES, frames_table(bundle, comments, [i % 6 == 0 or i % 30 in (1, 2) for i in range(900)]))
    run(workspace, _config(bundle, groups=["party"]))
    found = workspace.read(ESTIMATES).filter(pl.col("contrast").is_not_null())
    ESTIMATES.conform(found)
    threads = found.filter(pl.col("family") == "threads")
    main = threads.filter((pl.col("measure") == "difference") & (pl.col("variant") == "main"))
    assert main.height == 3
    first = main.filter((pl.col("unit") == "thread:file:t0") & (pl.col("contrast") == "thread:file:t1")).row(
        0, named=True
    )
    assert first["low"] > 0.2
    assert first["p"] <= first["p_holm"] < 0.05
    assert first["mark"] == "not_validated"
    alike = main.filter(pl.col("unit") == "thread:file:t1").row(0, named=True)
    assert alike["low"] < 0 < alike["high"]
    assert alike["p_holm"] > 0.05
    kinds = {(row["measure"], row["variant"]) for row in threads.iter_rows(named=True)}
    assert kinds == {
        ("difference", "main"),
        ("difference", "smallest_detectable"),
        ("ratio", "main"),
        *((measure, side) for measure in ("count", "share") for side in ("side", "other_side")),
    }
    groups = found.filter(pl.col("family") == "group:party")
    assert not groups.filter(pl.col("measure") == "share").height  # a subgroup has no corrected share of its own
    assert (
        groups.filter(pl.col("measure") == "count")["estimate"].sum()
        == found.filter((pl.col("family") == "threads") & (pl.col("measure") == "count"))["estimate"].sum() / 2
    )
    numbers = found.select("estimate", "low", "high", "p", "p_holm")
    assert all(numbers[name].drop_nulls().is_finite().all() for name in numbers.columns)


def test_few_comments_on_a_side_are_marked(
    workspace: Workspace, make_bundle: Make, heldout_rows: Make, comments_table: Make, frames_table: Make
) -> None:
    """A side of fewer than thirty comments marks the comparison as a low sample."""
    cells = {(1, 1): 80, (1, 0): 20, (0, 1): 20, (0, 0): 380}
    bundle = make_bundle(["fear"], [row for source in "stuvwx" for row in heldout_rows("fear", cells, source)])
    comments = comments_table(109, thread_id=["file:a"] * 100 + ["file:b"] * 9)
    workspace.write(COMMENTS, comments)
    workspace.write(THREADS, _threads(comments))
    workspace.write(FRAMES, frames_table(bundle, comments, [i % 2 == 0 for i in range(109)]))
    run(workspace, _config(bundle))
    found = workspace.read(ESTIMATES).filter((pl.col("measure") == "difference") & pl.col("contrast").is_not_null())
    assert set(found["mark"]) == {"low_sample"}
