"""A thread in a WordPress export: one file for a whole site."""

from __future__ import annotations

from html import escape

from tests.collect.trees import BEGAN, Node, Tree

from discourse.collect.answers import Answer
from discourse.collect.sources.wordpress import WordPress
from discourse.tables import State

ADDRESS = ""
PLATFORM = WordPress()
_APPROVED = {State.VISIBLE: "1", State.HELD: "0", State.REMOVED: "trash", State.DELETED: "trash"}


def answers(tree: Tree, *, page_size: int) -> list[Answer]:
    """Return the file as one answer without an address; exports have no pages."""
    del page_size
    body = f"""<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:wp="http://wordpress.org/export/1.2/"><channel><title>A site</title><link>https://wp.h.test</link>
<wp:base_blog_url>https://wp.h.test</wp:base_blog_url><item><title>{escape(tree.title)}</title>
<link>https://wp.h.test/lamps/</link><dc:creator>ed</dc:creator>
<content:encoded>{escape(tree.article)}</content:encoded><wp:post_id>7</wp:post_id>
{"".join(map(_comment, tree.nodes))}</item></channel></rss>"""
    return [Answer("", 200, {}, body.encode(), BEGAN)]


def _comment(node: Node) -> str:
    return f"""<wp:comment><wp:comment_id>{node.number}</wp:comment_id>
<wp:comment_author>{escape(node.author)}</wp:comment_author>
<wp:comment_date_gmt>{node.created:%Y-%m-%d %H:%M:%S}</wp:comment_date_gmt>
<wp:comment_content>{escape(f"<p>{escape(node.text)}</p>")}</wp:comment_content>
<wp:comment_approved>{_APPROVED[node.state]}</wp:comment_approved><wp:comment_type>comment</wp:comment_type>
<wp:comment_parent>{node.parent or 0}</wp:comment_parent></wp:comment>"""
