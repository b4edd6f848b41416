"""Mastodon: statuses, contexts, content warnings, what is missing, and refusals."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.collect.forms import mastodon as form
from tests.collect.trees import Tree, trees

from discourse.collect.answers import Answer, Ask, UnreadableAnswerError
from discourse.collect.sources.mastodon import LIMIT, Mastodon
from discourse.tables import Reason, ReplyKind, Role, State

MASTODON = Mastodon()
BASE = "https://s.example.org/api/v1/statuses"


def answer(body: object, url: str = "", ask: Ask | None = None, status: int = 200) -> Answer:
    """Return an answer of a server, from `url` or to `ask`."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    at = datetime(2025, 3, 1, tzinfo=UTC)
    if ask is None:
        return Answer(url, status, {}, raw, at)
    return Answer(ask.url, status, {}, raw, at, ask.key, dict(ask.context))


def status(number: int, parent: int | None = None, **fields: Any) -> dict[str, Any]:
    """Return a status as a server writes it."""
    return {"id": str(number), "in_reply_to_id": None if parent is None else str(parent), "content": f"<p>{number}</p>",
            "created_at": "2025-03-01T12:00:00.000Z", "account": {"id": "9", "acct": "ada"}} | fields  # fmt: skip


def context(ancestors: Sequence[object], descendants: Sequence[object]) -> dict[str, Any]:
    """Return a context as a server writes it."""
    return {"ancestors": list(ancestors), "descendants": list(descendants)}


@pytest.mark.parametrize(
    "path",
    ["@ada/110446983926957470", "@ada@other.example.org/110446983926957470", "web/statuses/110446983926957470",
     "users/ada/statuses/110446983926957470", "deck/@ada/110446983926957470", "@ada/110446983926957470/embed",
     "api/v1/statuses/110446983926957470/context"],
)  # fmt: skip
def test_every_form_of_an_address_asks_for_the_status(path: str) -> None:
    """Whatever page shows it, the status is asked for by its id."""
    assert [ask.url for ask in MASTODON.start(f"https://s.example.org/{path}")] == [f"{BASE}/110446983926957470"]


@pytest.mark.parametrize(
    "url", ["https://s.example.org/@ada", "https://example.org/@ada/videos", "https://[x/@a/1234567"]
)
def test_other_addresses_are_not_ours(url: str) -> None:
    """Nothing is asked for an address without a status."""
    assert MASTODON.start(url) == ()


def test_a_recorded_context_takes_its_thread_from_its_ancestors(shared: Path) -> None:
    """The status asked for is only in the address; the first ancestor is the opening post."""
    cassette = yaml.safe_load((shared / "payloads/mastodon/test_entity_context.yaml").read_text("utf-8"))
    exchange = cassette["interactions"][0]
    found = answer(exchange["response"]["body"]["string"].encode(), exchange["request"]["uri"])
    assert MASTODON.claims(found)
    page = MASTODON.read(found)
    opening, reply = page.comments
    assert page.threads[0].native_id == f"mastodon.social/{opening.native_id}"
    assert opening.kind is ReplyKind.OPENING
    assert reply.parent == "110446983926957470"
    assert reply.role is Role.AUTHOR


def test_a_status_leads_to_its_context_and_its_count_of_replies() -> None:
    """What the context lacks of the replies that the status counts is unreachable."""
    (ask,) = MASTODON.start("https://s.example.org/@ada/1000000")
    (follows,) = MASTODON.read(answer(status(1000000, replies_count=3), ask=ask)).next
    assert (follows.url, follows.expects, follows.thread) == (f"{BASE}/1000000/context", 3, "s.example.org/1000000")
    page = MASTODON.read(answer(context([], [status(1000001, 1000000)]), ask=follows))
    assert [(one.url, one.expects) for one in page.next] == [("", 2)]
    assert [(one.thread, one.parent, one.role) for one in page.comments] == [
        ("s.example.org/1000000", None, Role.AUTHOR)
    ]


def test_the_address_of_a_reply_leads_to_the_whole_thread() -> None:
    """The context of the first ancestor is asked for, once."""
    (ask,) = MASTODON.start("https://s.example.org/@ada/1000002")
    page = MASTODON.read(answer(status(1000002, 1000001), ask=ask))
    assert [(one.thread, one.parent) for one in page.comments] == [(None, "1000001")]
    ancestors = [status(1000000, replies_count=2), status(1000001, 1000000)]
    page = MASTODON.read(answer(context(ancestors, []), ask=page.next[0]))
    assert {one.thread for one in page.comments} == {"s.example.org/1000000"}
    (root,) = page.next
    assert (root.url, root.expects) == (f"{BASE}/1000000/context", 1)


def test_a_cut_chain_of_ancestors_names_no_thread() -> None:
    """Where the first ancestor answers another status, that one's context is asked for."""
    page = MASTODON.read(answer(context([status(5, 4)], [status(7, 6)]), f"{BASE}/6/context"))
    assert (page.threads, {one.thread for one in page.comments}) == ((), {None})
    assert [ask.url for ask in page.next] == [f"{BASE}/5/context"]


def test_a_full_context_states_the_limit_and_asks_for_the_rest() -> None:
    """A server stops at its limit without a word; what has more replies than are shown is asked again."""
    shown = [status(100 + n, 100 if n > 1 else 1, replies_count=LIMIT if n == 1 else 0) for n in range(LIMIT)]
    page = MASTODON.read(answer(context([], [*shown, status(300, 1, replies_count=4)]), f"{BASE}/1/context"))
    assert any(str(LIMIT) in (one.reason or "") for one in page.threads)
    assert [f"{BASE}/300/context" in ask.url for ask in page.next if ask.expects == 4] == [True]


def test_a_file_takes_its_status_from_what_answers_it() -> None:
    """Without an address the first descendant tells whose context it is, and the thread has no host."""
    found = answer(context([], [status(2, 1, replies_count=2), status(3, 2)]))
    assert MASTODON.claims(found)
    page = MASTODON.read(found)
    assert [(one.thread, one.parent) for one in page.comments] == [("1", None), ("1", "2")]
    assert [(one.url, one.expects) for one in page.next] == [("", 1)]
    with pytest.raises(UnreadableAnswerError, match="whose"):
        MASTODON.read(answer(context([], [])))


def test_warnings_boosts_bots_and_broken_statuses() -> None:
    """A content warning stands above the text; a boost and what is no status are set aside."""
    page = MASTODON.read(
        answer(
            context(
                [status(1)],
                [
                    status(2, 1, spoiler_text="<spoiler> & more", account={"id": "8", "acct": "bo@x.example.org"}),
                    status(3, 1, account={"id": "7", "acct": "bot", "bot": True}),
                    status(4, 1, reblog={"id": "5"}),
                    "no status",
                ],
            ),
            f"{BASE}/1/context",
        )
    )
    warned, bot, boost, broken = page.comments[1:]
    assert warned.text == "<p>&lt;spoiler&gt; &amp; more</p><p>2</p>"
    assert (warned.author, warned.role, bot.role) == ("bo@x.example.org", Role.USER, Role.BOT)
    assert (boost.reason, broken.reason) == (Reason.NOT_A_COMMENT, Reason.WRONG_TYPE)


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_a_refusal_says_why_nothing_came(code: int) -> None:
    """The thread is kept with the reason; a status within a known thread takes nothing from it."""
    page = MASTODON.read(answer({"error": "Record not found"}, f"{BASE}/42", status=code))
    assert page.threads[0].native_id == "s.example.org/42"
    assert page.threads[0].reason
    (leaf,) = MASTODON.read(answer(context([], [status(2, 1, replies_count=1)]), f"{BASE}/1/context")).next
    assert MASTODON.read(answer({"error": "Record not found"}, ask=leaf, status=code)).threads == ()


def test_a_token_is_sent_if_there_is_one() -> None:
    """Without a token requests go as they are."""
    with_token, without = MASTODON.login({"MASTODON_ACCESS_TOKEN": "abc"}), MASTODON.login({})
    assert with_token
    assert (with_token.header, with_token.value) == ("authorization", "Bearer abc")
    assert without
    assert (without.header, without.query, without.token) == ("", "", None)


@settings(max_examples=30, deadline=None)
@given(tree=trees(), levels=st.integers(1, 6))
def test_a_tree_in_levels_is_read_back(tree: Tree, levels: int) -> None:
    """However few levels a context has, every status that is there comes with what it answers."""
    pages = [MASTODON.read(one) for one in form.answers(tree, page_size=levels)]
    found = {one.native_id: one.parent for page in pages for one in page.comments if one.native_id != str(form.ROOT)}
    assert found == {
        str(form.ROOT + node.number): None if node.parent is None else str(form.ROOT + node.parent)
        for node in tree.nodes
        if node.state is State.VISIBLE
    }


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_mutated_answers_give_rows_or_a_reason(data: st.DataObject) -> None:
    """Changed bytes are read or refused with a reason."""
    body = bytearray(json.dumps(context([status(1)], [status(3, 2, replies_count=2), status(4, 3)])).encode())
    for _ in range(data.draw(st.integers(1, 5))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    found = answer(bytes(body))
    if MASTODON.claims(found):
        with contextlib.suppress(UnreadableAnswerError):
            assert all(one.native_id or one.reason for one in MASTODON.read(found).comments)
