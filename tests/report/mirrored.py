"""A workspace whose sides are swapped, and what must be the same or opposite in its report."""

from __future__ import annotations

import re
from typing import Any

import polars as pl
from selectolax.lexbor import LexborHTMLParser

from discourse.tables import ESTIMATES, LABELS, STANCES
from discourse.workspace import Workspace

KEY = ("unit", "group_by", "group", "contrast", "measure", "level", "population", "variant", "method", "family")
SIDES = {"favor": "against", "against": "favor"}


def opposite(text: str | None) -> str | None:
    """Return a level, a group or a contrast with its side swapped."""
    if text is None:
        return None
    return re.sub(r"(?<=:)(favor|against)$", lambda found: SIDES[found[1]], text)


def opposite_key(row: dict[str, Any]) -> tuple[Any, ...]:
    """Return by what the row of the other side is known."""
    return tuple(opposite(row[name]) if name in {"group", "contrast", "level"} else row[name] for name in KEY)


def swap_tags(workspace: Workspace) -> None:
    """Swap favor and against in the tags of the models and in the labels of people."""
    stance = workspace.read(STANCES)
    workspace.write(
        STANCES,
        stance.with_columns(pl.col("stance").replace(SIDES), p_favor=pl.col("p_against"), p_against=pl.col("p_favor")),
    )
    workspace.write(LABELS, workspace.read(LABELS).with_columns(pl.col("value").replace(SIDES)))


def swap_estimates(workspace: Workspace) -> None:
    """Give every row of the estimates what the row of the other side holds, its id too; the order of keys stays."""
    by_key = keyed(workspace)
    swapped = [{**by_key[opposite_key(row)], **{name: row[name] for name in KEY}} for row in by_key.values()]
    workspace.write(ESTIMATES, pl.DataFrame(swapped, schema=ESTIMATES.schema))


def keyed(workspace: Workspace) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return the rows of the estimates by what they are of."""
    return {tuple(row[name] for name in KEY): row for row in workspace.read(ESTIMATES).iter_rows(named=True)}


def partners(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """Return for each estimate's id the row of the other side, or its own where it has no side."""
    by_key = keyed(workspace)
    return {row["estimate_id"]: by_key[opposite_key(row)] for row in by_key.values()}


def named(html: str, within: str = "main") -> list[str]:
    """Return the ids of the estimates that a part of a page prints, in its order."""
    part = LexborHTMLParser(html).css_first(within)
    assert part is not None
    return [str(node.attributes["data-estimate"]) for node in part.css("[data-estimate]")]


def words(html: str, within: str = "main") -> str:
    """Return the words of a part of a page around its numbers: without figures, quotes, comments, and the receipt."""
    page = LexborHTMLParser(html)
    for node in page.css("[data-estimate], script, style, .quote, .comments, .explorer, pre, .claims, title, desc"):
        node.decompose()
    part = page.css_first(within)
    assert part is not None
    return re.sub(r"\s+", " ", part.text(separator=" "))


def bars(html: str, side: str) -> list[str]:
    """Return the widths of the bars of one side."""
    return [str(node.attributes.get("width")) for node in LexborHTMLParser(html).css(f"svg rect.{side}")]


def quoted(html: str, side: str) -> list[str]:
    """Return the comments that are quoted for one side."""
    page = LexborHTMLParser(html)
    return [node.text(strip=True) for node in page.css(f"figure.quote.{side} > blockquote")]


def tagged(html: str, side: str) -> set[tuple[str, str]]:
    """Return which comments of the list have the mark of one side, with its words turned."""
    page = LexborHTMLParser(html)
    found: set[tuple[str, str]] = set()
    for comment in page.css(".comment"):
        found |= {(str(comment.attributes.get("id")), side) for _ in comment.css(f".tags .tag.{side}")}
    return found
