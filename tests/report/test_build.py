"""The page as a whole: one file, everything escaped, only numbers of the table, whatever tables there are."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode
from tests.report.numbers import loose_numbers, strange_figures, wholeless

from discourse.config import Config, override
from discourse.errors import UsageError
from discourse.report import READS, WRITES, run
from discourse.tables import COMMENTS, ESTIMATES, THREADS, Table
from discourse.workspace import Workspace

Row = Callable[..., dict[str, Any]]
TableOf = Callable[[Table, list[dict[str, Any]]], pl.DataFrame]


def parsed(path: Path) -> LexborHTMLParser:
    """Return the page's tree."""
    return LexborHTMLParser(path.read_text(encoding="utf-8"))


def test_the_report_is_one_file(story: Workspace, config: Config, tmp_path: Path) -> None:
    """A run writes one HTML file and nothing beside it, and says what it shows."""
    outcome = run(story, config, tmp_path / "out" / "report.html")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.html"]
    assert outcome.counts == {"comments_shown": 29, "findings": 5}


def test_a_run_twice_is_equal(story: Workspace, config: Config, report: Path, tmp_path: Path) -> None:
    """The same workspace gives the same bytes."""
    run(story, config, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == report.read_bytes()


def test_the_stage_reads_tables_and_writes_none() -> None:
    """The stage names what it reads; the report is no table."""
    assert {"threads", "comments", "quarantine", "estimates"} <= {table.name for table in READS}
    assert WRITES == ()


def test_hostile_comments_are_text(report: Path) -> None:
    """Markup in comments, records and addresses is shown, not obeyed."""
    page = parsed(report)
    assert not page.css(
        "img, iframe, object, base, [onerror], [onload], [style], form:not([role=search], [method=dialog])"
    )
    kinds = {script.attributes["type"] for script in page.css("script")}
    assert kinds == {"application/json", "application/octet-stream;base64", "module"}
    assert not [link for link in page.css("a") if (link.attributes["href"] or "").startswith("javascript")]
    assert any("<img src=x onerror=alert(1)>" in text.text() for text in page.css(".comment .text"))
    assert any("onerror" in excerpt.text() for excerpt in page.css(".refusals dd"))


def test_the_policy_allows_the_style_sheet_and_the_script_and_nothing_else(report: Path) -> None:
    """The hashes in the policy are those of the style sheet and of the script as they stand in the page."""
    text = report.read_text(encoding="utf-8")
    policy = parsed(report).css_first("meta[http-equiv=Content-Security-Policy]")
    assert policy is not None

    def digest(pattern: str) -> str:
        (found,) = re.findall(pattern, text, re.DOTALL)
        return base64.b64encode(hashlib.sha256(found.encode()).digest()).decode()

    style, script = digest(r"<style>(.*?)</style>"), digest(r'<script type="module">(.*?)</script>')
    assert policy.attributes["content"] == (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def test_each_figure_is_in_the_table(story: Workspace, report: Path) -> None:
    """Every data-estimate names a row, and every number in such an element is that row's."""
    html = report.read_text(encoding="utf-8")
    assert len(parsed(report).css("[data-estimate]")) > 80
    assert strange_figures(html, story) == []


def test_no_number_stands_alone(story: Workspace, report: Path) -> None:
    """Every digit on the page is a figure, a rule, a date, an id, a tick or somebody else's text."""
    assert loose_numbers(report.read_text(encoding="utf-8"), story) == []


def test_every_percentage_names_its_whole(report: Path) -> None:
    """Beside each percentage, or in its table or chart, stands of what it is a part."""
    assert wholeless(report.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("change", ["13 %", "0.42", "7,777"])
def test_a_number_of_no_row_is_found(story: Workspace, report: Path, change: str) -> None:
    """The search can fail: a number put beside or inside of a figure is told."""
    html = report.read_text(encoding="utf-8")
    assert loose_numbers(html.replace("<main>", f"<main><p>{change} of the comments</p>"), story)
    inside = re.sub(r'(<span data-estimate="[^"]*">)', rf"\g<1>{change} ", html, count=1)
    assert strange_figures(inside, story)
    alone = '<section><p><span data-estimate="x">13 %</span> are against</p></section>'
    assert wholeless(f"<main>{alone}</main>")


def test_every_link_inside_the_page_leads_somewhere(report: Path) -> None:
    """Anchors exist once each."""
    page = parsed(report)
    ids = [element.attributes["id"] for element in page.css("[id]")]
    assert len(ids) == len(set(ids))
    inner = [link.attributes["href"] or "" for link in page.css("a[href^='#']")]
    assert {link.removeprefix("#") for link in inner} <= set(ids)


def test_headings_are_in_order(report: Path) -> None:
    """One h1, and no level is skipped on the way down."""
    levels = [int((heading.tag or "h0")[1]) for heading in parsed(report).css("h1, h2, h3, h4")]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_tree_is_shown(report: Path) -> None:
    """Replies are indented to a limit, name what they answer, and deleted comments keep their place."""
    page = parsed(report)
    assert len(page.css(".comment.d0")) > 1
    assert len(page.css(".comment.d6")) == 3
    assert any("deleted by its author" in mark.text() for mark in page.css(".comment .placeholder"))
    assert any("removed by a moderator" in mark.text() for mark in page.css(".comment .placeholder"))
    assert any("opening post" in mark.text() for mark in page.css(".comment .answers"))
    assert page.css_first(".comment .quoting a") is not None


def test_evidence_is_marked_in_code_points(report: Path) -> None:
    """The marked sentence is the one the table names."""
    marked = [mark.text() for mark in parsed(report).css(".comment .text mark")]
    assert "Honestly, I am scared every time." in marked
    assert "Nice site. <img src=x onerror=alert(1)>" in marked


def test_tags_keep_yes_apart_from_unsure_and_from_readers(report: Path) -> None:
    """Yes, unsure, unread languages, readers' labels and readers' doubts look different."""
    page = parsed(report)
    shown = {(tag.attributes["class"], tag.text()) for tag in page.css(".tags .tag")}
    assert ("tag yes", "Fear of crime") in shown
    assert ("tag unsure", "unsure: Fear of crime") in shown
    assert ("tag unsure", "language not read") in shown
    assert ("tag reader", "reader: Fear of crime") in shown
    assert ("tag reader", "readers divided: Fear of crime") in shown
    assert ("tag against", "against: the late buses") in shown


def test_annotators_and_the_key_are_nowhere(story: Workspace, report: Path) -> None:
    """Who labelled, and the secret of the pseudonyms, stay in the workspace."""
    text = report.read_text(encoding="utf-8")
    assert "anna" not in text
    assert story.author_key().decode() not in text
    assert "author_key" not in text


@pytest.mark.parametrize("quotes", ["short", "none"])
def test_restricted_reports_lead_to_nobody(story: Workspace, config: Config, tmp_path: Path, quotes: str) -> None:
    """Without full quotes the file holds no native id, address, exact time or file name."""
    run(story, override(config, {"report.quotes": quotes}), tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    comments = story.read(COMMENTS)
    native = [name.partition(":")[2] for name in (*comments["comment_id"], *story.read(THREADS)["thread_id"])]
    assert not [name for name in native if name in text]
    assert not re.findall(r"https?:|www\.|example\.org|\d\d:\d\d|2026-\d\d-\d\d|@kim|jsonl|777123", text)
    assert "March 2026" in text
    whole = [said for said in comments["text"].drop_nulls() if len(said.split()) > 14]
    assert not [said for said in whole if said in parsed(tmp_path / "r.html").text()]


def test_quotes_none_holds_no_words_of_comments(story: Workspace, config: Config, tmp_path: Path) -> None:
    """No sentence of a comment and no excerpt of a record is left."""
    run(story, override(config, {"report.quotes": "none"}), tmp_path / "r.html")
    page = parsed(tmp_path / "r.html")
    assert not page.css(".comment, .quote, .text, mark, .refusals dd")
    assert "scared" not in page.text()
    assert "onerror" not in page.text()


def test_quotes_short_shows_the_first_words(story: Workspace, config: Config, tmp_path: Path) -> None:
    """A short quote has at most twelve words and starts at the evidence."""
    run(story, override(config, {"report.quotes": "short"}), tmp_path / "r.html")
    texts = [text.text() for text in parsed(tmp_path / "r.html").css(".text")]
    assert texts
    assert max(len(text.replace("…", " ").split()) for text in texts) <= 12
    assert "… Honestly, I am scared every time." in texts


def test_an_empty_workspace_gives_a_page(bare: Workspace, config: Config, tmp_path: Path) -> None:
    """Without any table the page says what is missing instead of failing."""
    outcome = run(bare, config, tmp_path / "r.html")
    page = parsed(tmp_path / "r.html")
    assert outcome.counts == {"comments_shown": 0, "findings": 0}
    assert "There are no estimates yet" in page.text()
    assert "topics need at least 40 comments" in page.text()


def test_one_thread_without_stance_topics_or_labels(
    bare: Workspace, story: Workspace, config: Config, estimate: Row, table_of: TableOf, tmp_path: Path
) -> None:
    """The smallest useful run: one thread, one frame, no target."""
    buses = pl.col("thread_id") == "demo:buses-777123"
    bare.write(THREADS, story.read(THREADS).filter(buses))
    bare.write(COMMENTS, story.read(COMMENTS).filter(buses))
    rows = [
        estimate("data:comments", "count", 19.0, method="data_count"),
        estimate("frame:fear_of_crime", "count", 5.0),
        estimate("frame:fear_of_crime", "share", 0.2, low=0.1, high=0.3, n=18, mark="low_sample"),
    ]
    bare.write(ESTIMATES, table_of(ESTIMATES, rows))
    run(bare, override(config, {"stance.targets": ()}), tmp_path / "r.html")
    page = parsed(tmp_path / "r.html")
    heading = page.css_first("h1")
    assert heading is not None
    assert heading.text() == "Council keeps late buses for another year"
    assert "No target was named" in page.text()
    assert "Thread by thread" not in page.text()
    assert page.css_first(".findings .caution") is not None


def test_nothing_eligible(bare: Workspace, config: Config, estimate: Row, table_of: TableOf, tmp_path: Path) -> None:
    """Zero eligible comments give one sentence and no chart that could be read as zero."""
    none = {"n": 0, "mark": "not_estimable"}
    rows = [
        estimate("data:eligible", "count", 0.0, method="data_count"),
        estimate("frame:fear_of_crime", "count", 0.0, **none),
        estimate("frame:fear_of_crime", "share", None, **none),
    ]
    bare.write(ESTIMATES, table_of(ESTIMATES, rows))
    run(bare, config, tmp_path / "r.html")
    page = parsed(tmp_path / "r.html")
    assert "No share can be given" in page.text()
    assert not page.css("circle.dot[cx$='%']")


def test_counts_that_do_not_add_up_are_called_out(
    bare: Workspace, config: Config, estimate: Row, table_of: TableOf, tmp_path: Path
) -> None:
    """A silent loss is said in the report; sound counts raise no alarm."""
    counts = {"records": 20, "comments": 18, "quarantined": 1, "eligible": 15, "excluded:no_text": 3}

    def alarm(**changes: int) -> LexborNode | None:
        made = {**counts, **changes}
        rows = [estimate(f"data:{name}", "count", float(value), method="data_count") for name, value in made.items()]
        bare.write(ESTIMATES, table_of(ESTIMATES, rows))
        run(bare, config, tmp_path / "r.html")
        return parsed(tmp_path / "r.html").css_first(".alarm")

    assert alarm() is not None
    assert alarm(quarantined=2) is None
    assert alarm(**{"excluded:opening": 1}) is None
    assert alarm(quarantined=2, eligible=14) is not None


def test_hidden_topics_are_not_shown(story: Workspace, config: Config, tmp_path: Path) -> None:
    """A topic that the configuration hides is named nowhere, and the page says that some are hidden."""
    run(story, override(config, {"topics.hide": [1]}), tmp_path / "r.html")
    text = parsed(tmp_path / "r.html").text()
    assert "What it costs" not in text
    assert "Some topics are hidden" in text


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("lang", "xx", "the report speaks"),
        ("theme", {"accnt": "#123456"}, 'did you mean "accent"'),
        ("theme", {"accent": "red}body{display:none"}, "#rrggbb"),
    ],
    ids=["language", "colour name", "colour"],
)
def test_wrong_settings_are_usage_errors(
    bare: Workspace, config: Config, tmp_path: Path, key: str, value: object, says: str
) -> None:
    """A setting that the report cannot follow is refused in one sentence, and no file is written."""
    asked = config.model_copy(update={"report": config.report.model_copy(update={key: value})})
    with pytest.raises(UsageError, match=re.escape(says)):
        run(bare, asked, tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()


def test_a_theme_replaces_colours(bare: Workspace, config: Config, tmp_path: Path) -> None:
    """A colour of the theme comes last in the style sheet."""
    run(bare, override(config, {"report.theme": {"accent": "#123456"}}), tmp_path / "r.html")
    assert ":root{--accent:#123456;}" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_tags_of_another_bundle_get_no_card(story: Workspace, config: Config, tmp_path: Path) -> None:
    """A bundle that is damaged or not the one that tagged is named by its id only."""
    (tmp_path / "bundle").mkdir()
    run(story, override(config, {"bundles.frames": str(tmp_path / "bundle")}), tmp_path / "r.html")
    text = parsed(tmp_path / "r.html").text()
    assert "frames-minilm@0123456789ab" in text
    assert "its card is not shown" in text


def test_why_there_is_no_share_is_no_assumption(report: Path) -> None:
    """What must hold for a share stands apart from why a share is missing."""
    terms = [term.text() for term in parsed(report).css("#method dt")]
    assert "where no number is given" in terms


def test_titles_that_repeat_are_told_apart(bare: Workspace, story: Workspace, config: Config, tmp_path: Path) -> None:
    """Threads of one title get their number, also where a title already looks so."""
    first = story.read(THREADS).head(1)
    titles = ["A (thread 3)", "A", "A"]
    made = [
        first.with_columns(pl.lit(f"demo:{place}").alias("thread_id"), pl.lit(title).alias("title"))
        for place, title in enumerate(titles)
    ]
    bare.write(THREADS, pl.concat(made))
    run(bare, config, tmp_path / "r.html")
    assert len(parsed(tmp_path / "r.html").css(".articles cite")) == 3
