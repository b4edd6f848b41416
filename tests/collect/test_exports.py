"""The export forms of other tools are recognised, with tree, author and time read right."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from tests.collect.conftest import Collect, Collected

from discourse.tables import ReplyKind, Role

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
EPOCH = int(NOON.timestamp())
SAID = ("The council wants lamps with cameras.", 'They shine into bedrooms, "all night".', "Not into mine, neighbour.")


def lines(records: list[dict[str, Any]]) -> str:
    """Return JSONL."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def table(columns: str, *rows: list[object]) -> str:
    """Return CSV as 4CAT writes it, every cell quoted where needed."""
    return pl.DataFrame(list(rows), schema=columns.split(","), orient="row", strict=False).write_csv()


def zeeschuimer(platform: str, items: list[dict[str, Any]]) -> str:
    """Return items as the browser extension saves them."""
    return lines(
        [
            {
                "nav_index": "1:0:1",
                "item_id": item["id"],
                "timestamp_collected": (EPOCH + 86_400 + number) * 1000,
                "source_platform": platform,
                "source_platform_url": "https://www.example.org/watch",
                "source_url": "https://www.example.org/api/list",
                "user_agent": "Mozilla/5.0",
                "data": item,
            }
            for number, item in enumerate(items)
        ]
    )


def tree(found: Collected) -> dict[str, str | None]:
    """Return each comment's parent."""
    return dict(found.comments.select("native_id", "native_parent").rows())


def check(found: Collected, parents: dict[str, str | None], authors: list[str], form: str) -> None:
    """Compare what was read of `SAID` with who wrote it, when, and in answer to what."""
    assert f", {form} form" in found.note
    assert tree(found) == parents
    assert found.comments["text"].to_list() == list(SAID[: found.comments.height])
    assert found.comments["author"].to_list() == authors
    times = [NOON + timedelta(minutes=number) for number in range(found.comments.height)]
    assert found.comments["created_at"].to_list() == times
    assert found.threads.height == 1


def test_4cat_reddit(collect: Collect) -> None:
    """A 4CAT table of Reddit: the row with the thread's id opens it, and prefixed parents are found."""
    found = collect(
        "4cat.csv",
        table(
            "id,thread_id,timestamp,unix_timestamp,body,subject,author,score,parent,subreddit",
            ["abc", "abc", "2025-03-01 12:00:00", EPOCH, SAID[0], "Lamps", "ada", 12, "", "town"],
            ["c1", "abc", "2025-03-01 12:01:00", EPOCH + 60, SAID[1], "", "bo", 3, "t3_abc", "town"],
            ["c2", "abc", "2025-03-01 12:02:00", EPOCH + 120, SAID[2], "", "chi", -1, "t1_c1", "town"],
        ),
    )
    check(found, {"abc": None, "c1": None, "c2": "c1"}, ["ada", "bo", "chi"], "4CAT")
    assert found.comments["reply_kind"].to_list() == [ReplyKind.OPENING, None, None]
    assert found.comments["role"].to_list()[0] == Role.AUTHOR
    assert found.threads.row(0, named=True)["title"] == "Lamps"
    assert found.comments["score"].to_list() == [12, 3, -1]


def test_4cat_comments_of_videos(collect: Collect) -> None:
    """A 4CAT table of TikTok comments: its thread is one top comment, ours is the video."""
    found = collect(
        "4cat.csv",
        table(
            "collected_from_url,id,thread_id,author,author_full,body,timestamp,unix_timestamp,likes,replies,post_id,"
            "post_url,post_body,comment_url,is_comment_on_comment,language_guess",
            ["https://v", "11", "7", "ada", "Ada L.", SAID[0], "2025-03-01 12:00:00", EPOCH, 3, 2, "7",
             "https://v/7", "Lamps", "https://v/7?c=11", "no", "en"],
            ["https://v", "12", "11", "bo", "Bo L.", SAID[1], "2025-03-01 12:01:00", EPOCH + 60, 0, 0, "7",
             "https://v/7", "Lamps", "https://v/7?c=12", "yes", "en"],
            ["https://v", "13", "11", "chi", "Chi L.", SAID[2], "2025-03-01 12:02:00", EPOCH + 120, 1, 0, "7",
             "https://v/7", "Lamps", "https://v/7?c=13", "yes", "en"],
        ),
    )  # fmt: skip
    check(found, {"11": None, "12": "11", "13": "11"}, ["ada", "bo", "chi"], "4CAT comments")
    assert found.threads.select("title", "url").row(0) == ("Lamps", "https://v/7")


def test_zeeschuimer_tiktok(collect: Collect) -> None:
    """TikTok comments of Zeeschuimer: a reply to a reply hangs on it, and authors are known by their unique names."""

    def item(number: int, author: str, reply: str = "0", nearer: str = "0") -> dict[str, Any]:
        return {
            "id": f"73000000000000000{number}", "cid": f"73000000000000000{number}", "aweme_id": "7300000000000000001",
            "text": SAID[number - 11], "create_time": EPOCH + 60 * (number - 11), "digg_count": number,
            "reply_id": reply, "reply_to_reply_id": nearer, "reply_comment": None, "reply_comment_total": 0,
            "user": {"uid": f"9{number}", "unique_id": author, "nickname": "Somebody"},
            "share_info": {"url": f"https://v/7.html?c={number}", "title": "Lamps", "desc": "see this"},
            "comment_language": "en", "author_pin": False, "stick_position": 0, "status": 1,
        }  # fmt: skip

    first, second, third = (f"73000000000000000{number}" for number in (11, 12, 13))
    items = [item(11, "ada"), item(12, "bo", first), item(13, "chi", first, second)]
    found = collect("tiktok.ndjson", zeeschuimer("tiktok-comments", items))
    check(found, {first: None, second: first, third: second}, ["ada", "bo", "chi"], "Zeeschuimer")
    assert found.threads["thread_id"].to_list() == ["tiktok-comments:7300000000000000001"]
    assert found.comments["score"].to_list() == [11, 12, 13]
    assert "parent_id=data.reply_to_reply_id or data.reply_id" in found.note


def test_zeeschuimer_twitter(collect: Collect) -> None:
    """Posts of X: the conversation is the thread, its first post opens it, and a biography is no text."""

    def item(number: int, author: str, parent: str | None) -> dict[str, Any]:
        when = NOON + timedelta(minutes=number - 1)
        about = {"screen_name": author, "name": "Somebody", "description": "I write long lines about lamps " * 5,
                 "created_at": "Mon Jan 01 10:00:00 +0000 2018"}  # fmt: skip
        return {
            "id": f"189500000000000000{number}", "rest_id": f"189500000000000000{number}", "__typename": "Tweet",
            "core": {"user_results": {"result": {"rest_id": f"4{number}", "legacy": about}}},
            "legacy": {
                "id_str": f"189500000000000000{number}", "created_at": f"{when:%a %b %d %H:%M:%S +0000 %Y}",
                "full_text": SAID[number - 1], "conversation_id_str": "1895000000000000001", "favorite_count": number,
                "in_reply_to_status_id_str": parent, "user_id_str": f"4{number}", "reply_count": 0, "lang": "en",
            },
        }  # fmt: skip

    first, second, third = (f"189500000000000000{number}" for number in (1, 2, 3))
    items = [item(1, "ada", None), item(2, "bo", first), item(3, "chi", second)]
    found = collect("x.ndjson", zeeschuimer("twitter.com", items))
    check(found, {first: None, second: None, third: second}, ["ada", "bo", "chi"], "Zeeschuimer")
    assert found.comments["reply_kind"].to_list() == [ReplyKind.OPENING, None, None]
    assert found.comments["score"].to_list() == [1, 2, 3]


def test_zeeschuimer_instagram(collect: Collect) -> None:
    """Instagram comments of Zeeschuimer: the post is the thread, and authors are names, not numbers."""

    def item(number: int, author: str, parent: str | None) -> dict[str, Any]:
        return {
            "id": f"179{number}", "pk": f"179{number}", "comment_id": f"179{number}", "text": SAID[number - 1],
            "user": {"id": f"5{number}", "unique_id": author, "nickname": "Somebody", "verified": False},
            "created_at": EPOCH + 60 * (number - 1), "comment_like_count": 2,
            "post_id": "35", "thread_id": "35", "post_url": "https://i/p/x/", "post_shortcode": "x",
            "parent_comment_id": parent, "_zs_comment_parent_id": parent or "35", "user_id": f"5{number}",
            "status": "Active",
        }  # fmt: skip

    items = [item(1, "ada", None), item(2, "bo", "1791"), item(3, "chi", "1791")]
    found = collect("instagram.ndjson", zeeschuimer("instagram-comments", items))
    check(found, {"1791": None, "1792": "1791", "1793": "1791"}, ["ada", "bo", "chi"], "Zeeschuimer")
    assert found.threads["thread_id"].to_list() == ["instagram-comments:35"]
    assert found.comments["score"].to_list() == [2, 2, 2]


@pytest.mark.parametrize(
    ("thread", "parent", "speaker"),
    [("conversation_id", "reply-to", "speaker"), ("root", "reply_to", "user")],
    ids=["now", "before 2.4"],
)
def test_convokit(collect: Collect, thread: str, parent: str, speaker: str) -> None:
    """ConvoKit utterances, with the names of all versions: the utterance that names its conversation opens it."""
    names, above = ("ada", "bo", "chi"), (None, "u0", "u1")
    records = [
        {"id": f"u{number}", thread: "u0", "text": SAID[number], speaker: names[number], parent: above[number],
         "timestamp": EPOCH + 60 * number, "meta": {"score": number, "parsed": [{"toks": []}]}, "vectors": []}
        for number in range(3)
    ]  # fmt: skip
    found = collect("utterances.jsonl", lines(records))
    check(found, {"u0": None, "u1": None, "u2": "u1"}, list(names), "ConvoKit")
    assert found.threads.row(0, named=True)["article"] == SAID[0]


def test_talk_to_the_city(collect: Collect) -> None:
    """A table for Talk to the City: who was interviewed is the author; places in a video are no times."""
    rows = [
        [number + 1, name, SAID[number], "https://v/1", f"0:0{number}:05"] for number, name in enumerate(["Ada", "Bo"])
    ]
    found = collect("tttc.csv", table("id,interview,comment,video,timestamp", *rows))
    assert ", Talk to the City form" in found.note
    assert found.comments.select("native_id", "author", "text", "created_at").rows() == [
        ("1", "Ada", SAID[0], None),
        ("2", "Bo", SAID[1], None),
    ]


def test_kouchou_ai(collect: Collect) -> None:
    """A table of kouchou-ai: comments without authors."""
    found = collect("kouchou.csv", table("comment-id,comment-body,agree", ["1", SAID[0], 3], ["2", SAID[1], 0]))
    assert ", kouchou-ai form" in found.note
    assert found.comments.select("native_id", "author", "text").rows() == [("1", None, SAID[0]), ("2", None, SAID[1])]
