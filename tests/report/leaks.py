"""Everything that leaves a workspace, unpacked to plain text, and what of its raw input can be found in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from html import unescape
from pathlib import Path

import polars as pl
from selectolax.lexbor import LexborHTMLParser
from tests.report.decoding import embedded

from discourse import export
from discourse.config import Config, override
from discourse.report import document
from discourse.report.chart_files import drawings, standalone
from discourse.report.figure_folder import tables_of
from discourse.tables import COMMENTS, RAW_COMMENTS, RAW_THREADS, THREADS
from discourse.workspace import Workspace

# What names a file format, not a place of anybody's.
NAMESPACES = ("http://www.w3.org/", "http://graphml.graphdrawing.org/")
# What a reader takes as one piece of text.
BLOCKS = "p, li, td, th, dt, dd, h1, h2, h3, h4, figcaption, blockquote, summary, caption, pre, title, desc, text"
# So many words in a row are somebody's text; fewer are said by anybody.
RUN = 5
SHORT = 12
WRITTEN = (
    r"(?<!\w)\d{4}-\d\d-\d\d",
    r"(?<!\w)\d{4}-\d\d-\d\d[T ]\d\d:\d\d",
    r"(?<!\w)\d\d:\d\d:\d\d",
    r"(?<!\w)\d{1,2} [A-Z][a-z]+ \d{4}",
    r"(?<!\w)[A-Z][a-z]+ \d{1,2}, \d{4}",
)
CLOCKS = ("%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%H:%M:%S", "%-d %B %Y", "%B %-d, %Y")


def leaving(workspace: Workspace, config: Config, quotes: str, folder: Path) -> dict[str, str]:
    """Write the report in every form, its figures and an export under a setting; return all as text, by name."""
    chosen = override(config, {"report.quotes": quotes})
    html = document(workspace, chosen, "html")
    found = {
        "html": page_text(html),
        "md": document(workspace, chosen, "md"),
        "json": document(workspace, chosen, "json"),
    }
    found |= {f"{chart.name}.svg": standalone(chart, html) for chart in drawings(html)}
    found |= {f"{name} table": str(table) for name, table in tables_of(html).items()}
    export.run(workspace, chosen, folder)
    for file in sorted(folder.rglob("*")):
        if file.suffix == ".parquet":
            found[file.name] = str(pl.read_parquet(file).to_dicts())
        elif file.is_file():
            found[file.name] = file.read_text(encoding="utf-8")
    return found


def page_text(html: str) -> str:
    """Return a page's text, attributes and embedded data, each piece on a line of its own."""
    page = LexborHTMLParser(html)
    values = [str(value) for node in page.css("*") for value in node.attributes.values() if value]
    texts = [node.text(deep=False) for node in page.css("*") if node.tag not in {"style", "script"}]
    data = embedded(html)
    packed = [data.raw, *(str(column) for column in data.columns.values())] if data is not None else []
    texts += [node.text() for node in page.css(BLOCKS)]
    return "\n".join(" ".join(unescape(piece).split()) for piece in [*texts, *values, *packed])


def leaks(workspace: Workspace, found: dict[str, str], quotes: str, own: str) -> list[str]:
    """Return what of the raw input stands where it should not, each with the name of the form it is in.

    Args:
        workspace: whose raw input is looked for.
        found: what left it, see `leaving`.
        quotes: `short` allows twelve words of a comment in a row, `none` no run of words.
        own: text of ours, whose runs of words anybody may say.
    """
    comments, threads = workspace.read(RAW_COMMENTS), workspace.read(RAW_THREADS)
    clean = workspace.read(COMMENTS)
    said = [*comments["text"].drop_nulls(), *clean["text"].drop_nulls()]
    other = [*threads["title"].drop_nulls(), *threads["article"].drop_nulls()]
    quoted = [quote["text"] for row in clean["quotes"].drop_nulls() for quote in row]
    runs = _runs([*other, *quoted], RUN) - _runs([own], RUN)
    if quotes == "short":
        # What was quoted or is the article may stand in twelve words of a comment.
        runs = (runs - _runs(said, RUN)) | _runs(said, SHORT + 1, r"\S+")
    else:
        runs |= _runs(said, RUN) - _runs([own], RUN)
    ids = _ids(workspace)
    moments = [*comments["created_at"].drop_nulls(), *threads["published_at"].drop_nulls()]
    clocks = {text for moment in moments for text in _clocks(moment)}
    places = {name for name in comments["file"] if len(name) > 5} | {*threads["url"].drop_nulls()}
    told: list[str] = []
    for name, text in found.items():
        tokens = {token.strip(".-") for token in re.findall(r"[\w.-]+", text)}
        slashed = set(re.findall(r"[\w.-]+/[\w.-]+", text))
        told += [f"{name}: id {each}" for each in ids & (tokens | slashed)]
        written = {time for form in WRITTEN for time in re.findall(form, text)} | tokens
        told += [f"{name}: time {each}" for each in clocks & written]
        told += [f"{name}: place {each}" for each in places if each in text]
        told += [
            f"{name}: text {' '.join(run)}" for size in {len(run) for run in runs} for run in _found(text, runs, size)
        ]
        links = re.findall(r"(?:https?|hxxps?)://[^\s\"'<>)]+", text)
        told += [f"{name}: address {link}" for link in links if not link.startswith(NAMESPACES)]
        told += [
            f"{name}: name {each}"
            for each in re.findall(r"(?<![\w.])@[a-z]\w+|(?<![\w/])u/\w{3,}", text)
            if each not in own
        ]
    return told


def _ids(workspace: Workspace) -> set[str]:
    raw = workspace.read(RAW_COMMENTS)
    names = {*raw["native_id"].drop_nulls(), *raw["native_parent"].drop_nulls()}
    for table, column in ((COMMENTS, "comment_id"), (THREADS, "thread_id")):
        names |= {name.partition(":")[2] for name in workspace.read(table)[column]}
    names |= {name for name in raw["author"].drop_nulls() if any(letter.isdigit() for letter in name)}
    return {name for name in names if len(name) > 4 and any(letter.isdigit() for letter in name)}


def _clocks(moment: datetime) -> Iterator[str]:
    # The first of a month stands for the month.
    yield from (moment.strftime(form) for form in CLOCKS if moment.day != 1 or "%H" in form)
    if (moment.day, moment.hour, moment.minute) != (1, 0, 0):
        yield str(int(moment.timestamp()))
        yield str(int(moment.timestamp()) // 60)


def _runs(texts: list[str], size: int, word: str = r"[^\W_]+") -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for text in texts:
        words = re.findall(word, text.lower())
        found |= {tuple(words[at : at + size]) for at in range(len(words) - size + 1)}
    return found


def _found(text: str, runs: set[tuple[str, ...]], size: int) -> set[tuple[str, ...]]:
    return _runs(text.splitlines(), size, r"\S+" if size > RUN else r"[^\W_]+") & runs
