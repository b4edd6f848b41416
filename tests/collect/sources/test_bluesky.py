"""Bluesky: nested threads, posts that are gone or blocked, lists of posts, and refusals."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.collect.forms import bluesky as form
from tests.collect.trees import Tree, trees

from discourse.collect.answers import Answer, Ask, UnreadableAnswerError
from discourse.collect.sources.bluesky import APPVIEW, DEPTH, Bluesky
from discourse.tables import Reason, ReplyKind, Role, State

BLUESKY = Bluesky()


def answer(body: object, ask: Ask | None = None, status: int = 200) -> Answer:
    """Return an answer of an AppView, to `ask` or from a file."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    at = datetime(2025, 3, 1, tzinfo=UTC)
    if ask is None:
        return Answer("", status, {}, raw, at)
    return Answer(ask.url, status, {}, raw, at, ask.key, dict(ask.context))


def uri(rkey: str, who: str = "did:plc:a") -> str:
    """Return the address of a post."""
    return f"at://{who}/app.bsky.feed.post/{rkey}"


def node(
    rkey: str, parent: str | None = None, *replies: object, count: int | None = None, **post: Any
) -> dict[str, Any]:
    """Return a post of a thread as an AppView writes it, without `$type`."""
    record: dict[str, Any] = {"text": f"post {rkey}", "createdAt": "2025-03-01T12:00:00.000Z"}
    if parent:
        record["reply"] = {"root": {"uri": uri("root")}, "parent": {"uri": uri(parent)}}
    view = {"uri": uri(rkey), "author": {"did": "did:plc:a", "handle": "ada.test"}, "record": record, "likeCount": 2}
    return {"post": view | {"replyCount": len(replies) if count is None else count} | post, "replies": list(replies)}


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://bsky.app/profile/ada.test/post/3k", "/xrpc/com.atproto.identity.resolveHandle?handle=ada.test"),
        (
            "https://bsky.app/profile/did:plc:a/post/3k",
            "/xrpc/app.bsky.feed.getPostThread?uri=at%3A%2F%2Fdid%3Aplc%3Aa",
        ),
        ("at://did:plc:a/app.bsky.feed.post/3k", "/xrpc/app.bsky.feed.getPostThread?uri=at%3A%2F%2Fdid%3Aplc%3Aa"),
    ],
)
def test_every_form_of_an_address_leads_to_the_thread(url: str, asked: str) -> None:
    """A handle is resolved first; a DID is asked for at once."""
    assert [ask.url.startswith(f"{APPVIEW}{asked}") for ask in BLUESKY.start(url)] == [True]


@pytest.mark.parametrize(
    "url", ["https://bsky.app/profile/ada.test", "https://example.org/profile/a/post/b", "https://[x"]
)
def test_other_addresses_are_not_ours(url: str) -> None:
    """Nothing is asked for an address without a post."""
    assert BLUESKY.start(url) == ()


def test_a_handle_leads_to_the_thread_of_its_did() -> None:
    """The answer to a handle is followed; nobody's handle gives a reason."""
    (ask,) = BLUESKY.start("https://bsky.app/profile/ada.test/post/3k")
    (follows,) = BLUESKY.read(answer({"did": "did:plc:a"}, ask)).next
    assert dict(follows.context)["uri"] == uri("3k")
    refused = BLUESKY.read(answer({"error": "InvalidRequest", "message": "Unable to resolve handle"}, ask, 400))
    assert "nobody has this handle" in (refused.threads[0].reason or "")


def test_recorded_threads_agree_at_every_depth(shared: Path) -> None:
    """A thread cut at a depth says how much it lacks, and the whole one lacks nothing."""
    folder = shared / "payloads/servers/atproto"
    whole, cut = (BLUESKY.read(answer((folder / f"{name}.body").read_bytes())) for name in ("thread_deep", "thread_d2"))
    assert {one.native_id for one in cut.comments} < {one.native_id for one in whole.comments}
    assert sum(ask.expects for ask in cut.next) > 0
    assert sum(ask.expects for ask in whole.next) == 0
    assert [one.kind for one in whole.comments].count(ReplyKind.OPENING) == 1
    assert whole.threads[0].article
    assert all(one.text and one.created.at for one in whole.comments)


def test_a_recorded_reply_to_a_deleted_post_keeps_its_parent(shared: Path) -> None:
    """The deleted post is a row without text, and the file says that it holds a branch only."""
    page = BLUESKY.read(answer((shared / "payloads/servers/atproto/thread_mid.body").read_bytes()))
    gone, reply = page.comments
    assert (gone.state, gone.text, reply.parent) == (State.DELETED, None, gone.native_id)
    assert gone.thread == reply.thread == page.threads[0].native_id != reply.native_id
    assert any("branch" in (one.reason or "") for one in page.threads)


@pytest.mark.parametrize("name", ["thread_bad", "thread_deleted"])
def test_a_recorded_refusal_names_its_thread(shared: Path, name: str) -> None:
    """The body alone tells which post is not there."""
    found = answer((shared / f"payloads/servers/atproto/{name}.body").read_bytes())
    assert BLUESKY.claims(found)
    (thread,) = BLUESKY.read(found).threads
    assert thread.native_id.startswith("at://")
    assert thread.reason


def test_recorded_posts_and_views_are_claimed(shared: Path) -> None:
    """Posts that came without their thread name it; a root post is an opening."""
    posts = answer((shared / "payloads/servers/atproto/posts.body").read_bytes())
    view = answer((shared / "payloads/bluesky/marshalx_thread_view_post.json").read_bytes())
    assert BLUESKY.claims(posts)
    assert BLUESKY.claims(view)
    assert all(one.thread != one.native_id for one in BLUESKY.read(posts).comments)
    assert [one.kind for one in BLUESKY.read(view).comments] == [ReplyKind.OPENING]


def test_gone_blocked_hidden_and_broken_posts() -> None:
    """Each keeps its place; a blocked post is asked for by itself."""
    hidden = node("h", "root", node("r", "h"), labels=[{"val": "!hide"}])
    page = BLUESKY.read(
        answer(
            {
                "thread": node(
                    "root",
                    None,
                    {"uri": uri("n"), "notFound": True},
                    {"uri": uri("b"), "blocked": True},
                    hidden,
                    "no post",
                    {"post": 7},
                )
            }
        )
    )
    _, missing, blocked, taken, reply, *broken = page.comments
    assert [one.state for one in (missing, blocked, taken)] == [State.DELETED, State.REMOVED, State.REMOVED]
    assert taken.text is None
    assert (reply.parent, reply.role, reply.score) == (uri("h"), Role.AUTHOR, 2.0)
    assert [one.reason for one in broken] == [Reason.WRONG_TYPE, Reason.WRONG_TYPE]
    assert [dict(ask.context)["uri"] for ask in page.next] == [uri("b")]


def test_a_leaf_is_asked_once_more_and_then_counted_as_missing() -> None:
    """What the leaf's own answer still lacks is unreachable, and the thread says so."""
    (ask,) = BLUESKY.read(answer({"thread": node("root", None, node("l", "root", count=3))})).next
    assert ask.expects == 3
    page = BLUESKY.read(answer({"thread": node("l", "root", node("m", "l"), count=3)}, ask))
    assert [(one.url, one.expects, one.thread) for one in page.next] == [("", 2, uri("root"))]
    assert any(one.reason for one in page.threads)
    gone = BLUESKY.read(answer({"error": "NotFound", "message": "Post not found"}, ask, 400))
    assert [(one.native_id, one.state) for one in gone.comments] == [(uri("l"), State.DELETED)]


def test_the_address_of_a_reply_leads_to_the_whole_thread() -> None:
    """The root is asked for, and is not asked for again when it is gone."""
    (ask,) = BLUESKY.start(uri("l"))
    (root,) = BLUESKY.read(answer({"thread": node("l", "m")}, ask)).next
    assert dict(root.context)["uri"] == uri("root")
    gone = BLUESKY.read(answer({"error": "NotFound", "message": "Post not found"}, root, 400))
    assert gone.threads[0].reason
    assert [(one.kind, one.state) for one in gone.comments] == [(ReplyKind.OPENING, State.DELETED)]


def test_shortened_links_are_written_in_full() -> None:
    """Offsets count bytes, and offsets beyond the text are left alone."""
    link = {"$type": "app.bsky.richtext.facet#link", "uri": "https://example.org/a/long/way"}
    text = "é see example.org/a/lo... now"
    facets = [{"index": {"byteStart": 7, "byteEnd": 26}, "features": [link]},
              {"index": {"byteStart": 7, "byteEnd": 999}, "features": [link]}]  # fmt: skip
    page = BLUESKY.read(answer({"thread": node("root", record={"text": text, "facets": facets})}))
    assert page.comments[0].text == "é see https://example.org/a/long/way now"


def test_the_flat_form_of_a_thread_reads_like_the_nested_one() -> None:
    """Items by depth give the same posts, the same parents and the same gaps."""
    kind = "app.bsky.unspecced.defs#threadItem"
    items = [
        (-1, node("root")["post"]),
        (0, node("a", "root", count=2)["post"]),
        (1, node("b", "a", count=1)["post"]),
        (2, node("c", "b")["post"]),
    ]
    flat: list[object] = [{"uri": post["uri"], "depth": depth, "value": {"$type": f"{kind}Post", "post": post}}
                          for depth, post in items]  # fmt: skip
    flat.append({"uri": uri("n"), "depth": 1, "value": {"$type": f"{kind}NotFound"}})
    found = answer({"thread": flat, "hasOtherReplies": False})
    assert BLUESKY.claims(found)
    page = BLUESKY.read(found)
    named = {one.native_id: (one.parent, one.state) for one in page.comments}
    assert named == {
        uri("root"): (None, State.VISIBLE),
        uri("a"): (None, State.VISIBLE),
        uri("b"): (uri("a"), State.VISIBLE),
        uri("c"): (uri("b"), State.VISIBLE),
        uri("n"): (uri("a"), State.DELETED),
    }
    assert sum(ask.expects for ask in page.next) == 0


def test_replies_as_deep_as_we_ask_for_are_read() -> None:
    """A chain of the full depth is read, also below a record of a wrong type."""
    deep = node("x", "root")
    for _ in range(DEPTH - 2):
        deep = node("x", "root", deep)
    page = BLUESKY.read(answer({"thread": node("root", None, {"post": 7, "replies": [deep]})}))
    assert [one.reason for one in page.comments][:2] == [None, Reason.WRONG_TYPE]
    assert len(page.comments) == DEPTH + 1


@settings(max_examples=30, deadline=None)
@given(tree=trees(), levels=st.integers(1, 6))
def test_a_tree_in_levels_is_read_back(tree: Tree, levels: int) -> None:
    """However few levels an answer has, every post comes with its parent."""
    pages = [BLUESKY.read(one) for one in form.answers(tree, page_size=levels)]
    found = {(one.native_id or "").rpartition("/")[2]: one for page in pages for one in page.comments}
    assert found.keys() == {"root", *(str(one.number) for one in tree.nodes)}
    assert all((found[str(one.number)].parent or "/").rpartition("/")[2] == str(one.parent or "") for one in tree.nodes)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_mutated_answers_give_rows_or_a_reason(data: st.DataObject) -> None:
    """Changed bytes are read or refused with a reason."""
    body = bytearray(json.dumps({"thread": node("root", None, node("l", "root", node("m", "l"), count=3))}).encode())
    for _ in range(data.draw(st.integers(1, 5))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    found = answer(bytes(body))
    if BLUESKY.claims(found):
        with contextlib.suppress(UnreadableAnswerError):
            assert all(one.native_id or one.reason for one in BLUESKY.read(found).comments)
