"""The embedded sample from end to end: the example report, its numbers, its privacy, and its sides swapped."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser
from tests.report.decoding import embedded
from tests.report.leaks import leaks, leaving, page_text
from tests.report.mirrored import KEY, SIDES, bars, keyed, named, opposite_key, swap_tags, words
from tests.report.numbers import loose_numbers, strange_figures, wholeless

from discourse import aggregate, cli
from discourse.config import Config, load_config, override
from discourse.pipeline import run, stored_config
from discourse.report import document
from discourse.workspace import Workspace, create_workspace, open_workspace

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "reports" / "example.html"
SAMPLE = ROOT / "data" / "raw" / "lamp-posts.toml"
PICTURE = ROOT / "docs" / "images" / "report.png"
OUTLINED = "section, nav, header, main, footer, aside, h1, h2, h3, h4, table, caption, figure, svg.chart, form, script"


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace made from the embedded sample, as `make example` makes it."""
    root = tmp_path_factory.mktemp("example") / "ws"
    config = load_config(SAMPLE)
    run(override(config, {"normalize.author_key": SAMPLE.with_suffix(".key")}), root)
    return root


def outline(html: str) -> list[str]:
    """Return tag and id of what a page consists of, in its order, equal neighbours once.

    The list of comments and the topics are one part each: how many topics there are hangs on the last digits of
    vectors, which differ between processors.
    """
    page = LexborHTMLParser(html)
    for node in page.css(".comments > *, pre, #topics > :not(h2)"):
        node.decompose()
    found = [f"{node.tag}#{node.attributes.get('id') or ''}" for node in page.css(OUTLINED)]
    return [name for place, name in enumerate(found) if not place or name != found[place - 1]]


def numbers(found: dict[str, Any]) -> list[tuple[str, list[float | None]]]:
    """Return level and numbers of each estimate that the findings name, in their order; but for sizes of topics."""
    rows = {row["estimate_id"]: row for row in found["estimates"]}
    named = [rows[name] for finding in found["findings"] for name in finding["estimate_ids"]]
    fixed = [row for row in named if not row["level"].startswith("topic:")]
    return [(row["level"], [row[name] for name in ("estimate", "low", "high")]) for row in fixed]


def test_the_findings_are_those_of_the_example(rebuilt: Path) -> None:
    """Sentences are equal but for their numbers, and the numbers are within 0.001; else run `make example`."""
    workspace = open_workspace(rebuilt)
    today = json.loads(document(workspace, stored_config(workspace), "json"))
    kept = json.loads(EXAMPLE.with_suffix(".json").read_text(encoding="utf-8"))
    words = [[re.sub(r"[\d.,]+", "0", each["sentence"]) for each in found["findings"]] for found in (kept, today)]
    assert words[0] == words[1]
    assert len(words[0]) == 5
    assert [level for level, _ in numbers(kept)] == [level for level, _ in numbers(today)]
    for (level, before), (_, after) in zip(numbers(kept), numbers(today), strict=True):
        assert after == [None if value is None else pytest.approx(value, abs=1e-3) for value in before], level


def test_the_structure_is_that_of_the_example(rebuilt: Path) -> None:
    """The same sections, headings, tables and charts in the same order; else run `make example`."""
    assert outline((rebuilt / "report.html").read_text(encoding="utf-8")) == outline(
        EXAMPLE.read_text(encoding="utf-8")
    )


def test_the_example_names_no_machine() -> None:
    """No path of the machine that made it, and no key, stands in the example."""
    for file in (EXAMPLE, EXAMPLE.with_suffix(".json")):
        text = file.read_text(encoding="utf-8")
        assert not re.findall(
            r"/(?:home|root|tmp|Users|work|var|mnt)/\S*|[A-Z]:\\\\?\w+|lamp-posts\.key|author_key", text
        )


def test_the_picture_in_the_readme_is_small() -> None:
    """The README shows the example, and its picture loads quickly."""
    assert "docs/images/report.png" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert PICTURE.read_bytes().startswith(b"\x89PNG")
    assert PICTURE.stat().st_size < 300_000


def test_every_number_is_a_row_and_every_percentage_names_its_whole(rebuilt: Path) -> None:
    """Nothing on the page of the sample is a number of its own, and no percentage is one of nothing."""
    html, workspace = (rebuilt / "report.html").read_text(encoding="utf-8"), open_workspace(rebuilt)
    assert len(named(html)) > 200
    assert strange_figures(html, workspace) == []
    assert loose_numbers(html, workspace) == []
    assert wholeless(html) == []


@pytest.fixture(scope="module")
def turned(rebuilt: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The same workspace with the sides swapped in tags and labels, and counted again."""
    copy = tmp_path_factory.mktemp("turned") / "ws"
    shutil.copytree(rebuilt, copy)
    workspace = open_workspace(copy)
    swap_tags(workspace)
    aggregate.run(workspace, stored_config(workspace))
    return workspace


def test_counted_again_every_number_of_a_side_is_that_of_the_other(rebuilt: Path, turned: Workspace) -> None:
    """After swapping the tags every count, and every share from labels, is the other side's; the rest stays."""
    before, after = keyed(open_workspace(rebuilt)), keyed(turned)
    assert set(after) == {opposite_key(row) for row in before.values()}
    sided = 0
    for key, row in before.items():
        # How well the model reads each side was measured elsewhere; so were the rates that correct tags.
        if row["measure"] == "quality" or row["method"] == "heldout_correction":
            continue
        found = after[opposite_key(row)]
        sided += found["estimate_id"] != row["estimate_id"]
        for what in ("estimate", "low", "high", "n", "n_labelled"):
            expected = None if row[what] is None else pytest.approx(row[what], abs=1e-6)
            assert found[what] == expected, (key, row, found)
    assert sided > 20


def test_the_page_of_the_swapped_sides_differs_in_numbers_and_bars_only(rebuilt: Path, turned: Workspace) -> None:
    """The same estimates turned, the same places and words in findings and stances, and bars as long as the others'."""
    config = stored_config(turned)
    pages: list[str] = []
    printed: list[Counter[tuple[Any, ...]]] = []
    for workspace in (open_workspace(rebuilt), turned):
        pages.append(document(workspace, config, "html"))
        keys = {row["estimate_id"]: key for key, row in keyed(workspace).items()}
        printed.append(Counter(keys[name] for name in named(pages[-1])))
    assert Counter({opposite_key(dict(zip(KEY, key, strict=True))): n for key, n in printed[0].items()}) == printed[1]
    before, after = pages
    for part in ("#findings", "#stance"):
        assert named(before, part) == named(after, part)
        assert words(before, part) == words(after, part)
    for side in SIDES:
        assert bars(before, side)
        assert sorted(bars(before, side)) == sorted(bars(after, SIDES[side]))


@pytest.mark.parametrize("quotes", ["short", "none"])
def test_nothing_of_the_sample_leaves_a_restricted_report(rebuilt: Path, tmp_path: Path, quotes: str) -> None:
    """No form of it holds more than twelve words of a comment, or an id, address, time, title or name."""
    workspace = open_workspace(rebuilt)
    own = page_text(document(create_workspace(tmp_path / "own"), Config(), "html"))
    found = leaving(workspace, stored_config(workspace), quotes, tmp_path / "out")
    assert leaks(workspace, found, quotes, own) == []


def test_short_quotes_of_one_comment_are_the_same_words_everywhere(rebuilt: Path) -> None:
    """Where a comment is quoted several times under short, together they are no more than twelve words of it."""
    workspace = open_workspace(rebuilt)
    config = override(stored_config(workspace), {"report.quotes": "short"})
    html = document(workspace, config, "html")
    data = embedded(html)
    assert data is not None
    told = {comment["ref"]: " ".join(comment["text"].split()) for comment in data.comments if comment["text"]}
    assert max(len(text.replace("…", " ").split()) for text in told.values()) <= 12
    page = LexborHTMLParser(html)
    quoted = [" ".join(text.text().split()) for text in page.css(".quote .text, .comment .text, .parent .text")]
    assert len(quoted) > 100
    assert set(quoted) <= set(told.values())


def test_the_command_line_gives_each_form(
    rebuilt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """JSON and Markdown go to stdout or a file, figures to a folder, and somebody's own file is not written over."""

    def report(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["discourse", "report", str(rebuilt), *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as e:
            code = int(e.code or 0)
        return code, capsys.readouterr().out

    code, out = report("--format", "json", "--quotes", "none")
    assert code == 0
    assert set(json.loads(out)) == {"findings", "estimates"}
    assert report("-o", tmp_path / "r.md", "--figures", tmp_path / "figures") == (0, f"report: {tmp_path / 'r.md'}\n")
    assert (tmp_path / "r.md").read_text(encoding="utf-8").count("\n## ") > 5
    assert {"frames-chart.svg", "frames-chart.png", "frames.csv"} <= {
        file.name for file in (tmp_path / "figures").iterdir()
    }
    (tmp_path / "thesis.html").write_text("mine")
    assert report("-o", tmp_path / "thesis.html")[0] == 2
    assert report("--figures", tmp_path)[0] == 2
    assert (tmp_path / "thesis.html").read_text() == "mine"
