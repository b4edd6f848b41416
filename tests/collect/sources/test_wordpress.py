"""WordPress: lists of the interface, refusals, pages, feeds and exports."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from discourse.collect.answers import Answer
from discourse.collect.sources.wordpress import WordPress
from discourse.tables import Reason, State

WP = WordPress()
SEEN = datetime(2025, 3, 1, tzinfo=UTC)
API = "https://b.example.org/wp-json/wp/v2/"
JSON = {"content-type": "application/json"}


def recorded(shared: Path, name: str) -> Answer:
    """Return a recorded answer with its status and headers."""
    folder = shared / "payloads" / "servers" / "wordpress"
    request, status, *lines = (folder / f"{name}.head").read_text().splitlines()
    headers = {key.lower(): value for key, _, value in (line.partition(": ") for line in lines) if value}
    url = "http://127.0.0.1:8882" + request.split()[1]
    return Answer(url, int(status), headers, (folder / f"{name}.body").read_bytes(), SEEN)


def test_a_page_of_a_list_asks_for_the_others(shared: Path) -> None:
    """The first page declares the site's total and asks for the pages after it, with what they hold."""
    found = WP.read(recorded(shared, "list_p1"))
    assert found.threads[0].native_id == "127.0.0.1:8882/4"
    assert found.threads[0].declared == 12
    assert [ask.expects for ask in found.next] == [4, 4]
    assert {one.parent for one in found.comments} >= {None, "2"}
    assert WP.read(recorded(shared, "list_past_end")).next == ()


def test_states_that_only_editors_see(shared: Path) -> None:
    """A list for editors has its held comment; a deleted one keeps its row without text."""
    states = [one.state for one in WP.read(recorded(shared, "list_edit_context")).comments]
    assert states.count(State.HELD) == 1
    (gone,) = WP.read(recorded(shared, "delete_k")).comments
    assert (gone.native_id, gone.parent, gone.state, gone.text) == ("12", "6", State.REMOVED, None)


@pytest.mark.parametrize("name", ["feed", "feed_all"])
def test_a_feed_names_parents_in_its_first_line(shared: Path, name: str) -> None:
    """The last ten comments come with their parents, without the line that names them."""
    found = WP.read(recorded(shared, name))
    by_id = {one.native_id: one for one in found.comments}
    assert len(by_id) == 10
    assert by_id["13"].parent == "12"
    assert "In reply to" not in (by_id["13"].text or "")
    assert found.threads[0].reason is not None


def test_a_saved_list_without_an_address(shared: Path) -> None:
    """A list in a file gives its thread by its comments' links."""
    body = (shared / "payloads" / "wordpress" / "wpkit_comments-v2-view-context-success.json").read_bytes()
    answer = Answer("", 200, {}, body, SEEN)
    assert WP.claims(answer)
    assert [(one.thread, one.parent) for one in WP.read(answer).comments] == [("example.com/49", "1")] * 2


def test_a_large_export_is_read(shared: Path) -> None:
    """An export gives each post as a thread; held rows and pingbacks are told apart from comments."""
    answer = Answer(
        "", 200, {}, (shared / "payloads" / "wordpress" / "spotthevuln_wxr_redacted.xml").read_bytes(), SEEN
    )
    assert WP.claims(answer)
    found = WP.read(answer)
    assert (len(found.threads), len(found.comments)) == (115, 172)
    assert sum(one.reason is Reason.NOT_A_COMMENT for one in found.comments) == 100
    assert all(one.created.at is not None for one in found.comments if one.reason is None)


def test_a_closed_interface_leads_back_to_the_pages() -> None:
    """A refusal asks for the pages of comments that the article's page links to, and nothing is lost without them."""
    html = f"""<html><head><link rel="https://api.w.org/" href="https://b.example.org/wp-json/">
    <link rel="shortlink" href="https://b.example.org/?p=7"></head><body><div id="comments"><ol>
    <li class="comment" id="comment-1"><b class="fn">Ada</b><p>Hi</p></li></ol>
    <a href="{"https://b.example.org/x/"}comment-page-2/">Older</a></div></body></html>"""
    (ask,) = WP.start("wordpress+https://b.example.org/x/")
    assert ask.page
    first = WP.read(Answer(ask.url, 200, {}, html.encode(), SEEN, ask.key, dict(ask.context)))
    (listing,) = first.next
    assert listing.url.startswith(API + "comments?post=7&per_page=100&page=1")
    refusal = json.dumps({"code": "rest_no_route", "message": "No route", "data": {"status": 404}}).encode()
    second = WP.read(Answer(listing.url, 404, JSON, refusal, SEEN, listing.key, dict(listing.context)))
    assert [one.url for one in second.next] == ["https://b.example.org/x/comment-page-2/"]
    again = second.next[0]
    third = WP.read(Answer(again.url, 200, {}, html.encode(), SEEN, again.key, dict(again.context)))
    assert {one.thread for one in (*first.comments, *third.comments)} == {"b.example.org/7"}
    assert all("wp-json" not in one.url for one in third.next)


def test_a_post_is_found_by_its_slug(shared: Path) -> None:
    """An address whose page names no number is looked up among posts, then pages."""
    found = WP.read(recorded(shared, "posts_by_slug"))
    assert found.threads[0].title == "Carbon tax"
    assert "comments?post=4&" in found.next[0].url
    nothing = WP.read(Answer(API + "posts?slug=about", 200, JSON, b"[]", SEEN, "", {"wordpress": "slug"}))
    assert [one.url for one in nothing.next] == [API + "pages?slug=about"]


def test_sites_without_pretty_links(shared: Path) -> None:
    """The interface behind ``rest_route=`` is paged at the same address."""
    found = WP.read(recorded(shared, "rest_route"))
    assert found.next[0].url.endswith("?rest_route=/wp/v2/comments&post=4&per_page=1&page=2")
    (ask,) = WP.start("https://b.example.org/?rest_route=/wp/v2/comments&post=4")
    assert ask.url.startswith("https://b.example.org/?rest_route=/wp/v2/comments&post=4&per_page=100")


def test_records_that_are_no_comments() -> None:
    """Pingbacks and records of a wrong type are quarantined beside the good ones."""
    records = [{"id": 1, "post": 7, "author_name": "Ada", "content": {"rendered": "x"}, "parent": None}, 5,
               {"id": 2, "post": 7, "author_name": "p", "content": {}, "type": "pingback"}]  # fmt: skip
    found = WP.read(Answer(API + "comments?post=7", 200, JSON, json.dumps(records).encode(), SEEN))
    assert [one.reason for one in found.comments] == [None, Reason.WRONG_TYPE, Reason.NOT_A_COMMENT]
