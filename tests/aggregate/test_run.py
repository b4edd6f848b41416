"""The stage: tables in, estimates out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
import pytest

from discourse.aggregate import run
from discourse.config import Config, parse_config
from discourse.errors import WorkspaceError
from discourse.models.bundle import Bundle, text_hash
from discourse.tables import COMMENTS, ESTIMATES, FRAMES, LABELS, QUARANTINE, STANCES, TOPIC_INFO, TOPICS
from discourse.workspace import Workspace

Make = Callable[..., Any]
CELLS = {(1, 1): 80, (1, 0): 20, (0, 1): 20, (0, 0): 380}
LEVELS = ("about", "favor", "against", "neutral")


def _config(bundle: Bundle, **other: Any) -> Config:
    return parse_config({"bundles": {"frames": str(bundle.folder)}, **other})


def _sources(rows: Make, level: str, cells: dict[tuple[int, int], int] = CELLS) -> list[dict[str, Any]]:
    return [row for source in "stuvwx" for row in rows(level, cells, source)]


def _labels(comments: Sequence[str], values: Sequence[str], design: str, inclusion: float | None, **other: str) -> Any:
    size = len(comments)
    columns: dict[str, Any] = {
        "comment_id": comments,
        "kind": [other.get("kind", "frame")] * size,
        "level": [other.get("level", "fear")] * size,
        "value": values,
        "hard": [False] * size,
        "annotator": ["ann"] * size,
        "design": [design] * size,
        "inclusion": [inclusion] * size,
        "round": [0] * size,
    }
    return LABELS.conform(pl.DataFrame(columns, schema_overrides={"inclusion": pl.Float64()}))


def _sound(workspace: Workspace) -> pl.DataFrame:
    """Return the estimates after checking what holds of every one of them."""
    found = workspace.read(ESTIMATES)
    ESTIMATES.conform(found)
    numbers = found.select("estimate", "low", "high", "n_effective")
    assert all(numbers[name].drop_nulls().is_finite().all() for name in numbers.columns)
    bounded = found.filter(pl.col("low").is_not_null())
    assert (bounded["low"] <= bounded["estimate"]).all()
    assert (bounded["estimate"] <= bounded["high"]).all()
    shares = found.filter((pl.col("measure") == "share") & pl.col("estimate").is_not_null())
    assert shares["low"].null_count() == 0
    assert ((shares["low"] >= 0) & (shares["high"] <= 1)).all()
    silent = found.filter(pl.col("mark") == "not_estimable")
    assert silent["estimate"].null_count() == silent.height
    assert found.filter((pl.col("method") == "heldout_correction") & pl.col("mark").is_null()).is_empty()
    return found


def _row(found: pl.DataFrame, level: str, method: str, unit: str = "all", variant: str = "main") -> dict[str, Any]:
    rows = found.filter((pl.col("level") == level) & (pl.col("method") == method) & (pl.col("unit") == unit))
    rows = rows.filter(pl.col("variant") == variant)
    assert rows.height == 1, rows
    return rows.row(0, named=True)


@pytest.fixture
def bundle(make_bundle: Make, heldout_rows: Make) -> Bundle:
    """Return a bundle with sensitivity 0.8 and false-positive rate 0.05 in six like sources."""
    return make_bundle(["fear"], _sources(heldout_rows, "fear"))


def test_a_share_is_the_tagged_share_corrected_for_the_bundles_errors(
    workspace: Workspace, bundle: Bundle, comments_table: Make, frames_table: Make
) -> None:
    """A share is the tagged share corrected for the bundles errors."""
    comments = comments_table(400, threads=4)
    workspace.write(COMMENTS, comments)
    workspace.write(FRAMES, frames_table(bundle, comments, [i % 5 == 0 for i in range(400)]))
    run(workspace, _config(bundle))
    found = _sound(workspace)
    assert _row(found, "frame:fear", "tag_count")["estimate"] == 80
    share = _row(found, "frame:fear", "heldout_correction")
    assert share["estimate"] == pytest.approx((0.2 - 0.05) / 0.75)
    assert share["low"] < 0.2 < share["high"]
    assert share["mark"] == "not_validated"
    assert share["n_effective"] < 400
    assert found["unit"].n_unique() == 5
    assert _row(found, "frame:fear:sensitivity", "heldout")["estimate"] == pytest.approx(0.8)
    assert _row(found, "frame:fear:false_positive_rate", "heldout")["estimate"] == pytest.approx(0.05)


def test_the_same_seed_gives_the_same_table(
    workspace: Workspace, bundle: Bundle, comments_table: Make, frames_table: Make
) -> None:
    """The same seed gives the same table."""
    comments = comments_table(100, threads=3)
    workspace.write(COMMENTS, comments)
    workspace.write(FRAMES, frames_table(bundle, comments, [i % 3 == 0 for i in range(100)]))
    run(workspace, _config(bundle))
    first = workspace.read(ESTIMATES)
    run(workspace, _config(bundle))
    assert first.equals(workspace.read(ESTIMATES))


def test_the_denominator_names_every_exclusion_and_leaves_the_opening_post_out(
    workspace: Workspace, bundle: Bundle, comments_table: Make, frames_table: Make
) -> None:
    """The denominator names every exclusion and leaves the opening post out."""
    comments = comments_table(
        40,
        reply_kind=["opening"] + ["top"] * 39,
        state=["visible"] * 38 + ["deleted"] * 2,
        language=["en"] * 35 + ["es"] * 5,
    )
    workspace.write(COMMENTS, comments)
    workspace.write(FRAMES, frames_table(bundle, comments, [False] * 40))
    run(workspace, _config(bundle))
    row = _row(_sound(workspace), "frame:fear", "tag_count")
    assert row["n"] == 34
    assert row["denominator"] == (
        "34 eligible comments of 39 (2 deleted, removed or held; 3 in a language the models do not read)"
    )


def test_a_text_that_the_bundle_was_trained_on_counts_by_its_out_of_fold_tag(
    workspace: Workspace, make_bundle: Make, heldout_rows: Make, comments_table: Make, frames_table: Make
) -> None:
    """A text that the bundle was trained on counts by its out of fold tag."""
    comments = comments_table(100)
    known = [text_hash(text) for text in comments["text"][:50]]
    own = [{**row, "text_hash": known[i], "weight": None} for i, row in enumerate(heldout_rows("fear", {(1, 0): 50}))]
    bundle = make_bundle(["fear"], _sources(heldout_rows, "fear") + own, trained_on=known)
    workspace.write(COMMENTS, comments)
    workspace.write(FRAMES, frames_table(bundle, comments, [i < 60 for i in range(100)]))
    run(workspace, _config(bundle))
    found = _sound(workspace)
    assert _row(found, "frame:fear", "tag_count")["estimate"] == 60
    assert _row(found, "frame:fear", "heldout_correction")["estimate"] == pytest.approx((0.1 - 0.05) / 0.75)


@pytest.mark.parametrize(
    ("cells", "path"),
    [(CELLS, "exact"), ({(1, 1): 10, (1, 0): 90, (0, 1): 40, (0, 0): 360}, "cascade"), ({(0, 0): 50}, "cascade")],
    ids=["another way of tagging", "tags that say nothing", "no yes held out"],
)
def test_a_share_that_the_held_out_rows_cannot_carry_is_not_estimable(
    workspace: Workspace,
    make_bundle: Make,
    heldout_rows: Make,
    comments_table: Make,
    frames_table: Make,
    cells: dict[tuple[int, int], int],
    path: str,
) -> None:
    """A share that the held out rows cannot carry is not estimable."""
    rows = [{**row, "path": path} for row in _sources(heldout_rows, "fear", cells)]
    bundle = make_bundle(["fear"], rows)
    comments = comments_table(50)
    workspace.write(COMMENTS, comments)
    workspace.write(FRAMES, frames_table(bundle, comments, [i < 10 for i in range(50)]))
    outcome = run(workspace, _config(bundle))
    found = _sound(workspace)
    assert _row(found, "frame:fear", "heldout_correction")["mark"] == "not_estimable"
    assert _row(found, "frame:fear", "tag_count")["estimate"] == 10
    assert "1 of 1 shares cannot be estimated" in outcome.notes[0]


@pytest.mark.parametrize("case", ["nothing", "none eligible", "no tags", "no authors", "no yes", "all yes", "one"])
def test_edges_give_rows_with_a_mark_and_no_error(
    workspace: Workspace, bundle: Bundle, comments_table: Make, frames_table: Make, case: str
) -> None:
    """Edges give rows with a mark and no error."""
    size = {"nothing": 0, "one": 1}.get(case, 40)
    authors = [None] if case == "no authors" else ["a"]
    state = ["held" if case == "none eligible" else "visible"] * size
    comments = comments_table(size, authors=authors, state=state)
    workspace.write(COMMENTS, comments)
    if case != "no tags":
        workspace.write(FRAMES, frames_table(bundle, comments, [case == "all yes"] * size))
    run(workspace, _config(bundle))
    share = _row(_sound(workspace), "frame:fear", "heldout_correction")
    expected = {
        "one": "low_sample",
        "nothing": "not_estimable",
        "none eligible": "not_estimable",
        "no tags": "not_estimable",
    }
    assert share["mark"] == expected.get(case, "not_validated")


def test_tags_of_another_bundle_are_refused(
    workspace: Workspace, bundle: Bundle, comments_table: Make, frames_table: Make
) -> None:
    """Tags of another bundle are refused."""
    comments = comments_table(5)
    workspace.write(COMMENTS, comments)
    workspace.write(FRAMES, frames_table(bundle, comments, [True] * 5).with_columns(bundle=pl.lit("other@1")))
    with pytest.raises(WorkspaceError, match="other@1"):
        run(workspace, _config(bundle))


def test_a_census_has_no_width_and_a_uniform_sample_is_counted_exactly_where_few_are_yes(
    workspace: Workspace, bundle: Bundle, comments_table: Make, frames_table: Make
) -> None:
    """A census has no width and a uniform sample is counted exactly where few are yes."""
    comments = comments_table(100, threads=2)
    workspace.write(COMMENTS, comments)
    workspace.write(FRAMES, frames_table(bundle, comments, [i < 20 for i in range(100)]))
    workspace.write(LABELS, _labels(comments["comment_id"].to_list(), ["yes"] * 25 + ["no"] * 75, "census", 1.0))
    run(workspace, _config(bundle))
    census = _row(_sound(workspace), "frame:fear", "census")
    assert (census["estimate"], census["low"], census["high"]) == (0.25, 0.25, 0.25)
    assert census["mark"] is None
    assert census["n_labelled"] == 100
    workspace.write(LABELS, _labels(comments["comment_id"][::2].to_list(), ["yes"] * 5 + ["no"] * 45, "uniform", 0.5))
    run(workspace, _config(bundle))
    found = _sound(workspace)
    few = _row(found, "frame:fear", "exact_stratified")
    assert few["low"] >= 5 / 100
    assert few["low"] < 0.1 < few["high"]
    # Every second comment is one whole thread.
    assert _row(found, "frame:fear", "census", "thread:file:t0")["estimate"] == pytest.approx(0.1)
    assert _row(found, "data:labelled:fear", "data_count")["estimate"] == 50


def test_labels_of_unknown_inclusion_are_not_used_and_that_is_said(
    workspace: Workspace, bundle: Bundle, comments_table: Make, frames_table: Make
) -> None:
    """Labels of unknown inclusion are not used and that is said."""
    comments = comments_table(50)
    workspace.write(COMMENTS, comments)
    workspace.write(FRAMES, frames_table(bundle, comments, [False] * 50))
    workspace.write(LABELS, _labels(comments["comment_id"][:20].to_list(), ["yes"] * 20, "unknown", None))
    outcome = run(workspace, _config(bundle))
    found = _sound(workspace)
    assert found.filter(pl.col("measure") == "share")["method"].unique().to_list() == ["heldout_correction"]
    assert any("inclusion" in note for note in outcome.notes)


def test_stances_are_shares_of_the_comments_about_the_target(
    workspace: Workspace, bundle: Bundle, make_bundle: Make, heldout_rows: Make, comments_table: Make
) -> None:
    """Stances are shares of the comments about the target."""
    rows = [row for level in LEVELS for row in _sources(heldout_rows, level)]
    reader = make_bundle(["favor", "against", "neutral"], rows, kind="stance", levels=LEVELS)
    comments = comments_table(200)
    workspace.write(COMMENTS, comments)
    about = [i < 80 for i in range(200)]
    side = [0.9 if i < 40 else 0.02 for i in range(200)]
    tags = pl.DataFrame(
        {
            "comment_id": comments["comment_id"],
            "target": ["the lamps"] * 200,
            "p_favor": [p if a else None for p, a in zip(side, about, strict=True)],
            "p_against": [0.9 - p if a else None for p, a in zip(side, about, strict=True)],
            "p_neutral": [0.05 if a else None for a in about],
            "p_off_target": [0.05 if a else 0.95 for a in about],
            "stance": ["favor" if i < 40 else "against" if i < 80 else "off_target" for i in range(200)],
            "tier": ["encoder"] * 200,
            "path": ["cascade"] * 200,
            "bundle": [reader.id] * 200,
        }
    )
    workspace.write(STANCES, STANCES.conform(tags))
    half = comments["comment_id"][::2].to_list()
    values = ["favor"] * 20 + ["neutral"] * 20 + ["off_target"] * 60
    workspace.write(LABELS, _labels(half, values, "uniform", 0.5, kind="stance", level="the lamps"))
    config = parse_config(
        {
            "bundles": {"frames": str(bundle.folder), "stance": str(reader.folder)},
            "stance": {"targets": ["the lamps"]},
        }
    )
    run(workspace, config)
    found = _sound(workspace)
    theta_about, theta_favor = (0.4 - 0.05) / 0.75, (0.2 - 0.05) / 0.75
    assert _row(found, "stance:the lamps:about", "heldout_correction")["estimate"] == pytest.approx(theta_about)
    favor = _row(found, "stance:the lamps:favor", "heldout_correction")
    assert favor["estimate"] == pytest.approx(theta_favor / theta_about)
    assert favor["denominator"].startswith("those about the target among 200 eligible")
    counts = {
        name: _row(found, f"stance:the lamps:{name}", "tag_count")["estimate"] for name in (*LEVELS, "off_target")
    }
    assert counts == {"about": 80, "favor": 40, "against": 40, "neutral": 0, "off_target": 120}
    assert _row(found, "stance:the lamps:about", "difference_estimator")["n_labelled"] == 100
    assert _row(found, "stance:the lamps:favor", "difference_estimator")["estimate"] == pytest.approx(0.5, abs=0.05)
    assert _row(found, "stance:the lamps:against", "exact_stratified")["estimate"] == 0


def test_topics_are_counted_among_eligible_comments(workspace: Workspace, bundle: Bundle, comments_table: Make) -> None:
    """Topics are counted among eligible comments."""
    comments = comments_table(40, threads=2, state=["visible"] * 39 + ["removed"])
    workspace.write(COMMENTS, comments)
    topic = [0] * 20 + [1] * 10 + [None] * 10
    assignment = ["fitted"] * 30 + ["outlier"] * 10
    topics = pl.DataFrame({"comment_id": comments["comment_id"], "topic": topic, "assignment": assignment})
    workspace.write(TOPICS, TOPICS.conform(topics))
    info = pl.DataFrame(
        {
            "topic": [0, 1],
            "label": ["lamps", "money"],
            "keywords": [["a"], ["b"]],
            "representatives": [[], []],
            "size": [20, 10],
            "stability": [0.8, None],
        },
        schema_overrides={"representatives": pl.List(pl.String())},
    )
    workspace.write(TOPIC_INFO, TOPIC_INFO.conform(info))
    run(workspace, _config(bundle))
    found = _sound(workspace)
    whole = found.filter((pl.col("method") == "assignment_count") & (pl.col("unit") == "all"))
    assert dict(whole.select("level", "estimate").iter_rows()) == {"topic:0": 20, "topic:1": 10, "topic:outlier": 9}
    assert found.filter(pl.col("measure") == "stability")["estimate"].to_list() == [0.8]
    assert _row(found, "topic:1", "assignment_count", "thread:file:t0")["estimate"] == 5


def test_data_counts_add_up(workspace: Workspace, bundle: Bundle, comments_table: Make) -> None:
    """Data counts add up."""
    authors = ["loud"] * 30 + [f"a{i}" for i in range(10)] + [None] * 10
    comments = comments_table(
        50,
        threads=2,
        authors=authors,
        reply_kind=["opening"] + ["top"] * 44 + ["orphan"] * 5,
        language=["en"] * 45 + ["es"] * 5,
        duplicate_of=[None] * 48 + ["file:1"] * 2,
    )
    workspace.write(COMMENTS, comments)
    places = [("line 1", "file:t0", "empty"), ("line 2", None, "empty"), ("line 3", None, "malformed")]
    lost = pl.DataFrame(places, schema=["location", "thread_id", "reason"], orient="row").with_columns(
        source=pl.lit("f")
    )
    workspace.write(QUARANTINE, QUARANTINE.conform(lost))
    run(workspace, _config(bundle))
    found = _sound(workspace).filter(pl.col("method") == "data_count")
    count = dict(found.filter(pl.col("unit") == "all").select(pl.col("level").str.slice(5), "estimate").iter_rows())
    assert count["records"] == count["comments"] + count["excluded:opening"] + count["quarantined"] == 53
    assert count["comments"] == count["eligible"] + count["excluded:language"] == 49
    assert (count["quarantined:empty"], count["quarantined:malformed"]) == (2, 1)
    assert (count["authors"], count["loud_authors"], count["loud_comments"]) == (11, 1, 29)
    assert (count["orphans"], count["duplicates"], count["threads"]) == (5, 2, 2)
    assert (count["language:en"], count["language:es"], count["state:visible"]) == (44, 5, 49)
    assert _row(found, "data:quarantined", "data_count", "thread:file:t0")["estimate"] == 1
    assert _row(found, "data:comments", "data_count", "thread:file:t0")["estimate"] == 24
