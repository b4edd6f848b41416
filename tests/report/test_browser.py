"""The page in a browser: silent, offline, no wider than the screen, readable in light and dark."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Contrast of text with what lies behind it, by the formula of WCAG 2; elements over a chart's bars have a halo.
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


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    """A Chromium that is on this machine; without one these tests are skipped."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is absent: the page is not opened in a browser")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield opened
        opened.close()


class Seen:
    """What a page said and asked for while it was open."""

    def __init__(self, page: Page, file: Path) -> None:
        """Open `file` in `page`, block every request but that one, and listen."""
        self.page = page
        self.said: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        page.route("**/*", self._answer)
        self.address = file.as_uri()
        page.goto(self.address)

    def _answer(self, route: Any) -> None:
        if route.request.url == self.address:
            route.continue_()
            return
        self.asked.append(route.request.url)
        route.abort()


def opened(browser: Browser, file: Path, width: int = 1280, scheme: Any = "light") -> Seen:
    """Open a report at a width and in a colour scheme."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    return Seen(context.new_page(), file)


def unfold(page: Page) -> None:
    """Open every details element."""
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")


def test_the_page_is_silent_and_offline(browser: Browser, report: Path) -> None:
    """No console message, no dialog, no request, also with everything unfolded."""
    seen = opened(browser, report)
    unfold(seen.page)
    seen.page.mouse.wheel(0, 20_000)
    seen.page.wait_for_timeout(200)
    assert seen.said == []
    assert [address for address in seen.asked if not address.startswith("data:")] == []


def test_the_style_sheet_is_obeyed(browser: Browser, report: Path) -> None:
    """The policy lets the page's own style through."""
    seen = opened(browser, report)
    assert seen.page.evaluate("getComputedStyle(document.querySelector('.findings')).listStyleType") == "none"


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_screen(browser: Browser, report: Path, width: int) -> None:
    """The page never scrolls sideways, folded or unfolded; only tables do, inside themselves."""
    seen = opened(browser, report, width)
    for step in range(2):
        wide = seen.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, step
        unfold(seen.page)


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


def test_it_prints(browser: Browser, report: Path) -> None:
    """Print gives A4 pages with the tables behind the charts unfolded."""
    seen = opened(browser, report)
    seen.page.emulate_media(media="print")
    assert seen.page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    assert seen.page.locator("nav").is_hidden()
    assert seen.page.evaluate("document.querySelector('.numbers table').getBoundingClientRect().height") > 20
