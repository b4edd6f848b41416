"""The elements of a page that are comments, and how they hang together: by nesting, named parents or depth."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from selectolax.lexbor import LexborHTMLParser, LexborNode

_DEPTH = re.compile(r"(?:^|\s)(?:depth|level|comment-level|indent)-(\d{1,3})(?:\s|$)")
_NUMBER = re.compile(r"(?:^|[-_a-z])(\d+)$", re.IGNORECASE)
_BELOW = {"children", "indented", "replies", "comment-replies", "comment-children", "nested", "child-comments"}

# What an element says of itself: None if it is no comment.
Marks: TypeAlias = Callable[[LexborNode], bool]


@dataclass(slots=True)
class Item:
    """One comment's element.

    Attributes:
        node: the element, from which `take_apart` has removed the answers within it.
        more: further elements that belong to it, such as the `<dd>` after its `<dt>`.
        above: the comment it hangs from, None for a top comment.
        depth: of its class, such as ``depth-2``; 0 if it tells none.
    """

    node: LexborNode
    more: list[LexborNode] = field(default_factory=list[LexborNode])
    above: Item | None = None
    depth: int = 0

    @property
    def parts(self) -> list[LexborNode]:
        """All elements of the comment."""
        return [self.node, *self.more]

    def first(self, selectors: Iterable[str]) -> LexborNode | None:
        """Return the element of the first selector that finds one."""
        for selector in selectors:
            for part in self.parts:
                found = part.css_first(selector)
                if found is not None:
                    return found
        return None


def tokens(node: LexborNode) -> set[str]:
    """Return the classes of an element, in lower case."""
    return set((attribute(node, "class") or "").lower().split())


def attribute(node: LexborNode, name: str) -> str | None:
    """Return an attribute that has a value."""
    return node.attributes.get(name) or None


def number_of(name: str | None) -> str | None:
    """Return the number at the end of an element's id or a link, such as 12 of ``div-comment-12``."""
    found = _NUMBER.search(name or "")
    return found[1] if found is not None else None


def items_of(page: LexborHTMLParser, marks: Marks) -> list[Item]:
    """Return the comments of a page in the order of the document, parents before the answers within them."""
    owners: dict[int, Item] = {}
    items: list[Item] = []
    root = page.root
    if root is None:
        return []
    for node in root.traverse(include_text=False):
        parent = node.parent
        above = owners.get(parent.mem_id) if parent is not None else None
        if marks(node):
            item = Item(node, above=above)
            depth = _DEPTH.search(attribute(node, "class") or "")
            item.depth = int(depth[1]) if depth is not None else 0
            items.append(item)
            owners[node.mem_id] = item
            continue
        before = _before(node) if node.tag == "dd" or tokens(node) & _BELOW else None
        sibling = owners.get(before.mem_id) if before is not None else None
        if sibling is not None and sibling is not above:
            if node.tag == "dd":
                sibling.more.append(node)
            owners[node.mem_id] = sibling
        elif above is not None:
            owners[node.mem_id] = above
    _hang_by_depth(items)
    return items


def take_apart(items: list[Item], read: Callable[[Item], object]) -> None:
    """Call `read` for each comment without the answers within it, from the last to the first, and remove it then."""
    for item in reversed(items):
        read(item)
        for part in reversed(item.parts):
            part.decompose()


def outermost(items: list[Item], names: Mapping[int, str | None]) -> list[Item]:
    """Drop elements within an element of the same comment, such as ``#div-comment-5`` within ``#comment-5``."""
    kept: list[Item] = []
    same: dict[int, Item] = {}
    for item in items:
        above = same.get(id(item.above), item.above) if item.above is not None else None
        item.above = above
        name = names.get(id(item))
        if above is not None and name is not None and names.get(id(above)) == name:
            same[id(item)] = above
        else:
            kept.append(item)
    return kept


def _before(node: LexborNode) -> LexborNode | None:
    before = node.prev
    while before is not None and not before.is_element_node:
        before = before.prev
    return before


def _hang_by_depth(items: list[Item]) -> None:
    """Where no comment lies within another, classes such as ``depth-2`` tell the tree."""
    if any(item.above is not None for item in items):
        return
    last: dict[int, Item] = {}
    for item in items:
        if item.depth > 1:
            item.above = last.get(item.depth - 1)
        if item.depth:
            last[item.depth] = item
