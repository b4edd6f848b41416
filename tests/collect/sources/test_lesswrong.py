"""ForumMagnum: addresses, GraphQL answers of several versions, refusals, and saved pages."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.collect.forms import lesswrong as form
from tests.collect.trees import Tree, trees

from discourse.collect.answers import Answer, UnreadableAnswerError
from discourse.collect.sources.lesswrong import LessWrong
from discourse.collect.sources.lesswrong_requests import LOT
from discourse.collect.sources.platforms import platforms
from discourse.tables import Reason, Role, State

FORUM = LessWrong()
POST = form.POST


def answer(body: object, url: str = "", status: int = 200, context: Iterable[tuple[str, str]] = ()) -> Answer:
    """Return an answer of a forum."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(url, status, {}, raw, datetime(2025, 3, 1, tzinfo=UTC), "", dict(context))


def comment(name: str, **fields: Any) -> dict[str, Any]:
    """Return a comment as a forum writes it."""
    return {"_id": name, "postId": POST, "parentCommentId": None, "postedAt": "2025-03-01T12:00:00.000Z",
            "baseScore": 3, "userId": "u1", "user": {"displayName": "Ada", "slug": "ada"}, "deleted": False,
            "contents": {"html": f"<p>{name}</p>"}} | fields  # fmt: skip


def listed(*comments: object, **fields: Any) -> dict[str, Any]:
    """Return the answer with a list of comments."""
    return {"data": {"comments": {"results": list(comments)} | fields}}


def page(comments: str, count: int) -> bytes:
    """Return a page of a post as a browser saves it."""
    return (
        '<!DOCTYPE html><html><head><title>Lamps</title><meta property="og:url" '
        f'content="https://www.lesswrong.com/posts/{POST}/lamps"></head><body><div class="PostsPage-root">'
        '<h1 class="PostsPageTitle-root">More lamps</h1>'
        '<span class="PostsAuthors-authorName"><a href="/users/bo">Bo</a></span>'
        '<div class="PostsPageDate-date"><time datetime="2025-03-01T10:00:00.000Z">1st Mar</time></div>'
        '<div id="postContent"><p>The council wants lamps.</p></div>'
        f'<div class="PostsBottomBar-commentCount">{count}</div>{comments}</div></body></html>'
    ).encode()


def drawn(name: str, body: str, inside: str = "") -> str:
    """Return the markup of one comment with those that answer it."""
    return (
        f'<div class="comments-node comments-node-odd" id="{name}"><div class="CommentsItem-root">'
        '<a class="UsersNameDisplay-noColor" href="/users/ada">Ada</a>'
        '<time datetime="2025-03-01T12:00:00.000Z">1d</time>'
        f'<span class="OverallVoteAxis-voteScore">7</span>{body}</div><div class="CommentsNode-children">{inside}</div>'
        "</div>"
    )


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        (f"https://www.lesswrong.com/posts/{POST}/lamps", "https://www.lesswrong.com/graphql"),
        (f"https://lesswrong.com/posts/{POST}", "https://www.lesswrong.com/graphql"),
        (f"https://www.lesswrong.com/s/aaaaaaaaaaaaaaaaa/p/{POST}#c", "https://www.lesswrong.com/graphql"),
        (f"https://www.alignmentforum.org/posts/{POST}/x?commentId=y", "https://www.alignmentforum.org/graphql"),
        (f"https://forum.effectivealtruism.org/posts/{POST}/x", "https://forum.effectivealtruism.org/graphql"),
        (f"https://forum.example.org/posts/{POST}/x", "https://forum.example.org/graphql"),
    ],
)
def test_every_form_of_a_posts_address_asks_for_the_post(url: str, endpoint: str) -> None:
    """One request asks for the post and for its newest comments."""
    (ask,) = FORUM.start(url)
    variables = json.loads(ask.body)["variables"]
    assert (ask.url, ask.method, ask.thread) == (endpoint, "POST", POST)
    assert variables == {
        "id": POST,
        "terms": {"view": "postCommentsNew", "postId": POST, "limit": LOT, "offset": 0},
    }


@pytest.mark.parametrize(
    "url",
    [
        "https://www.lesswrong.com/users/ada",
        "https://blog.example.org/posts/howtobuildlamppos/",
        "https://blog.example.org/posts/lamps",
        f"ftp://www.lesswrong.com/posts/{POST}",
        f"https://[x/posts/{POST}",
    ],
)
def test_other_addresses_are_not_ours(url: str) -> None:
    """A blog's posts are not taken for a forum's."""
    assert FORUM.start(url) == ()


def test_states_roles_and_broken_records() -> None:
    """Who took a comment away is told where it is known; broken records are kept with a reason."""
    post = {"_id": POST, "title": "Lamps", "userId": "u9", "commentCount": 4, "contents": {"html": "<p>Lamps.</p>"},
            "user": {"displayName": "Bo"}, "postedAt": "2025-02-28T00:00:00Z"}  # fmt: skip
    body = listed(
        comment("c1", userId="u9"),
        comment("c2", deleted=True, contents=None, parentCommentId="c1"),
        comment("c3", deleted=True, deletedReason="rude", parentCommentId="c2"),
        comment("c4", deleted=True, deletedByUserId="u1"),
        comment("c5", deleted=True, deletedByUserId="u2"),
        comment("c6", user=None, parentCommentId="c3"),
        "no comment",
        {"postId": POST},
    )
    body["data"]["post"] = {"result": post}
    found = answer(body)
    assert FORUM.claims(found)
    result = FORUM.read(found)
    (thread,) = result.threads
    assert (thread.native_id, thread.title, thread.author, thread.declared) == (POST, "Lamps", "Bo", 4)
    assert thread.article == "<p>Lamps.</p>"
    rows = {one.native_id: one for one in result.comments if one.native_id}
    assert [rows[f"c{n}"].state for n in range(1, 7)] == [
        State.VISIBLE, State.DELETED, State.REMOVED, State.DELETED, State.REMOVED, State.VISIBLE,
    ]  # fmt: skip
    assert [rows[f"c{n}"].parent for n in (1, 2, 3, 6)] == [None, "c1", "c2", "c3"]
    assert all(rows[f"c{n}"].text is None for n in range(2, 6))
    assert (rows["c1"].role, rows["c6"].role, rows["c6"].author) == (Role.AUTHOR, Role.USER, None)
    assert [one.reason for one in result.comments if one.native_id is None] == [Reason.WRONG_TYPE] * 2


@pytest.mark.parametrize(
    ("body", "text", "markup"),
    [
        (listed(comment("c1", contents={"markdown": "*a*"})), "*a*", "markdown"),
        (listed(comment("c1", contents=None, htmlBody="<p>a</p>")), "<p>a</p>", "html"),
        (listed(comment("c1", contents=None, body="a")), "a", "markdown"),
        ([listed(comment("c1"))], "<p>c1</p>", "html"),
        ([comment("c1")], "<p>c1</p>", "html"),
        ({"data": {"comment": {"result": comment("c1")}}}, "<p>c1</p>", "html"),
        ({"data": {"commentsOfPost": {"results": [comment("c1")]}}}, "<p>c1</p>", "html"),
        ({"comments": {"results": [comment("c1")]}}, "<p>c1</p>", "html"),
    ],
)
def test_other_versions_and_queries_are_read(body: object, text: str, markup: str) -> None:
    """Markdown, the fields of earlier versions, batches, single comments and aliases."""
    found = answer(body)
    assert FORUM.claims(found)
    (one,) = FORUM.read(found).comments
    assert (one.native_id, one.thread, one.text, one.markup) == ("c1", POST, text, markup)


def test_a_saved_list_says_how_many_comments_it_lacks() -> None:
    """The total of the list is more than it holds."""
    result = FORUM.read(answer(listed(comment("c1"), totalCount=5)))
    assert [(ask.url, ask.expects) for ask in result.next] == [("", 4)]


def test_a_question_asks_for_its_answers_once() -> None:
    """The answers to a question are behind another view, which is asked for with the first lot only."""
    body = listed(comment("c1"), totalCount=1)
    body["data"]["post"] = {"result": {"_id": POST, "title": "Lamps?", "question": True, "commentCount": 2}}
    (first,) = FORUM.start(form.ADDRESS)
    (ask,) = FORUM.read(answer(body, first.url, context=first.context)).next
    assert json.loads(ask.body)["variables"]["terms"]["view"] == "answersAndReplies"
    assert FORUM.read(answer(listed(comment("c2")), ask.url, context=ask.context)).next == ()


@pytest.mark.parametrize(("status", "body"), [(403, b"<html>"), (404, b""), (200, b""), (400, b"")])
def test_a_refusal_says_why_nothing_came(status: int, body: bytes) -> None:
    """The forum's own words are kept if it has any."""
    (ask,) = FORUM.start(form.ADDRESS)
    said = body or json.dumps({"errors": [{"message": "app.document_not_found"}], "data": {"post": None}}).encode()
    (thread,) = FORUM.read(answer(said, ask.url, status, ask.context)).threads
    assert thread.native_id == POST
    assert thread.reason
    assert ("document_not_found" in thread.reason) == (not body)


def test_other_answers_are_not_claimed() -> None:
    """Neither other JSON nor other pages are taken."""
    for body in ({"data": {"comments": {"results": [{"id": 1, "text": "x"}]}}}, [{"_id": "1", "title": "x"}], {}):
        assert not FORUM.claims(answer(body))
    assert not FORUM.claims(answer(b"<html><body><div id='comments'>PostsPage</div></body></html>"))


def test_a_recorded_page_without_comments_says_so(shared: Path) -> None:
    """A page saved before its comments were drawn gives the post, the declared number, and the reason."""
    found = answer((shared / "payloads/lesswrong/defuddle_lesswrong_post.html").read_bytes())
    assert [one.name for one in platforms()[:-1] if one.claims(found)] == ["lesswrong"]
    result = FORUM.read(found)
    (thread,) = result.threads
    assert (thread.native_id, thread.title, thread.author) == ("vJFdjigzmcXMhNTsx", "Simulators", "janus")
    assert (thread.site, thread.declared) == ("www.lesswrong.com", 170)
    assert thread.published.at == datetime(2022, 9, 2, 12, 45, 33, 723000, tzinfo=UTC)
    assert len(thread.article or "") > 10_000
    assert "PostsAuthors" not in (thread.article or "")
    assert "only the post" in (thread.reason or "")
    assert result.comments == ()
    assert sum(ask.expects for ask in result.next) == 170


def test_a_page_with_comments_gives_their_tree() -> None:
    """Nested comments keep to themselves what is theirs; deleted ones stay, and folded ones are quarantined."""
    body = '<div class="CommentBody-root"><div class="ContentStyles-commentBody"><p>{}</p></div></div>'
    gone = '<div class="CommentDeletedMetadata-root">Deleted</div>'
    inner = drawn("c2", gone, drawn("c3", body.format("three")))
    found = answer(page(drawn("c1", body.format("one"), inner) + drawn("c4", "<span>Ada: dark…</span>"), 5))
    assert FORUM.claims(found)
    result = FORUM.read(found)
    rows = {one.native_id: one for one in result.comments}
    assert {name: one.parent for name, one in rows.items()} == {"c1": None, "c2": "c1", "c3": "c2", "c4": None}
    assert "three" in (rows["c3"].text or "")
    assert "three" not in (rows["c1"].text or "")
    assert (rows["c2"].state, rows["c2"].text) == (State.DELETED, None)
    assert rows["c4"].reason is Reason.MALFORMED
    assert (rows["c1"].author, rows["c1"].score) == ("Ada", 7.0)
    assert result.threads[0].title == "More lamps"
    assert "4 of them" in (result.threads[0].reason or "")


@settings(max_examples=30, deadline=None)
@given(tree=trees(), page_size=st.integers(1, 8))
def test_a_tree_in_lots_is_read_back(tree: Tree, page_size: int) -> None:
    """Whatever the size of its lots, a post gives its tree, each comment once."""
    pages = [FORUM.read(one) for one in form.answers(tree, page_size=page_size)]
    rows = [(one.native_id, one.parent, one.state, one.score) for found in pages for one in found.comments]
    assert sorted(rows, key=repr) == sorted(
        [
            (f"cXyZ{node.number}", node.parent and f"cXyZ{node.parent}", node.state, float(node.score))
            for node in tree.nodes
        ],
        key=repr,
    )


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_mutated_answers_give_rows_or_a_reason(data: st.DataObject) -> None:
    """Changed bytes, of an answer or of a page, are read or refused with a reason."""
    whole = data.draw(
        st.sampled_from(
            [
                json.dumps(listed(comment("c1"), comment("c2", parentCommentId="c1"), totalCount=9)).encode(),
                page(drawn("c1", '<div class="CommentBody-root">a</div>', drawn("c2", "")), 3),
            ]
        )
    )
    body = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 5))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    found = answer(bytes(body))
    if FORUM.claims(found):
        with contextlib.suppress(UnreadableAnswerError):
            assert all(one.native_id or one.reason for one in FORUM.read(found).comments)
