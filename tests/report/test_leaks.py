"""Under short and none nothing leaves a workspace that leads to a person: not in the page, not in any other form."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from tests.report.leaks import leaks, leaving, page_text
from tests.report.numbers import loose_numbers, strange_figures, wholeless

from discourse.config import Config, parse_config
from discourse.pipeline import run
from discourse.report import document
from discourse.workspace import Workspace, create_workspace, open_workspace

THREADS = {"reddit_conspiracy_2025": 2, "discourse_iitm_tds": 2, "reddit_cmv": 1}
PLANTED = "Call Zora Quill at +49 170 5550123 or zora.quill@mail.example, or ask @zoraq and u/zora_q; see https://zq.example/a77b."


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the report says by itself, whatever was read."""
    bare = create_workspace(tmp_path_factory.mktemp("own") / "ws")
    return "\n".join(page_text(document(bare, Config(), "html")) for _ in [0])


@pytest.fixture(scope="module")
def real(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Config]:
    """Some real threads and two comments of ours with all that must not leave."""
    folder = tmp_path_factory.mktemp("real")
    parts: list[pl.DataFrame] = []
    for name, count in THREADS.items():
        rows = pl.read_parquet(shared / "threads" / f"{name}.parquet")
        sizes = rows["thread_id"].value_counts().filter(pl.col("count").is_between(12, 45)).sort("thread_id")
        parts.append(rows.filter(pl.col("thread_id").is_in(sizes["thread_id"].head(count).implode())))
    planted = {
        "platform": "reddit",
        "thread_id": "t3_zz77zz",
        "author": "zora_q77",
        "created_at": "2025-03-13T04:05:06Z",
        "title": "A title nobody else would write 7788",
    }
    ours = [{**planted, "comment_id": f"zz77zz/{place}", "text": f"{PLANTED} {place}"} for place in range(2)]
    pl.concat([*parts, pl.DataFrame(ours)], how="diagonal").write_parquet(folder / "some-thread.parquet")
    config = parse_config(
        {"input": {"sources": [str(folder / "some-thread.parquet")]}, "stance": {"targets": ["the government"]}}
    )
    run(config, folder / "ws")
    return open_workspace(folder / "ws"), config


@pytest.mark.parametrize("quotes", ["short", "none"])
def test_nothing_of_real_threads_leaves(real: tuple[Workspace, Config], own: str, tmp_path: Path, quotes: str) -> None:
    """No text beyond twelve words, no id, address, exact time, title or name of the raw input is in any form."""
    workspace, config = real
    found = leaving(workspace, config, quotes, tmp_path)
    assert {"html", "md", "json", "comments.csv", "replies.graphml", "frames-chart.svg"} <= set(found)
    assert leaks(workspace, found, quotes, own) == []


def test_the_search_finds_what_leaves_a_full_report(real: tuple[Workspace, Config], own: str, tmp_path: Path) -> None:
    """The test can fail: the same search finds texts and times in a full page, and ids in what programs read."""
    workspace, config = real
    told = leaks(workspace, leaving(workspace, config, "full", tmp_path), "none", own)
    found = {tuple(line.split(" ")[:2]) for line in told}
    assert found >= {("html:", "text"), ("html:", "time"), ("json:", "id"), ("comments.csv:", "text")}


def test_a_full_report_is_scrubbed_and_can_be_told_not_to(real: tuple[Workspace, Config]) -> None:
    """By default no address, number or name within a comment is shown though the comment is; scrub = false shows it."""
    workspace, config = real
    text = page_text(document(workspace, config, "html"))
    assert (
        "Call Zora Quill at [phone number] or [e-mail address], or ask [name] and [name]; see hxxps://zq[.]example/a77b"
        in text
    )
    for secret in ("5550123", "zora.quill@", "@zoraq", "u/zora_q", "https://zq"):
        assert secret not in text
    plain = config.model_copy(update={"report": config.report.model_copy(update={"scrub": False})})
    assert PLANTED in page_text(document(workspace, plain, "html"))


@pytest.mark.parametrize("quotes", ["full", "short", "none"])
def test_the_page_says_its_setting(story: Workspace, config: Config, quotes: str) -> None:
    """The banner and the method section name the setting that the file was made with."""
    chosen = config.model_copy(update={"report": config.report.model_copy(update={"quotes": quotes})})
    assert f"Made with --quotes {quotes}" in page_text(document(story, chosen, "html"))


@pytest.mark.parametrize("quotes", ["full", "none"])
def test_every_number_on_real_threads_is_a_row(real: tuple[Workspace, Config], quotes: str) -> None:
    """On several threads of several sites, too, each number is its row's, and each percentage names its whole."""
    workspace, config = real
    chosen = config.model_copy(update={"report": config.report.model_copy(update={"quotes": quotes})})
    html = document(workspace, chosen, "html")
    assert strange_figures(html, workspace) == []
    assert loose_numbers(html, workspace) == []
    assert wholeless(html) == []
