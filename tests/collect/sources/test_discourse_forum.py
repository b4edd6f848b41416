"""Discourse: topics, lots of posts, topic lists, and refusals."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.collect.forms import discourse_forum as form
from tests.collect.trees import Tree, trees

from discourse.collect.answers import Answer, UnreadableAnswerError
from discourse.collect.sources.discourse_forum import DiscourseForum
from discourse.tables import Reason, ReplyKind, Role, State

FORUM = DiscourseForum()


def answer(body: object, url: str = "", status: int = 200) -> Answer:
    """Return an answer of a forum."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(url, status, {}, raw, datetime(2025, 3, 1, tzinfo=UTC))


def topic(*posts: object, **fields: Any) -> dict[str, Any]:
    """Return a topic as a forum writes it."""
    return {"id": 7, "title": "Lamps", "user_id": 5, "post_stream": {"posts": list(posts)}} | fields


def post(number: int, **fields: Any) -> dict[str, Any]:
    """Return a post as a forum writes it."""
    return {"id": 100 + number, "post_number": number, "post_type": 1, "cooked": f"<p>{number}</p>", "user_id": 6,
            "staff": False, "username": "ada", "created_at": "2025-03-01T12:00:00.000Z"} | fields  # fmt: skip


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://f.example.org/t/lamps/7", "https://f.example.org/t/7.json"),
        ("https://f.example.org/t/lamps/7/31?u=x", "https://f.example.org/t/7.json"),
        ("https://f.example.org/t/7", "https://f.example.org/t/7.json"),
        ("https://f.example.org/t/7.json", "https://f.example.org/t/7.json"),
        ("https://example.org/forum/t/lamps-2/7", "https://example.org/forum/t/7.json"),
    ],
)
def test_every_form_of_a_topics_address_asks_for_the_topic(url: str, asked: str) -> None:
    """With or without its words, the number of a post, and a folder in front."""
    assert [ask.url for ask in FORUM.start(url)] == [asked]


@pytest.mark.parametrize("url", ["https://example.org/about", "ftp://f.example.org/t/a/7", "https://[x/t/a/7", "t/a/7"])
def test_other_addresses_are_not_ours(url: str) -> None:
    """Nothing is asked for an address without a topic."""
    assert FORUM.start(url) == ()


def test_a_recorded_topic_says_how_many_posts_it_lacks(shared: Path) -> None:
    """A saved topic gives its posts, hangs replies on post numbers, and counts those that are not in the file."""
    found = answer((shared / "payloads/discourse/perceval_discourse_topic_1148.json").read_bytes())
    assert FORUM.claims(found)
    page = FORUM.read(found)
    comments = [one for one in page.comments if one.kind is not ReplyKind.OPENING and one.reason is None]
    aliases = {one.alias for one in page.comments}
    assert len(page.comments) == 20
    assert page.threads[0].native_id == "1148"
    assert page.threads[0].declared == 21
    assert page.threads[0].article
    assert sum(ask.expects for ask in page.next) == 2
    assert all(one.text and one.created.at for one in comments)
    assert {one.parent for one in comments if one.parent} & aliases


def test_a_recorded_lot_of_posts_is_read_alone(shared: Path) -> None:
    """A saved lot names its topic."""
    found = answer((shared / "payloads/discourse/api_topic_posts.json").read_bytes())
    assert FORUM.claims(found)
    assert [(one.thread, one.alias) for one in FORUM.read(found).comments] == [("57", "#2")]


def test_a_list_of_topics_gives_a_reason(shared: Path) -> None:
    """A list of topics holds no posts, and that is said."""
    found = answer((shared / "payloads/discourse/perceval_discourse_topics.json").read_bytes())
    assert FORUM.claims(found)
    with pytest.raises(UnreadableAnswerError, match="list of topics") as caught:
        FORUM.read(found)
    assert caught.value.reason is Reason.NOT_A_COMMENT


def test_states_roles_and_small_actions() -> None:
    """Who wrote a post and what became of it are told apart; a small action is no comment."""
    page = FORUM.read(
        answer(
            topic(
                post(1, user_id=5),
                post(2, user_deleted=True),
                post(3, hidden=True),
                post(4, deleted_at="2025-03-02T00:00:00Z", deleted_by={"id": 1}),
                post(5, deleted_at="2025-03-02T00:00:00Z", deleted_by={"id": 6}),
                post(6, staff=True, reply_to_post_number=2),
                post(7, user_id=-1),
                post(8, post_type=3, cooked="", action_code="closed.enabled"),
                post(9, user_id=5, reply_to_post_number=1),
                "no post",
            )
        )
    )
    states = [one.state for one in page.comments]
    assert states[1:5] == [State.DELETED, State.REMOVED, State.REMOVED, State.DELETED]
    assert all(one.text is None for one in page.comments[1:5])
    roles = [one.role for one in page.comments]
    assert [roles[0], roles[1], *roles[5:7], roles[8]] == [Role.AUTHOR, Role.USER, Role.STAFF, Role.BOT, Role.AUTHOR]
    assert [one.parent for one in page.comments[5:9]] == ["#2", None, None, None]
    assert [one.reason for one in page.comments[7:]] == [Reason.NOT_A_COMMENT, None, Reason.WRONG_TYPE]


def test_quotes_become_blockquotes() -> None:
    """The quoted words stay in a blockquote, and the line that names their author goes."""
    cooked = (
        '<aside class="quote" data-post="2" data-topic="7"><div class="title">bo:</div>'
        "<blockquote><p>dark streets</p></blockquote></aside><p>Not so.</p>"
    )
    text = FORUM.read(answer(topic(post(2, cooked=cooked)))).comments[0].text
    assert text == "<blockquote><p>dark streets</p></blockquote><p>Not so.</p>"


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_says_why_nothing_came(status: int) -> None:
    """The thread is kept with the reason."""
    page = FORUM.read(answer({"errors": []}, "https://f.example.org/t/7.json", status))
    assert page.threads[0].native_id == "f.example.org/7"
    assert page.threads[0].reason


@settings(max_examples=30, deadline=None)
@given(tree=trees(), page_size=st.integers(1, 8))
def test_a_tree_in_lots_is_read_back(tree: Tree, page_size: int) -> None:
    """Whatever the size of its lots, a topic gives its tree, its states and its texts, each post once."""
    pages = [FORUM.read(one) for one in form.answers(tree, page_size=page_size)]
    found = {one.native_id: one for page in pages for one in page.comments if one.kind is not ReplyKind.OPENING}
    assert sum(len(page.comments) for page in pages) == len(tree.nodes) + 1
    assert {(one.native_id, one.parent, one.state) for one in found.values()} == {
        (str(100 + node.number), None if node.parent is None else f"#{node.parent + 1}", node.state)
        for node in tree.nodes
    }
    assert all((one.text is None) == (one.state is not State.VISIBLE) for one in found.values())


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_mutated_answers_give_rows_or_a_reason(data: st.DataObject) -> None:
    """Changed bytes are read or refused with a reason."""
    body = bytearray(json.dumps(topic(post(1), post(2, reply_to_post_number=1), posts_count=9)).encode())
    for _ in range(data.draw(st.integers(1, 5))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    found = answer(bytes(body))
    if FORUM.claims(found):
        with contextlib.suppress(UnreadableAnswerError):
            assert all(one.native_id or one.reason for one in FORUM.read(found).comments)
