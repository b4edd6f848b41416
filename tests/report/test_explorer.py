"""The comments in a browser: searched, filtered, folded, linked to, walked by keyboard, and corrected."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import Browser, Page, expect
from tests.report.chromium import Seen, chromium, violations

from discourse.annotate import import_labels
from discourse.annotate.names import public_name
from discourse.config import Config
from discourse.receipt import Receipt
from discourse.report import run
from discourse.tables import COMMENTS, FRAMES, LABELS, THREADS
from discourse.workspace import Workspace, create_workspace

MANY = 3_000
READY = "#explorer[data-state=ready]"
SUBJECTS = ("bridge", "tram", "library", "swimming pool", "market")


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    """A Chromium that is on this machine; without one these tests are skipped."""
    with chromium() as started:
        yield started


@dataclass(frozen=True, slots=True)
class Many:
    """A report of 3,000 comments in three threads, chains of six, and the key to its names."""

    file: Path
    workspace: Workspace
    key: bytes

    def ref(self, place: int) -> str:
        """Return the name of a comment in the report."""
        return public_name(self.key, f"demo:m{place}")


@pytest.fixture(scope="module")
def many(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Many:
    """A workspace too long for the list without a script, and its report."""
    workspace = create_workspace(tmp_path_factory.mktemp("many") / "ws")
    rows = [
        {
            "comment_id": f"demo:m{place}",
            "thread_id": f"demo:t{place // 1_000}",
            "parent_id": f"demo:m{place - 1}" if place % 6 else None,
            "reply_kind": "reply" if place % 6 else "top",
            "depth": place % 6,
            "position": place % 1_000,
            "author": f"{place % 700:016x}"[::-1],
            "role": "user",
            "created_at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=place * 7 % 9_000),
            "created_precision": "exact",
            "text": f"Comment {place} on the {SUBJECTS[place % 5]}. " + "It goes on for a while. " * (place % 11),
            "quotes": [],
            "links": [],
            "language": "en",
            "score": float(place % 50),
            "state": "visible",
            "raw": {"file": "raw/many.jsonl", "offset": place},
        }
        for place in range(MANY)
    ]
    # A thread starts with a comment that answers nothing.
    for place in range(0, MANY, 1_000):
        rows[place] |= {"parent_id": None, "reply_kind": "top", "depth": 0}
    zeros = dict.fromkeys(("deleted", "removed", "held", "unreachable", "capped", "quarantined"), 0)
    threads = [
        {
            "thread_id": f"demo:t{n}",
            "platform": "demo",
            "title": f"Thread {n}",
            "collected": 1_000,
            "source": "r",
            **zeros,
        }
        for n in range(3)
    ]
    tags = [
        {
            "comment_id": row["comment_id"],
            "frame": "fear_of_crime",
            "probability": 0.9 if place % 10 == 3 else 0.1,
            "above_threshold": place % 10 == 3,
            "decision": "yes" if place % 10 == 3 else "no",
            "evidence_start": 0 if place % 10 == 3 else None,
            "evidence_end": 9 if place % 10 == 3 else None,
            "tier": "encoder",
            "path": "cascade",
            "bundle": "frames-minilm@0123456789ab",
        }
        for place, row in enumerate(rows)
    ]
    schema = {name: COMMENTS.schema[name] for name in ("quotes", "links")}
    workspace.write(COMMENTS, COMMENTS.conform(pl.DataFrame(rows, schema_overrides=schema, infer_schema_length=None)))
    workspace.write(THREADS, THREADS.conform(pl.DataFrame(threads)))
    workspace.write(FRAMES, FRAMES.conform(pl.DataFrame(tags, infer_schema_length=None)))
    workspace.save_receipt(Receipt(bundles={"frames": "frames-minilm@0123456789ab"}))
    file = tmp_path_factory.mktemp("many") / "report.html"
    run(workspace, config, file)
    return Many(file, workspace, workspace.author_key(config.normalize.author_key))


def explore(browser: Browser, file: Path, hash_: str = "", **options: Any) -> Seen:
    """Open a report and wait until all its comments can be searched."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "accept_downloads": True, **options})
    context.set_default_timeout(15_000)
    seen = Seen(context.new_page(), file, hash_)
    seen.page.wait_for_selector(READY, state="attached")
    return seen


def count(page: Page) -> str:
    """Return how many comments the explorer says it shows."""
    return page.locator("#explorer-count").inner_text()


def first(page: Page) -> str:
    """Return the text of the row at the top of the list."""
    return page.locator(".reel article .text").first.inner_text()


def search(page: Page, words: str, says: str) -> None:
    """Type a search and wait for what it finds."""
    page.locator("#explorer-search").fill(words)
    expect(page.locator("#explorer-count")).to_have_text(says)


def test_a_search_finds_words_phrases_and_leaves_out(browser: Browser, many: Many) -> None:
    """Words must all occur, a phrase side by side, a word with a minus not; capitals make no difference."""
    page = explore(browser, many.file).page
    search(page, "SWIMMING comment", "600 of 3,000 comments found")
    assert page.locator(".reel .hit").first.inner_text().lower() in {"swimming", "comment"}
    search(page, '"comment 17 on"', "1 of 3,000 comments found")
    assert first(page).startswith("Comment 17 on the library.")
    search(page, "“cómment 18 ON”", "1 of 3,000 comments found")
    expect(page.locator(".reel .hit").first).to_have_text("Comment 18 on")
    search(page, "-tram -bridge -library -market", "600 of 3,000 comments found")
    search(page, "zeppelin", "No comment is like this. Remove a filter or a word.")
    page.locator("#explorer-clear").click()
    expect(page.locator("#explorer-count")).to_have_text("3,000 comments")


def test_filters_narrow_and_can_be_taken_off_one_by_one(browser: Browser, many: Many) -> None:
    """A frame, a thread and an author together; each has a button that removes it."""
    seen = explore(browser, many.file)
    page = seen.page
    page.locator(".asking .filters summary").click()
    page.locator("#explorer").get_by_label("Fear of crime").select_option("yes")
    expect(page.locator("#explorer-count")).to_have_text("300 of 3,000 comments found")
    assert page.locator(".reel article mark").count() > 3
    page.get_by_label("Thread", exact=True).select_option(label="Thread 1 (1,000)")
    expect(page.locator("#explorer-count")).to_have_text("100 of 3,000 comments found")
    page.locator("#explorer-chips button").first.click()
    expect(page.locator("#explorer-count")).to_have_text("1,000 of 3,000 comments found")
    page.locator(".reel .author").first.click()
    expect(page.locator("#explorer-count")).to_have_text("4 of 3,000 comments found")
    page.get_by_label("Order", exact=True).select_option("score")
    assert seen.said == []
    assert seen.asked == []


def test_a_section_leads_to_all_comments_of_its_tag(browser: Browser, report: Path) -> None:
    """From the examples of a frame, of a target and of a topic; where nothing can be filtered there is no such link."""
    page = explore(browser, report).page
    page.locator("#frame-fear_of_crime .all-tagged a").click()
    expect(page.locator("#explorer-chips")).to_have_text("Fear of crime: yes ×")
    page.locator("#stance .all-tagged a").first.click()
    expect(page.locator("#explorer-chips")).to_have_text("Toward the late buses: about it ×")
    page.locator("#topics .all-tagged a").first.click()
    expect(page.locator("#explorer-chips")).to_have_text("Topic: Getting home at night ×")
    assert page.evaluate("document.activeElement.id") == "explorer-search"
    plain = browser.new_context(java_script_enabled=False).new_page()
    plain.goto(report.as_uri())
    assert not [link for link in plain.locator(".all-tagged").all() if link.is_visible()]


def test_the_order_can_be_changed(browser: Browser, many: Many) -> None:
    """By score and by time, also of what was found."""
    page = explore(browser, many.file).page
    page.locator(".asking .filters summary").click()
    page.get_by_label("Order", exact=True).select_option("score")
    expect(page.locator(".reel .score").first).to_have_text("score 49")
    page.get_by_label("Order", exact=True).select_option("oldest")
    expect(page.locator(".reel time").first).to_have_text("1 January 2026, 00:00 UTC")
    page.get_by_label("Order", exact=True).select_option("newest")
    newest = max(place * 7 % 9_000 for place in range(MANY))
    expect(page.locator(".reel time").first).to_have_text(
        f"7 January 2026, {newest // 60 % 24:02}:{newest % 60:02} UTC"
    )


def test_replies_fold_and_unfold(browser: Browser, many: Many) -> None:
    """One comment's replies, then those of all; the count says what is hidden."""
    page = explore(browser, many.file).page
    page.locator(".reel .fold").first.click()
    expect(page.locator("#explorer-count")).to_have_text("3,000 comments, 5 of them folded away")
    assert page.locator(".reel .fold").first.get_attribute("aria-expanded") == "false"
    assert page.locator(".reel article").nth(1).inner_text().find("Comment 6 on") >= 0
    page.locator(".reel .fold").first.click()
    expect(page.locator("#explorer-count")).to_have_text("3,000 comments")
    page.get_by_role("button", name="Fold all replies").click()
    expect(page.locator(".reel article.d1")).to_have_count(0)
    page.get_by_role("button", name="Unfold all replies").click()
    expect(page.locator("#explorer-count")).to_have_text("3,000 comments")


def test_a_link_opens_its_comment_whatever_hides_it(browser: Browser, many: Many) -> None:
    """A permalink scrolls to a far comment and focuses it; a filter that hides it is taken off; a wrong one is told."""
    page = explore(browser, many.file, f"#c={many.ref(2_345)}").page
    focused = page.locator("article:focus")
    expect(focused).to_contain_text("Comment 2345 on the bridge.")
    assert focused.bounding_box() is not None
    expect(focused).to_be_in_viewport()
    search(page, "tram", "600 of 3,000 comments found")
    page.evaluate(f"location.hash = '#c={many.ref(7)}'")
    expect(page.locator("article:focus")).to_contain_text("Comment 7 on the library.")
    expect(page.locator("#explorer-count")).to_have_text("3,000 comments")
    page.evaluate("location.hash = '#c=000000000000'")
    expect(page.locator("#explorer-said")).to_have_text("The comment of this link is not in this file.")


def test_only_rows_on_screen_exist_wherever_the_list_is_scrolled(browser: Browser, many: Many) -> None:
    """Scrolled to the end and back, there are few rows, and they are the right ones."""
    page = explore(browser, many.file).page
    page.evaluate("document.getElementById('explorer-list').scrollTop = 1e9")
    expect(page.locator(".reel article").last).to_contain_text("Comment 2999 on")
    assert page.locator(".reel article").count() < 60
    page.evaluate("document.getElementById('explorer-list').scrollTop = 0")
    expect(page.locator(".reel article").first).to_contain_text("Comment 0 on")


def test_a_walk_by_keyboard(browser: Browser, many: Many) -> None:
    """Keys move, fold, search, explain and leave again; the focus is always seen and never trapped."""
    page = explore(browser, many.file).page
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "explorer-search"
    page.keyboard.type("jo?")
    assert page.locator("#explorer-search").input_value() == "jo?"
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    expect(page.locator("#explorer-count")).to_have_text("3,000 comments")
    page.keyboard.press("Enter")
    expect(page.locator("article:focus")).to_contain_text("Comment 0 on")
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    expect(page.locator("article:focus")).to_contain_text("Comment 2 on")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("k")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#explorer-count")).to_have_text("3,000 comments, 4 of them folded away")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("article:focus")).to_contain_text("Comment 2 on")
    page.keyboard.press("End")
    expect(page.locator("article:focus")).to_contain_text("Comment 2999 on")
    page.keyboard.press("Home")
    for _ in range(120):
        page.keyboard.press("j")
    expect(page.locator("article:focus")).to_contain_text("Comment 120 on")
    expect(page.locator("article:focus")).to_be_in_viewport()
    page.keyboard.press("?")
    expect(page.locator("#explorer-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#explorer-dialog")).to_be_hidden()
    page.locator(".reel article").first.focus()
    for _ in range(200):
        page.keyboard.press("Tab")
        if not page.evaluate("document.activeElement.closest('.reel')"):
            break
    assert not page.evaluate("document.activeElement.closest('.reel')")


def test_the_focus_stays_where_a_reader_left_it(browser: Browser, many: Many) -> None:
    """Folding by button keeps the button, Escape leaves a correction to its button, scrolled lists go on from there."""
    page = explore(browser, many.file).page
    page.locator(".reel .fold").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "show 5 replies"
    page.keyboard.press("Enter")
    page.keyboard.press("w")
    assert page.evaluate("document.activeElement.type") == "radio"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == "wrong tag?"
    page.evaluate("document.getElementById('explorer-list').scrollTop = 90000")
    expect(page.locator("#explorer-list")).to_be_focused()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("Number(document.activeElement.dataset.comment)") > 100
    expect(page.locator("article:focus")).to_be_in_viewport()
    search(page, "tram", "600 of 3,000 comments found")
    page.keyboard.press("Enter")
    page.keyboard.press("x")
    expect(page.locator("#explorer-count")).to_have_text("3,000 comments")
    expect(page.locator("#explorer-list")).to_be_focused()


def test_letters_can_be_switched_off(browser: Browser, many: Many) -> None:
    """With the switch off, letters do nothing, arrows still move."""
    page = explore(browser, many.file).page
    page.locator("#explorer-help").click()
    page.locator("#explorer-keys").uncheck()
    page.get_by_role("button", name="Close").click()
    page.locator("#explorer-list").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("article:focus")).to_contain_text("Comment 0 on")
    page.keyboard.press("j")
    expect(page.locator("article:focus")).to_contain_text("Comment 0 on")
    page.keyboard.press("ArrowDown")
    expect(page.locator("article:focus")).to_contain_text("Comment 1 on")


def test_a_quote_is_copied_with_its_reference(browser: Browser, many: Many) -> None:
    """The clipboard holds the words, who, when, which thread, and the name that a link takes."""
    page = explore(browser, many.file, permissions=["clipboard-read", "clipboard-write"]).page
    page.locator(".reel .copy").first.click()
    expect(page.locator("#explorer-said")).to_have_text("Copied, with its reference.")
    said = page.evaluate("navigator.clipboard.readText()")
    assert said.startswith("“Comment 0 on the bridge. ”\n— ")
    assert f"1 January 2026, 00:00 UTC, Thread 0, #c={many.ref(0)}" in said


def test_corrections_outlive_a_reload_and_are_imported(
    browser: Browser, many: Many, config: Config, tmp_path: Path
) -> None:
    """Wrong tags are given by key and mouse, kept, saved as a file, and become labels of unknown inclusion."""
    seen = explore(browser, many.file)
    page = seen.page
    page.locator(".reel .wrong").first.click()
    crime = page.locator(".verdict fieldset").filter(has_text="Fear of crime")
    assert page.evaluate("document.activeElement.type") == "radio"
    crime.get_by_label("yes").check()
    page.get_by_label("against", exact=True).check()
    expect(page.locator("#explorer-own-count")).to_have_text("2 corrections on 1 comment.")
    expect(page.locator(".tag.own").first).to_have_text("you: Fear of crime, yes")
    page.reload()
    page.wait_for_selector(READY, state="attached")
    expect(page.locator("#explorer-own-count")).to_have_text("2 corrections on 1 comment.")
    with page.expect_download() as download:
        page.locator("#explorer-save").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    items = json.loads(file.read_text(encoding="utf-8"))["items"]
    assert {item["id"] for item in items} == {many.ref(0)}
    items.append({**items[0], "id": "0123456789ab"})
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), "items": items}), encoding="utf-8")
    result = import_labels(many.workspace, config, file, "ann")
    assert (result.labels, result.known_inclusion) == (2, 0)
    assert any("1 " in note and "0123456789ab" in note for note in result.notes)
    labels = many.workspace.read(LABELS).sort("kind")
    assert labels.select("comment_id", "kind", "level", "value", "annotator", "design").rows() == [
        ("demo:m0", "frame", "fear_of_crime", "yes", "ann", "unknown"),
        ("demo:m0", "stance", config.stance.targets[0], "against", "ann", "unknown"),
    ]
    assert labels["inclusion"].null_count() == 2
    assert seen.said == []
    assert [address for address in seen.asked if not address.startswith(("data:", "blob:"))] == []


def test_hostile_comments_are_text_in_the_explorer(browser: Browser, report: Path) -> None:
    """Markup in a comment of the story is shown as written, and the page stays silent."""
    seen = explore(browser, report)
    page = seen.page
    page.locator("#explorer-search").fill("onerror")
    expect(page.locator(".reel article").first).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator(".reel img").count() == 0
    assert seen.said == []


def test_a_link_from_a_quote_leads_to_its_comment(browser: Browser, report: Path) -> None:
    """With the script a quote's link focuses its comment in the list, without it the comment of the printed list."""
    page = explore(browser, report).page
    page.locator("figure.quote a[href^='#c=']").first.click()
    expect(page.locator("article:focus")).to_contain_text("scared")
    plain = browser.new_context(java_script_enabled=False).new_page()
    plain.goto(report.as_uri())
    plain.locator("figure.quote a[href^='#c=']").first.click()
    assert "scared" in plain.locator(".comment:target").inner_text()
    assert plain.locator("#explorer").is_hidden()


def test_without_a_script_500_comments_are_read(browser: Browser, many: Many) -> None:
    """The list that is chosen by rule is there, the explorer is not, and nothing is said of a search that is not."""
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(many.file.as_uri())
    assert page.locator("#chosen .comment").count() == 500
    assert page.locator("#chosen .comment").first.is_visible()
    assert page.locator("#explorer").is_hidden()


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_width_is_exceeded(browser: Browser, report: Path, width: int) -> None:
    """Nothing of the explorer is wider than the screen, with filters, keys and a correction open."""
    page = explore(browser, report, viewport={"width": width, "height": 800}).page
    page.locator(".asking .filters summary").click()
    page.locator(".reel .wrong").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wide = page.evaluate(
        "[...document.querySelectorAll('#explorer *')].filter(e => e.checkVisibility()"
        " && !e.closest('.hidden, .skip-list') && e.getBoundingClientRect().right > innerWidth + 1)"
        ".map(e => e.outerHTML.slice(0, 80))"
    )
    assert wide == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_found_wrong_while_it_is_used(browser: Browser, report: Path, scheme: Any) -> None:
    """axe-core is content with filters, hits, a correction and the keys open."""
    page = explore(browser, report, color_scheme=scheme, viewport={"width": 390, "height": 800}).page
    page.locator("#explorer-search").fill("the")
    page.locator(".asking .filters summary").click()
    expect(page.locator(".reel .hit").first).to_be_attached()
    page.locator(".reel .wrong").first.click()
    page.locator(".verdict input").nth(1).check()
    # Names of the landmarks of other sections are looked at where the whole page is.
    rules = {"landmark-unique": {"enabled": False}}
    assert violations(page, rules) == []
    page.locator("#explorer-help").click()
    assert violations(page, rules) == []
