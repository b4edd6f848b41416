"""A finished page as Markdown: its headings, sentences and tables, without charts and without the list of comments."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from discourse.report.figure_folder import cells

FIRST = "<!-- report by discourse -->"
# What only a screen, a mouse or a chart needs, and what others wrote.
LEFT_OUT = (
    "svg, script, style, template, noscript, nav, form, button, input, select, .hidden, .skip, .legend, .permalink, "
    ".glossary, .parent, .beside a, .byline a, .key, #comments > :not(h2, .intro), .refusals dl, .explorer, [hidden]"
)
HEADINGS = {"h1": "#", "h2": "##", "h3": "###", "h4": "####"}
# What Markdown or HTML would take for markup, wherever it stands in a line.
SPECIAL = re.compile(r"([\\`*_\[\]<>|~#&])")


def as_markdown(html: str) -> str:
    """Return a finished page as Markdown that GitHub and pandoc read; every text of others is escaped."""
    page = LexborHTMLParser(html)
    for node in page.css(LEFT_OUT):
        node.decompose()
    banner = page.css_first(".banner")
    head = [f"*{_text(banner)}*"] if banner is not None else []
    main = page.css_first("main")
    blocks = [FIRST, *head, *(_blocks(main) if main is not None else ())]
    footer = page.css_first("footer")
    blocks += [f"*{_text(footer)}*"] if footer is not None else []
    return "\n\n".join(block for block in blocks if block) + "\n"


def _blocks(node: LexborNode) -> Iterator[str]:
    loose: list[str] = []
    for child in node.iter(include_text=True):
        if child.tag == "-text" or child.tag in {
            "a",
            "abbr",
            "b",
            "bdi",
            "cite",
            "code",
            "em",
            "span",
            "strong",
            "time",
        }:
            loose.append(child.text())
            continue
        yield _escaped(" ".join(loose))
        loose.clear()
        yield from _block(child)
    yield _escaped(" ".join(loose))


def _block(node: LexborNode) -> Iterator[str]:
    tag = str(node.tag)
    if tag in HEADINGS:
        yield f"{HEADINGS[tag]} {_text(node)}"
    elif tag in {"p", "figcaption", "summary", "caption"}:
        text = _text(node)
        yield f"**{text}**" if text and tag == "summary" else text
    elif tag == "blockquote":
        yield f"> {_text(node)}"
    elif tag in {"ul", "ol"}:
        yield "\n".join(f"- {text}" for item in node.iter() if (text := _text(item)))
    elif tag == "dl":
        yield "\n".join(f"- **{_text(item)}**" if item.tag == "dt" else f"  {_text(item)}" for item in node.iter())
    elif tag == "table":
        yield from _table(node)
    elif tag == "pre":
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", node.text())), default=0))
        yield f"{fence}\n{node.text().strip()}\n{fence}"
    else:
        yield from _blocks(node)


def _table(node: LexborNode) -> Iterator[str]:
    caption = node.css_first("caption")
    if caption is not None:
        yield f"**{_text(caption)}**"
    rows = [[_escaped(cell) for cell in cells(row)] for row in node.css("tr")]
    width = max((len(row) for row in rows), default=0)
    if not width:
        return
    if node.css_first("thead") is None:
        rows.insert(0, [""] * width)
    lines = [f"| {' | '.join([*row, *[''] * (width - len(row))])} |" for row in rows]
    lines.insert(1, "|" + " --- |" * width)
    yield "\n".join(lines)


def _text(node: LexborNode) -> str:
    return _escaped(node.text(separator=" "))


def _escaped(text: str) -> str:
    """Return one line of text with nothing in it that means something to Markdown."""
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r" (?=[.,;:!?)\]])", "", re.sub(r"(?<=[(\[]) ", "", text))
    # A line must not turn into a list or a rule either.
    text = re.sub(r"^(\d+)(?=[.)](?:\s|$))", r"\1\\", SPECIAL.sub(r"\\\1", text))
    return re.sub(r"^([-+](?=\s|$)|[-=]+$)", r"\\\1", text)
