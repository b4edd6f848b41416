"""A folder with each chart of a finished page as SVG and PNG, and each of its tables as CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser, LexborNode

from discourse.errors import UsageError
from discourse.progress import bar, say
from discourse.report.chart_files import drawings, has_fonts, picture, standalone
from discourse.spreadsheets import inert
from discourse.writing import replacing, write_text

# The list of what we wrote: by it a folder is known as ours when it is written again.
CONTENTS = "figures.json"


def check_folder(folder: Path) -> None:
    """Refuse a place where figures would stand among files of another origin.

    Raises:
        UsageError: it is a file, or a folder with something else in it.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file; name a folder with --figures")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / CONTENTS).is_file():
        raise UsageError(f"{folder}: holds files that are not figures of a report; name an empty or a new folder")


def write_figures(html: str, folder: Path) -> list[str]:
    """Write the charts and tables of a finished page; figures of an earlier report that are not in this one go.

    Without fonts on this machine there are no PNGs, which is said.

    Args:
        html: the whole page: what it does not show is not in the files either.
        folder: made if absent.

    Returns:
        The names of the files, in the order of the page, charts first.

    Raises:
        UsageError: the folder is not ours, see `check_folder`.
        WorkspaceError: a file cannot be written.
    """
    check_folder(folder)
    charts, tables = drawings(html), tables_of(html)
    contents: dict[str, str] = {}
    lettered = not charts or has_fonts()
    if not lettered:
        say("no fonts on this machine: charts are written as SVG only")
    with bar("writing figures", len(charts) + len(tables)) as advance:
        for chart in charts:
            drawn = standalone(chart, html)
            write_text(folder / f"{chart.name}.svg", drawn)
            contents[f"{chart.name}.svg"] = chart.title
            if lettered:
                with replacing(folder / f"{chart.name}.png") as partial:
                    partial.write_bytes(picture(drawn))
                contents[f"{chart.name}.png"] = chart.title
            advance()
        for name, (title, rows) in tables.items():
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows([[inert(cell) for cell in row] for row in rows])
            write_text(folder / f"{name}.csv", text.getvalue())
            contents[f"{name}.csv"] = title
            advance()
    for old in _listed(folder) - set(contents):
        (folder / old).unlink(missing_ok=True)
    write_text(folder / CONTENTS, json.dumps(contents, ensure_ascii=False, indent=1) + "\n")
    return list(contents)


def tables_of(html: str) -> dict[str, tuple[str, list[list[str]]]]:
    """Return the tables of a finished page by name: what each shows, and its rows of cells as they are printed.

    The last cell of a row names the estimates that its numbers are. Tables are named by the part of the page that they
    stand in; a second one there is number 2.
    """
    found: dict[str, tuple[str, list[list[str]]]] = {}
    taken: Counter[str] = Counter()
    for table in LexborHTMLParser(html).css("table"):
        place = _place(table)
        taken[place] += 1
        name = place if taken[place] == 1 else f"{place}-{taken[place]}"
        rows = [cells(row) for row in table.css("tr")]
        ids = [_estimates(row) for row in table.css("tr")]
        if any(ids):
            head = [bool(row.css("thead th, th[scope=col]")) for row in table.css("tr")]
            rows = [
                [*cells, "estimates" if headed else named] for cells, named, headed in zip(rows, ids, head, strict=True)
            ]
        found[name] = (_title(table), rows)
    return found


def cells(row: LexborNode) -> list[str]:
    """Return the cells of a table's row as text; a cell that spans several columns is followed by empty ones."""
    found: list[str] = []
    for cell in row.css("th, td"):
        text = re.sub(r"\s+", " ", cell.text()).strip()
        found += [text, *([""] * (int(cell.attributes.get("colspan") or 1) - 1))]
    return found


def _estimates(row: LexborNode) -> str:
    named = [row, *row.css("[data-estimate]")]
    return " ".join(dict.fromkeys(name for each in named if (name := each.attributes.get("data-estimate"))))


def _place(table: LexborNode) -> str:
    node: LexborNode | None = table
    while node is not None:
        name = node.attributes.get("id") if node.tag not in {None, "-undef"} else None
        if name and re.fullmatch(r"[\w-]{1,100}", name):
            return name
        node = node.parent
    return "table"


def _title(table: LexborNode) -> str:
    caption = table.css_first("caption")
    if caption is not None:
        return re.sub(r"\s+", " ", caption.text()).strip()
    parent = table.parent
    return (parent.attributes.get("aria-label") or "") if parent is not None else ""


def _listed(folder: Path) -> set[str]:
    try:
        names = json.loads((folder / CONTENTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    # Only plain names: a list that somebody changed must not delete files elsewhere.
    return {name for name in names if isinstance(name, str) and re.fullmatch(r"[\w-]+\.(?:svg|png|csv)", name)}
