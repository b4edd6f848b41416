"""Each chart of a finished page as a file of its own: SVG for print and slides, PNG for everything else.

A chart in the page takes its colours and letters from the page's style sheet and its width from the screen. Here both
are fixed: the rules that apply are written into the file with the light scheme's colours in the place of their names.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape, unescape

WIDTH = 720
MARGIN = 24
LINE = 22
SCALE = 2.0
# Fonts that common systems have; in a page the reader's own comes first.
FAMILY = "Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif"
OPENED = re.compile(
    r'<svg class="chart[^"]*"[^>]*aria-labelledby="(?P<name>[\w-]+?)-title [^>]*height="(?P<height>[\d.]+)"[^>]*>'
)
EDGE = re.compile(r"<svg\b|</svg>")
STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
DRAWN = ("fill", "stroke", "font", "text-anchor", "opacity", "paint-order", "visibility", "vector-effect")
UNSCALED = re.compile(r"stroke-width:([\d.]+)px;vector-effect:non-scaling-stroke")
# What XML 1.0 cannot hold.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart as it stands in the page: its name there, its title in words, its markup and its height in pixels."""

    name: str
    title: str
    markup: str
    height: float


def drawings(html: str) -> list[Drawing]:
    """Return the charts of a finished page, in its order."""
    return list(_drawings(html))


def standalone(drawing: Drawing, html: str) -> str:
    """Return a chart as a whole SVG document with its title above it, in the light colours of the page it is from."""
    lines = textwrap.wrap(drawing.title, 78, max_lines=3, placeholder="…")
    top = MARGIN + LINE * len(lines) + MARGIN / 2
    height = top + drawing.height + MARGIN
    head = "".join(
        f'<text class="title" x="{MARGIN}" y="{MARGIN + LINE * place}">{escape(line)}</text>'
        for place, line in enumerate(lines, start=1)
    )
    inside = (
        f'<svg class="chart" x="{MARGIN}" y="{top:g}" width="{WIDTH - 2 * MARGIN}" height="{drawing.height:g}" '
        f'overflow="visible">{drawing.markup}</svg>'
    )
    rules, paper, ink = _rules(html, drawing.markup)
    return FORBIDDEN.sub(
        "\ufffd",
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:g}" viewBox="0 0 {WIDTH} {height:g}" '
        f'role="img" font-family="{FAMILY}" font-size="13.5"><title>{escape(drawing.title)}</title><style>{rules}'
        f".title{{fill:{ink};font-size:17px;font-weight:bold}}</style>"
        f'<rect width="100%" height="100%" fill="{paper}"/>{head}{inside}</svg>\n',
    )


def picture(svg: str) -> bytes:
    """Return an SVG document as PNG at twice its size, drawn with the fonts of this machine."""
    from resvg_py import svg_to_bytes

    # resvg scales every stroke with its box, and the map's units are about twice as many as its pixels.
    svg = UNSCALED.sub(lambda found: f"stroke-width:{2 * float(found[1]):g}px", svg)
    return bytes(svg_to_bytes(svg_string=svg, zoom=SCALE, sans_serif_family="DejaVu Sans"))


def has_fonts() -> bool:
    """Tell whether this machine has letters to draw with: without fonts a PNG would show bars and no words."""
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><text y="30">{}</text></svg>'
    return picture(svg.format("ABC")) != picture(svg.format(""))


def _drawings(html: str) -> Iterator[Drawing]:
    for found in OPENED.finditer(html):
        depth, end = 1, found.end()
        for edge in EDGE.finditer(html, found.end()):
            depth += 1 if edge.group() == "<svg" else -1
            if depth == 0:
                end = edge.start()
                break
        markup = html[found.end() : end]
        title = re.search(r"<title[^>]*>(.*?)</title>", markup, re.DOTALL)
        named = unescape(title[1]) if title else found["name"]
        yield Drawing(found["name"], named, markup, float(found["height"]))


def _rules(html: str, markup: str) -> tuple[str, str, str]:
    """Return the rules of the style sheet that draw this chart, without variables, and the colours of paper and ink."""
    used = {"chart", *(word for words in re.findall(r'class="([^"]*)"', markup) for word in words.split())}
    style = _without_media(re.sub(r"/\*.*?\*/", "", "".join(STYLE.findall(html)), flags=re.DOTALL))
    values: dict[str, str] = {}
    kept: list[str] = []
    for selector, body in RULE.findall(style):
        pairs = [(name.strip(), value.strip()) for name, _, value in (each.partition(":") for each in body.split(";"))]
        values |= {name: value for name, value in pairs if name.startswith("--")}
        drawn = [pair for name, value in pairs if name.startswith(DRAWN) for pair in _declarations(name, value)]
        parts = [part.strip() for part in selector.split(",") if ":" not in part]
        parts = [part for part in parts if "." in part and set(re.findall(r"\.([\w-]+)", part)) <= used]
        if drawn and parts:
            kept.append(f"{', '.join(parts)}{{{';'.join(drawn)}}}")
    text = "\n".join(kept)
    for _ in range(3):
        text = re.sub(r"var\((--[\w-]+)\)", lambda found: values.get(found[1], "inherit"), text)
    return text, values.get("--paper", "#fff"), values.get("--ink", "#000")


def _declarations(name: str, value: str) -> list[str]:
    """Return a declaration in pixels; of the short form of fonts only size and weight, the family is the document's."""
    value = re.sub(r"(\d*\.?\d+)r?em\b", lambda found: f"{float(found[1]) * 16:g}px", value)
    if name == "font-family":
        return []
    if name == "font-weight":
        # Few fonts have what lies between; a drawing has bold and regular letters.
        return (
            ["font-weight:bold"]
            if value == "bold" or (value.isdigit() and int(value) >= 600)
            else ["font-weight:normal"]
        )
    if name != "font":
        return [f"{name}:{value}"]
    weight = re.search(r"(?<![\w.])([1-9]\d\d|bold)(?![\w.])", value)
    size = re.search(r"[\d.]+px", value)
    return [*(_declarations("font-weight", weight[1]) if weight else []), *([f"font-size:{size[0]}"] if size else [])]


def _without_media(style: str) -> str:
    parts: list[str] = []
    place = 0
    for found in re.finditer(r"@[\w-]+[^{;]*\{", style):
        if found.start() < place:
            continue
        parts.append(style[place : found.start()])
        depth, place = 1, found.end()
        while depth and place < len(style):
            depth += {"{": 1, "}": -1}.get(style[place], 0)
            place += 1
    return "".join([*parts, style[place:]])
