"""The annotation sheet in a real browser: labelled by keyboard, reloaded in the middle, imported, agreed upon."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from discourse.annotate import Level, agreement, import_labels, sample
from discourse.config import Config, parse_config
from discourse.tables import COMMENTS, LABELS, SAMPLES, Design

CHROMIUM = Path("/usr/bin/chromium")
HOSTILE = '</script><img src=x onerror="alert(1)"><b>bold</b>'


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    """A Chromium that is on this machine; without one these tests are skipped."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is absent: the sheet is not opened in a browser")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture
def config(desk: Any) -> Config:
    """Thirty eligible comments, hostile ones among them, and their configuration."""
    rows = desk.workspace.read(COMMENTS)
    one = rows.head(1)
    more = [
        one.with_columns(
            comment_id=pl.lit(f"file:d-{i}"), text=pl.lit(f"number {i} {HOSTILE}"), parent_id=pl.lit("file:c-0")
        )
        for i in range(30)
    ]
    desk.workspace.write(COMMENTS, pl.concat([one, *more]))
    files = {
        "bundles": {"frames": str(desk.folder / "bundle")},
        "codebook": {"file": str(desk.folder / "codebook.toml")},
    }
    return parse_config(files)


def _opened(browser: Browser, sheet: Path, said: list[str], **options: Any) -> Page:
    page = browser.new_context(**options).new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: said.append(request.url) if not _is_own(request.url) else None)
    page.goto(sheet.as_uri())
    return page


def _is_own(address: str) -> bool:
    return address.startswith(("file:", "data:", "blob:"))


def _saved(page: Page, file: Path) -> Path:
    with page.expect_download() as download:
        page.keyboard.press("s")
    download.value.save_as(file)
    return file


def test_twenty_items_by_keyboard_reloaded_in_the_middle_and_imported(
    browser: Browser, desk: Any, config: Config, tmp_path: Path
) -> None:
    """Answers survive a reload; the saved file imports with skips as non-response, k/m, and an agreement."""
    sheet, said = tmp_path / "sheet.html", list[str]()
    drawn = sample(desk.workspace, config, Level("frame", "fear"), 31, Design.UNIFORM, sheet)
    assert drawn.asked == 31
    page = _opened(browser, sheet, said, accept_downloads=True)
    for key in "ynynynynyk":
        page.keyboard.press(key)
    # The browser writes what is stored to its disk a moment later.
    page.wait_for_timeout(500)
    page.reload()
    assert page.locator("#count").inner_text() == "11 of 31, 10 done"
    page.keyboard.press("y")
    page.keyboard.press("u")
    page.keyboard.press("h")
    for key in "nynynynyny":
        page.keyboard.press(key)
    file = _saved(page, tmp_path / "labels.json")
    assert said == []
    saved = json.loads(file.read_text())
    assert [item["value"] for item in saved["items"][:2]] == ["yes", "no"]
    assert [item["hard"] for item in saved["items"]].count(True) == 1

    first = import_labels(desk.workspace, config, file, "ann")
    assert (first.labels, first.skipped, first.known_inclusion) == (20, 1, 19)
    labels = desk.workspace.read(LABELS)
    assert labels["inclusion"].drop_nulls().round(9).unique().to_list() == [round(20 / 31, 9)]
    assert labels["design"].unique().to_list() == ["uniform"]
    assert desk.workspace.read(SAMPLES)["probability"].unique().to_list() == [1.0]

    again = _opened(browser, sheet, said, accept_downloads=True)
    for key in "ynynynynynyynynynynyn":
        again.keyboard.press(key)
    import_labels(desk.workspace, config, _saved(again, tmp_path / "other.json"), "ben")
    found = agreement(desk.workspace)[0]
    assert (found.comments, found.annotators) == (19, ["ann", "ben"])
    assert found.alpha.estimate is not None
    assert -1 <= found.alpha.estimate < 1
    assert len(found.disputed) == sum(
        int(cell["count"]) for cell in found.confusion if cell["a_said"] != cell["b_said"]
    )


def test_hostile_comments_stay_text(browser: Browser, desk: Any, config: Config, tmp_path: Path) -> None:
    """A comment that ends the script and brings an image is shown letter by letter."""
    sheet, said = tmp_path / "sheet.html", list[str]()
    sample(desk.workspace, config, Level("frame", "fear"), 31, Design.UNIFORM, sheet)
    page = _opened(browser, sheet, said)
    while HOSTILE not in page.locator("#comment").inner_text():
        page.keyboard.press("ArrowRight")
    assert page.locator("img, #comment b").count() == 0
    assert page.locator("#parent-text").inner_text() == "a text"
    assert said == []


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (1280, "dark")])
def test_the_sheet_fits_screens_and_names_its_controls(
    browser: Browser, desk: Any, config: Config, tmp_path: Path, width: int, scheme: Any
) -> None:
    """Nothing is wider than the screen, and every button has a name and a size that a finger can hit."""
    sheet, said = tmp_path / "sheet.html", list[str]()
    sample(desk.workspace, config, Level("frame", "fear"), 31, Design.UNIFORM, sheet)
    page = _opened(browser, sheet, said, viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for button in page.get_by_role("button").all():
        assert button.inner_text().strip()
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 24
    assert said == []
