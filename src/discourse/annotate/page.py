"""The annotation sheet: one offline HTML file, driven by the keyboard, that saves its answers as a JSON file."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path

import jinja2
from markupsafe import Markup

from discourse.annotate.readings import Level
from discourse.codebook import Frame
from discourse.writing import write_text

FORMAT = "discourse-labels"
ANSWERS = {
    "frame": (("y", "yes", "Yes"), ("n", "no", "No")),
    "stance": (
        ("f", "favor", "In favor"),
        ("a", "against", "Against"),
        ("n", "neutral", "About it, no side"),
        ("o", "off_target", "Not about it"),
    ),
}


@dataclass(frozen=True, slots=True)
class Thread:
    """What a comment is read beside: the title and text of the article."""

    title: str
    article: str


@dataclass(frozen=True, slots=True)
class Item:
    """One comment to label: its public name, text, the number of its thread, and the text that it answers."""

    id: str
    text: str
    thread: int
    parent: str


@dataclass(frozen=True, slots=True)
class SheetPage:
    """All that a sheet shows."""

    round: int
    level: Level
    frame: Frame | None
    unit: str
    tie_breaks: tuple[str, ...]
    items: tuple[Item, ...]
    threads: tuple[Thread, ...]

    @property
    def key(self) -> str:
        """Name this sheet among others: the browser keeps its answers under it."""
        what = [self.round, self.level.kind, self.level.name, *(item.id for item in self.items)]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]


def write_page(page: SheetPage, output: Path) -> None:
    """Write the sheet as one HTML file, atomically.

    Comments stand in it as JSON in a block that no browser executes, with every ``<`` escaped, and reach the page as
    text only. The policy of the file lets through its own style and script by their hashes, and nothing else.

    Raises:
        WorkspaceError: the file cannot be written.
    """
    write_text(output, render(page))


def render(page: SheetPage) -> str:
    """Return the sheet as HTML."""
    assets = resources.files("discourse.annotate") / "assets"
    style, script = ((assets / name).read_text(encoding="utf-8") for name in ("sheet.css", "sheet.js"))
    answers = [{"key": key, "value": value, "label": label} for key, value, label in ANSWERS[page.level.kind]]
    data = {
        "format": FORMAT,
        "version": 1,
        "sheet": page.key,
        "round": page.round,
        "kind": page.level.kind,
        "level": page.level.name,
        "answers": answers,
        "items": [asdict(item) for item in page.items],
        "threads": [asdict(thread) for thread in page.threads],
    }
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("discourse.annotate", "assets"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("sheet.html.j2").render(
        page=page,
        answers=answers,
        style=Markup(style),  # noqa: S704  # our own file
        script=Markup(script),  # noqa: S704  # our own file
        style_hash=_digest(style),
        script_hash=_digest(script),
        data=Markup(_inert(data)),  # noqa: S704  # escaped by `_inert`
    )


def _inert(data: object) -> str:
    """Return JSON that cannot end its block: HTML sees no ``<``, ``>`` or ``&`` in it."""
    text = json.dumps(data, ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _digest(content: str) -> str:
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
