"""The sections beside the main numbers: choices, crossings, replies, comparisons, times, the map, who is missing."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from discourse.config import Config, override, parse_config
from discourse.report import run
from discourse.report.charts import Difference, differences
from discourse.report.maps import layout
from discourse.report.phrases import Figure
from discourse.report.timelines import Span, gaps
from discourse.report.views.method import settings
from discourse.report.views.timeline import parse_bin
from discourse.tables import ESTIMATES, TOPICS, Table
from discourse.workspace import Workspace

Row = Callable[..., dict[str, Any]]
TableOf = Callable[[Table, list[dict[str, Any]]], pl.DataFrame]


@pytest.fixture(scope="module")
def page(report: Path) -> LexborHTMLParser:
    """The report of the story."""
    return LexborHTMLParser(report.read_text(encoding="utf-8"))


def words(page: LexborHTMLParser, selector: str) -> str:
    """Return the text of the elements that match, with white space collapsed."""
    return " ".join(" ".join(node.text(separator=" ").split()) for node in page.css(selector))


def test_a_finding_survives_only_if_every_choice_stays_inside(page: LexborHTMLParser) -> None:
    """One vote for each author moves the share outside its interval, short comments are another question."""
    said = words(page, "#frame-fear_of_crime .survival > p")
    assert said.startswith("Not throughout")
    assert "each author once" in said
    assert "near-copies" not in said
    assert "short comments" not in said
    assert words(page, "#target-1 ~ .survival > p").startswith("It does")


def test_choices_of_a_count_are_folded_and_called_counts(page: LexborHTMLParser) -> None:
    """Where there is no share nothing can survive."""
    assert "30 of 1,187 tagged" in words(page, "#frame-town_against_country .survival details")
    assert not page.css("#frame-town_against_country .survival h4")


def test_quality_agreement_and_calibration_stand_beside_the_frames(page: LexborHTMLParser) -> None:
    """Alpha and calibration are shown where they were measured."""
    said = words(page, "#frames .quality")
    assert "Krippendorff’s alpha" in said
    assert "0.71 (0.55–0.83)" in said
    assert "0.021" in said


def test_a_thread_that_does_not_fit_is_named(page: LexborHTMLParser) -> None:
    """The warning is in plain words and speaks of the thread that differs."""
    said = words(page, "#frames .fit")
    assert "New depot" in said
    assert "Council keeps" not in said
    assert "longer or shorter" not in said


def test_the_frames_have_a_row_on_whether_the_model_knows_such_comments(page: LexborHTMLParser) -> None:
    """Each check of all comments together has its verdict, and what is not known has its reason."""
    said = words(page, "#frames .fitting")
    for told in ("What they speak of", "Length", "alike", "not known", "Not known: there are too few comments"):
        assert told in said


def test_crossings_hatch_what_rests_on_few_comments(page: LexborHTMLParser) -> None:
    """Rows of fewer than 30 comments are hatched, others are not, and each cell says of how many it is."""
    panel = page.css("#crossings figure")[0]
    assert "15 of 61" in words(page, "#crossings figure text.value")
    hatched = panel.css("rect.few")
    assert len(hatched) == 2
    assert page.css_first("#crossings .swatch") is not None


def test_a_cell_with_enough_labels_holds_their_share(page: LexborHTMLParser) -> None:
    """A share from labels in the cell takes the place of the count of tags."""
    assert "16 % of 500" in words(page, "#replies text.value")


def test_only_what_holm_allows_is_said_of_replies(page: LexborHTMLParser) -> None:
    """One pair of frames is claimed; nine pairs of sides with high p are not."""
    claims = [node.text() for node in page.css("#replies .claims li")]
    assert len(claims) == 1
    assert "more often than chance" in claims[0]
    assert "2.30" in claims[0]
    assert words(page, "#replies table").count("nothing shown") == 9


def test_only_what_holm_allows_is_said_of_threads(page: LexborHTMLParser) -> None:
    """The larger share is claimed, the other difference is drawn and not claimed, the unknown one is not drawn."""
    claims = [node.text() for node in page.css("#comparisons .claims li")]
    assert len(claims) == 1
    assert "larger share" in claims[0]
    assert "+10 points (+4 to +16)" in claims[0]
    assert len(page.css("#comparisons circle.dot.readers")) == 1
    assert len(page.css("#comparisons circle.dot.model")) == 1
    assert "no difference can be given" in words(page, "#comparisons .note")


def test_words_are_listed_with_their_authors_if_they_set_threads_apart(page: LexborHTMLParser) -> None:
    """A word that Holm's p does not allow is not listed."""
    said = words(page, "#comparisons .distinctive")
    assert "taxi" in said
    assert "31 of 300 authors against 4 of 120" in said
    assert "bridge" not in said


def test_without_a_claim_it_is_said_that_nothing_is_shown(
    bare: Workspace, config: Config, estimate: Row, table_of: TableOf, tmp_path: Path
) -> None:
    """A difference with a p above 0.05 gives a sentence that claims none."""
    pair = {"unit": "thread:a", "contrast": "thread:b", "family": "threads", "p": 0.04, "p_holm": 0.08}
    rows = [estimate("frame:fear_of_crime", "difference", 0.1, low=0.01, high=0.2, **pair)]
    bare.write(ESTIMATES, table_of(ESTIMATES, rows))
    run(bare, config, tmp_path / "r.html")
    made = LexborHTMLParser((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert words(made, "#comparisons .claims") == "No difference is shown between any two of these."


def test_gaps_in_time_are_gaps(page: LexborHTMLParser) -> None:
    """Two stretches without a comment are hatched, and the columns are those of the four spans."""
    chart = page.css_first("#timeline svg.chart")
    assert chart is not None
    assert len(chart.css("rect.gap")) == 2
    assert len(chart.css("rect.whole")) == 4
    assert len(page.css("#timeline tbody tr")) == 4
    assert "Topic: Getting home at night" in words(page, "#timeline figcaption")


def test_restricted_times_are_an_order(story: Workspace, config: Config, tmp_path: Path) -> None:
    """Without full quotes no date finer than a month stands at a span."""
    run(story, override(config, {"report.quotes": "short"}), tmp_path / "r.html")
    made = LexborHTMLParser((tmp_path / "r.html").read_text(encoding="utf-8"))
    said = words(made, "#timeline")
    assert "span 4" in said
    assert "March 2026" in said
    assert "10 March" not in said


def test_the_map_draws_each_comment_once(page: LexborHTMLParser, story: Workspace) -> None:
    """Every comment with a topic row and a vector is a dot, and each coloured topic is in the key."""
    dots = sum((path.attributes["d"] or "").count("M") for path in page.css("#topics .map path.dots"))
    assert dots == story.read(TOPICS).height
    assert "Getting home at night" in words(page, "#topics .map .legend")


def test_the_absent_are_named_with_their_number(page: LexborHTMLParser) -> None:
    """Deleted comments, other languages and loud authors are told with counts of the table."""
    said = words(page, ".absent li")
    assert "read and did not write" in said
    assert "deleted by" in said
    assert "languages that the models do not read" in said
    assert page.css(".absent li [data-estimate]")


@pytest.mark.parametrize(
    ("methods", "says"),
    [
        ({"fear_of_crime": "census", "waste_of_money": "census"}, "Labelled by people."),
        ({"fear_of_crime": "difference_estimator", "waste_of_money": "census"}, "Tagged by models, checked by people."),
        ({"fear_of_crime": "census", "waste_of_money": "heldout_correction"}, "some of it checked by people."),
        ({"fear_of_crime": "heldout_correction"}, "Tagged by models, not by people."),
        ({}, "Not tagged yet."),
    ],
    ids=["census", "sample", "mixed", "models", "nothing"],
)
def test_the_page_says_who_read(
    bare: Workspace,
    config: Config,
    estimate: Row,
    table_of: TableOf,
    tmp_path: Path,
    methods: dict[str, str],
    says: str,
) -> None:
    """A workspace that people labelled whole is not called tagged by models."""
    rows = [estimate(f"frame:{name}", "share", 0.2, low=0.2, high=0.2, method=how) for name, how in methods.items()]
    bare.write(ESTIMATES, table_of(ESTIMATES, rows))
    run(bare, override(config, {"stance.targets": ()}), tmp_path / "r.html")
    made = LexborHTMLParser((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert says in words(made, "header .models")


def test_every_finding_leads_to_its_evidence(page: LexborHTMLParser) -> None:
    """The opening has at most five sentences, each with a link to a place in the page."""
    findings = page.css(".findings > li")
    assert 0 < len(page.css("ol.findings > li")) <= 5
    for found in findings:
        link = found.css_first("a")
        assert link is not None
        assert page.css_first(link.attributes["href"] or "") is not None


def test_left_out_comments_are_shown_by_example(page: LexborHTMLParser) -> None:
    """Comments by staff and in other languages can be unfolded."""
    said = words(page, "#data details summary")
    assert "Comments by staff or bots" in said
    assert "do not read" in said


def test_settings_are_toml_that_reads_back(config: Config) -> None:
    """What is printed as discourse.toml gives the configuration that was run."""
    assert parse_config(tomllib.loads(settings(config.model_dump(mode="json")))) == config


@given(
    st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1)),  # noqa: DTZ001  # made aware below
    st.sampled_from(["PT1M", "PT15M", "PT3H", "P1D", "P1W", "P1M", "P3M", "P1Y"]),
)
def test_spans_of_time_are_read(start: datetime, length: str) -> None:
    """A span starts where it says and ends later."""
    first = start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    found = parse_bin(f"{first:%Y-%m-%dT%H:%M}/{length}")
    assert found is not None
    assert found.start == first.replace(tzinfo=UTC)
    assert timedelta(0) < found.end - found.start <= timedelta(days=366)


@pytest.mark.parametrize("name", ["", "x/P1D", "2024-01-01", "2024-01-01/P", "2024-01-01/1D", "9999-12-31/P1Y", "/"])
def test_what_is_no_span_is_none(name: str) -> None:
    """A group that is not a start and a length is left out, not guessed."""
    assert parse_bin(name) is None


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted), max_size=6))
def test_gaps_lie_between_spans(ends: list[list[float]]) -> None:
    """Each gap begins where a span ends and ends where the next begins."""
    spans = [Span(low, high, 1.0, None) for low, high in sorted(ends)]
    for start, end in gaps(spans):
        assert start < end
        assert start in {span.end for span in spans}
        assert end in {span.start for span in spans}


@given(st.integers(3, 40), st.integers(1, 5), st.integers(0, 2**16))
def test_the_layout_is_inside_and_always_the_same(n: int, topics: int, seed: int) -> None:
    """Places lie from 0 to 1, are finite, and depend on the vectors alone."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 6)).astype(np.float32)
    given_topics = [int(topic) if topic else None for topic in rng.integers(0, topics + 1, n)]
    places = layout(vectors, given_topics)
    assert places.shape == (n, 2)
    assert np.isfinite(places).all()
    assert ((places >= 0) & (places <= 1)).all()
    np.testing.assert_array_equal(places, layout(vectors.copy(), given_topics))


def test_equal_vectors_have_one_place() -> None:
    """Copies of one comment lie on one dot, in the middle if there is nothing else."""
    places = layout(np.ones((5, 4), np.float32), [None] * 5)
    assert (places == places[0]).all()


def test_differences_go_to_the_side_of_the_larger_share() -> None:
    """Right of the line is more in the first; only what may be claimed is filled."""
    rows = [
        Difference("a", "against b", "Fear", Figure("+10 points", "", "e1"), 0.1, (0.05, 0.15), claimed=True),
        Difference("a", "against c", "Fear", Figure("−10 points", "", "e2"), -0.1, None, claimed=False),
    ]
    drawn = LexborHTMLParser(differences("d", "t", "w", rows))
    places = [(dot.attributes["class"], dot.attributes["cx"]) for dot in drawn.css("circle")]
    assert places == [("dot readers", "75.00%"), ("dot model", "25.00%")]
