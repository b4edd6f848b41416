"""HTML comments to text: lines where a reader sees lines, quotes and links taken out, nothing executed."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from discourse.normalize.marked import ENTITY, Marked, is_web_address, resolve_entities

# The tags that comment systems let readers use. Where nobody said that a text is HTML, only these count as markup.
FORMATTING = "p|br|a|b|i|em|strong|blockquote|ul|ol|li|code|pre|span|div|q|u|s"
TAG = (
    rf"</?(?:{FORMATTING})"
    r"(?:\s+[a-zA-Z][a-zA-Z-]*\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>]+))*\s*/?>"
)

_PARAGRAPHS = {"p", "blockquote", "pre", "ul", "ol", "table", "hr", "dl", "h1", "h2", "h3", "h4", "h5", "h6"}
_LINES = {"br", "li", "div", "tr", "dt", "dd", "section", "article", "figure", "figcaption", "details", "summary"}
_UNSEEN = {"script", "style", "template", "iframe", "noscript", "svg", "head", "title", "object", "-comment"}
_QUOTES = {"blockquote", "cite"}
_BLOCK = re.compile(rf"</?(?:{'|'.join(sorted(_PARAGRAPHS | _LINES))})\b", re.IGNORECASE)
_STRAY_ANGLE = re.compile(rf"<(?!{TAG[1:]})", re.IGNORECASE)
_STRAY_AMPERSAND = re.compile(rf"&(?!{ENTITY[1:]})")
_ANY_TAG = re.compile(r"<[A-Za-z/!][^<>]*+>?")
_SPACE = re.compile(r"\s+")
# Where blocks meet, several of these stand together and make one break.
_LINE, _PARAGRAPH = "\x02", "\x03"
_BREAKS = re.compile(r"[\x02\x03][\x02\x03\s]*+")

# The parser takes quadratic time in the nesting; no comment that a person wrote comes near these.
_MAX_DEPTH, _MAX_TAGS, _MAX_TAG_LENGTH = 100, 10_000, 10_000
_CLOSED_BY_ITSELF = {"p", "li", "br", "hr", "img", "wbr", "input", "tr", "td", "th", "dt", "dd", "option"}


def read_html(source: str) -> Marked:
    """Read an HTML text as its reader sees it.

    Args:
        source: HTML as a platform delivers it. Its line breaks count only where it has no block tag.

    Returns:
        The text, the passages in blockquote, aside.quote and cite, and the http(s) targets of its links.
    """
    if _is_tangled(source):
        return Marked(resolve_entities(_ANY_TAG.sub(" ", source)))
    body = LexborHTMLParser(source).body
    if body is None:
        return Marked("")
    reading = _Reading(keep_lines=_BLOCK.search(source) is None)
    _walk(body, reading)
    return Marked(_join(reading.levels[0]), tuple(reading.quotes), tuple(reading.links))


def escape_unusual(source: str) -> str:
    """Turn every tag that is no formatting tag, and every stray ampersand, into literal text."""
    return _STRAY_ANGLE.sub("&lt;", _STRAY_AMPERSAND.sub("&amp;", source))


class _Reading:
    """What was read so far: the text at `level` 0, and above it the quotes that are still open."""

    __slots__ = ("keep_lines", "levels", "links", "preformatted", "quotes")

    def __init__(self, *, keep_lines: bool) -> None:
        self.keep_lines = keep_lines
        self.levels: list[list[str]] = [[]]
        self.quotes: list[str] = []
        self.links: list[str] = []
        self.preformatted = 0

    def add(self, words: str) -> None:
        self.levels[-1].append(words)

    def enter(self, node: LexborNode) -> bool:
        """Take in the start of a node; False if what is inside it is not to be read."""
        tag = node.tag or ""
        if tag == "-text":
            words = node.text_content or ""
            self.add(words if self.keep_lines or self.preformatted else _SPACE.sub(" ", words))
            return False
        if tag in _UNSEEN or self._is_furniture(node, tag):
            return False
        if tag == "a":
            self._collect(node.attributes.get("href"))
        if tag == "img":
            self.add(node.attributes.get("alt") or "")
        if tag == "q":
            self.add("“")
        self.preformatted += tag == "pre"
        self._break(tag)
        if _is_quote(node, tag):
            self.levels.append([])
        return True

    def leave(self, node: LexborNode) -> None:
        """Take in the end of a node."""
        tag = node.tag or ""
        if _is_quote(node, tag):
            passage = _join(self.levels.pop())
            # An aside or cite around or within a quote only says whom it is from.
            names_source = (tag == "aside" and node.css_first("blockquote") is not None) or (
                tag == "cite" and len(self.levels) > 1
            )
            if passage.strip() and not names_source:
                self.quotes.append(passage)
            self.add(_PARAGRAPH if tag != "cite" else " ")
        if tag == "q":
            self.add("”")
        self.preformatted -= tag == "pre"
        if tag != "br":
            self._break(tag)

    def _break(self, tag: str) -> None:
        if tag == "br":
            self.add("\n")
        elif tag in _PARAGRAPHS:
            self.add(_PARAGRAPH)
        elif tag in _LINES:
            self.add(_LINE)
        elif tag in {"td", "th"}:
            self.add(" ")

    def _is_furniture(self, node: LexborNode, tag: str) -> bool:
        """Tell whether a node is Discourse's preview of a link, or the size line under its pictures."""
        classes = _classes(node)
        if tag == "aside" and "onebox" in classes:
            self._collect(node.attributes.get("data-onebox-src"))
            return True
        parent = node.parent
        return tag == "div" and "meta" in classes and parent is not None and "lightbox" in _classes(parent)

    def _collect(self, target: str | None) -> None:
        # A link inside a quote is the quoted person's.
        if target and len(self.levels) == 1 and is_web_address(target.strip()):
            self.links.append(target.strip())


def _walk(root: LexborNode, reading: _Reading) -> None:
    # By hand, since a hostile comment nests deeper than Python recurses.
    node = root.child
    while node is not None:
        if reading.enter(node):
            inside = node.child
            if inside is not None:
                node = inside
                continue
            reading.leave(node)
        while node.next is None:
            above = node.parent
            if above is None or above.mem_id == root.mem_id:
                return
            node = above
            reading.leave(node)
        node = node.next


def _join(pieces: list[str]) -> str:
    return _BREAKS.sub(lambda found: "\n\n" if _PARAGRAPH in found[0] else "\n", "".join(pieces))


def _is_quote(node: LexborNode, tag: str) -> bool:
    return tag in _QUOTES or (tag == "aside" and "quote" in _classes(node))


def _classes(node: LexborNode) -> list[str]:
    return (node.attributes.get("class") or "").split()


def _is_tangled(source: str) -> bool:
    if source.count("<") < _MAX_DEPTH and len(source) < _MAX_TAG_LENGTH:
        return False
    depth = 0
    for tags, found in enumerate(_ANY_TAG.finditer(source)):
        tag = found[0]
        name = re.match(r"</?([A-Za-z0-9]*)", tag)
        if name is not None and name[1].lower() not in _CLOSED_BY_ITSELF and not tag.endswith("/>"):
            depth += -1 if tag.startswith("</") else 1
        if depth > _MAX_DEPTH or tags > _MAX_TAGS or len(tag) > _MAX_TAG_LENGTH:
            return True
    return False
