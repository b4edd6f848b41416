"""Whether every number of a page is a row of the estimates table as rounded, and every percentage names its whole."""

from __future__ import annotations

import re
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from discourse.tables import ESTIMATES, THREADS
from discourse.workspace import Workspace

# Numbers that are part of a rule or a definition, not of the result.
CONSTANTS = (
    "95 of 100",
    "95 %",
    "about 100",
    "fewer than 30",
    "Fewer than 30",
    "at least 30",
    "at least 40",
    "at most 500",
    "500 of",
    "F1 (1 is perfect)",
    "(1 is perfect)",
    "(0 is perfect)",
    "where 1 would be",
    "below 0.05",
)
# What stands in the page as others wrote it (comments, titles, the codebook), dates, ids, axis ticks, what a method
# assumes, and the commands, cards and receipt.
NOT_OURS = (
    "script, style, .text, .quoting, .said, .author, .answers, .thread, cite, h1, time, .tick, code, pre, footer, "
    "#method dd, #method dt, .refusals dl, #privacy + p, svg .name"
)
# What tells threads of one title apart.
ORDINAL = re.compile(r"\bthread \d+\b", re.IGNORECASE)
# Where the whole is named: "of the 109 eligible comments", "of those that address it", "among comments".
WHOLE = re.compile(
    r"\b(?:of|among)\b(?: (?:the|all|its|every|each|those|these|them|that|comments|\d[\d,]*|what))|\bper\b",
    re.IGNORECASE,
)


def numbers(text: str) -> list[float]:
    """Return the numbers of a text, with thousands joined."""
    return [float(found.replace(",", "")) for found in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]


def near(number: float, row: dict[str, Any]) -> bool:
    """Whether a printed number is one of the row's, as rounded on the page, whatever its sign."""
    values = [abs(row[name]) for name in ("estimate", "low", "high", "p", "p_holm") if row.get(name) is not None]
    rounded = [abs(number - value * 100) <= (0.5 if value >= 0.0995 else 0.05) + 1e-9 for value in values]
    plain = [abs(number - value) <= 0.005 for value in values]
    tenths = [
        abs(number - value) <= 0.05 for value in values if value >= 1 and row["measure"] in {"ratio", "odds_ratio"}
    ]
    whole = [
        abs(number - value) <= 0.5 for value in values if row["measure"] in {"ratio", "odds_ratio"} and value >= 10
    ]
    counts = [number == row[name] for name in ("n", "n_labelled", "n_unsure")]
    part = row["estimate"] is not None and row["measure"] == "count" and row["n"]
    parts = [abs(number - 100 * row["estimate"] / row["n"]) <= 0.5 + 1e-9] if part else []
    small = number in {1.0, 99.0} and any(value < 0.01 or value > 0.99 for value in values)
    return any((*rounded, *plain, *tenths, *whole, *counts, *parts, small))


def strange_figures(html: str, workspace: Workspace) -> list[str]:
    """Return what stands in an element that names an estimate and is no number of its row."""
    rows = {row["estimate_id"]: row for row in workspace.read(ESTIMATES).iter_rows(named=True)}
    found: list[str] = []
    for element in LexborHTMLParser(html).css("[data-estimate]"):
        name = element.attributes["data-estimate"] or ""
        if name not in rows:
            found.append(f"no row {name}: {element.text()}")
            continue
        text = (
            "".join(cell.text() + " " for cell in element.css("td:not(.said)"))
            if element.tag == "tr"
            else element.text()
        )
        row = rows[name]
        told = {key: row[key] for key in ("level", "measure", "estimate", "low", "high", "n", "p_holm")}
        found += [f"{number} in {text!r} is not of {told}" for number in numbers(text) if not near(number, row)]
    return found


def loose_numbers(html: str, workspace: Workspace) -> list[str]:
    """Return digits of ours that stand outside of every element that names an estimate; titles are not ours."""
    page = LexborHTMLParser(html)
    for element in page.css(f"[data-estimate], {NOT_OURS}"):
        element.decompose()
    assert page.body is not None
    text = re.sub(r"\s+", " ", page.body.text(separator=" "))
    titles = [" ".join(title.split()) for title in workspace.read(THREADS)["title"].drop_nulls()]
    for constant in (*CONSTANTS, *sorted(titles, key=len, reverse=True)):
        text = text.replace(constant, "")
    return re.findall(r".{0,40}\d+.{0,20}", ORDINAL.sub("", text))


def wholeless(html: str) -> list[str]:
    """Return percentages of which neither sentence, row, heading, caption nor chart says what they are a part of."""
    page = LexborHTMLParser(html)
    for element in page.css(".text, .quoting, .tick, .said:not(dd):not(td), script, style, pre, code"):
        element.decompose()
    found: list[str] = []
    for element in page.css("[data-estimate]"):
        text = element.text(separator=" ")
        if "%" in text.replace("95 %", "") and not any(WHOLE.search(said) for said in _around(element)):
            found.append(f"{_trail(element)}: {text.strip()[:80]}")
    return found


def _around(element: LexborNode) -> list[str]:
    """Return what is said around a figure, from its own words to the caption of its chart or table."""
    said = [element.text(separator=" ")]
    node = element.parent
    while node is not None and node.tag not in {"main", "body"}:
        if node.tag in {"p", "li", "tr", "dd", "figcaption"}:
            said.append(node.text(separator=" "))
        elif node.tag == "table":
            said += [part.text(separator=" ") for part in node.css("caption, thead")]
        elif node.tag == "svg":
            said += [part.text(separator=" ") for part in node.css("title, desc")]
        elif node.tag == "figure":
            said += [part.text(separator=" ") for part in node.css("figcaption")]
        elif node.tag == "details":
            said += [part.text(separator=" ") for part in node.css("summary, p.note")]
        elif node.tag == "section":
            said += [child.text(separator=" ") for child in node.iter() if child.tag == "p"]
            break
        node = node.parent
    return said


def _trail(element: LexborNode) -> str:
    names: list[str] = []
    node: LexborNode | None = element
    while node is not None and node.tag != "main":
        names.append(f"{node.tag}{'#' + str(node.attributes['id']) if node.attributes.get('id') else ''}")
        node = node.parent
    return " < ".join(names[:6])
