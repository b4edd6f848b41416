"""Attacks wherever words of others can stand do nothing: no script, no request, nothing out of its place."""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import Browser
from selectolax.lexbor import LexborHTMLParser
from tests.report import hostile
from tests.report.chromium import Seen, chromium, opened, printed, unfold

from discourse.models.bundle import shipped_bundles
from discourse.tables import COMMENTS, QUARANTINE, THREADS, TOPIC_INFO
from discourse.workspace import Workspace

# All that our templates and charts are made of.
TAGS = frozenset(
    """html head meta title link style script body a header footer nav main section aside article div p span strong em
    i h1 h2 h3 h4 ol ul li dl dt dd dfn figure figcaption blockquote cite table caption thead tbody tr th td details
    summary time bdi mark code pre kbd button input select option label form fieldset legend dialog -text svg defs
    pattern rect line circle path polygon polyline text tspan g use desc""".split()  # noqa: SIM905  # reads better
)
HIDDEN = re.compile("[\u202a-\u202e\u206a-\u206f\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufff9-\ufffb]")
# The words of the page beyond the edge of the screen, but for what scrolls inside itself; and comments over others.
ESCAPED = """
() => {
  const found = [], words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = words.nextNode(); node; node = words.nextNode()) {
    const holder = node.parentElement;
    if (!node.data.trim() || !holder.checkVisibility()) continue;
    if (holder.closest('.scroll, .hidden, .skip, script, .reel')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (box.width && (box.left < -1 || box.right > innerWidth + 1)) found.push(['beyond', node.data.slice(0, 60)]);
  }
  for (const list of document.querySelectorAll('main, #chosen .comments, .reel .rows')) {
    const parts = [...list.children].filter(each => each.checkVisibility());
    const boxes = parts.map(each => each.getBoundingClientRect());
    boxes.forEach((box, i) => { if (i && box.top < boxes[i - 1].bottom - 1) found.push(['over', list.className, i]); });
  }
  for (const each of document.querySelectorAll('body *')) {
    const where = getComputedStyle(each).position;
    if (where === 'fixed') found.push(['fixed', each.outerHTML.slice(0, 60)]);
  }
  if (document.documentElement.scrollWidth > innerWidth) found.push(['wide', document.documentElement.scrollWidth]);
  return found;
}
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace of attacks, collected, normalized, tagged and aggregated by the real stages."""
    if {"frames-minilm", "stance-minilm"} - set(shipped_bundles()):
        pytest.skip("the bundles are not shipped")
    return hostile.run(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def page(workspace: Workspace) -> Path:
    """The report that quotes them in full."""
    output = workspace.root.parent / "report.html"
    hostile.write(workspace, output)
    return output


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    """A real Chromium."""
    with chromium() as opened:
        yield opened


def test_there_are_attacks_enough() -> None:
    """At least 150 strings, each of its own."""
    assert len(hostile.ATTACKS) == len(set(hostile.ATTACKS)) >= 150


def test_the_attacks_came_through(workspace: Workspace) -> None:
    """Every row is a comment or in quarantine; titles, topics and file names of threads hold attacks."""
    comments = workspace.read(COMMENTS)
    assert comments.height == len(hostile.ATTACKS)
    assert workspace.read(QUARANTINE).height >= 40
    text = comments["text"].fill_null("")
    assert text.str.contains("<script>window.owned=1</script>", literal=True).any()
    assert text.str.contains("javascript:window.owned=1", literal=True).any()
    assert workspace.read(THREADS)["title"].str.contains("<", literal=True).any()
    assert workspace.read(TOPIC_INFO)["label"].is_in(hostile.ATTACKS).any()
    assert workspace.read(THREADS)["source"].str.contains("onerror", literal=True).all()


@pytest.mark.parametrize("quotes", ["full", "short", "none"])
@pytest.mark.parametrize("lang", ["en", "de"])
def test_the_page_consists_of_our_elements(workspace: Workspace, tmp_path: Path, quotes: str, lang: str) -> None:
    """No element, handler, style or address of an attack is part of the page, however much it quotes."""
    hostile.write(workspace, tmp_path / "r.html", quotes=quotes, lang=lang)
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    found = LexborHTMLParser(text)
    nodes = found.css("*")
    assert {node.tag for node in nodes} <= TAGS
    attributes = [(name, value or "") for node in nodes for name, value in node.attributes.items()]
    assert not [name for name, _ in attributes if name.startswith("on") or name in {"style", "src", "srcset", "action"}]
    assert not [name for name, _ in attributes if not re.fullmatch(r"[a-zA-Z:-]+[0-9]?", name)]
    links = [value for name, value in attributes if name in {"href", "xlink:href"}]
    assert not [link for link in links if not re.match(r"https?://[^/]|#|data:,$", link)]
    outside = [node.attributes.get("rel") or "" for node in found.css("a[href^=http]")]
    assert all({"noopener", "noreferrer"} <= set(rel.split()) for rel in outside)
    assert bool(outside) == (quotes == "full")
    assert len(found.css("script:not([type^=application])")) == (quotes != "none")
    names = [value for name, value in attributes if name == "id"]
    assert len(names) == len(set(names))
    readable = re.sub(r"<(script|style)\b.*?</\1>", "-", text, flags=re.DOTALL)
    assert not HIDDEN.search(readable)
    assert not re.search("[\u0300-\u036f]{4}|[\u200b-\u200f\u2060]{3}|\n\\s*\n\\s*\n\\s*\n", readable)


@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_runs_leaves_or_escapes(browser: Browser, page: Path, width: int) -> None:
    """With JavaScript: every comment of the explorer is drawn once, and every detail is open."""
    seen = opened(browser, page, width)
    tab = seen.ready()
    unfold(tab)
    for place in range(0, 30_000, 700):
        tab.evaluate(f"document.querySelector('.reel').scrollTop = {place}")
        tab.wait_for_timeout(15)
    escaped = tab.evaluate(ESCAPED)
    assert escaped == []
    assert tab.evaluate("window.owned === undefined")
    _unharmed(seen)
    tab.context.close()


def test_a_search_and_a_link_of_an_attacker_do_nothing(browser: Browser, page: Path) -> None:
    """Attacks typed into the search, and in the address behind #, are words."""
    seen = opened(browser, page)
    tab = seen.ready()
    for attack in hostile.ATTACKS[:60:6]:
        tab.locator("#explorer-search").fill(attack)
        tab.wait_for_timeout(150)
        tab.evaluate("hash => { location.hash = hash }", f"c={attack}")
    tab.wait_for_timeout(200)
    assert tab.evaluate("window.owned === undefined")
    _unharmed(seen)
    tab.context.close()


@pytest.mark.parametrize("width", [320, 1280])
def test_without_javascript_nothing_leaves_either(browser: Browser, page: Path, width: int) -> None:
    """The page is read as it stands: no request, no dialog, and the comments are there."""
    seen = opened(browser, page, width, java_script_enabled=False)
    assert seen.page.locator("#chosen .comment").count() == len(hostile.ATTACKS)
    assert seen.page.locator("#chosen .comment").first.is_visible()
    assert seen.page.evaluate(ESCAPED) == []
    _unharmed(seen)
    seen.page.context.close()


def test_words_from_right_to_left_stay_in_their_place(browser: Browser, page: Path) -> None:
    """What others wrote is isolated: every text, title, name and tag sets its own direction."""
    seen = opened(browser, page, java_script_enabled=False)
    loose = seen.page.evaluate(
        """() => [...document.querySelectorAll('.text, .quoting, h1, cite, bdi, .tags .tag, #chosen h3, .refusals dd')]
          .filter(each => !/isolate|plaintext/.test(getComputedStyle(each).unicodeBidi))
          .map(each => each.outerHTML.slice(0, 80))"""
    )
    assert loose == []
    seen.page.context.close()


def test_tall_charts_are_whole_on_paper(browser: Browser, workspace: Workspace, tmp_path: Path) -> None:
    """A dozen threads with long titles make charts taller than a sheet of Letter; they are drawn smaller, not cut."""
    hostile.write(workspace, tmp_path / "r.html", quotes="none")
    tab = opened(browser, tmp_path / "r.html").ready()
    assert tab.locator(".p80, .p60, .p50, .p40").count()
    _, charts, cut = printed(tab, "Letter")
    assert charts > 5
    assert cut == []
    tab.context.close()


def _unharmed(seen: Seen) -> None:
    assert seen.said == []
    assert seen.left == []
    assert seen.page.url.startswith(seen.address)
    assert len(seen.page.context.pages) == 1


def test_the_table_of_attacks_is_data(workspace: Workspace) -> None:
    """No attack made a row of its own: ids are distinct and parents are comments of the table."""
    comments = workspace.read(COMMENTS)
    parents = comments["parent_id"].drop_nulls()
    assert comments["comment_id"].n_unique() == comments.height
    assert pl.Series(parents.is_in(comments["comment_id"].implode())).all()
