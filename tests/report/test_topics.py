"""Topics in the report: the broader group, the mark of an unstable one, and the sentence that stands for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from selectolax.lexbor import LexborHTMLParser

from discourse.config import Config, override
from discourse.report import run
from discourse.tables import ESTIMATES, TOPIC_INFO
from discourse.workspace import Workspace


@pytest.fixture
def grouped(story: Workspace) -> Iterator[Workspace]:
    """The full workspace with two of its topics under a broad one, one of them unstable."""
    before = story.read(TOPIC_INFO)
    broad = before.head(1).with_columns(
        topic=pl.lit(3, pl.Int64), label=pl.lit("Going about"), size=pl.lit(0, pl.Int64)
    )
    rows = before.with_columns(
        parent=pl.when(pl.col("topic") < 2).then(3),
        mark=pl.when(pl.col("topic") == 1).then(pl.lit("unstable")),
        sentence_start=pl.when(pl.col("topic") == 0).then(0),
        sentence_end=pl.when(pl.col("topic") == 0).then(6),
    )
    story.write(TOPIC_INFO, TOPIC_INFO.conform(pl.concat([rows, broad], how="diagonal_relaxed")))
    yield story
    story.write(TOPIC_INFO, before)


def cards(output: Path) -> dict[str, str]:
    """The text of each topic's card by its heading."""
    page = LexborHTMLParser(output.read_text(encoding="utf-8"))
    found = page.css("#topics li.topic")
    return {(node.css_first("h3 span, h4 span") or node).text(strip=True): node.text() for node in found}


def test_a_topic_says_what_it_is_part_of_and_that_it_is_unstable(
    grouped: Workspace, config: Config, tmp_path: Path
) -> None:
    run(grouped, config, tmp_path / "r.html")
    found = cards(tmp_path / "r.html")
    assert list(found) == ["Getting home at night", "What it costs", "Town and villages"]
    page = LexborHTMLParser((tmp_path / "r.html").read_text(encoding="utf-8"))
    inside = {node.text(strip=True) for node in page.css("#topics li.broad li.topic h4 span[dir]")}
    assert inside == {"Getting home at night", "What it costs"}
    assert [node.text(strip=True) for node in page.css("#topics li.broad > h3 > span[dir]")] == ["Going about"]
    assert ["Unstable" in text for text in found.values()] == [False, True, False]


def test_the_sentence_nearest_to_the_centre_is_marked(grouped: Workspace, config: Config, tmp_path: Path) -> None:
    run(grouped, config, tmp_path / "r.html")
    page = LexborHTMLParser((tmp_path / "r.html").read_text(encoding="utf-8"))
    first = page.css_first("#topics li.topic")
    assert first is not None
    marked = [len(node.text()) for node in first.css("mark")]
    assert marked == [6]


def test_a_hidden_broad_topic_is_named_nowhere(grouped: Workspace, config: Config, tmp_path: Path) -> None:
    run(grouped, override(config, {"topics.hide": [3]}), tmp_path / "r.html")
    assert "Going about" not in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_topics_found_in_a_sample_say_so(story: Workspace, config: Config, tmp_path: Path) -> None:
    before = story.read(ESTIMATES)
    run(story, config, tmp_path / "all.html")
    assert "drawn at random from every thread" not in (tmp_path / "all.html").read_text(encoding="utf-8")
    size = before.filter(pl.col("level").str.starts_with("topic:"), unit="all", measure="count").head(1)
    found = size.with_columns(level=pl.lit("topics:found_in"), estimate=pl.lit(7.0), estimate_id=pl.lit("f" * 16))
    try:
        story.write(ESTIMATES, ESTIMATES.conform(pl.concat([before, found])))
        run(story, config, tmp_path / "r.html")
        page = LexborHTMLParser((tmp_path / "r.html").read_text(encoding="utf-8"))
        said = [
            node.text() for node in page.css("#topics p.note") if "drawn at random from every thread" in node.text()
        ]
        assert len(said) == 1
        assert said[0].startswith("7 of")
    finally:
        story.write(ESTIMATES, before)
