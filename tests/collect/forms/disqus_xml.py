"""A thread in the XML export of a Disqus forum."""

from __future__ import annotations

from html import escape

from tests.collect.trees import BEGAN, Node, Tree

from discourse.collect.answers import Answer
from discourse.collect.sources.disqus import Disqus
from discourse.tables import State

ADDRESS = ""
PLATFORM = Disqus()


def answers(tree: Tree, *, page_size: int) -> list[Answer]:
    """Return the file as one answer without an address; exports have no pages."""
    del page_size
    body = f"""<?xml version="1.0" encoding="utf-8"?>
<disqus xmlns="http://disqus.com" xmlns:dsq="http://disqus.com/disqus-internals">
<category dsq:id="1"><forum>lampforum</forum><title>General</title></category>
<thread dsq:id="42"><id>lamps-1</id><forum>lampforum</forum><category dsq:id="1"/><link>https://lamps.h.test/</link>
<title>{escape(tree.title)}</title><message>{escape(tree.article)}</message><createdAt>2025-03-01T12:00:00Z</createdAt>
<author><name>Ed</name></author><isClosed>false</isClosed><isDeleted>false</isDeleted></thread>
<thread dsq:id="43"><id>empty</id><forum>lampforum</forum><link>https://lamps.h.test/2</link></thread>
{"".join(map(_post, tree.nodes))}</disqus>"""
    return [Answer("", 200, {}, body.encode(), BEGAN)]


def _post(node: Node) -> str:
    parent = f'<parent dsq:id="{node.parent}"/>' if node.parent is not None else ""
    return f"""<post dsq:id="{node.number}"><id/><message><![CDATA[<p>{escape(node.text)}</p>]]></message>
<createdAt>{node.created:%Y-%m-%dT%H:%M:%SZ}</createdAt>
<isDeleted>{str(node.state is State.DELETED).lower()}</isDeleted>
<isSpam>{str(node.state is State.REMOVED).lower()}</isSpam>
<author><name>{escape(node.author)}</name><isAnonymous>true</isAnonymous></author>
<thread dsq:id="42"/>{parent}</post>"""
