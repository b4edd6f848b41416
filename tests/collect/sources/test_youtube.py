"""YouTube: threads, replies behind further requests, flattened replies and refusals."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from tests.collect.forms import youtube as form
from tests.collect.trees import Tree, trees

from discourse.collect.answers import Answer
from discourse.collect.harvest import Collected, harvest
from discourse.collect.sources.youtube import YouTube
from discourse.tables import Precision, Reason, ReplyKind, Role, State

TUBE = YouTube()
AT = datetime(2025, 3, 2, tzinfo=UTC)
THREADS = "https://www.googleapis.com/youtube/v3/commentThreads?videoId=v12345"


def answer(body: object, url: str = "", status: int = 200) -> Answer:
    """Return an answer of the API."""
    return Answer(url, status, {"content-type": "application/json"}, json.dumps(body).encode(), AT)


def comment(name: str, **snippet: Any) -> dict[str, Any]:
    """Return a comment as the API writes it."""
    fields = {"authorDisplayName": "Ada", "textDisplay": f"<b>{name}</b>", "publishedAt": "2025-03-01T12:00:00Z",
              "likeCount": 2, "videoId": "v12345"}  # fmt: skip
    return {"kind": "youtube#comment", "id": name, "snippet": fields | snippet}


def thread(top: dict[str, Any], *replies: object, total: int = 0) -> dict[str, Any]:
    """Return a thread as the API writes it."""
    snippet = {"videoId": "v12345", "channelId": "UCo", "topLevelComment": top, "totalReplyCount": total}
    return {
        "kind": "youtube#commentThread",
        "id": top["id"],
        "snippet": snippet,
        "replies": {"comments": list(replies)},
    }


def listing(*items: object, **fields: Any) -> dict[str, Any]:
    """Return a page of threads."""
    return {"kind": "youtube#commentThreadListResponse", "items": list(items)} | fields


@pytest.mark.parametrize(
    "url",
    ["https://www.youtube.com/watch?v=v12345&t=3", "https://youtu.be/v12345", "https://youtube.com/shorts/v12345"],
)
def test_addresses_of_a_video(url: str) -> None:
    """Each form of a video's address leads to the video and its threads, with the key."""
    about, threads = TUBE.start(url)
    assert about.thread == threads.thread == "v12345"
    assert {about.login, threads.login} == {"youtube"}
    assert not TUBE.start("https://www.youtube.com/@channel")


def test_replies_that_are_not_inline_are_asked_for() -> None:
    """A thread with more replies than it shows leads to them."""
    page = TUBE.read(answer(listing(thread(comment("T"), comment("T.1"), total=3)), THREADS))
    assert [(ask.expects, "parentId=T&" in ask.url) for ask in page.next] == [(2, True)]


def test_a_reply_that_names_somebody_is_flattened() -> None:
    """Whom it answers is known by name only; a plain reply answers the top comment."""
    page = TUBE.read(
        answer(listing(thread(comment("T"), comment("T.1", textDisplay="@bo no"), comment("T.2"), total=2)))
    )
    kinds = [(one.native_id, one.parent, one.kind) for one in page.comments]
    assert kinds == [("T", None, None), ("T.1", "T", ReplyKind.FLATTENED), ("T.2", "T", None)]


def test_the_original_text_is_plain_and_the_shown_one_html() -> None:
    """`textOriginal` wins; `textDisplay` is HTML unless plain text was asked for."""
    both = comment("T", textOriginal="a < b", textDisplay="a &lt; b", authorChannelId={"value": "UCo"})
    page = TUBE.read(answer(listing(thread(both), thread(comment("S")))))
    assert [(one.text, one.markup) for one in page.comments] == [("a < b", "plain"), ("<b>S</b>", "html")]
    assert page.comments[0].role is Role.AUTHOR
    assert page.comments[0].created.precision is Precision.EXACT
    plain = TUBE.read(answer(listing(thread(comment("S"))), f"{THREADS}&textFormat=plainText"))
    assert plain.comments[0].markup == "plain"


def test_the_next_page_repeats_the_request_without_the_key() -> None:
    """The token is added, the key is not kept."""
    page = TUBE.read(answer(listing(nextPageToken="N"), f"{THREADS}&key=secret&maxResults=5"))
    assert [("pageToken=N" in ask.url, "maxResults=5" in ask.url, "secret" in ask.url) for ask in page.next] == [
        (True, True, False)
    ]


@pytest.mark.parametrize(
    ("reason", "said"),
    [("commentsDisabled", "disabled"), ("quotaExceeded", "quota"), ("videoNotFound", "no such video"), ("odd", "Odd!")],
)
def test_a_refusal_says_why_comments_are_missing(reason: str, said: str) -> None:
    """The API's reason goes to the thread."""
    body = {
        "error": {"code": 403, "message": "Odd!", "errors": [{"domain": "youtube.commentThread", "reason": reason}]}
    }
    refused = answer(body, THREADS, 403)
    assert TUBE.claims(refused)
    (told,) = TUBE.read(refused).threads
    assert told.native_id == "v12345"
    assert said in (told.reason or "")


def test_the_video_declares_the_total() -> None:
    """Title, description and total come from the video."""
    video = {"id": "v12345", "snippet": {"title": "Lamps", "description": "d"}, "statistics": {"commentCount": "7"}}
    (told,) = TUBE.read(answer({"kind": "youtube#videoListResponse", "items": [video]}, THREADS)).threads
    assert (told.title, told.article, told.declared) == ("Lamps", "d", 7)


def test_held_and_strange_records() -> None:
    """A held comment keeps its state; a record without an id goes to quarantine."""
    page = TUBE.read(answer(listing(thread(comment("T", moderationStatus="heldForReview")), {"snippet": 3})))
    assert [(one.state, one.reason) for one in page.comments] == [
        (State.HELD, None), (State.VISIBLE, Reason.WRONG_TYPE)
    ]  # fmt: skip


def test_recorded_pages_are_read_whole(shared: Path) -> None:
    """All comments of the recorded pages come out, and what they lack is asked for."""
    folder = shared / "payloads" / "youtube"
    answers = [Answer("", 200, {}, path.read_bytes(), AT) for path in sorted(folder.iterdir())]
    assert all(TUBE.claims(one) for one in answers)
    pages = [TUBE.read(one) for one in answers]
    assert [len(page.comments) for page in pages] == [5, 5, 2, 1]
    assert [len(page.next) for page in pages] == [2, 1, 1, 0]


@settings(max_examples=30, deadline=None)
@given(trees(depth=1))
def test_a_tree_is_read_back(tree: Tree) -> None:
    """Every comment comes back under its top comment, and none is said to be missing."""
    found = harvest(TUBE, form.answers(tree, page_size=2), Collected("f", AT, "f", {}))
    parents = {form.name(tree, node): node.parent for node in tree.nodes}
    rows = {row["native_id"]: row["native_parent"] for row in found.comments.to_dicts()}
    assert rows == {name: None if above is None else f"Ug{above:04}" for name, above in parents.items()}
    assert found.threads.select("declared", "unreachable").row(0) == (len(tree.nodes), 0)
