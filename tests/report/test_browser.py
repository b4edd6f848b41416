"""The page in a browser: silent, offline, as wide as the screen, readable in light and dark, by keyboard, on paper."""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tests.report.chromium import chromium, opened, printed, unfold, violations

CONTRAST = """
() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.checkVisibility() || ['title', 'desc', 'style'].includes(e.tagName)) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(parse(e.namespaceURI.endsWith('svg') ? style.fill : style.color)), light(behind(e))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) low.push([ratio.toFixed(2), e.tagName, e.outerHTML.slice(0, 60)]);
  }
  return low;
}
"""


# All that takes the focus, but rows of the explorer's list, which come and go.
STOPS = """() => [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')]
  .filter(each => each.checkVisibility({ visibilityProperty: true }) && !each.disabled && !each.closest('.reel'))
  .filter(each => each.tabIndex >= 0)"""


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    """A Chromium that is on this machine; without one these tests are skipped."""
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def unscripted(report: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same page as readers without JavaScript have it, so that axe-core can look at it."""
    text = re.sub(r'<script type="module">.*?</script>', "", report.read_text(encoding="utf-8"), flags=re.DOTALL)
    file = tmp_path_factory.mktemp("unscripted") / "report.html"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_axe_finds_nothing(browser: Browser, report: Path, unscripted: Path, scheme: str, script: bool) -> None:
    """All rules of WCAG 2.2 AA and axe-core's best practice, with everything unfolded."""
    seen = opened(browser, report if script else unscripted, scheme=scheme)
    page = seen.ready() if script else seen.page
    unfold(page)
    assert violations(page) == []
    page.context.close()


def test_the_page_is_silent_and_offline(browser: Browser, report: Path) -> None:
    """No console message, no dialog, no request, also with everything unfolded."""
    seen = opened(browser, report)
    unfold(seen.page)
    seen.page.mouse.wheel(0, 20_000)
    seen.page.wait_for_timeout(200)
    assert seen.said == []
    assert seen.left == []


def test_the_style_sheet_is_obeyed(browser: Browser, report: Path) -> None:
    """The policy lets the page's own style through."""
    seen = opened(browser, report)
    assert seen.page.evaluate("getComputedStyle(document.querySelector('.findings')).listStyleType") == "none"


@pytest.mark.parametrize("width", [320, 768, 1440, 2560])
def test_nothing_is_wider_than_the_screen(browser: Browser, report: Path, width: int) -> None:
    """The page never scrolls sideways, folded or unfolded, no word is cut, and only tables scroll inside."""
    seen = opened(browser, report, width)
    page = seen.ready()
    for step in range(2):
        assert page.evaluate("document.documentElement.scrollWidth") <= width, step
        beyond = page.evaluate(
            """() => [...document.querySelectorAll('p, li, h1, h2, h3, dt, dd, summary, figcaption, svg text')]
              .filter(each => each.checkVisibility() && !each.closest('.scroll, .hidden'))
              .filter(each => each.getBoundingClientRect().right > innerWidth + 1)
              .map(each => each.outerHTML.slice(0, 80))"""
        )
        assert beyond == [], step
        unfold(page)
    page.context.close()


@pytest.mark.parametrize("width", [320, 1280])
def test_words_in_charts_do_not_overlap(browser: Browser, report: Path, width: int) -> None:
    """On a narrow screen too, labels and values of a chart stand apart and inside it."""
    seen = opened(browser, report, width)
    clashes = seen.page.evaluate(
        """() => [...document.querySelectorAll('svg.chart')].flatMap(chart => {
          const frame = chart.getBoundingClientRect();
          const boxes = [...chart.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
          const outside = boxes.filter(([, b]) => b.left < frame.left - 3 || b.right > frame.right + 3).map(([t]) => t);
          const over = boxes.flatMap(([t, a], i) => boxes.slice(i + 1)
            .filter(([, b]) => a.left < b.right - 1 && b.left < a.right - 1)
            .filter(([, b]) => a.top < b.bottom - 5 && b.top < a.bottom - 5)
            .map(([u]) => t + ' / ' + u));
          return [...outside, ...over];
        })"""
    )
    assert clashes == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser: Browser, report: Path, scheme: str) -> None:
    """Every text has a contrast of at least 4.5 to 1 in both colour schemes."""
    seen = opened(browser, report, scheme=scheme)
    unfold(seen.page)
    assert seen.page.evaluate(CONTRAST) == []


def test_the_page_can_be_read_by_keyboard_and_landmark(browser: Browser, report: Path) -> None:
    """The first stop is the link to the findings; landmarks and language are named."""
    seen = opened(browser, report)
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.getAttribute('href')") == "#findings"
    assert seen.page.locator("main").count() == 1
    assert seen.page.get_by_role("navigation").count() == 1
    assert seen.page.evaluate("document.documentElement.lang") == "en"


def test_right_to_left_text_runs_right_to_left(browser: Browser, report: Path) -> None:
    """A comment in Arabic sets its own direction."""
    seen = opened(browser, report)
    direction = seen.page.evaluate(
        """() => getComputedStyle(
          [...document.querySelectorAll('.comment .text')].find(e => e.textContent.includes('الحافلات'))
        ).direction"""
    )
    assert direction == "rtl"


def test_every_control_is_reached_by_keyboard_and_seen(browser: Browser, report: Path) -> None:
    """Tab leads through all of them, each shows that it has the focus, and at the end it leaves the page again."""
    seen = opened(browser, report)
    page = seen.ready()
    stops = page.evaluate(f"({STOPS})().length")
    page.evaluate(f"({STOPS})().forEach((each, i) => {{ each.dataset.stop = i }})")
    reached: set[str] = set()
    for _ in range(stops + 200):
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => {
              const each = document.activeElement, style = getComputedStyle(each);
              if (each === document.body) return null;
              const box = each.getBoundingClientRect();
              const seen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
              const there = box.bottom > 0 && box.top < innerHeight && box.width > 0;
              return [each.dataset.stop ?? '', seen && there ? '' : each.outerHTML.slice(0, 90)];
            }"""
        )
        if found is None:
            break
        assert found[1] == "", found
        reached.add(found[0])
    else:
        pytest.fail("the focus never left the page")
    missed = page.evaluate(
        f"known => ({STOPS})().filter(each => !known.includes(each.dataset.stop)).map(each => each.outerHTML)",
        sorted(reached),
    )
    assert missed == []
    page.context.close()


def test_details_open_by_keyboard(browser: Browser, report: Path) -> None:
    """Space opens what is folded and closes it again."""
    page = opened(browser, report).ready()
    page.locator("summary").first.focus()
    for state in (True, False):
        page.keyboard.press("Space")
        assert page.locator("details").first.evaluate("each => each.open") is state
    page.context.close()


def test_nothing_moves_for_those_who_ask_for_stillness(browser: Browser, report: Path) -> None:
    """With prefers-reduced-motion there is no transition, animation or smooth scrolling."""
    page = opened(browser, report, reduced_motion="reduce").ready()
    moving = page.evaluate(
        """() => [...document.querySelectorAll('*')].filter(each => {
          const style = getComputedStyle(each);
          return parseFloat(style.transitionDuration) > 0.01 || parseFloat(style.animationDuration) > 0.01
            || style.scrollBehavior === 'smooth';
        }).length"""
    )
    assert moving == 0
    page.context.close()


def test_without_javascript_all_but_search_is_there(browser: Browser, report: Path) -> None:
    """Sections, charts, tables and comments are read as they stand, and details open without a script."""
    page = opened(browser, report, java_script_enabled=False).page
    for section in ("findings", "frames", "stance", "topics", "comments", "data", "method", "receipt"):
        assert page.locator(f"#{section}").is_visible(), section
    assert page.locator("#chosen .comment").first.is_visible()
    assert page.locator("svg.chart").first.is_visible()
    assert page.locator("#explorer-search").count() == 0 or not page.locator("#explorer-search").is_visible()
    page.locator("details.numbers summary").first.click()
    assert page.locator("details.numbers table").first.is_visible()
    page.context.close()


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_every_chart_is_whole_on_paper(browser: Browser, report: Path, paper: str) -> None:
    """No chart is cut by the end of a page, what was folded is printed, and so are the comments."""
    page = opened(browser, report).ready()
    texts, charts, cut = printed(page, paper)
    assert charts > 5
    assert cut == []
    whole = re.sub(r"\s+", " ", " ".join(texts))
    assert "worries, or invites others to worry" in whole
    assert "The depot is the cheap part" in whole
    assert "Skip to the findings" not in whole
    page.context.close()
