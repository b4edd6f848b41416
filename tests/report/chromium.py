"""The page in a real Chromium: what it said, what it asked for, and what axe-core finds wrong with it."""

from __future__ import annotations

import io
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pypdf
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
# The rules of WCAG 2.2 AA, and what axe-core calls best practice: landmarks, order of headings, unique names.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# A word at the top and at the bottom of each chart, to find both again in print.
ENDS = ("top", "end")
MARK = """
() => {
  const charts = [...document.querySelectorAll('svg.chart')];
  charts.forEach((chart, number) => {
    for (const [name, y] of [['top', 4], ['end', chart.height.baseVal.value]]) {
      const text = document.createElementNS('http://www.w3.org/2000/svg', 'text');
      text.textContent = `chart${number}${name}`;
      text.setAttribute('x', 0);
      text.setAttribute('y', y);
      chart.append(text);
    }
  });
  return charts.length;
}
"""


class Seen:
    """What a page said and asked for while it was open."""

    def __init__(self, page: Page, file: Path, fragment: str = "") -> None:
        """Open `file` in `page`, block every request but that one, and listen."""
        self.page = page
        self.said: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        page.on("popup", lambda popup: self.asked.append(popup.url))
        page.on("websocket", lambda socket: self.asked.append(socket.url))
        page.context.route("**/*", self._answer)
        self.address = file.as_uri()
        page.goto(self.address + fragment)

    def _answer(self, route: Any) -> None:
        if route.request.url == self.address:
            route.continue_()
            return
        self.asked.append(route.request.url)
        route.abort()

    @property
    def left(self) -> list[str]:
        """The requests that would have left the file."""
        return [address for address in self.asked if not address.startswith(("data:", "blob:"))]

    def ready(self) -> Page:
        """Wait until the explorer works, where there is one, and return the page."""
        if self.page.locator("#corpus-about").count():
            self.page.wait_for_selector("html[data-state=ready], #explorer:not([hidden])", state="attached")
        return self.page


@contextmanager
def chromium() -> Generator[Browser]:
    """Start the Chromium of this machine; without one the test is skipped."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is absent: the page is not opened in a browser")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield opened
        opened.close()


def opened(browser: Browser, file: Path, width: int = 1280, scheme: Any = "light", **context: Any) -> Seen:
    """Open a report at a width and in a colour scheme."""
    made = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **context)
    return Seen(made.new_page(), file)


def unfold(page: Page) -> None:
    """Open every details element."""
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")


def violations(page: Page, rules: Mapping[str, Any] | None = None) -> list[str]:
    """Return what axe-core finds wrong, each with the elements."""
    page.evaluate(_axe())
    options = {"runOnly": RULES, "resultTypes": ["violations"], "rules": dict(rules or {})}
    found = page.evaluate(f"axe.run(document, {json.dumps(options)})")
    return [
        f"{each['id']}: {each['help']}: {[(node['target'], node['html'][:120]) for node in each['nodes'][:4]]}"
        for each in found["violations"]
    ]


def printed(page: Page, paper: str) -> tuple[list[str], int, list[int]]:
    """Print a page to PDF.

    Returns:
        The text of each sheet, how many charts there are, and which of them do not stand whole on one sheet.
    """
    charts: int = page.evaluate(MARK)
    sheets = pypdf.PdfReader(io.BytesIO(page.pdf(format=paper))).pages
    texts = [sheet.extract_text() for sheet in sheets]
    found = [[{i for i, text in enumerate(texts) if f"chart{n}{end}" in text} for end in ENDS] for n in range(charts)]
    return texts, charts, [n for n, (top, end) in enumerate(found) if top != end or len(top) != 1]


@cache
def _axe() -> str:
    return (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
