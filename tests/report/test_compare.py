"""The page of a comparison: workspaces side by side, differences only where they may be claimed, one thread twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from selectolax.lexbor import LexborHTMLParser
from tests.report.chromium import chromium, opened, printed, unfold, violations
from tests.report.numbers import loose_numbers, strange_figures, wholeless

from discourse.config import Config, override
from discourse.receipt import Receipt, StageRecord
from discourse.report import compare
from discourse.tables import CHANGES, ESTIMATES, Table
from discourse.workspace import Workspace, create_workspace

Row = Callable[..., dict[str, Any]]
TableOf = Callable[[Table, list[dict[str, Any]]], pl.DataFrame]
TARGET = "the late buses"
NAMES = ("spring", "autumn <b>")


def rows(estimate: Row) -> list[dict[str, Any]]:
    """Return estimates of two workspaces: one difference that may be claimed, one that may not, a thread twice."""
    found: list[dict[str, Any]] = []
    for place, name in enumerate(NAMES):
        unit = {"unit": f"{name}/all", "n": 400 + place}
        found += [
            estimate("data:comments", "count", 500.0 + place, method="data_count", **unit),
            estimate("data:threads", "count", 2.0, method="data_count", **unit),
            estimate("data:eligible", "count", 400.0 + place, method="data_count", **unit),
            estimate("frame:fear_of_crime", "count", 60.0 + place, **unit),
            estimate("frame:fear_of_crime", "share", 0.1 + place / 10, low=0.05, high=0.3, **unit),
            estimate("frame:waste_of_money", "share", None, mark="not_estimable", **unit),
            estimate("frame:waste_of_money", "count", 9.0, **unit),
            *(
                estimate(f"stance:{TARGET}:{side}", "share", value, low=value - 0.1, high=value + 0.1, **unit)
                for side, value in {"about": 0.4, "favor": 0.3, "against": 0.5 + place / 10, "neutral": 0.2}.items()
            ),
        ]
    sides = {"unit": f"{NAMES[0]}/all", "contrast": f"{NAMES[1]}/all", "family": "workspaces", "n": 801}
    interval = {"low": -0.18, "high": -0.02}
    for level, p in (("frame:fear_of_crime", 0.01), ("frame:town_against_country", 0.4)):
        found += [
            estimate(level, "difference", -0.1, p=p / 2, p_holm=p, **interval, **sides),
            estimate(level, "share", 0.1, variant="side", low=0.05, high=0.15, **sides),
            estimate(level, "share", 0.2, variant="other_side", low=0.15, high=0.25, **sides),
        ]
    times = {"unit": f"{NAMES[1]}/thread:x:t7788", "contrast": f"{NAMES[0]}/thread:x:t7788", "family": "same_thread"}
    found += [
        estimate(f"comments:{kind}", "count", float(value), method="comment_ids", **times)
        for kind, value in {"kept": 90, "new": 31, "disappeared": 12, "edited": 4}.items()
    ]
    return [{**row, "estimate_id": f"e{place:015d}"} for place, row in enumerate(found)]


@pytest.fixture
def compared(estimate: Row, table_of: TableOf, tmp_path: Path) -> Workspace:
    """The workspace of a comparison."""
    workspace = create_workspace(tmp_path / "compared")
    workspace.write(ESTIMATES, table_of(ESTIMATES, rows(estimate)))
    place = {
        "thread_id": "x:t7788",
        "earlier": NAMES[0],
        "later": NAMES[1],
        "created_at": datetime(2026, 3, 2, tzinfo=UTC),
    }
    texts = {"new": "A new one, mail me at kim@a.example <b>now</b>.", "edited": "Edited.", "disappeared": None}
    changes = [
        {
            **place,
            "comment_id": f"x:c{number}",
            "change": change,
            "author": "u0123456789abcdef",
            "url": None,
            "text": text,
        }
        for number, (change, text) in enumerate(
            [*texts.items(), *[("new", f"Another new one, {n}.") for n in range(11)]]
        )
    ]
    workspace.write(CHANGES, table_of(CHANGES, changes))
    record = StageRecord(
        inputs={}, outputs={}, notes=["no match across x:t7788"], finished_at=datetime(2026, 3, 2, tzinfo=UTC)
    )
    workspace.save_receipt(Receipt(stages={"compare": record}))
    return workspace


def page_of(workspace: Workspace, config: Config, folder: Path) -> LexborHTMLParser:
    """Write the page and return its tree."""
    compare(workspace, config, folder / "c.html")
    return LexborHTMLParser((folder / "c.html").read_text(encoding="utf-8"))


def test_workspaces_stand_side_by_side(compared: Workspace, config: Config, tmp_path: Path) -> None:
    """Each workspace has its line in every chart and table, and its name is text."""
    outcome = compare(compared, config, tmp_path / "c.html")
    assert outcome.counts == {"workspaces": 2, "claims": 1}
    page = page_of(compared, config, tmp_path)
    heading = page.css_first("h1")
    assert heading is not None
    assert heading.text() == "Side by side: spring, autumn <b>"
    assert not page.css("h1 b, script, [style]")
    marks = [mark.text() for mark in page.css("#shares-1 svg.chart .method")]
    assert marks == ["spring", "autumn <b>"] * 2
    assert len(page.css("#shares-1 svg.chart circle.dot")) == 2
    assert "no share – 9 of 400 tagged" in page.css_first("#shares-1").text()
    assert [part.text() for part in page.css("#shares h3")] == ["Frames", f"Toward {TARGET}", f"Toward {TARGET}"]


def test_a_difference_is_claimed_only_by_holm(compared: Workspace, config: Config, tmp_path: Path) -> None:
    """Of two equal differences the sentence tells of the one whose corrected p is below 0.05; the table has both."""
    page = page_of(compared, config, tmp_path)
    said = [item.text() for item in page.css("#findings .findings li")]
    assert len(said) == 1
    assert "“Fear of crime” has a smaller share in “spring” than in “autumn <b>”" in said[0]
    verdicts = [row.css("td")[-1].text() for row in page.css("#comparisons tbody tr")]
    assert verdicts == ["more in the second", "nothing shown"]


def test_one_thread_at_two_times(compared: Workspace, config: Config, tmp_path: Path) -> None:
    """What stayed, came, went and was edited is counted; what is new is quoted, scrubbed, and what went is not."""
    page = page_of(compared, config, tmp_path)
    cells = [cell.text().strip() for cell in page.css("#changes tbody th, #changes tbody td")]
    assert cells == ["t7788", "spring", "autumn <b>", "90", "31", "12", "4"]
    lists = {part.css("summary")[0].text().split()[0]: part for part in page.css("#changes .changed")}
    assert set(lists) == {"New", "Edited", "Disappeared"}
    assert len(lists["New"].css(".quote")) == 10
    assert "mail me at [e-mail address] <b>now</b>" in lists["New"].text()
    assert "There are more" in lists["New"].text()
    assert not lists["Disappeared"].css(".text")
    assert "no match across" in page.css_first("#findings").text()


def test_every_number_is_a_row_and_every_percentage_names_its_whole(
    compared: Workspace, config: Config, tmp_path: Path
) -> None:
    """Nothing on the page of a comparison is a number of its own either."""
    page_of(compared, config, tmp_path)
    html = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert strange_figures(html, compared) == []
    assert [said for said in loose_numbers(html, compared) if "t7788" not in said] == []
    assert wholeless(html) == []


@pytest.mark.parametrize("quotes", ["short", "none"])
def test_a_restricted_comparison_names_no_thread(
    compared: Workspace, config: Config, tmp_path: Path, quotes: str
) -> None:
    """Ids of threads are out, and the page says its setting."""
    page_of(compared, override(config, {"report.quotes": quotes}), tmp_path)
    text = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert "t7788" not in text
    assert ("Another new one, 3." in text) == (quotes == "short")
    assert f"Made with --quotes {quotes}" in text


def test_an_empty_comparison_is_a_page(bare: Workspace, config: Config, tmp_path: Path) -> None:
    """Without estimates the page says that there is nothing to compare."""
    text = page_of(bare, config, tmp_path).text()
    assert "There are no shares to set side by side" in text
    assert "No difference is tested here" in text


def test_a_comparison_is_read_by_everybody(compared: Workspace, config: Config, tmp_path: Path) -> None:
    """axe-core finds nothing in light and dark, nothing is wider than a small screen, and paper cuts no chart."""
    compare(compared, config, tmp_path / "c.html")
    with chromium() as browser:
        for scheme in ("light", "dark"):
            seen = opened(browser, tmp_path / "c.html", 320, scheme)
            unfold(seen.page)
            assert violations(seen.page) == []
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= 320
            assert (seen.said, seen.left) == ([], [])
        _, charts, cut = printed(opened(browser, tmp_path / "c.html").page, "A4")
        assert charts
        assert cut == []
