"""The same findings as JSON and Markdown, and each chart and table of the page as a file."""

from __future__ import annotations

import csv
import json
import struct
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from discourse.config import Config, override
from discourse.errors import UsageError
from discourse.report import document
from discourse.report.chart_files import picture
from discourse.report.figure_folder import CONTENTS, tables_of, write_figures
from discourse.report.formats import check_output, format_of
from discourse.report.markdown import as_markdown
from discourse.tables import ESTIMATES
from discourse.workspace import Workspace

SVG = "{http://www.w3.org/2000/svg}"


def test_json_holds_findings_and_estimates(story: Workspace, config: Config, report: Path) -> None:
    """Two keys; the sentences are those of the page, and each names rows that are there in full precision."""
    found = json.loads(document(story, config, "json"))
    assert set(found) == {"findings", "estimates"}
    assert found["estimates"] == story.read(ESTIMATES).to_dicts()
    known = {row["estimate_id"] for row in found["estimates"]}
    page = " ".join(LexborHTMLParser(report.read_text(encoding="utf-8")).text().replace("\u00a0", " ").split())
    assert len(found["findings"]) == 5
    for finding in found["findings"]:
        assert set(finding) == {"sentence", "estimate_ids", "mark"}
        assert finding["sentence"] in page
        assert set(finding["estimate_ids"]) <= known


@pytest.mark.parametrize("quotes", ["short", "none"])
def test_restricted_json_names_no_thread(story: Workspace, config: Config, quotes: str) -> None:
    """Under short and none units are pseudonyms, and still tell threads apart."""
    text = document(story, override(config, {"report.quotes": quotes}), "json")
    assert "777123" not in text
    units = {row["unit"] for row in json.loads(text)["estimates"]}
    assert len(units) == len(set(story.read(ESTIMATES)["unit"]))


def test_markdown_is_the_page_without_charts_and_list(story: Workspace, config: Config) -> None:
    """Headings, findings, tables and quotes are there, and what others wrote means nothing to Markdown or HTML."""
    text = document(story, config, "md")
    lines = text.splitlines()
    assert any(line.startswith("# ") for line in lines)
    assert any(line.startswith("- “Fear of crime” appears") for line in lines)
    assert sum(line.startswith("| --- ") for line in lines) > 3
    assert any(line.startswith("> ") and "scared" in line for line in lines)
    assert "<img" not in text.replace("\\<img", "")
    assert "svg" not in text


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "# heading",
        "- item",
        "1. item",
        "| cell |",
        "`code`",
        "*b*",
    ],
)
def test_no_text_is_markup_in_markdown(hostile: str) -> None:
    """Whatever stands in the page as text is text in Markdown, at the beginning of a line and in a table."""
    escaped = hostile.replace("&", "&amp;").replace("<", "&lt;")
    text = as_markdown(f"<main><p>{escaped}</p><table><tr><td>{escaped}</td></tr></table></main>")
    bare = "".join(letter for place, letter in enumerate(text) if letter == "\\" or text[place - 1] != "\\")
    assert not [sign for sign in ("<s", "[x]", "`c", "*b") if sign in bare]
    assert not [line for line in text.splitlines() if line.startswith(("# ", "- ", "1. ", "| cell"))]
    assert len({line.replace("\\|", "").count("|") for line in text.splitlines() if line.startswith("|")}) == 1


def test_each_chart_and_table_is_a_file(report: Path, tmp_path: Path) -> None:
    """SVGs are whole documents with title and fixed colours, PNGs pictures of some size, CSVs the tables."""
    html = report.read_text(encoding="utf-8")
    names = write_figures(html, tmp_path / "f")
    page = LexborHTMLParser(html)
    assert len([name for name in names if name.endswith(".svg")]) == len(page.css("svg.chart"))
    assert len([name for name in names if name.endswith(".csv")]) == len(page.css("table"))
    assert sorted(path.name for path in (tmp_path / "f").iterdir()) == sorted([*names, CONTENTS])
    for file in (tmp_path / "f").glob("*.svg"):
        drawn = file.read_text(encoding="utf-8")
        root = ET.fromstring(drawn)  # noqa: S314  # our own file
        title = root.find(f"{SVG}title")
        assert title is not None
        assert title.text
        assert "var(" not in drawn
        assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")
        width, height = struct.unpack(">II", file.with_suffix(".png").read_bytes()[16:24])
        assert width == 1440
        assert height == pytest.approx(float(root.attrib["height"]) * 2, abs=2)
    rows = list(csv.reader((tmp_path / "f" / "frames.csv").open(encoding="utf-8", newline="")))
    assert rows[0][-1] == "estimates"
    assert {len(row) for row in rows} == {len(rows[0])}


def test_letters_are_drawn(report: Path) -> None:
    """A picture with words differs from one without them, in Latin and in Arabic letters."""
    del report
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="40"><text y="30">{}</text></svg>'
    assert len({picture(svg.format(words)) for words in ("", "ABC", "كيم")}) == 3


def test_no_cell_of_a_table_is_run(tmp_path: Path) -> None:
    """A thread named like a formula gets an apostrophe."""
    html = '<main><section id="data"><table><tr><th>=HYPERLINK("x")</th><td>@SUM(1)</td></tr></table></section></main>'
    write_figures(html, tmp_path / "f")
    assert next(csv.reader((tmp_path / "f" / "data.csv").open())) == ['\'=HYPERLINK("x")', "'@SUM(1)"]


def test_figures_of_an_earlier_page_go(report: Path, tmp_path: Path) -> None:
    """Written again, a folder of ours holds the new page's figures only; a foreign folder is refused."""
    folder = tmp_path / "f"
    write_figures(report.read_text(encoding="utf-8"), folder)
    write_figures('<main><table id="one"><tr><td>1</td></tr></table></main>', folder)
    assert sorted(path.name for path in folder.iterdir()) == [CONTENTS, "one.csv"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.doc").write_text("")
    with pytest.raises(UsageError, match="not figures of a report"):
        write_figures("", tmp_path / "mine")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        write_figures("", tmp_path / "file")


def test_tables_of_one_place_are_numbered() -> None:
    """A second table in one part of the page is number 2; merged cells keep columns in line."""
    one, two = "<table><tr><td colspan=2>x</td></tr></table>", "<table><caption>Two</caption></table>"
    assert tables_of(f"<div id=a>{one}{two}</div><table></table>") == {
        "a": ("", [["x", ""]]),
        "a-2": ("Two", []),
        "table": ("", []),
    }


def test_the_form_is_by_name_else_by_ending() -> None:
    """An unknown name is refused with a guess."""
    assert format_of(None, None) == "html"
    assert format_of(None, Path("a.MD")) == "md"
    assert format_of("html", Path("a.json")) == "html"
    with pytest.raises(UsageError, match='did you mean "json"'):
        format_of("jsn", None)


def test_only_reports_are_written_over(story: Workspace, config: Config, report: Path, tmp_path: Path) -> None:
    """A page, a Markdown and a JSON report may be replaced; somebody's own file and a folder are not touched."""
    for form in ("md", "json"):
        (tmp_path / form).write_text(document(story, config, form), encoding="utf-8")
        check_output(tmp_path / form)
    check_output(report)
    check_output(tmp_path / "new.html")
    (tmp_path / "thesis.html").write_text("<p>mine</p>")
    with pytest.raises(UsageError, match="is no report"):
        check_output(tmp_path / "thesis.html")
    with pytest.raises(UsageError, match="is a folder"):
        check_output(tmp_path)
