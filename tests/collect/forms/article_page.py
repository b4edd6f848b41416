"""A thread in a page's own markup, as blogs nest it, with pages of comments."""

from __future__ import annotations

import re
from html import escape

from tests.collect.trees import BEGAN, Node, Tree

from discourse.collect.answers import Answer, Ask
from discourse.collect.sources.article_page import ArticlePage
from discourse.tables import State

ADDRESS = "https://page.h.test/lamps/"
PLATFORM = ArticlePage()
_CLASSES = {State.DELETED: " comment-deleted", State.REMOVED: " comment-removed"}


def answers(tree: Tree, *, page_size: int) -> list[Answer]:
    """Answer the page and its further pages of comments, each with at most `page_size` top comments."""
    waiting, found = list(PLATFORM.start(ADDRESS)), dict[str, Answer]()
    while waiting:
        ask = waiting.pop(0)
        if not ask.url or ask.key in found:
            continue
        found[ask.key] = _answer(tree, ask, page_size)
        waiting += PLATFORM.read(found[ask.key]).next
    return list(found.values())


def _answer(tree: Tree, ask: Ask, page_size: int) -> Answer:
    named = re.search(r"comment-page-(\d+)", ask.url)
    page = int(named[1]) if named is not None else 1
    tops = tree.children(None)
    pages = -(-len(tops) // page_size)
    others = [number for number in range(1, pages + 1) if number != page]
    links = "".join(f'<a href="{ADDRESS}comment-page-{number}/#comments">{number}</a>' for number in others)
    listed = "".join(_item(tree, node, 1) for node in tops[(page - 1) * page_size : page * page_size])
    body = f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<title>{escape(tree.title)}</title></head><body>
<article><h1>{escape(tree.title)}</h1><p>{escape(tree.article)}</p></article>
<aside><ul id="recentcomments"><li class="comment" id="comment-9001">Zed on another article</li></ul></aside>
<div id="comments"><h2 class="comments-title">{len(tree.nodes)} responses to “10 lamps”</h2>
<ol class="comment-list">{listed}</ol><nav class="comment-navigation">{links}</nav>
<div id="respond"><form id="commentform"><textarea name="comment" id="comment">Say it</textarea></form></div></div>
<nav class="post-nav"><a rel="next" href="https://page.h.test/other/">Next article</a></nav></body></html>"""
    return Answer(ask.url, 200, {"content-type": "text/html"}, body.encode(), BEGAN, ask.key, dict(ask.context))


def _item(tree: Tree, node: Node, depth: int) -> str:
    below = "".join(_item(tree, child, depth + 1) for child in tree.children(node.number))
    children = f'<ol class="children">{below}</ol>' if below else ""
    machine, words = node.created.isoformat(), f"{node.created:%B %d, %Y}"
    return f"""<li class="comment depth-{depth}{_CLASSES.get(node.state, "")}" id="comment-{node.number}">
<article id="div-comment-{node.number}" class="comment-body"><footer class="comment-meta">
<div class="comment-author vcard"><b class="fn">{escape(node.author)}</b> <span class="says">says:</span></div>
<a href="#comment-{node.number}"><time datetime="{machine}">{words}</time></a></footer>
<div class="comment-content"><p>{escape(node.text)}</p></div>
<div class="reply"><a class="comment-reply-link" href="?replytocom={node.number}#respond">Reply</a></div></article>
{children}</li>"""
