"""Replies beside what they answer: counts, ratios, what is left out, and input with nothing in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.aggregate.reply_trees import World, grow

from discourse.aggregate import run
from discourse.aggregate.dynamics import frame_dynamics, stance_dynamics
from discourse.aggregate.estimates import Estimate, as_table
from discourse.aggregate.replies import frame_reply_estimates, stance_reply_estimates
from discourse.aggregate.reply_pairs import UNKNOWN, reply_pairs
from discourse.config import FilterConfig, parse_config
from discourse.denominator import mark_excluded
from discourse.models.bundle import Bundle
from discourse.tables import COMMENTS, ESTIMATES, FRAMES, STANCES, Measure
from discourse.workspace import Workspace

Make = Callable[..., Any]
WORDS_OF_CAUSE = ("because", "leads to", "effect", "influence", "triggers", "contagio")


def _marked(comments: pl.DataFrame) -> pl.DataFrame:
    return mark_excluded(comments.lazy(), ["en"], FilterConfig()).collect()


def _tags(comments: pl.DataFrame, yes: Sequence[bool], frame: str = "fear") -> pl.DataFrame:
    return pl.DataFrame(
        {
            "comment_id": comments["comment_id"],
            "frame": [frame] * comments.height,
            "above_threshold": list(yes),
            "decision": ["yes" if one else "no" for one in yes],
        },
        schema_overrides={"above_threshold": pl.Boolean(), "decision": pl.String(), "frame": pl.String()},
    )


def _estimates(comments: pl.DataFrame, yes: Sequence[bool]) -> list[Estimate]:
    return _sound(frame_reply_estimates(_marked(comments), _tags(comments, yes), ["fear"], 0))


def _sound(rows: list[Estimate]) -> list[Estimate]:
    """Return the rows after checking what holds of every one."""
    table = as_table(rows)
    for name in ("estimate", "low", "high", "p", "p_holm"):
        assert table[name].drop_nulls().is_finite().all(), name
    silent = table.filter(pl.col("mark") == "not_estimable")
    assert silent["estimate"].null_count() == silent.height
    assert silent["assumptions"].str.contains("^No (number|ratio)").all()
    assert table.filter(pl.col("mark") != "not_estimable")["estimate"].null_count() == 0
    assert not any(word in " ".join(table["assumptions"].unique()) for word in WORDS_OF_CAUSE)
    return rows


def _one(rows: Sequence[Estimate], method: str, group: str | None = "frame:fear", unit: str = "all") -> Estimate:
    (found,) = [row for row in rows if (row.method, row.group, row.unit) == (method, group, unit)]
    return found


def _left_out(rows: Sequence[Estimate]) -> dict[str, float | None]:
    return {row.level.removeprefix("replies:"): row.estimate for row in rows if row.level.startswith("replies:")}


def test_replies_are_counted_by_what_they_answer(comments_table: Make) -> None:
    """Of the replies to tagged comments k of n are tagged, and so of the replies to others."""
    # Two branches: 0 (tagged) with replies 2–5, 1 with replies 6–9.
    comments = comments_table(
        10,
        parent_id=[None, None] + ["file:0"] * 4 + ["file:1"] * 4,
        reply_kind=["top"] * 2 + ["reply"] * 8,
        depth=[0] * 2 + [1] * 8,
        author=[f"a{i}" for i in range(10)],
    )
    rows = _estimates(comments, [True, False, True, True, True, False, True, False, False, False])
    tagged, others = (_one(rows, "reply_count", group) for group in ("frame:fear", "not frame:fear"))
    assert (tagged.estimate, tagged.n, others.estimate, others.n) == (3, 4, 1, 4)
    ratio = _one(rows, "odds_ratio_of_replies")
    assert ratio.estimate == pytest.approx(9)
    assert ratio.contrast == "not frame:fear"
    assert ratio.p is None
    # Within each branch all answer the same comment: nothing can be exchanged.
    within = _one(rows, "odds_ratio_within_branch")
    assert within.estimate is None
    assert "exchange" in within.assumptions
    assert _left_out(rows)["left_out:alike"] == 8


def test_every_reply_left_out_is_counted_with_its_reason(comments_table: Make) -> None:
    """Self-replies, and replies whose parent is gone, hidden, deleted or not read, are named in the denominator."""
    kinds = ["top", "reply", "reply", "reply", "orphan", "flattened", "reply", "top", "reply"]
    comments = comments_table(
        9,
        parent_id=[None, "file:0", "file:0", "file:8", None, "file:0", "file:7", None, "file:0"],
        reply_kind=kinds,
        depth=[0, 1, 1, 2, 0, 1, 1, 0, 1],
        author=["a", "a", "b", "c", "d", "e", "f", "g", "h"],
        state=["visible"] * 8 + ["deleted"],
    )
    tags = _tags(comments, [True] * 9).filter(pl.col("comment_id") != "file:7")
    rows = frame_reply_estimates(_marked(comments), tags, ["fear"], 0)
    counts = _left_out(rows)
    assert counts["compared"] == 1
    reasons = ("self", "parent_not_eligible", "parent_not_collected", "parent_hidden", "not_read")
    assert {reason: counts[f"left_out:{reason}"] for reason in reasons} == dict.fromkeys(reasons, 1)
    assert rows[0].denominator.startswith("1 of 6 eligible replies (1 answer their own author; ")


def test_the_denominator_says_that_threads_were_chosen(comments_table: Make) -> None:
    """Where not all threads were read by text alone, the denominator says how many."""
    comments = comments_table(
        40,
        threads=2,
        parent_id=[None, None, *(f"file:{i % 2}" for i in range(38))],
        reply_kind=["top"] * 2 + ["reply"] * 38,
        depth=[0] * 2 + [1] * 38,
        author=[f"a{i}" for i in range(40)],
    )
    tags = _tags(comments, [True] * 40).filter(comments["thread_id"] == "file:t0")
    rows = frame_reply_estimates(_marked(comments), tags, ["fear"], 0)
    assert "in 1 of 2 threads, chosen whole by the seed" in rows[0].denominator
    assert "19 stand in threads that were not read by text alone" in rows[0].denominator


def test_planted_pairs_are_found_and_others_are_not() -> None:
    """A frame that comes after itself and one that comes after another are found, each in its place."""
    rng = np.random.default_rng(1)
    tree = grow(World(threads=6, reply=float(np.log(4))), rng)
    marked = _marked(tree.comments)
    row = {name: i for i, name in enumerate(marked["comment_id"])}
    parent = np.array([row.get(name or "", -1) for name in marked["parent_id"]])
    answer = (parent >= 0) & tree.tagged[parent] & (rng.random(len(parent)) < 0.4)
    other = answer | (rng.random(len(parent)) < 0.1)
    tags = pl.concat([_tags(tree.comments, tree.tagged), _tags(tree.comments, other, "war")])
    rows = _sound(frame_reply_estimates(marked, tags, ["fear", "war"], 0))
    within = {r.group: r for r in rows if r.method == "odds_ratio_within_branch" and r.unit == "all"}
    assert within["frame:fear"].estimate is not None
    assert within["frame:fear"].estimate > 1.5
    assert (within["frame:fear"].p_holm or 1) < 0.05
    crossed = {(r.group, r.level): r for r in rows if r.method == "observed_over_expected"}
    planted, idle = crossed["frame:fear", "frame:war"], crossed["frame:war", "frame:fear"]
    assert (planted.estimate or 0) > 1.3
    assert (planted.p_holm or 1) < 0.01
    assert planted.family == idle.family == "replies:crossed_frames"
    assert sum(row.unit != "all" for row in rows if row.method == "odds_ratio_within_branch") == 12


def test_stances_that_answer_each_other_are_found() -> None:
    """Where sides answer the other side, the cells of the table stand above and below what is expected."""
    rng = np.random.default_rng(2)
    tree = grow(World(threads=5, reply=float(np.log(6)), base=-1.0), rng)
    # What a reply repeats in the world, it opposes here: sides change with each level of depth.
    against = tree.tagged ^ (tree.comments["depth"].to_numpy() % 2 == 1)
    sides = ["against" if one else "favor" for one in against]
    sides[::7] = ["off_target"] * len(sides[::7])
    sides[::31] = ["unsure"] * len(sides[::31])
    stances = pl.DataFrame({"comment_id": tree.comments["comment_id"], "stance": sides})
    rows = _sound(stance_reply_estimates(_marked(tree.comments), stances, "war", [0, 6, 0]))
    cells = {(r.group, r.level): r for r in rows if r.measure is Measure.RATIO}
    assert len(cells) == 9
    same = cells["stance:war:against", "stance:war:against"]
    cross = cells["stance:war:against", "stance:war:favor"]
    assert (same.estimate or 1) < 0.95
    assert (cross.estimate or 1) > 1.05
    assert (cross.p_holm or 1) < 0.05
    assert cells["stance:war:neutral", "stance:war:favor"].mark == "not_estimable"
    counts = [r for r in rows if r.measure is Measure.COUNT]
    total = sum(r.estimate or 0 for r in counts)
    assert same.n < total
    assert f"{total:,.0f} replies of a known stance" in same.denominator
    assert all(r.n_unsure > 0 for r in counts)


SILLY: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "as it is": lambda comments: comments,
    "no comments": lambda comments: comments.clear(),
    "one comment": lambda comments: comments.head(1),
    "nine comments": lambda comments: comments.head(9),
    "no replies": lambda comments: comments.with_columns(
        parent_id=pl.lit(None, pl.String), reply_kind=pl.lit("top"), depth=pl.lit(0)
    ),
    "no authors": lambda comments: comments.with_columns(author=pl.lit(None, pl.String)),
    "one author": lambda comments: comments.with_columns(author=pl.lit("me")),
    "everyone once": lambda comments: comments.with_columns(author="comment_id"),
    "all deleted": lambda comments: comments.with_columns(state=pl.lit("deleted")),
    "every second deleted": lambda comments: comments.with_columns(
        state=pl.when(pl.col("position") % 2 == 0).then(pl.lit("deleted")).otherwise(pl.lit("visible"))
    ),
    "flattened": lambda comments: comments.with_columns(reply_kind=pl.lit("flattened")),
}


@pytest.mark.parametrize("change", SILLY.values(), ids=SILLY.keys())
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 1.0])
def test_silly_input_gives_a_number_or_a_sentence(change: Callable[[pl.DataFrame], pl.DataFrame], share: float) -> None:
    """No replies, no authors, one author, no yes, all yes: never NaN, and no estimate without a mark or a point."""
    rng = np.random.default_rng(3)
    comments = COMMENTS.conform(change(grow(World(threads=2, size=160), rng).comments))
    rows = _estimates(comments, rng.random(comments.height) < share)
    ratios = [row for row in rows if row.measure is Measure.ODDS_RATIO]
    assert ratios
    if share in (0.0, 1.0):
        assert all(row.mark == "not_estimable" for row in ratios)
    side = pl.Series(np.where(rng.random(comments.height) < share, "favor", "neutral"), dtype=pl.String)
    _sound(stance_reply_estimates(_marked(comments), comments.select("comment_id", stance=side), "war", [0]))


def test_without_authors_branches_stand_in_and_it_is_said() -> None:
    """Unknown authors: intervals by branch, and the p is said to be perhaps too small."""
    tree = grow(World(threads=4, reply=1.0), np.random.default_rng(4))
    known = _estimates(tree.comments, tree.tagged)
    comments = tree.comments.with_columns(author=pl.lit(None, pl.String))
    rows = _estimates(comments, tree.tagged)
    assert "or the branch where authors are unknown" in _one(rows, "odds_ratio_of_replies").assumptions
    assert "p may be too small" in _one(rows, "odds_ratio_within_branch").assumptions
    assert "unknown" not in _one(known, "odds_ratio_of_replies").assumptions
    assert _left_out(rows)["left_out:self"] == 0


def test_a_comment_of_an_unknown_author_is_never_its_own_answer() -> None:
    """Unknown authors differ from all others, and a comment is the same person as answer and as answered."""
    comments = grow(World(threads=1), np.random.default_rng(8)).comments
    marked = _marked(comments.with_columns(author=pl.when(pl.col("position") % 2 == 0).then("author")))
    pairs = reply_pairs(marked, marked)
    reply, parent = pairs.persons()
    unknown = pairs.reply_author == UNKNOWN
    assert len(np.unique(reply[unknown])) == unknown.sum()
    assert not set(reply[unknown]) & set(reply[~unknown])
    by_row = dict(zip(pairs.reply, reply, strict=True))
    assert all(by_row.get(row, person) == person for row, person in zip(pairs.parent, parent, strict=True))


def test_the_same_seed_gives_the_same_rows() -> None:
    """Rows depend on the seed and not on the order of the comments."""
    tree = grow(World(threads=2, reply=1.0), np.random.default_rng(5))
    rows = _estimates(tree.comments, tree.tagged)
    assert rows == _estimates(tree.comments, tree.tagged)
    marked = _marked(tree.comments)
    other = frame_reply_estimates(marked, _tags(tree.comments, tree.tagged), ["fear"], 1)
    assert [replace(row, p=None, p_holm=None) for row in other if row.method == "odds_ratio_of_replies"] == [
        row for row in rows if row.method == "odds_ratio_of_replies"
    ]


def test_only_tags_by_text_alone_count(
    workspace: Workspace, make_bundle: Make, heldout_rows: Make, frames_table: Make
) -> None:
    """Rows of another path, which may have read the parent, are not looked at; the stage writes those of text alone."""
    bundle: Bundle = make_bundle(["fear"], heldout_rows("fear", {(1, 1): 80, (1, 0): 20, (0, 1): 20, (0, 0): 380}))
    tree = grow(World(threads=3, reply=1.5), np.random.default_rng(6))
    alone = frames_table(bundle, tree.comments, tree.tagged).with_columns(path=pl.lit("text_only"))
    main = frames_table(bundle, tree.comments, [True] * tree.comments.height)
    workspace.write(COMMENTS, tree.comments)
    workspace.write(FRAMES, FRAMES.conform(pl.concat([main, alone])))
    run(workspace, parse_config({"bundles": {"frames": str(bundle.folder)}}))
    found = workspace.read(ESTIMATES)
    ESTIMATES.conform(found)
    row = found.filter((pl.col("method") == "odds_ratio_of_replies") & (pl.col("unit") == "all")).row(0, named=True)
    assert 3 < row["estimate"] < 7
    without = frame_dynamics(_marked(tree.comments), main, bundle, 0)
    assert all(row.mark == "not_estimable" for row in without if row.measure is Measure.ODDS_RATIO)
    assert stance_dynamics(_marked(tree.comments), STANCES.empty(), [], bundle, 0) == []
